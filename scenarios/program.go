package scenarios

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// program is a command line. Its program is found by PATH or, when a slash stands in it, from the folder of the file that names it; its
// arguments are handed over as they are.
var program = func() shape[[]string] {
	words := some(list(argument), "a program")
	read := words.read
	words.read = func(r *reader, key string, n *yaml.Node, into *[]string) {
		read(r, key, n, into)
		n = resolved(n)
		if r.find == nil || r.flags[n] != "" || len(*into) == 0 || len(n.Content) == 0 {
			return // what a flag names stands beside no file
		}
		r.program(key, resolved(n.Content[0]), into)
	}
	return words
}()

// program looks the first of the words up, and reports one that is not there.
func (r *reader) program(key string, n *yaml.Node, words *[]string) {
	path, err := r.find((*words)[0])
	if err == nil {
		(*words)[0] = path
		return
	}
	written, ok := r.written[n]
	if !ok {
		written = n.Value // no secret, wherever it stands
	}
	hint := "is it installed? One beside this file is written with ./ before it"
	if strings.ContainsAny((*words)[0], `/\`) {
		hint = "the path is relative to this file"
	}
	r.report(n, key, "names the program "+quote(written)+", which "+err.Error(), hint)
}

// programIn finds programs for a file in a folder.
func programIn(folder string) func(name string) (string, error) {
	return func(name string) (string, error) {
		if strings.ContainsAny(name, `/\`) {
			path := name
			if !filepath.IsAbs(path) {
				var err error
				if path, err = filepath.Abs(filepath.Join(folder, name)); err != nil {
					return "", err
				}
			}
			return path, executable(path)
		}
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			for _, extension := range []string{"", ".exe", ".bat", ".cmd"} {
				if executable(filepath.Join(dir, name+extension)) == nil {
					return name, nil
				}
			}
		}
		return "", errors.New("is in no folder of PATH")
	}
}

func executable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("does not exist")
	case err != nil:
		return errors.New("cannot be looked at: " + reason(err))
	case info.IsDir():
		return errors.New("is a folder")
	case info.Mode().Perm()&0o111 == 0 && os.PathSeparator == '/':
		return errors.New("is not executable")
	}
	return nil
}
