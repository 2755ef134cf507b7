package reports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Names of the files in a run's directory, beside histories and histograms.
const (
	ResultFile   = "result.json"
	ManifestFile = "manifest.json"
	JUnitFile    = "junit.xml"
	HTMLFile     = "report.html"
)

// Dir is the directory that a run leaves behind.
type Dir struct {
	Path string
}

// PrepareDir makes the directory for a run's files, before the run starts and could be for nothing: it is created where it is
// missing, must be empty and must be writable. Its errors are the caller's to mend.
func PrepareDir(path string) (*Dir, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("output directory %s: is a file; choose another name", path)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("create output directory: %w", err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("read output directory: %w", err)
	}
	if len(entries) > 0 {
		return nil, occupied(path, entries)
	}
	d := &Dir{Path: path}
	probe := ".writable"
	if err := d.WriteFile(probe, func(io.Writer) error { return nil }); err != nil {
		return nil, fmt.Errorf("output directory %s: %w", path, err)
	}
	if err := os.Remove(filepath.Join(path, probe)); err != nil {
		return nil, fmt.Errorf("output directory %s: %w", path, err)
	}
	return d, nil
}

func occupied(path string, entries []fs.DirEntry) error {
	for _, e := range entries {
		if e.Name() == ManifestFile || e.Name() == ResultFile {
			return fmt.Errorf("output directory %s: holds the result of an earlier run; choose another or remove it", path)
		}
	}
	return fmt.Errorf("output directory %s: is not empty, it holds %s; choose another or remove it", path, entries[0].Name())
}

// WriteFile writes a file as a whole or not at all: under another name first, which becomes its own once everything is on
// the disk. The name is one without directories.
func (d *Dir) WriteFile(name string, write func(io.Writer) error) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
		return fmt.Errorf("write %q: not a file name", name)
	}
	path := filepath.Join(d.Path, name)
	partial := filepath.Join(d.Path, "."+name+partialSuffix)
	err := writePartial(partial, write)
	if err == nil {
		err = os.Rename(partial, path)
	}
	if err != nil {
		_ = os.Remove(partial)
		return fmt.Errorf("write %s: %w", path, cause(err))
	}
	return nil
}

const partialSuffix = ".partial"

func writePartial(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 64<<10)
	err = contained(write, buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// contained makes an error of a panic, so that the files beside are written all the same.
func contained(write func(io.Writer) error, w io.Writer) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = crash.Contain(p)
		}
	}()
	return write(w)
}

// RemovePartial removes what WriteFile has not finished, for a process that ends meanwhile.
func (d *Dir) RemovePartial() {
	entries, _ := os.ReadDir(d.Path)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partialSuffix) {
			_ = os.Remove(filepath.Join(d.Path, e.Name()))
		}
	}
}

// cause leaves the name of the partial file out, which only confuses.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// WriteReports writes result.json, junit.xml, report.html, what else there is by name, and at last manifest.json, which lists them all: a
// directory that has one is complete. What cannot be written keeps nothing else from being written; the error says which files are there.
func (d *Dir) WriteReports(r *conformance.Result, m Manifest, opts Options, extra map[string]func(io.Writer) error) error {
	reports := map[string]func(io.Writer) error{
		ResultFile: func(w io.Writer) error { return JSON(w, r, opts) },
		JUnitFile:  func(w io.Writer) error { return JUnit(w, r, opts) },
		HTMLFile:   func(w io.Writer) error { return HTML(w, r, opts) },
	}
	maps.Copy(reports, extra)
	order := append([]string{ResultFile, JUnitFile, HTMLFile}, slices.Sorted(maps.Keys(extra))...)
	var failed []error
	for _, name := range order {
		failed = append(failed, d.WriteFile(name, reports[name]))
	}
	if err := errors.Join(failed...); err != nil {
		return d.saying(err)
	}
	listed, err := d.sizes()
	if err != nil {
		return d.saying(err)
	}
	m.Files = listed
	return d.saying(d.WriteFile(ManifestFile, func(w io.Writer) error { return writeJSON(w, m) }))
}

// saying adds to err which files are complete.
func (d *Dir) saying(err error) error {
	if err == nil {
		return nil
	}
	kept := "nothing"
	if names := d.Files(); len(names) > 0 {
		kept = strings.Join(names, ", ")
	}
	return fmt.Errorf("%w; kept in %s: %s", err, d.Path, kept)
}

// Files are the names of the files in the directory, sorted. A directory that cannot be read has none.
func (d *Dir) Files() []string {
	sizes, err := d.sizes()
	if err != nil {
		return nil
	}
	names := make([]string, len(sizes))
	for i, f := range sizes {
		names[i] = f.Name
	}
	return names
}

func (d *Dir) sizes() ([]File, error) {
	entries, err := os.ReadDir(d.Path)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", d.Path, cause(err))
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), partialSuffix) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", d.Path, cause(err))
		}
		files = append(files, File{Name: e.Name(), Bytes: info.Size()})
	}
	return files, nil
}
