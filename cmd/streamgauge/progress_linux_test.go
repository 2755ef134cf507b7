package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/streamgauge/streamgauge/scenarios/run"
)

// openTerminal opens a pseudo-terminal of the given width: screen sees what a program writes to tty.
func openTerminal(t *testing.T, columns uint16) (screen, tty *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 30, Col: columns}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close(); screen.Close() })
	return screen, tty
}

// recordScreen collects what arrives at screen until tty is closed, and hands it to wait.
func recordScreen(t *testing.T, screen *os.File) *recording {
	t.Helper()
	r := &recording{ended: make(chan struct{}), grown: sync.NewCond(&sync.Mutex{})}
	go func() {
		defer close(r.ended)
		buf := make([]byte, 4096)
		for {
			n, err := screen.Read(buf)
			r.grown.L.Lock()
			r.text.Write(buf[:n])
			r.over = err != nil
			r.grown.L.Unlock()
			r.grown.Broadcast()
			if err != nil {
				return
			}
		}
	}()
	return r
}

type recording struct {
	grown *sync.Cond
	text  strings.Builder
	over  bool
	ended chan struct{}
}

// wait blocks until text was seen and says whether it was before the end.
func (r *recording) wait(text string) bool {
	r.grown.L.Lock()
	defer r.grown.L.Unlock()
	for !strings.Contains(r.text.String(), text) {
		if r.over {
			return false
		}
		r.grown.Wait()
	}
	return true
}

func TestABarMovesIsWipedAndLosesNoLine(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	screen, tty := openTerminal(t, 60)
	if !isTerminal(tty) {
		t.Fatal("a pseudo-terminal is not taken for a terminal")
	}
	seen := recordScreen(t, screen)
	start := time.Now()
	p := newProgress(tty, true, false, func() run.Status {
		s := run.Status{Scenario: "network-drops", Phase: "running", Elapsed: time.Since(start), Total: time.Minute, Subscribers: 2000}
		s.Connected, s.Delivered = 2000, 1_000_000_000_000_000
		return s
	})
	p.Start()
	if !seen.wait("of 1m 00s") || !seen.wait("2,000 of 2,000 connected") {
		t.Fatal("no bar was drawn")
	}
	p.Println("a line above the bar")
	p.Println("a line just before the end")
	p.Stop()
	p.Println("a line after the end")
	tty.Close()
	<-seen.ended
	text := seen.text.String()
	for _, line := range []string{"a line above the bar", "a line just before the end", "a line after the end"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is lost in %q", line, text)
		}
	}
	const wipe = "\x1b[J"
	if !strings.Contains(text[strings.LastIndex(text, "connected"):], wipe) {
		t.Errorf("the bar is left behind: %q", text)
	}
}

func TestColoursAreForTerminalsOnly(t *testing.T) {
	_, tty := openTerminal(t, 90)
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	t.Setenv("LC_ALL", "C.UTF-8")
	if opts := reportOptions(tty, false); !opts.Color || opts.ASCII || opts.Width != 90 {
		t.Errorf("on a terminal: %+v", opts)
	}
	if opts := reportOptions(tty, true); opts.Color {
		t.Error("colours despite --no-color")
	}
	if opts := reportOptions(io.Discard, false); opts.Color || opts.Width != pipeWidth {
		t.Errorf("on a pipe: %+v", opts)
	}
	t.Setenv("NO_COLOR", "1")
	if opts := reportOptions(tty, false); opts.Color {
		t.Error("colours despite NO_COLOR")
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if opts := reportOptions(tty, false); opts.Color || !opts.ASCII {
		t.Errorf("on a dumb terminal: %+v", opts)
	}
}

func TestTheLocaleSaysWhetherToWriteASCII(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"LANG": "de_DE.UTF-8"}, false},
		{map[string]string{"LANG": "en_US.utf8"}, false},
		{map[string]string{"LANG": "C"}, true},
		{map[string]string{"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, true},
		{map[string]string{"LC_CTYPE": "C.UTF-8", "LANG": "C"}, false},
	} {
		if got := asciiOnly(func(name string) string { return c.env[name] }); got != c.want {
			t.Errorf("%v: %v, want %v", c.env, got, c.want)
		}
	}
}
