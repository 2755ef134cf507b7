package run_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/flood"
	"github.com/streamgauge/streamgauge/scenarios"
)

// Of a flood a run can be only as sure as this machine is quick, but it ends, its faults bite, and nothing is blamed that is right.
func TestARunEndsInAFlood(t *testing.T) {
	t.Parallel()
	text := `
name: flooded
load: {streams: 1, subscribers: 2, publish: {rate: 20/s}, heartbeat_timeout: 30s}
duration: 500ms
settle: 1s
timeline: [{at: 200ms, fault: reset, share: 100%}]
expect: {delivery: [ordered, unique]}
`
	for _, kind := range flood.Kinds {
		if !slices.Contains([]string{"comments", "one-byte-chunks", "one-chunk", "events"}, kind.Name) {
			continue // what a reader must see is the same
		}
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(kind.Handler())
			t.Cleanup(server.Close)
			o := do(t, t.Context(), scenarios.NewPlan(scenario(t, text), target(t, server.URL), 1))
			for _, v := range o.Verdicts {
				if v.Outcome == conformance.Fail {
					t.Errorf("%s failed: %s %v", v.ID, v.Actual, v.Findings)
				}
			}
			if f := o.Run.Faults; len(f) != 1 || f[0].Affected != 2 {
				t.Errorf("the faults are %+v, want one that took effect on both subscribers", f)
			}
		})
	}
}
