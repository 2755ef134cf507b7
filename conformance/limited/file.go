// Package limited reads what others wrote, up to a limit: files, and what commands print.
package limited

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Text is the limit of files that people write, in bytes.
const Text = 1 << 20

// stdin are the names under which the standard input is read as it is, whatever it is.
var stdin = map[string]bool{"/dev/stdin": true, "/dev/fd/0": true, "/proc/self/fd/0": true}

// Open opens a regular file, or the standard input. A named pipe would be waited for, a device never ends, and what the kernel shows as
// files may do both: those are refused.
func Open(name string) (*os.File, error) {
	if stdin[name] {
		return os.Open(name)
	}
	info, err := os.Stat(name) // opening alone does something to some devices
	if err == nil {
		err = regular(name, info)
	}
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(name, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, err
	}
	if info, err = file.Stat(); err == nil { // it may be another by now
		err = regular(name, info)
	}
	if err == nil && virtual(file) {
		err = &os.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

var errNotRegular = errors.New("it is no regular file")

func regular(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return &os.PathError{Op: "open", Path: name, Err: errors.New("it is a directory")}
	case !info.Mode().IsRegular():
		return &os.PathError{Op: "open", Path: name, Err: errNotRegular}
	}
	return nil
}

// ReadFile reads a file as Open does. One with more than most bytes is an error, and is not read if its size says so.
func ReadFile(name string, most int64) ([]byte, error) {
	file, err := Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	tooLarge := &os.PathError{Op: "read", Path: name, Err: fmt.Errorf("it is larger than %s", size(most))}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > most {
		return nil, tooLarge
	}
	var text bytes.Buffer
	text.Grow(int(info.Size()) + bytes.MinRead) // its size, and not twice that
	if _, err := text.ReadFrom(io.LimitReader(file, most+1)); err != nil {
		return nil, err
	}
	if int64(text.Len()) > most {
		return nil, tooLarge
	}
	return text.Bytes(), nil
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
