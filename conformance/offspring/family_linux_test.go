package offspring

import (
	"bufio"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// family is a shell that prints the ids of what it starts, jobs and services, and is waited for when all have closed its output.
func family(t *testing.T, prepare func(*exec.Cmd) *Family, script string) (f *Family, jobs, services []int) {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
	f = prepare(c)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		kind, text, _ := strings.Cut(lines.Text(), " ")
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		if kind == "job" {
			jobs = append(jobs, pid)
		} else {
			services = append(services, pid)
		}
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	}
	_ = c.Wait() // it may have been ended
	return f, jobs, services
}

func living(pid int) bool {
	return slices.ContainsFunc(processes(), func(p process) bool { return p.pid == pid && !p.ended })
}

// mustEnd fails for processes that go on; a signal takes a moment.
func mustEnd(t *testing.T, pids ...int) {
	t.Helper()
	late := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for slices.ContainsFunc(pids, living) {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("of the processes %d some go on", pids)
		}
	}
}

const (
	job     = `sleep 1000 >/dev/null 2>&1 & echo job $!; `
	service = `setsid sh -c 'echo service $$; exec sleep 1001 >/dev/null 2>&1' & `
)

func TestAFamilyIsKilledWhereverItWent(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*exec.Cmd) *Family{"marked": Mark, "grouped": Group} {
		f, jobs, services := family(t, prepare, job+service+`(`+service+`)`)
		if len(jobs) != 1 || len(services) != 2 {
			t.Fatalf("%s: %d jobs and %d services were started", name, len(jobs), len(services))
		}
		f.Kill()
		mustEnd(t, append(jobs, services...)...)
	}
}

func TestWhatAGroupLeavesIsNamed(t *testing.T) {
	t.Parallel()
	f, jobs, services := family(t, Group, job+job+service)
	if left := f.EndGroup(); !slices.Equal(left, []string{"sleep"}) {
		t.Errorf("left are %q", left)
	}
	mustEnd(t, jobs...)
	if !living(services[0]) {
		t.Error("what has a session of its own was ended")
	}
	if left := f.EndGroup(); len(left) > 0 {
		t.Errorf("left are %q when all have ended", left)
	}
	f.Kill()
	mustEnd(t, services...)
}

func TestAServiceMayStay(t *testing.T) {
	t.Parallel()
	f, jobs, services := family(t, Mark, job+service)
	f.EndJobs()
	mustEnd(t, jobs...)
	if !living(services[0]) {
		t.Error("what has a session of its own was ended")
	}
	f.Kill()
	mustEnd(t, services...)
}

// TestStraysOfWhatHasEndedAreEnded has the process to itself: all of its orphans are ended.
func TestStraysOfWhatHasEndedAreEnded(t *testing.T) {
	adopting := func(c *exec.Cmd) *Family { return Group(c).Adopt() }
	f, _, services := family(t, adopting, service)
	f.Ended()
	goesOn, others, _ := family(t, func(c *exec.Cmd) *Family { return Mark(c).Adopt() }, job)
	bare, _, unmarked := family(t, adopting, `env -i `+service)
	bare.Ended()
	if len(services)+len(unmarked) != 2 {
		t.Fatalf("%d and %d were started", len(services), len(unmarked))
	}
	EndStrays()
	mustEnd(t, append(services, unmarked...)...)
	if !living(others[0]) {
		t.Error("one of a family that goes on was ended")
	}
	goesOn.Kill()
	mustEnd(t, others...)
}

func TestNamesAreFew(t *testing.T) {
	t.Parallel()
	if got := Names([]string{"a", "b", "c", "d", "e", "f"}); got != "a, b, c, d, e, …" {
		t.Errorf("the names are %q", got)
	}
	p, ok := readStat(7, []byte("7 (a) Z (b) S 1 2 3 4"))
	if !ok || p.name != "a) Z (b" || p.ended || p.parent != 1 || p.group != 2 || p.session != 3 {
		t.Errorf("%+v", p)
	}
	if _, ok := readStat(7, []byte(strings.Repeat("(", 9))); ok {
		t.Error("a line without an end was read")
	}
}
