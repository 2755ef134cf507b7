package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestCalmTimesHaveABudgetOfTheirOwn delays every sixtieth message by 400 ms, beside a loss whose replay takes seconds.
func TestCalmTimesHaveABudgetOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		messages int
		every    int // so many messages one is late
		until    time.Duration
		want     conformance.Outcome
	}{
		"a spike":              {900, 60, 0, conformance.Fail},
		"none":                 {900, 0, 0, conformance.Pass},
		"few calm times":       {200, 60, 0, conformance.Unknown},
		"late after the storm": {900, 0, 400 * time.Millisecond, conformance.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(c *check.Config) {
				c.Expect.Latency = []check.Quantile{{Percent: 99, AtMost: 6 * time.Second}}
				c.Expect.Calm = []check.Quantile{{Percent: 99, AtMost: 250 * time.Millisecond}}
			}))
			publish := func(n, every int, each time.Duration) {
				for i := range n {
					w.publishes(1)
					if every > 0 && i%every == 7 {
						each = 400 * time.Millisecond
					}
					w.after(each)
					w.flush()
					each = 0
				}
			}
			publish(c.messages, c.every, 0)
			w.disconnect(s, history.CauseReset)
			w.publishes(50)
			w.after(3 * time.Second)
			w.connect(s)
			w.flush()
			if c.until > 0 { // within a second of the replay
				publish(2, 1, c.until)
			}
			w.finish()
			_, report := w.judge()
			if v := verdict(t, report, "calm.latency_p99"); v.Outcome != c.want {
				t.Errorf("%s (%s) with %s", v.Outcome, v.Reason, v.Actual)
			} else if helps := "raise load.publish.rate or load.subscribers about 2-fold"; v.Outcome == conformance.Unknown && !strings.Contains(v.Reason, helps) {
				t.Errorf("%q does not say what helps", v.Reason)
			}
			if v := verdict(t, report, "latency.p99"); v.Outcome != conformance.Pass {
				t.Errorf("the whole: %s (%s) with %s", v.Outcome, v.Reason, v.Actual)
			}
		})
	}
}

// TestAStallOfOursIsNoStallOfTheTarget lets a message be held up for longer than allowed by less than the harness itself was.
func TestAStallOfOursIsNoStallOfTheTarget(t *testing.T) {
	t.Parallel()
	for lag, want := range map[float64]conformance.Outcome{0: conformance.Fail, 900: conformance.Fail, 1100: conformance.Unknown} {
		w, s := one()
		w.publishes(1)
		w.after(6 * time.Second)
		w.hear(s, 1)
		w.finish()
		tally, _ := w.judge()
		if v := verdict(t, tally.Report(&w.cfg, conformance.Health{LagMax: lag}), "delivery.alive"); v.Outcome != want {
			t.Errorf("held up for %vms at most: %s (%s) with %s, want %s", lag, v.Outcome, v.Reason, v.Actual, want)
		}
	}
}

// TestNothingArrivedPassesNothing judges every guarantee and every budget on a target that opens every stream and never sends a message,
// from the start, or from when its subscribers had come back. Each row says what may be said of it.
func TestNothingArrivedPassesNothing(t *testing.T) {
	t.Parallel()
	const fail, unknown, pass = conformance.Fail, conformance.Unknown, conformance.Pass
	for _, row := range []struct {
		id           string
		mute, resume conformance.Outcome // mute from the start, and from the resume on
		why          string              // it may pass, in spite of that
	}{
		{"delivery.complete", fail, fail, ""},
		{"delivery.unique", unknown, pass, "what came before the loss came once"},
		{"delivery.ordered", unknown, pass, "what came before the loss came in order"},
		{"delivery.isolated", unknown, conformance.Skip, ""}, // there is one stream
		{"delivery.intact", unknown, pass, "what came before the loss was intact"},
		{"delivery.resumable", unknown, fail, ""},
		{"delivery.alive", fail, fail, ""},
		{"delivery.latest", fail, fail, ""},
		{"delivery.well-formed", unknown, pass, "what came before the loss was well-formed"},
		{"latency.p99", fail, fail, ""},
		{"calm.latency_p99", fail, fail, ""},
		{"connect.p99", pass, pass, "a connection is open with its head"},
		{"connect.failed", pass, pass, "a connection is open with its head"},
		{"first_event.p99", unknown, pass, "the first connections had a first event"},
		{"reconnect.within", fail, fail, ""},
		{"reconnect.backoff", unknown, unknown, ""},
		{"reconnect.peak", pass, pass, "it is about attempts"},
		{"resume.gap_p99", unknown, fail, ""},
		{"heartbeat.every", pass, pass, "there are heartbeats"},
		{"fan_out.spread_p99", fail, fail, ""},
		{"bystanders.latency_p99", unknown, unknown, ""},
		{"memory.max", unknown, unknown, ""},
		{"memory.growth", unknown, unknown, ""},
		{"sessions.live", pass, pass, "it is about connections"},
		{"expiry.within", unknown, unknown, ""},
		{"connections.ended", conformance.Info, conformance.Info, ""},
		{"greeting", unknown, pass, "the first connections were greeted"},
	} {
		for _, resume := range []bool{false, true} {
			report := muteTarget(resume)
			v, want := verdict(t, report, row.id), row.mute
			if resume {
				want = row.resume
			}
			if v.Outcome != want {
				t.Errorf("%s, mute after a resume %v: %s (%s) with %s, want %s", row.id, resume, v.Outcome, v.Reason, v.Actual, want)
			}
			if v.Outcome == pass && row.why == "" {
				t.Errorf("%s passes where nothing arrived", row.id)
			}
		}
	}
	judged := muteTarget(false).Verdicts
	if len(judged) != 27 {
		t.Errorf("%d verdicts, a row of the table is missing or one too many", len(judged))
	}
}

// muteTarget is a run against a target that sends heartbeats only, from the start or after a resume.
func muteTarget(afterResume bool) check.Report {
	w, s := one(expecting(func(c *check.Config) {
		within := []check.Quantile{{Percent: 99, AtMost: time.Second}}
		zero := 0
		c.Expect = check.Expect{
			Delivery: c.Expect.Delivery, Schemas: map[string]bool{"": true}, Greeting: "hi", Latency: within, Calm: within, FirstEvent: within,
			Connect: within, Failed: &zero, Within: time.Second, Backoff: true, Peak: 1, ResumeGap: within, Heartbeat: time.Second,
			Spread: within, Bystanders: 5, MemoryMax: 1, Growth: 1, Sessions: 1, Expiry: time.Second,
		}
	}))
	beats := func(n int) {
		for range n {
			w.after(time.Second)
			w.sub(s, history.Observation{Kind: history.Heartbeat})
		}
	}
	if afterResume {
		w.sub(s, history.Observation{Kind: history.Other, Data: "hi"})
		w.sub(s, history.Observation{Kind: history.First, Took: tick})
		w.publishes(3)
		w.hear(s, 3)
	} else {
		w.publishes(3)
		s.queue = nil
	}
	beats(10)
	w.disconnect(s, history.CauseReset)
	w.publishes(3)
	w.after(100 * time.Millisecond)
	w.connect(s)
	s.queue = nil
	w.publishes(3)
	s.queue = nil
	beats(10)
	w.finish()
	_, report := w.judge()
	return report
}
