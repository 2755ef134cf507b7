//go:build unix

package limited_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/limited"
)

func TestOnlyRegularFilesAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, bytes.Repeat([]byte("x"), 2049), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		pipe: "no regular file", "/dev/zero": "no regular file", dir: "a directory", large: "larger than 2KiB", filepath.Join(dir, "none"): "no such file",
	} {
		if _, err := limited.ReadFile(name, 2048); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if text, err := limited.ReadFile(large, 2049); err != nil || len(text) != 2049 {
		t.Errorf("%d bytes, %v: want the whole file, which is as large as it may be", len(text), err)
	}
}

func TestACommandThatPrintsForEverEnds(t *testing.T) {
	t.Parallel()
	c := exec.CommandContext(t.Context(), "yes")
	out := &limited.Output{Most: 10}
	c.Stdout = out
	if err := c.Run(); err == nil || string(out.Bytes()) != "y\ny\ny\ny\ny\n" {
		t.Errorf("%v after %q, want an error after ten bytes", err, out.Bytes())
	}
	if _, err := out.Write([]byte("z")); err == nil || errors.Is(err, os.ErrClosed) || !strings.Contains(err.Error(), "more than 10B") {
		t.Errorf("%v, want that it printed too much", err)
	}
}
