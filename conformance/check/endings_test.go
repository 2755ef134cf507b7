package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestEveryEndIsAccountedFor ends one connection in each way, and lets the subscriber come back to a second one.
func TestEveryEndIsAccountedFor(t *testing.T) {
	t.Parallel()
	const fail, warn, info, none = conformance.Fail, conformance.Warn, conformance.Info, conformance.Pass
	beats := func(c *check.Config) { c.Expect.Heartbeat, c.Expect.Declared = 2*time.Second, true }
	forgets := func(c *check.Config) { c.Target.Resume = false }
	idle := func(w *world, s *worldSubscriber) {
		w.after(3 * time.Second)
		w.disconnect(s, history.CauseIdle)
	}
	owed := func(w *world, s *worldSubscriber) {
		w.publishes(2)
		idle(w, s)
	}
	ends := func(cause history.Cause) func(*world, *worldSubscriber) {
		return func(w *world, s *worldSubscriber) { w.disconnect(s, cause) }
	}
	for name, c := range map[string]struct {
		changes []func(*check.Config)
		script  func(*world, *worldSubscriber)
		ended   string // how the first connection did
		told    conformance.Outcome
		fails   string // another verdict, "" for none
		says    string
	}{
		"silent for longer than declared":      {[]func(*check.Config){beats}, idle, "ended.silent", warn, "heartbeat.every", "went silent"},
		"silent, and nothing promised":         {nil, idle, "ended.given_up", none, "", ""},
		"silent while messages were owed":      {nil, owed, "ended.silent", warn, "", "went silent without an end, at an age of 8.0 s"},
		"the same on a target without resume":  {[]func(*check.Config){forgets}, owed, "ended.silent", warn, "delivery.complete", "went silent"},
		"ended by the target":                  {nil, ends(history.CauseEOF), "ended.target", info, "", "ended by the target, at an age of 8.0 s"},
		"ended by a target that cannot resume": {[]func(*check.Config){forgets}, ends(history.CauseEOF), "ended.target", warn, "", "ended by the target"},
		"reset":                                {nil, ends(history.CauseReset), "ended.broken", info, "", "broke"},
		"broken off within the response":       {nil, ends(history.CauseTruncated), "ended.broken", info, "", "broke"},
		"ended by a fault":                     {nil, ends(history.CauseFault), "ended.harness", none, "", ""},
		"ended as agreed":                      {nil, ends(history.CauseFarewell), "ended.harness", none, "", ""},
		"while a fault held it up": {[]func(*check.Config){beats, func(c *check.Config) {
			c.Steps = []check.Step{{Name: "stall", Subscribers: 1}}
		}}, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.FaultBegin, Text: "stall"})
			w.sub(s, history.Observation{Kind: history.FaultBite, Text: "stall"})
			idle(w, s)
		}, "ended.harness", none, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(cfg *check.Config) {
				cfg.Expect.Delivery, cfg.Expect.Latency = []string{"complete"}, nil
				for _, change := range c.changes {
					change(cfg)
				}
			}))
			w.publishes(1)
			w.hear(s, 1)
			for range 8 {
				w.after(time.Second)
				w.sub(s, history.Observation{Kind: history.Heartbeat})
			}
			c.script(w, s)
			w.after(time.Second)
			w.connect(s)
			w.publishes(1)
			w.finish()
			tally, report := w.judge()
			seen := map[string]uint64{}
			for ending, d := range tally.Distributions {
				if strings.HasPrefix(ending, "ended.") {
					seen[ending] = d.Samples
				}
			}
			if diff := cmp.Diff(map[string]uint64{c.ended: 1, "ended.run": 1}, seen); diff != "" {
				t.Errorf("ends (−want +got):\n%s", diff)
			}
			told, failed := none, ""
			for _, v := range report.Verdicts {
				switch {
				case v.ID == "connections.ended":
					told = v.Outcome
					if !strings.Contains(v.Actual, c.says) {
						t.Errorf("%q does not say %q", v.Actual, c.says)
					}
				case v.Outcome == fail:
					failed += v.ID
				}
			}
			if told != c.told || failed != c.fails {
				t.Errorf("told as %s, want %s; %q failed, want %q", told, c.told, failed, c.fails)
			}
		})
	}
}
