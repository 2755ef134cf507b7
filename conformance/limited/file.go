// Package limited reads what others wrote, up to a limit: files, and what commands print.
package limited

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Text is the limit of files that people write, in bytes.
const Text = 1 << 20

// stdin are the names under which the standard input is read as it is, whatever it is.
var stdin = map[string]bool{"/dev/stdin": true, "/dev/fd/0": true, "/proc/self/fd/0": true}

// Open opens a regular file, or the standard input. A named pipe would be waited for and a device never ends: those are refused.
func Open(name string) (*os.File, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.New("it is a directory")}
	case !info.Mode().IsRegular() && !stdin[name]:
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.New("it is no regular file")}
	}
	return os.Open(name)
}

// ReadFile reads a file as Open does. One with more than most bytes is an error, and is not read to its end.
func ReadFile(name string, most int64) ([]byte, error) {
	file, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = &os.PathError{Op: "read", Path: name, Err: fmt.Errorf("it is larger than %s", size(most))}
	}
	return text, err
}

// size is a number of bytes that is a power of two, as people write it.
func size(n int64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 1<<10 {
			return fmt.Sprint(n, unit)
		}
		n >>= 10
	}
	return fmt.Sprint(n, "TiB")
}
