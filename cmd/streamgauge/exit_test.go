package main

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
)

func TestNothingButAPassedPromiseExitsZero(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[conformance.Outcome]int{
		conformance.Pass:    exitPass,
		conformance.Info:    exitPass,
		conformance.Warn:    exitPass,
		conformance.Fail:    exitFail,
		conformance.Unknown: exitUnknown,
		conformance.Skip:    exitUnknown,
	} {
		var stderr bytes.Buffer
		if got := conclude(outcomeError(outcome), &stderr); got != want {
			t.Errorf("%s: exit code %d, want %d", outcome, got, want)
		}
		if stderr.Len() > 0 {
			t.Errorf("%s: the report has said everything, yet stderr has %q", outcome, stderr.String())
		}
	}
}

func TestErrorsArePrintedOnceWithTheCodeOfTheirKind(t *testing.T) {
	t.Parallel()
	broken := errors.New("too few file descriptors")
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"harness":       {broken, exitHarness},
		"input":         {inputError(broken), exitInput},
		"wrapped input": {fmt.Errorf("reading: %w", inputError(broken)), exitInput},
		"file":          {&scenarios.Problems{List: []scenarios.Problem{{File: "a.yaml", Line: 3, Text: "unknown key"}}}, exitInput},
	} {
		var stderr bytes.Buffer
		run := classified(func(*cobra.Command, []string) error { return tc.err })
		if got := conclude(run(new(cobra.Command), nil), &stderr); got != tc.want {
			t.Errorf("%s: exit code %d, want %d", name, got, tc.want)
		}
		if got, want := stderr.String(), "streamgauge: "+tc.err.Error()+"\n"; got != want {
			t.Errorf("%s: stderr has %q, want %q", name, got, want)
		}
	}
}

func TestEveryProblemHasALineOfItsOwn(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	conclude(inputError(&scenarios.Problems{List: []scenarios.Problem{
		{File: "a.yaml", Line: 3, Text: "unknown key"},
		{File: "a.yaml", Line: 7, Text: "want a duration"},
	}}), &stderr)
	want := "streamgauge: a.yaml:3: unknown key\nstreamgauge: a.yaml:7: want a duration\n"
	if got := stderr.String(); got != want {
		t.Errorf("stderr has %q, want %q", got, want)
	}
}
