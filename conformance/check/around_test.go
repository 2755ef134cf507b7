package check_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestEvidenceOfAHoleIsTrue holds what is said of the messages around those that are missing, for positions of all kinds.
func TestEvidenceOfAHoleIsTrue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script func(w *world, s *worldSubscriber)
		want   []string
	}{
		"between two messages": {func(w *world, s *worldSubscriber) {
			w.publishes(3)
			w.hear(s, 1)
			s.next()
			w.hear(s, 1)
		}, []string{"connection 1: message 1 was the last before it", "connection 1: message 3 came next"}},
		"before anything, owed from a later one on": {func(w *world, s *worldSubscriber) {
			w.disconnect(s, history.CauseReset) // without a position
			w.publishes(6)
			w.connect(s)
			w.publishes(2)
			s.next()
			w.hear(s, 1)
		}, []string{"connection 2: owed from message 7 on, and none had arrived before it", "connection 2: message 8 came next"}},
		"behind one that is missing too": {func(w *world, s *worldSubscriber) {
			w.publishes(6)
			w.hear(s, 2)
			s.next()
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.connect(s)
			s.next()
			w.hear(s, 1)
		}, []string{
			"connection 1: message 2 was the last before it", "connection 1: message 4 came next",
		}},
		"at a seam": {func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 2)
			w.disconnect(s, history.CauseReset)
			w.publishes(2)
			w.connect(s)
			s.next()
			w.hear(s, 1)
		}, []string{
			"connection 2: message 2 was the last before it", "connection 2 had asked for what follows message 2", "connection 2: message 4 came next",
		}},
		"at a seam, with a position that was not the last": {func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 2)
			w.disconnect(s, history.CauseReset)
			w.publishes(2)
			s.position = "of another mind"
			w.connect(s)
			s.next()
			w.hear(s, 1)
		}, []string{
			"connection 2: message 2 was the last before it", "connection 2 had come back with a position", "connection 2: message 4 came next",
		}},
		"at the end": {func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 1)
			s.next()
		}, []string{"connection 1: message 1 was the last before it", "connection 1: nothing came after it"}},
		"everything": {func(w *world, s *worldSubscriber) {
			w.publishes(2)
			s.queue = nil
		}, []string{"connection 1: no message had arrived on it", "connection 1: nothing came after it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one()
			c.script(w, s)
			w.finish()
			_, report := w.judge()
			v := verdict(t, report, "delivery.complete")
			if len(v.Findings) == 0 {
				t.Fatalf("nothing is missing\n%s", w.story())
			}
			got := slices.Clone(v.Findings[0].Evidence)
			if diff := cmp.Diff(c.want, got[:min(len(got), len(c.want))]); diff != "" {
				t.Errorf("evidence (−want +got):\n%s\n%s", diff, w.story())
			}
		})
	}
}
