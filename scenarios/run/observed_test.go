package run_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

func TestAProcessIsFoundInEachWay(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		t.Skip("this system tells nothing of processes")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	file := filepath.Join(t.TempDir(), "pid")
	if err := os.WriteFile(file, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]scenarios.Observe{
		"pid": {PID: os.Getpid()}, "pid_file": {PIDFile: file}, "port": {Port: l.Addr().(*net.TCPAddr).Port},
		"command": {Command: []string{"sh", "-c", fmt.Sprintf("echo %d", os.Getpid())}},
	} {
		target := &scenarios.Target{Name: "t", Subscribe: scenarios.Subscribe{URL: "http://127.0.0.1/"}, Observe: o}
		access, err := run.AccessTo(target)
		if err != nil {
			t.Fatal(err)
		}
		if bytes, err := access.Memory(t.Context()); err != nil || bytes == 0 {
			t.Errorf("%s: %d bytes, %v", name, bytes, err)
		}
	}
	// A restart: the file names another process by then.
	target := &scenarios.Target{Name: "t", Subscribe: scenarios.Subscribe{URL: "http://127.0.0.1/"}, Observe: scenarios.Observe{PIDFile: file}}
	access, err := run.AccessTo(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{os.Getpid(), os.Getppid()} {
		if err := os.WriteFile(file, []byte(strconv.Itoa(pid)), 0o600); err != nil {
			t.Fatal(err)
		}
		if bytes, err := access.Memory(t.Context()); err != nil || bytes == 0 {
			t.Errorf("process %d: %d bytes, %v", pid, bytes, err)
		}
	}
	if err := os.WriteFile(file, []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := access.Memory(t.Context()); err == nil {
		t.Error("a file without a process id is accepted")
	}
}

// A target elsewhere shows no memory: that budget is skipped, and the rest decides.
func TestMemoryThatNobodySeesIsSkipped(t *testing.T) {
	t.Parallel()
	target := wired(t, serveHub(t, new(hub)), "{{.Stream}}", "{{.Stream}}", "{{.Data}}", ", payload: ascii")
	o := do(t, t.Context(), scenarios.NewPlan(scenario(t, tiny, "expect.memory.max=1GiB", "settle=5s"), target, 1))
	if v := verdict(t, o, "memory.max"); v.Outcome != conformance.Skip || v.Reason == "" {
		t.Errorf("memory: %s (%s), want skip", v.Outcome, v.Reason)
	}
	if o.Run.Outcome != conformance.Pass {
		t.Errorf("%s, want pass", o.Run.Outcome)
	}
}
