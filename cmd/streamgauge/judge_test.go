package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
)

const brisk = `
name: brisk
load:
  streams: 4
  subscribers: 40
  ramp: {over: 200ms}
  publish: {rate: 100/s, size: 200B}
  reconnect: {base: 50ms, jitter: 50%}
  slow: {share: 10%, read: 1KiB/s}
broker: {slow_policy: drop, queue: 10}
timeline:
  - {at: 500ms, fault: reset, share: 50%}
duration: 2s
settle: 10s
expect:
  delivery: [ordered, unique, complete, isolated, intact, resumable, alive]
  latency: {p50: 5s, p99: 10s}
  connect: {p99: 5s, failed: 0}
  reconnect: {within: 5s, backoff: conforms}
  resume: {gap_p99: 5s}
`

func runJSON(t *testing.T, wantExit int, args ...string) *conformance.Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if exit := execute(args, &stdout, &stderr); exit != wantExit {
		t.Fatalf("%v: exit %d, want %d: %s", args, exit, wantExit, &stderr)
	}
	r := new(conformance.Result)
	if err := json.Unmarshal(stdout.Bytes(), r); err != nil {
		t.Fatalf("%v: %v in %s", args, err, &stdout)
	}
	return r
}

func TestAFullHistoryIsJudgedAsTheRunWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "brisk.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte(brisk), 0o600); err != nil {
		t.Fatal(err)
	}
	// Two runs in one history: what the second one needs must not be taken from the first.
	live := runJSON(t, exitPass, "run", file, file, "--seed", "5", "--out", out, "--history", "full", "--format", "json", "--quiet")
	again := runJSON(t, exitPass, "judge", filepath.Join(out, "history.jsonl"), "--format", "json")
	if diff := cmp.Diff(live.Verdicts, again.Verdicts); diff != "" {
		t.Errorf("verdicts differ (-live +judged again):\n%s", diff)
	}
	if diff := cmp.Diff(live.Measures, again.Measures); diff != "" {
		t.Errorf("measures differ (-live +judged again):\n%s", diff)
	}
	same := cmp.Comparer(func(a, b conformance.Sample) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) })
	for i := range min(len(live.Runs), len(again.Runs)) {
		was, is := live.Runs[i], again.Runs[i]
		if diff := cmp.Diff([]any{was.Series, was.Curves, was.Faults}, []any{is.Series, is.Curves, is.Faults}, same); diff != "" {
			t.Errorf("charts of run %d differ (-live +judged again):\n%s", i, diff)
		}
		if len(was.Series) != 7 || len(was.Curves) != 2 || len(was.Faults) != 1 || !strings.Contains(was.Source, "subscribers: 40") {
			t.Errorf("run %d has %d series, %d curves, %d faults and the source %q", i, len(was.Series), len(was.Curves), len(was.Faults), was.Source)
		}
	}
	if len(live.Verdicts) == 0 || len(live.Runs) != 2 || live.Runs[0].Expected == 0 {
		t.Errorf("%d verdicts of %d runs: nothing was judged", len(live.Verdicts), len(live.Runs))
	}
}

// TestAHistoryOfAnomaliesIsJudgedByItsConnects: what its deliveries would tell is not in it.
func TestAHistoryOfAnomaliesIsJudgedByItsConnects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, out := filepath.Join(dir, "brisk.yaml"), filepath.Join(dir, "out")
	if err := os.WriteFile(file, []byte(brisk), 0o600); err != nil {
		t.Fatal(err)
	}
	runJSON(t, exitPass, "run", file, "--seed", "5", "--out", out, "--format", "json", "--quiet")
	again := runJSON(t, exitUnknown, "judge", filepath.Join(out, "history.jsonl"), "--format", "json")
	for _, v := range again.Verdicts {
		want := conformance.Unknown
		if strings.HasPrefix(v.ID, "connect.") || v.ID == "reconnect.backoff" {
			want = conformance.Pass
		}
		if v.Outcome != want {
			t.Errorf("%s: %s, want %s", v.ID, v.Outcome, want)
		}
	}
}

// TestAHistoryIsNotJudgedBeyondTheMemory: a header of some kilobytes can speak of ten million publishers.
func TestAHistoryIsNotJudgedBeyondTheMemory(t *testing.T) {
	t.Parallel()
	const streams = 1000
	wide := fmt.Sprintf(`"streams":[""%s],"publishers":[1000%s],"subscribers":[]`, strings.Repeat(`,""`, streams-1), strings.Repeat(",1000", streams-1))
	long := `"run":"\"` + strings.Repeat("x", 1<<20) + `","streams":["a"],"publishers":[1],"subscribers":[]`
	dense := `"streams":["a"],"publishers":[1],"subscribers":[],"steps":[{}` + strings.Repeat(",{}", 1<<20) + `]`
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config, memory string
		code           int
		says           string
	}{
		"ten million publishers":     {wide, "256MiB", exitInput, "history line 1: config: a judge of it takes 162 MiB, which is more than half of the 256 MiB that may be used: see --memory"},
		"ten million, and room":      {wide, "2GiB", exitUnknown, ""},
		"a name of megabytes":        {long, "256MiB", exitInput, "history line 1: config: it holds a text of more than 1 MiB, which no scenario has"},
		"a million steps of nothing": {dense, "256MiB", exitInput, "history line 1: config: it holds more than fits into half of the 256 MiB that may be used: see --memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "history.jsonl")
			text := `{"streamgauge":"history","version":1,"mode":"full","config":{"scenario":"wide",` + c.config + "}}\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p := exec.CommandContext(t.Context(), self) // the limit is one of the whole process
			p.Args = []string{"streamgauge", "judge", file, "--memory", c.memory}
			said, _ := p.CombinedOutput()
			if p.ProcessState.ExitCode() != c.code || !strings.Contains(string(said), c.says) {
				t.Errorf("%v, want exit code %d and %q: %.500s", p.ProcessState, c.code, c.says, said)
			}
		})
	}
}
