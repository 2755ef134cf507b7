//go:build unix

package limited_test

import (
	"bytes"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
	socket := filepath.Join(dir, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	for name, want := range map[string]string{
		socket: "no regular file",
		pipe:   "no regular file", "/dev/zero": "no regular file", dir: "a directory", large: "larger than 2KiB", filepath.Join(dir, "none"): "no such file",
	} {
		if _, err := limited.ReadFile(name, 2048); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	for _, name := range []string{"/proc/kmsg", "/proc/self/mem", "/proc/self/status", "/sys/kernel/uevent_seqnum"} {
		_, err := limited.ReadFile(name, 2048)
		if runtime.GOOS == "linux" && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && (err == nil || !strings.Contains(err.Error(), "no regular file")) {
			t.Errorf("%s: %v, want that it is no regular file", name, err)
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
