package check_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// called receives the next message under an id of the caller's.
func (w *world) called(s *worldSubscriber, id string) {
	w.hear(s, 1)
	w.log[len(w.log)-1].Event, s.position = id, id
}

// TestOneIDForTwoMessages holds targets whose ids name more than one message, and some that only seem to.
func TestOneIDForTwoMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ids  func(n int) string // of the nth message, from 0
		meet func(w *world, n int)
		want uint64
		text string
	}{
		"each its own":                     {ids: func(n int) string { return fmt.Sprint(n) }},
		"that of the message before":       {ids: func(n int) string { return fmt.Sprint(max(n, 1)) }, want: 1, text: `event id "1" names message 1 and message 2`},
		"that of one long before":          {ids: func(n int) string { return fmt.Sprint(n % 250) }, want: 50, text: `event id "0" names message 1 and message 251`},
		"none beside the end of a batch":   {ids: func(n int) string { return map[bool]string{true: fmt.Sprint(n)}[n%10 == 9] }},
		"one for each batch":               {ids: func(n int) string { return fmt.Sprint(n / 10) }, want: 270, text: `event id "0" names message 1 and message 2`},
		"begun anew behind a restart":      {ids: func(n int) string { return fmt.Sprint(n % 150) }, meet: func(w *world, n int) { w.restarts(n == 150) }},
		"begun anew behind a sign of that": {ids: func(n int) string { return fmt.Sprint(n % 150) }, meet: func(w *world, n int) { w.tells(n == 150) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(c *check.Config) {
				c.Expect.Delivery, c.Steps = []string{"unique"}, []check.Step{{Name: "restart"}}
			}))
			for n := range 300 {
				if c.meet != nil {
					c.meet(w, n)
				}
				w.publishes(1)
				w.called(s, c.ids(n))
			}
			w.finish()
			tally, report := w.judge()
			want := map[string]uint64{}
			if c.want > 0 {
				want["id conflict"] = c.want
			}
			if diff := cmp.Diff(want, counts(tally)); diff != "" {
				t.Errorf("anomalies (−want +got):\n%s", diff)
			}
			if v := verdict(t, report, "delivery.unique"); (v.Outcome == conformance.Fail) != (c.want > 0) || c.want > 0 && v.Findings[0].Text != c.text {
				t.Errorf("%v: %v", v.Outcome, v.Findings)
			}
		})
	}
}

func (w *world) restarts(now bool) {
	if now {
		w.observe(history.Observation{Kind: history.FaultBegin, Subscriber: -1, Text: "restart"})
		w.observe(history.Observation{Kind: history.FaultEnd, Subscriber: -1, Text: "restart"})
	}
}

func (w *world) tells(now bool) {
	if now {
		w.sub(w.subs[0], history.Observation{Kind: history.Gap, Text: "gap"})
	}
}

// TestIDsOfSeveralPublishers: each publisher of a stream that counts for itself gives ids that others have given.
func TestIDsOfSeveralPublishers(t *testing.T) {
	t.Parallel()
	for _, target := range []struct {
		resumes  bool
		delivery []string
		tells    string // "": nobody
	}{
		{true, []string{"unique"}, "delivery.unique"},
		{true, []string{"unique", "resumable"}, "delivery.resumable"},
		{false, []string{"unique"}, ""},
	} {
		cfg := config(1, 1, 2, 1)
		cfg.Target.Resume, cfg.Expect.Delivery = target.resumes, target.delivery
		w := newWorld(cfg)
		w.connectAll()
		s := w.subs[0]
		for n := range 40 {
			w.publish(0, int32(n%2))
			w.called(s, fmt.Sprint(n/2))
		}
		w.finish()
		_, report := w.judge()
		failed := ""
		for _, v := range report.Verdicts {
			if v.Outcome != conformance.Fail {
				continue
			}
			failed += v.ID
			if want := `event id "0" names message 1 of stream room-0, publisher 0 and message 1 of stream room-0, publisher 1`; v.Findings[0].Text != want {
				t.Errorf("%q, want %q", v.Findings[0].Text, want)
			}
		}
		if failed != target.tells {
			t.Errorf("%v: %q failed, want %q", target, failed, target.tells)
		}
	}
}
