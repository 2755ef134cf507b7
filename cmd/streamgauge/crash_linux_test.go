package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// defective is this program with a defect, in a directory of its own.
func defective(t *testing.T, defect string, args ...string) (c *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, stderr = exec.CommandContext(t.Context(), path), new(bytes.Buffer)
	c.Args = append([]string{"streamgauge"}, args...)
	c.Dir, c.Stderr = t.TempDir(), stderr
	c.Env = append(os.Environ(), breakEnv+"="+defect)
	return c, stderr
}

// TestWhatCannotBeCaughtEndsTheProcessByASignal and never by exit code 2, which is a verdict. No core is left behind.
func TestWhatCannotBeCaughtEndsTheProcessByASignal(t *testing.T) {
	t.Parallel()
	for defect, says := range map[string]string{
		"goroutine": "panic: a defect that nobody catches",
		"map":       "fatal error: concurrent map",
		"memory":    "fatal error: .*(out of memory|for -race mode)", // with the race detector addresses run out first
		"stack":     "stack overflow",
		"quit":      "SIGQUIT",
	} {
		t.Run(defect, func(t *testing.T) {
			t.Parallel()
			c, stderr := defective(t, defect, "version")
			err := c.Run()
			if strings.Contains(stderr.String(), "ThreadSanitizer failed to allocate") {
				t.Skip("the race detector ran out of memory before the program did")
			}
			if status, is := c.ProcessState.Sys().(syscall.WaitStatus); !is || !status.Signaled() || status.Signal() != syscall.SIGABRT {
				t.Errorf("it ended with %v, want SIGABRT: %.500s", err, stderr)
			}
			if !regexp.MustCompile(says).Match(stderr.Bytes()) {
				t.Errorf("it said %.2000s, want %q", stderr, says)
			}
			if left, _ := filepath.Glob(filepath.Join(c.Dir, "*")); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}
