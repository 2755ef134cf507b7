package check_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// one is a world with one subscriber of one stream, connected after the changes.
func one(changes ...func(*world)) (*world, *worldSubscriber) {
	w := newWorld(config(1, 1, 1, 1))
	for _, change := range changes {
		if change != nil {
			change(w)
		}
	}
	w.connectAll()
	return w, w.subs[0]
}

// expecting changes a world's config.
func expecting(change func(*check.Config)) func(*world) {
	return func(w *world) { change(&w.cfg) }
}

// hear receives the next n messages.
func (w *world) hear(s *worldSubscriber, n int) {
	for range n {
		w.receive(s, s.next(), 0)
	}
}

// publishes publishes n messages of the first stream.
func (w *world) publishes(n int) {
	for range n {
		w.publish(0, 0)
	}
}

// TestWhatIsOwed holds what is right although it looks wrong, and the other way round.
func TestWhatIsOwed(t *testing.T) {
	t.Parallel()
	noResume := expecting(func(c *check.Config) { c.Target.Resume = false })
	shortHistory := expecting(func(c *check.Config) { c.Target.Events = 2 })
	drops := expecting(func(c *check.Config) { c.Target.SlowPolicy, c.Subscribers[0].Slow = "drop", true })
	blocks := expecting(func(c *check.Config) { c.Target.SlowPolicy = "block" })
	slow := func(w *world, s *worldSubscriber, kind history.Kind) {
		w.sub(s, history.Observation{Kind: kind, Size: 100})
	}
	for name, c := range map[string]struct {
		change func(*world)
		script func(w *world, s *worldSubscriber)
		want   map[string]uint64
		owed   uint64
	}{
		"in flight when it became ready, and it arrives": {func(w *world) { w.begin(0, 0) }, func(w *world, _ *worldSubscriber) {
			late := worldMessage{number: 1}
			w.accept(late)
			w.end(late, history.Acknowledged)
			w.publishes(2)
		}, nil, 2},
		"in flight when it became ready, and it does not": {func(w *world) { w.accept(w.begin(0, 0)) }, func(w *world, _ *worldSubscriber) {
			w.end(worldMessage{number: 1}, history.Acknowledged)
			w.publishes(2)
		}, nil, 2},
		"a whole history before the first message owed": {func(w *world) { w.publishes(5) }, func(w *world, s *worldSubscriber) {
			s.queue = append(s.queue, w.streams[0].kept...)
			w.publishes(2)
		}, nil, 2},
		"an unknown publish arrives": {nil, func(w *world, _ *worldSubscriber) {
			m := w.begin(0, 0)
			w.accept(m)
			w.end(m, history.Indeterminate)
			w.publishes(1)
		}, nil, 1},
		"an unknown publish does not arrive": {nil, func(w *world, _ *worldSubscriber) {
			w.end(w.begin(0, 0), history.Indeterminate)
			w.publishes(1)
		}, nil, 1},
		"an unknown publish arrives twice": {nil, func(w *world, s *worldSubscriber) {
			m := w.begin(0, 0)
			w.end(m, history.Indeterminate)
			w.receive(s, m, 0)
			w.receive(s, m, 0)
		}, map[string]uint64{"duplicated": 1}, 0},
		"a rejected publish arrives, before we know": {nil, func(w *world, s *worldSubscriber) {
			m := w.begin(0, 0)
			w.receive(s, m, 0)
			w.end(m, history.Rejected)
		}, map[string]uint64{"phantom": 1}, 0},
		"a publish that never ended": {nil, func(w *world, _ *worldSubscriber) {
			w.publishes(1)
			w.begin(0, 0)
		}, nil, 1},
		"a resume that replays exactly": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 2)
			w.disconnect(s, history.CauseReset)
			w.publishes(3)
			w.connect(s)
		}, nil, 5},
		"many resumes without a message between them": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 1)
			for range 5 {
				w.disconnect(s, history.CauseReset)
				w.publishes(1)
				w.connect(s)
			}
		}, map[string]uint64{"empty return": 4}, 7},
		"lost at the second of two resumes": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 2)
			w.disconnect(s, history.CauseReset)
			w.publishes(1)
			w.connect(s)
			w.disconnect(s, history.CauseReset)
			w.connect(s)
			s.next()
			w.publishes(1)
		}, map[string]uint64{"lost": 1, "lost at resume": 1, "empty return": 1}, 4},
		"lost before the resume stays lost": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			s.next()
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.connect(s)
		}, map[string]uint64{"lost": 1}, 3},
		"nothing to resume from": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.disconnect(s, history.CauseReset)
			w.publishes(1)
			w.connect(s)
			w.publishes(1)
		}, nil, 1},
		"without resume nothing is owed for the time away": {noResume, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(4)
			w.connect(s)
			w.publishes(1)
		}, nil, 2},
		"without resume a hole is still a loss": {noResume, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			w.hear(s, 1)
			s.next()
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.connect(s)
			w.publishes(1)
		}, map[string]uint64{"lost": 1}, 4},
		"without resume what was acknowledged long before the loss must have arrived": {noResume, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 1)
			w.now += time.Minute
			w.publishes(1)
			w.now += time.Second
			w.disconnect(s, history.CauseReset)
			w.connect(s)
		}, map[string]uint64{"lost": 1}, 2},
		"without resume a history that begins anew": {noResume, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.hear(s, 2)
			w.disconnect(s, history.CauseReset)
			w.connect(s)
			s.queue = append(s.queue, w.streams[0].kept...)
		}, nil, 2},
		"a hole beyond the history, announced": {shortHistory, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(5)
			w.connect(s)
			w.sub(s, history.Observation{Kind: history.Gap, Text: "gap"})
			s.queue = s.queue[3:]
		}, nil, 3},
		"a hole beyond the history, not announced": {shortHistory, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(5)
			w.connect(s)
			s.queue = s.queue[3:]
		}, map[string]uint64{"unannounced gap": 3}, 3},
		"a hole within the history, announced": {shortHistory, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(5)
			w.connect(s)
			w.sub(s, history.Observation{Kind: history.Gap, Text: "gap"})
			s.queue = s.queue[4:]
		}, map[string]uint64{"lost": 1, "lost at resume": 1}, 3},
		"a target that forgot the position begins anew": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			w.hear(s, 3)
			w.disconnect(s, history.CauseReset)
			w.connect(s)
			w.sub(s, history.Observation{Kind: history.Gap, Text: "gap"})
			s.queue = append(s.queue, w.streams[0].kept...)
		}, nil, 3},
		"messages without an id leave the position where it was": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			w.hear(s, 1)
			position, covers := s.position, s.covers[0]
			w.hear(s, 2)
			for i := range w.log[len(w.log)-2:] {
				w.log[len(w.log)-2+i].Event = ""
			}
			s.position, s.covers[0] = position, covers
			w.disconnect(s, history.CauseReset)
			w.publishes(1)
			w.connect(s)
		}, nil, 4},
		"a slow reader may be left out": {drops, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			slow(w, s, history.SlowBegin)
			w.publishes(5)
			s.queue = s.queue[4:]
			w.hear(s, 1)
			slow(w, s, history.SlowEnd)
			w.publishes(1)
		}, nil, 3},
		"what was dropped shows only later": {drops, func(w *world, s *worldSubscriber) {
			slow(w, s, history.SlowBegin)
			w.publishes(5)
			s.queue = nil
			slow(w, s, history.SlowEnd)
			w.now += time.Minute
			w.publishes(2)
		}, nil, 2},
		"a slow reader is left out long after it was slow": {drops, func(w *world, s *worldSubscriber) {
			slow(w, s, history.SlowBegin)
			w.publishes(2)
			w.hear(s, 2)
			slow(w, s, history.SlowEnd)
			w.now += time.Minute
			w.publishes(2)
			s.next()
		}, map[string]uint64{"lost": 1}, 4},
		"a slow reader under another policy": {blocks, func(w *world, s *worldSubscriber) {
			slow(w, s, history.SlowBegin)
			w.publishes(3)
			w.hear(s, 1)
			s.next()
			w.hear(s, 1)
			w.publishes(1)
			s.queue = nil
		}, map[string]uint64{"lost": 1}, 4},
		"a damaged message is not lost as well": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			w.receive(s, s.next(), 0)
			s.next()
			w.receive(s, worldMessage{number: 77}, history.Foreign)
		}, map[string]uint64{"corrupted": 1}, 2},
		"damage that was no message of ours": {nil, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			w.receive(s, worldMessage{number: 77}, history.Foreign)
			w.hear(s, 2)
			s.next()
			w.publishes(1)
		}, map[string]uint64{"corrupted": 1, "lost": 1}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(c.change)
			c.script(w, s)
			w.finish()
			tally, _ := w.judge()
			want := c.want
			if want == nil {
				want = map[string]uint64{}
			}
			if diff := cmp.Diff(want, counts(tally)); diff != "" {
				t.Errorf("anomalies (−want +got):\n%s\n%s", diff, w.story())
			}
			if tally.Expected != c.owed {
				t.Errorf("%d owed, want %d\n%s", tally.Expected, c.owed, w.story())
			}
		})
	}
}

func TestUnannouncedGapIsToleratedWhereNoneCanBeAnnounced(t *testing.T) {
	t.Parallel()
	for announces, want := range map[bool]conformance.Outcome{true: conformance.Fail, false: conformance.Warn} {
		w, s := one(expecting(func(c *check.Config) { c.Target.Events, c.Target.Announces = 2, announces }))
		w.publishes(1)
		w.hear(s, 1)
		w.disconnect(s, history.CauseReset)
		w.publishes(5)
		w.connect(s)
		s.queue = s.queue[3:]
		w.finish()
		_, report := w.judge()
		if v := verdict(t, report, "delivery.resumable"); v.Outcome != want {
			t.Errorf("announces %v: %s, want %s", announces, v.Outcome, want)
		}
	}
}

func TestHistoryLimitInTime(t *testing.T) {
	t.Parallel()
	w, s := one(expecting(func(c *check.Config) { c.Target.Age = time.Minute }))
	w.publishes(1)
	w.hear(s, 1)
	w.disconnect(s, history.CauseReset)
	w.publishes(3)
	w.now += 2 * time.Minute
	w.publishes(2)
	w.connect(s)
	w.sub(s, history.Observation{Kind: history.Gap})
	s.queue = s.queue[4:] // one more than the age excuses
	w.finish()
	tally, _ := w.judge()
	if diff := cmp.Diff(map[string]uint64{"lost": 1, "lost at resume": 1}, counts(tally)); diff != "" || tally.Beyond != 3 {
		t.Errorf("%d beyond, anomalies (−want +got):\n%s", tally.Beyond, diff)
	}
}

func TestOutstandingIsZeroExactlyWhenAllHasArrived(t *testing.T) {
	t.Parallel()
	w := newWorld(config(3, 2, 1, 2))
	w.connectAll()
	w.publish(0, 0)
	w.publish(1, 0)
	w.end(w.begin(0, 0), history.Rejected)
	s := w.subs[1]
	w.receive(s, s.next(), 0)
	skipped := s.next()
	w.publish(1, 0)
	w.flush()
	j := check.New(w.cfg)
	for i := range w.log {
		j.Observe(&w.log[i])
	}
	if owed, arrived := j.Outstanding(); owed != 9 || arrived != 8 {
		t.Errorf("owed %d, arrived %d, want 9 and 8", owed, arrived)
	}
	at := len(w.log)
	w.receive(s, skipped, 0)
	j.Observe(&w.log[at])
	if owed, arrived := j.Outstanding(); owed != 9 || arrived != 9 {
		t.Errorf("owed %d, arrived %d, want 9 and 9", owed, arrived)
	}
}
