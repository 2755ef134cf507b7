package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// crowd has no budget of time: what it expects holds or does not.
const crowd = `
name: crowd
load:
  streams: 2
  subscribers: 10
  ramp: {over: 200ms}
  publish: {rate: 20/s}
  reconnect: {base: 100ms}
duration: 1s
settle: 2s
expect:
  delivery: [ordered, unique, complete, isolated, intact]
`

// searchFor runs a search and returns what it found with its exit code. A machine that was too busy for a search skips the test.
func searchFor(t *testing.T, scenario string, args ...string) (*conformance.Result, int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := execute(append([]string{"capacity", file, "--format", "json", "--seed", "7"}, args...), &stdout, &stderr)
	var r conformance.Result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("exit code %d, no result: %v\n%s", code, err, stderr.String())
	}
	for i := range r.Capacity.Steps {
		step := &r.Capacity.Steps[i]
		if step.Final && step.Value <= r.Capacity.Line {
			t.Errorf("the line is %g, and %v failed at %g", r.Capacity.Line, step.Failed, step.Value)
		}
	}
	if r.Capacity.Limit == conformance.LimitHarness {
		t.Skipf("this machine was too busy for a search: %s", r.Capacity.Reason)
	}
	return &r, code
}

func within(t *testing.T, c *conformance.Capacity, limit float64) {
	t.Helper()
	if c.Limit != conformance.LimitTarget || c.Line > limit || c.High <= limit || c.Line < limit/1.05 {
		t.Errorf("the line is %s (%s: %s), the limit %g", c.Answer(), c.Limit, c.Reason, limit)
	}
}

func TestALimitOfConnectionsIsFound(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	r, code := searchFor(t, crowd, "--from", "100", "--to", "400", "--repeat", "1", "--broker", "max-connections=137", "--out", out)
	within(t, r.Capacity, 137)
	if code != exitPass || r.Capacity.Beyond == nil || r.Capacity.Beyond.ID != "load.connected" {
		t.Errorf("exit code %d, beyond %+v", code, r.Capacity.Beyond)
	}
	if r.Kind != conformance.KindCapacity || len(r.Verdicts) != 1 || r.Subject.Kind != "reference" {
		t.Errorf("%s of %+v with %d verdicts", r.Kind, r.Subject, len(r.Verdicts))
	}
	for _, step := range r.Capacity.Steps {
		run, err := reports.Load(filepath.Join(out, step.File))
		if err != nil || len(run.Runs) != 1 || run.Runs[0].Subscribers != int(step.Value) || run.Outcome != step.Outcome && !step.Harness {
			t.Errorf("%s: %v", step.File, err)
		}
		if step.MemoryBytes == 0 || step.Throughput == 0 {
			t.Errorf("memory %d and throughput %g at %g", step.MemoryBytes, step.Throughput, step.Value)
		}
	}
}

// With 150 messages in a second the target is full, so a second of publishing carries 150/s.
func TestALimitOfPublishingIsFound(t *testing.T) {
	t.Parallel()
	r, code := searchFor(t, crowd, "--vary", "load.publish.rate", "--from", "100/s", "--to", "400/s", "--repeat", "1", "--broker", "mutant=full-after-150")
	within(t, r.Capacity, 150)
	if code != exitPass || r.Capacity.Unit != "/s" || r.Capacity.Beyond == nil || r.Capacity.Beyond.ID != "load.published" {
		t.Errorf("exit code %d, unit %q, beyond %+v", code, r.Capacity.Unit, r.Capacity.Beyond)
	}
}

func TestALineBelowWhatIsAskedForFails(t *testing.T) {
	t.Parallel()
	r, code := searchFor(t, crowd, "--from", "20", "--to", "40", "--at-least", "30", "--repeat", "1", "--broker", "max-connections=29")
	if code != exitFail || r.Outcome != conformance.Fail || r.Capacity.Line > 29 || r.Capacity.High != 30 {
		t.Errorf("exit code %d, line %g, high %g", code, r.Capacity.Line, r.Capacity.High)
	}
}

func TestTheEndOfTheRangeIsNotTheLine(t *testing.T) {
	t.Parallel()
	r, code := searchFor(t, crowd, "--from", "20", "--to", "20", "--repeat", "1")
	if code != exitUnknown || r.Capacity.Limit != conformance.LimitRange || r.Capacity.Line != 20 {
		t.Errorf("exit code %d, %s, line %g", code, r.Capacity.Limit, r.Capacity.Line)
	}
}

// A broker that greets cannot be served by flags; it runs within the harness, and nothing is said of its memory.
func TestABrokerThatNeedsMoreThanFlagsRunsWithinTheHarness(t *testing.T) {
	t.Parallel()
	r, _ := searchFor(t, crowd+"broker: {greeting: hello}\n", "--from", "20", "--to", "20", "--repeat", "1")
	if r.Capacity.Line != 20 || r.Capacity.Observed != "" || r.Capacity.Steps[0].MemoryBytes != 0 {
		t.Errorf("line %g, observed %q", r.Capacity.Line, r.Capacity.Observed)
	}
}

func TestMoreThanAProcessMayOpenIsALimitOfTheHarness(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(crowd), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := execute([]string{
		"capacity", file, "--from", "10", "--to", "300000", "--step", "30000", "--repeat", "1", "--format", "json", "--quiet",
	}, &stdout, &stderr)
	var r conformance.Result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err, stderr.String())
	}
	if c := r.Capacity; code != exitUnknown || c.Limit != conformance.LimitHarness || c.Line > 10 || !strings.Contains(c.Reason, "open files") {
		t.Errorf("exit code %d, %s: %s, line %g", code, c.Limit, c.Reason, c.Line)
	}
}

func TestNoBrokerIsLeftBehind(t *testing.T) {
	t.Parallel()
	b, err := startOwnBroker(t.Context(), []string{"--max-connections=3"})
	if err != nil {
		t.Fatal(err)
	}
	pid := b.target.Observe.PID
	if _, err := os.FindProcess(pid); err != nil || pid == os.Getpid() {
		t.Fatalf("process %d: %v", pid, err)
	}
	b.close()
	if _, err := os.Stat("/proc/" + strconv.Itoa(pid)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
	if _, err := os.Stat(b.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its folder is still there: %v", err)
	}
}

func TestAFlagThatServeRefusesIsWrongInput(t *testing.T) {
	t.Parallel()
	_, err := startOwnBroker(t.Context(), []string{"--max-connection=3"})
	exit := new(exitError)
	if !errors.As(err, &exit) || exit.code != exitInput || !strings.Contains(err.Error(), "max-connection") {
		t.Errorf("got %v", err)
	}
}

func TestTheFlagsOfABrokerAreThoseOfItsScenario(t *testing.T) {
	t.Parallel()
	s := &scenarios.Scenario{Broker: scenarios.Broker{Heartbeat: time.Second, History: 5, SlowPolicy: "drop", Queue: 3, Retry: 2 * time.Second}}
	flags, err := serveFlags(s, []string{"max-connections=3"})
	want := "--heartbeat=1s --history=5 --slow-policy=drop --queue=3 --retry=2s --max-connections=3"
	if got := strings.Join(flags, " "); err != nil || got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
	for _, wrong := range []string{"max-connections", "=3", "addr=:80", "upstream=http://x", "--target-file=x"} {
		if _, err := serveFlags(s, []string{wrong}); err == nil {
			t.Errorf("--broker %s was taken", wrong)
		}
	}
}

func TestAmountsShareOneUnit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to, atLeast string
		unit              string
		quantum           float64
		wrong             string
	}{
		{"500", "20000", "", "", 1, ""}, {"10/s", "2.5/s", "", "", 0, "--from 10/s is above"}, {"2.5/s", "10/s", "", "/s", 0, ""},
		{"256B", "4096B", "", "B", 1, ""}, {"0.1", "0.5", "", "", 0, ""}, {"10%", "50%", "", "%", 0, ""},
		{"10/s", "100", "", "", 0, "--to: \"100\""}, {"", "100", "", "", 0, "--from"}, {"0", "100", "", "", 0, "above 0"}, {"-5", "1", "", "", 0, "want a number"},
		{"10", "100", "1000", "", 0, "--at-least 1000 is not from"}, {"10", "100", "50", "", 1, ""},
	} {
		f := capacityFlags{from: c.from, to: c.to, atLeast: c.atLeast, step: 1.6, precision: "5%", reserve: "30%", repeats: 3}
		a, err := f.amounts()
		switch {
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s to %s: %v, want %q", c.from, c.to, err, c.wrong)
		case c.wrong != "":
		case err != nil || a.unit != c.unit || a.quantum("load.publish.rate", &scenarios.Scenario{}) != c.quantum:
			t.Errorf("%s to %s: %+v %v", c.from, c.to, a, err)
		}
	}
}

func TestGroupsStayAlike(t *testing.T) {
	t.Parallel()
	a := amounts{}
	s := &scenarios.Scenario{Load: scenarios.Load{Streams: 4, Follow: 2, Groups: []string{"a", "b", "c"}}}
	if got := a.quantum("load.subscribers", s); got != 6 {
		t.Errorf("subscribers are multiples of %g, want 6", got)
	}
}
