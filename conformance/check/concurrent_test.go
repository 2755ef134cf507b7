package check_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestConcurrentSubscribersAreJudgedAsOne lets every subscriber of a world with defects, every publisher and somebody who asks how much
// is outstanding run at once. Publishes precede their deliveries, as they do in a run.
func TestConcurrentSubscribersAreJudgedAsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(config(40, 4, 1, 2))
	w.connectAll()
	for round := range 20 {
		for stream := range int32(4) {
			w.publish(stream, 0)
		}
		s := w.subs[round*2]
		switch round % 4 {
		case 0:
			s.next()
		case 1:
			m := s.next()
			w.receive(s, m, 0)
			w.receive(s, m, 0)
		case 2:
			s.queue[0], s.queue[1] = s.queue[1], s.queue[0]
			w.receive(s, s.next(), history.Corrupted)
		case 3:
			w.disconnect(s, history.CauseReset)
			w.connect(s)
		}
		w.flush()
	}
	w.finish()
	want, wantReport := w.judge()

	j := check.New(w.cfg)
	var kept anomalies
	j.Sink(&kept)
	for i := range w.log {
		if o := &w.log[i]; o.Kind == history.Phase || o.Kind == history.Publish || o.Kind == history.Ready {
			j.Observe(o)
		}
	}
	var workers, asking sync.WaitGroup
	var over atomic.Bool
	asking.Go(func() {
		for !over.Load() {
			if owed, arrived := j.Outstanding(); arrived > owed {
				t.Errorf("%d arrived of %d", arrived, owed)
			}
		}
	})
	for only := int32(-1); int(only) < len(w.subs); only++ {
		workers.Go(func() {
			for i := range w.log {
				o := w.log[i]
				if o.Subscriber == only && o.Kind != history.Phase && o.Kind != history.Publish && o.Kind != history.Ready {
					j.Observe(&o)
				}
			}
		})
	}
	workers.Wait()
	over.Store(true)
	asking.Wait()
	got := j.Tally(w.now)
	if diff := cmp.Diff(counts(want), counts(got)); diff != "" {
		t.Errorf("anomalies (−alone +together):\n%s", diff)
	}
	if r := got.Report(&w.cfg, conformance.Health{OK: true}); r.Expected != wantReport.Expected || r.Delivered != wantReport.Delivered {
		t.Errorf("expected %d, delivered %d; want %d, %d", r.Expected, r.Delivered, wantReport.Expected, wantReport.Delivered)
	}
	var live uint64
	for _, name := range seenAtOnce {
		live += counts(got)[name]
	}
	if n := kept.Load(); n != live {
		t.Errorf("%d anomalies were passed on, want %d", n, live)
	}
}

// seenAtOnce are the anomalies that a delivery shows; others are only known at the end.
var seenAtOnce = []string{"duplicated", "reordered", "corrupted"}

// anomalies counts those that a delivery shows, as they are passed on.
type anomalies struct{ atomic.Uint64 }

func (a *anomalies) Observe(o *history.Observation) {
	if o.Kind == history.Anomaly && slices.Contains(seenAtOnce, o.Text) && o.Data != "" {
		a.Add(1)
	}
}
