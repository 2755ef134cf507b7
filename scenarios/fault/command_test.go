//go:build unix

package fault

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func shell(script string, args ...string) []string {
	return append([]string{"/bin/sh", "-c", script, "sh"}, args...)
}

func TestCommandsAreRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := Command{OnRestart: shell(`touch "$1/restarted"`, dir), OnDrain: shell(`touch "$1/drained"`, dir)}
	if err := c.Restart(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Drain(t.Context()); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"restarted", "drained"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestAFailedCommandSaysWhy(t *testing.T) {
	t.Parallel()
	c := Command{OnRestart: shell("echo no such unit >&2; exit 5", "secret"), OnDrain: []string{"/nowhere/to/be/found"}}
	err := c.Restart(t.Context())
	if want := "restart: /bin/sh: exit status 5: no such unit"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if err := c.Drain(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error is %v, want no such file", err)
	}
	if err := (Command{}).Drain(t.Context()); err == nil {
		t.Error("a command that was not given succeeded")
	}
}

func TestOnlyTheLastOfALongOutputIsTold(t *testing.T) {
	t.Parallel()
	err := Command{OnDrain: shell("yes | head -c 100000; echo the end; exit 1")}.Drain(t.Context())
	if err == nil || len(err.Error()) > 2<<10 || !strings.HasSuffix(err.Error(), "the end") {
		t.Errorf("error has %d bytes and ends with %q", len(err.Error()), err.Error()[max(0, len(err.Error())-20):])
	}
}

func TestACommandThatTakesTooLongIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	for name, expect := range map[string]error{"cancelled": context.Canceled, "timed out": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fifo := filepath.Join(t.TempDir(), "pids")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := Command{OnRestart: shell(`sleep 1000 & echo "$$ $!" >"$1"; wait`, fifo)}
			if name == "timed out" {
				c.Timeout = 200 * time.Millisecond
			}
			done := later(func() error { return c.Restart(ctx) })
			pids := pidsFrom(t, fifo)
			if name == "cancelled" {
				cancel()
			}
			if err := <-done; !errors.Is(err, expect) {
				t.Errorf("error is %v, want %v", err, expect)
			}
			for _, pid := range pids {
				waitUntilGone(t, pid)
			}
		})
	}
}

func TestWhatASuccessfulCommandStartedStays(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "pids")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	done := later(func() error {
		return Command{OnRestart: shell(`sleep 1000 & echo $! >"$1"`, fifo)}.Restart(t.Context())
	})
	pids := pidsFrom(t, fifo)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if !running(pid) {
			t.Errorf("process %d was ended with its starter", pid)
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
		waitUntilGone(t, pid)
	}
}

func pidsFrom(t *testing.T, fifo string) (pids []int) {
	t.Helper()
	f, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(line) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func waitUntilGone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); running(pid); {
		if time.Now().After(end) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// running is false for a zombie too: only its parent can take that away.
func running(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !errors.Is(err, os.ErrNotExist)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
