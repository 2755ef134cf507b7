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

// inVain comes back n times, a quarter of a second apart; each stream ends after life, and what does is done on it.
func (w *world) inVain(s *worldSubscriber, n int, life time.Duration, does func()) {
	for range n {
		w.after(250 * time.Millisecond)
		w.connect(s)
		if does != nil {
			does()
		}
		w.after(life)
		w.disconnect(s, history.CauseEOF)
	}
}

// missed receives five messages, loses the connection and misses nine.
func (w *world) missed(s *worldSubscriber) {
	w.publishes(5)
	w.hear(s, 5)
	w.disconnect(s, history.CauseReset)
	w.publishes(9)
}

// refuse lets an attempt come to nothing.
func (w *world) refuse(s *worldSubscriber, status int32, cause history.Cause) {
	s.connection++
	w.sub(s, history.Observation{Kind: history.Dial, Attempt: 2, Text: s.position})
	w.sub(s, history.Observation{Kind: history.Refused, Status: status, Cause: cause})
}

// TestNoReturnWithoutDelivery lets subscribers come back in every way that brings them nothing of what they are owed.
func TestNoReturnWithoutDelivery(t *testing.T) {
	t.Parallel()
	const alive, complete, resumable, within, latency = "delivery.alive", "delivery.complete", "delivery.resumable", "reconnect.within", "latency.p50"
	old := func(w *world, s *worldSubscriber) func() {
		return func() { w.sub(s, history.Observation{Kind: history.Deliver, Number: 1, Event: "e1"}) }
	}
	for name, c := range map[string]struct {
		script func(w *world, s *worldSubscriber)
		fails  []string
		says   string // by delivery.alive
	}{
		"each stream ends at once": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.inVain(s, 40, tick, nil)
		}, []string{complete, resumable, alive, within, latency}, "40 connections, all ended within"},
		"and the last is open when the run ends": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.inVain(s, 40, tick, nil)
			w.connect(s)
			s.queue = nil
		}, []string{complete, resumable, alive, within, latency}, "position 5 unchanged"},
		"each stream says that something is wrong": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.inVain(s, 40, tick, func() { w.sub(s, history.Observation{Kind: history.Other, Text: "error"}) })
		}, []string{complete, resumable, alive, within, latency}, "position 5 unchanged"},
		"each stream brings an old message and ends": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.inVain(s, 40, tick, old(w, s))
		}, []string{complete, resumable, alive, within, latency}, "position 5 unchanged"},
		"each stream is mute for three seconds": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.inVain(s, 5, 3*time.Second, nil)
		}, []string{complete, resumable, alive, within, latency}, "5 connections, all ended within 3"},
		"a stream of heartbeats": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.connect(s)
			s.queue = nil
			for range 20 {
				w.after(time.Second)
				w.sub(s, history.Observation{Kind: history.Heartbeat})
			}
		}, []string{complete, resumable, alive, within, latency}, "on an open connection"},
		"refused again and again": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			for range 20 {
				w.after(time.Second)
				w.refuse(s, 503, history.CauseStatus)
			}
		}, []string{complete, alive, within, latency}, "refused it until the end"},
		"sent away with 204": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.refuse(s, 204, history.CauseStatus)
			w.sub(s, history.Observation{Kind: history.Away, Cause: history.CauseStatus})
		}, []string{complete, alive, within, latency}, "204"},
		"answered with a page": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.refuse(s, 200, history.CauseType)
			w.sub(s, history.Observation{Kind: history.Away, Cause: history.CauseType})
		}, []string{complete, alive, within, latency}, "gave up: type"},
		"taken back after many streams that ended at once": {func(w *world, s *worldSubscriber) {
			w.missed(s)
			w.inVain(s, 40, tick, nil)
			w.connect(s)
		}, []string{resumable, alive, within, latency}, "after 40 connections"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(c *check.Config) {
				c.Expect.Delivery = []string{"complete", "unique", "resumable", "alive"}
				c.Expect.Within, c.Expect.Failed = 4*time.Second, nil
				c.Expect.Latency = []check.Quantile{{Percent: 50, AtMost: 5 * time.Second}}
				c.Expect.Stalled = 5 * time.Second
			}))
			c.script(w, s)
			w.finish()
			_, report := w.judge()
			failed := map[string]bool{}
			for _, v := range report.Verdicts {
				if v.Outcome == conformance.Fail {
					failed[v.ID] = true
				}
			}
			want := map[string]bool{}
			for _, id := range c.fails {
				want[id] = true
			}
			if diff := cmp.Diff(want, failed); diff != "" {
				t.Errorf("failed (−want +got):\n%s\n%s", diff, w.story())
			}
			if v := verdict(t, report, alive); len(v.Findings) == 0 || !strings.Contains(v.Findings[0].Text, c.says) {
				t.Errorf("%s says %+v, want %q", alive, v.Findings, c.says)
			}
			if report.Expected != report.Delivered+report.Lost+report.Outstanding {
				t.Errorf("%d owed is not %d delivered, %d lost and %d outstanding", report.Expected, report.Delivered, report.Lost, report.Outstanding)
			}
		})
	}
}

// TestASilentReturnOfAStarvedTargetIsNone: it may have been on its way. An end that the target made is its own.
func TestASilentReturnOfAStarvedTargetIsNone(t *testing.T) {
	t.Parallel()
	const fail, unknown = conformance.Fail, conformance.Unknown
	for cause, want := range map[history.Cause][2]conformance.Outcome{history.CauseIdle: {fail, unknown}, history.CauseEOF: {fail, fail}} {
		w, s := one(expecting(func(c *check.Config) { c.Expect.Delivery = []string{"resumable"} }))
		w.missed(s)
		w.after(250 * time.Millisecond)
		w.connect(s)
		w.after(3 * time.Second)
		w.disconnect(s, cause)
		w.after(250 * time.Millisecond)
		w.connect(s)
		w.hear(s, 9)
		w.finish()
		tally, _ := w.judge()
		for i, held := range []float64{0, 4000} {
			health := conformance.Health{OK: true, Contention: []conformance.HeldUp{{Within: conformance.Duration(8 * time.Second), Max: held}}}
			if v := verdict(t, tally.Report(&w.cfg, health), "delivery.resumable"); v.Outcome != want[i] {
				t.Errorf("ended by %s, held up for %v ms: %s, want %s: %s %s", cause, held, v.Outcome, want[i], v.Actual, v.Reason)
			}
		}
	}
}

// TestReturnsThatAreNone holds what looks like it and is right, or is our own doing.
func TestReturnsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]func(w *world, s *worldSubscriber){
		"sessions without a message": func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			for range 10 {
				w.after(2 * time.Second)
				w.disconnect(s, history.CauseEOF)
				w.connect(s)
			}
		},
		"what was missed was rejected": func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.end(w.begin(0, 0), history.Rejected)
			w.connect(s)
			w.after(2 * time.Second)
			w.disconnect(s, history.CauseEOF)
			w.after(time.Second)
			w.connect(s)
			w.publishes(1)
		},
		"a fault of ours ended each stream": func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			for range 10 {
				w.sub(s, history.Observation{Kind: history.FaultBegin})
				w.disconnect(s, history.CauseFault)
				w.publishes(1)
				w.after(time.Second)
				w.connect(s)
			}
		},
		"told that its position is too old": func(w *world, s *worldSubscriber) {
			w.cfg.Target.Age = time.Second
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(3)
			w.after(3 * time.Second)
			w.connect(s)
			w.sub(s, history.Observation{Kind: history.Gap})
			s.queue = nil
			w.after(10 * time.Second)
			w.publishes(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(c *check.Config) {
				c.Expect.Delivery = []string{"complete", "unique", "resumable", "alive"}
				c.Expect.Within, c.Expect.Failed = 4*time.Second, nil
			}))
			script(w, s)
			w.finish()
			_, report := w.judge()
			for id, outcome := range outcomes(report) {
				if outcome != conformance.Unknown && outcome != conformance.Info {
					t.Errorf("%s is %s: %+v", id, outcome, verdict(t, report, id))
				}
			}
		})
	}
}

// TestOutstandingIsOursOnlyWhereWeKeptItBack ends runs with something outstanding.
func TestOutstandingIsOursOnlyWhereWeKeptItBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script func(w *world, s *worldSubscriber)
		held   bool
	}{
		"an open stream": {func(w *world, s *worldSubscriber) {
			w.publishes(1)
			s.queue = nil
			w.after(time.Minute)
		}, false},
		"it had not come back to ask": {func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseEOF)
			w.publishes(1)
			w.after(time.Minute)
		}, true},
		"long before the loss": {func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.publishes(1)
			s.queue = nil
			w.after(time.Minute)
			w.disconnect(s, history.CauseEOF)
		}, false},
		"it asked, and was turned down": {func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseEOF)
			w.publishes(1)
			w.after(time.Second)
			w.refuse(s, 503, history.CauseStatus)
		}, false},
		"a slow reader": {func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.SlowBegin})
			w.publishes(1)
			s.queue = nil
		}, true},
		"a fault that goes on": {func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.FaultBegin})
			w.publishes(1)
			s.queue = nil
			w.after(time.Minute)
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one()
			c.script(w, s)
			w.finish()
			_, report := w.judge()
			if report.Outstanding != 1 || (report.Held == 1) != c.held {
				t.Errorf("%d outstanding, %d of our own doing\n%s", report.Outstanding, report.Held, w.story())
			}
			if v := verdict(t, report, "delivery.complete"); (v.Outcome == conformance.Fail) == c.held {
				t.Errorf("%s (%s)", v.Outcome, v.Actual)
			}
		})
	}
}
