package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestPrepareDirTakesOnlyANewOrEmptyDirectory(t *testing.T) {
	t.Parallel()
	for _, path := range []string{t.TempDir(), filepath.Join(t.TempDir(), "a", "b")} {
		d, err := PrepareDir(path)
		if err != nil {
			t.Fatal(err)
		}
		if files := d.Files(); len(files) > 0 {
			t.Errorf("%s was left with %v", path, files)
		}
	}
	for name, want := range map[string]string{
		"notes.txt": "is not empty, it holds notes.txt; choose another or remove it",
		ResultFile:  "holds the result of an earlier run; choose another or remove it",
	} {
		dir := t.TempDir()
		writeFile(t, filepath.Join(dir, name), "kept")
		_, err := PrepareDir(dir)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("got %v, want %q and the path", err, want)
		}
		if text, _ := os.ReadFile(filepath.Join(dir, name)); string(text) != "kept" {
			t.Errorf("%s is now %q", name, text)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	writeFile(t, file, "")
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if _, err := PrepareDir(path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	d := &Dir{Path: t.TempDir()}
	writeFile(t, filepath.Join(d.Path, "a.txt"), "before")
	broken := errors.New("broken half-way")
	err := d.WriteFile("a.txt", func(w io.Writer) error {
		if _, err := io.WriteString(w, strings.Repeat("half", 100_000)); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "a.txt") {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(filepath.Join(d.Path, "a.txt")); string(text) != "before" {
		t.Errorf("a.txt is now %d bytes", len(text))
	}
	if entries, _ := os.ReadDir(d.Path); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestAFileStaysInItsDirectory(t *testing.T) {
	t.Parallel()
	d := &Dir{Path: t.TempDir()}
	for _, name := range []string{"", ".", "..", "../a", "a/b", `a\b`} {
		if err := d.WriteFile(name, func(io.Writer) error { return nil }); err == nil {
			t.Errorf("%q was written", name)
		}
	}
}

func TestAFullDiskIsOneClearError(t *testing.T) {
	t.Parallel()
	d := &Dir{Path: t.TempDir()}
	r := failed()
	err := d.WriteReports(r, NewManifest(r), Options{}, map[string]func(io.Writer) error{
		"latency.hlog": func(io.Writer) error {
			return &os.PathError{Op: "write", Path: "hidden", Err: syscall.ENOSPC}
		},
	})
	want := "write " + filepath.Join(d.Path, "latency.hlog") + ": no space left on device; kept in " + d.Path + ": junit.xml, report.html, result.json"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Error("the cause is lost")
	}
	if _, err := Load(d.Path); err != nil {
		t.Errorf("what was kept cannot be read: %v", err)
	}
	if slices.Contains(d.Files(), ManifestFile) {
		t.Error("an incomplete directory has a manifest")
	}
}

// TestWhatCannotBeWrittenKeepsNothingElseFromIt, be it that a renderer panics.
func TestWhatCannotBeWrittenKeepsNothingElseFromIt(t *testing.T) {
	t.Parallel()
	d := &Dir{Path: t.TempDir()}
	r := failed()
	err := d.WriteReports(r, NewManifest(r), Options{}, map[string]func(io.Writer) error{
		"a.hlog": func(io.Writer) error { panic("a defect") },
		"b.hlog": func(io.Writer) error { return syscall.ENOSPC },
		"c.hlog": func(w io.Writer) error { _, err := io.WriteString(w, "whole"); return err },
	})
	for _, want := range []string{"a.hlog: the harness crashed: a defect", "b.hlog: no space left on device", "c.hlog, junit.xml, report.html, result.json"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if entries, _ := os.ReadDir(d.Path); len(entries) != 4 {
		t.Errorf("there are %v", entries)
	}
}

func TestTheManifestListsTheFilesAndWhatMadeThem(t *testing.T) {
	t.Parallel()
	d, err := PrepareDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(d.Path, "history.jsonl"), "{}\n")
	r := failed()
	m := NewManifest(r, SourceOf("scenario", "network-drops", []byte("name: network-drops\n")))
	err = d.WriteReports(r, m, Options{}, map[string]func(io.Writer) error{
		"mass-connect.hlog": func(w io.Writer) error { _, err := io.WriteString(w, "12345"); return err },
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(d.Path, ManifestFile))
	if err != nil {
		t.Fatal(err)
	}
	var got Manifest
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := m
	for _, name := range []string{"history.jsonl", "junit.xml", "mass-connect.hlog", "report.html", "result.json"} {
		info, err := os.Stat(filepath.Join(d.Path, name))
		if err != nil {
			t.Fatal(err)
		}
		want.Files = append(want.Files, File{name, info.Size()})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Go == "" || got.CPUs < 1 || got.Version != 1 || len(got.Plans) != 2 || got.Kind != conformance.KindRun {
		t.Errorf("%+v", got)
	}
	if digest := sha256.Sum256([]byte("name: network-drops\n")); got.Sources[0].SHA256 != hex.EncodeToString(digest[:]) {
		t.Errorf("digest %q", got.Sources[0].SHA256)
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
