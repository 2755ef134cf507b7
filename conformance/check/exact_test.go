package check_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// unmeasured are verdicts that a world without losses of connection, schemas or faults leaves unknown.
var unmeasured = map[string]conformance.Outcome{
	"delivery.resumable": conformance.Unknown, "delivery.well-formed": conformance.Unknown,
}

func TestRightTargetPasses(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 1000} {
		w := newWorld(config(n, 3, 1, 1))
		w.connectAll()
		for range 10 {
			for stream := range int32(3) {
				w.publish(stream, 0)
			}
			w.flush()
		}
		w.finish()
		tally, report := w.judge()
		if diff := cmp.Diff(map[string]uint64{}, counts(tally)); diff != "" {
			t.Errorf("%d subscribers: anomalies (−want +got):\n%s", n, diff)
		}
		if diff := cmp.Diff(unmeasured, outcomes(report)); diff != "" {
			t.Errorf("%d subscribers: verdicts (−want +got):\n%s", n, diff)
		}
		if report.Expected != uint64(10*n) || report.Delivered != report.Expected {
			t.Errorf("%d subscribers: expected %d, delivered %d, want %d", n, report.Expected, report.Delivered, 10*n)
		}
	}
}

// defects are single things that a target does wrong to one subscriber, with everything they are called.
var defects = []struct {
	name   string
	do     func(w *world, s *worldSubscriber)
	want   map[string]uint64
	broken []string // guarantees that fail
}{
	{"loses one", func(_ *world, s *worldSubscriber) {
		s.next()
	}, map[string]uint64{"lost": 1}, []string{"complete"}},
	{"loses three in a row", func(_ *world, s *worldSubscriber) {
		s.next()
		s.next()
		s.next()
	}, map[string]uint64{"lost": 3}, []string{"complete"}},
	{"sends one twice", func(w *world, s *worldSubscriber) {
		m := s.next()
		w.receive(s, m, 0)
		w.receive(s, m, 0)
	}, map[string]uint64{"duplicated": 1}, []string{"unique"}},
	{"swaps two", func(w *world, s *worldSubscriber) {
		a, b := s.next(), s.next()
		w.receive(s, b, 0)
		w.receive(s, a, 0)
	}, map[string]uint64{"reordered": 1}, []string{"ordered"}},
	{"leaks one", func(w *world, s *worldSubscriber) {
		foreign := (w.cfg.Subscribers[s.index].Streams[0] + 1) % 3
		w.receive(s, worldMessage{foreign, 0, 2}, 0)
	}, map[string]uint64{"leaked": 1}, []string{"isolated"}},
	{"corrupts one", func(w *world, s *worldSubscriber) {
		w.receive(s, s.next(), history.Corrupted)
	}, map[string]uint64{"corrupted": 1}, []string{"intact"}},
	{"destroys one", func(w *world, s *worldSubscriber) {
		s.next()
		w.receive(s, worldMessage{0, 0, 99999}, history.Foreign)
	}, map[string]uint64{"corrupted": 1}, []string{"intact"}},
	{"invents one", func(w *world, s *worldSubscriber) {
		w.receive(s, worldMessage{w.cfg.Subscribers[s.index].Streams[0], 0, 99999}, 0)
	}, map[string]uint64{"phantom": 1}, []string{"intact"}},
	{"violates a schema", func(w *world, s *worldSubscriber) {
		w.receive(s, s.next(), history.Malformed)
	}, map[string]uint64{"malformed": 1}, []string{"well-formed"}},
	{"loses one across a resume", func(w *world, s *worldSubscriber) {
		w.receive(s, s.next(), 0)
		w.disconnect(s, history.CauseReset)
		w.connect(s)
		s.next()
	}, map[string]uint64{"lost": 1, "lost at resume": 1}, []string{"complete", "resumable"}},
	{"replays the position itself", func(w *world, s *worldSubscriber) {
		m := s.next()
		w.receive(s, m, 0)
		w.disconnect(s, history.CauseReset)
		w.connect(s)
		w.receive(s, m, 0)
	}, map[string]uint64{"duplicated": 1}, []string{"unique"}},
	{"replays what is before the position", func(w *world, s *worldSubscriber) {
		a, b := s.next(), s.next()
		w.receive(s, a, 0)
		w.receive(s, b, 0)
		w.disconnect(s, history.CauseEOF)
		w.connect(s)
		w.receive(s, a, 0)
		s.covers[a.stream] = w.covered(s, a.stream)
	}, map[string]uint64{"stale": 1}, []string{"resumable"}},
}

// TestEachDefectHasItsName finds in turn each single defect, at the first, a middle and the last of its subscribers, and
// nothing else.
func TestEachDefectHasItsName(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 1000} {
		for _, d := range defects {
			t.Run(fmt.Sprintf("%s/%d", d.name, n), func(t *testing.T) {
				t.Parallel()
				w := newWorld(config(n, 3, 1, 1))
				w.cfg.Expect.Schemas = map[string]bool{"": true}
				victims := slices.Compact([]int{0, n / 2, n - 1})
				w.connectAll()
				for range 2 {
					for stream := range int32(3) {
						w.publish(stream, 0)
					}
					w.flush()
				}
				for range 4 {
					for stream := range int32(3) {
						w.publish(stream, 0)
					}
				}
				for _, v := range victims {
					d.do(w, w.subs[v])
				}
				w.flush()
				for stream := range int32(3) {
					w.publish(stream, 0)
				}
				w.finish()
				tally, report := w.judge()
				want := map[string]uint64{}
				for name, count := range d.want {
					want[name] = count * uint64(len(victims))
				}
				if diff := cmp.Diff(want, counts(tally)); diff != "" {
					t.Errorf("anomalies (−want +got):\n%s", diff)
				}
				failed := []string{}
				for _, v := range report.Verdicts {
					if v.Outcome == conformance.Fail && strings.HasPrefix(v.ID, "delivery.") {
						failed = append(failed, v.ID)
					}
				}
				slices.Sort(failed)
				var broken []string
				for _, g := range d.broken {
					broken = append(broken, "delivery."+g)
				}
				if diff := cmp.Diff(broken, failed); diff != "" {
					t.Errorf("failed (−want +got):\n%s", diff)
				}
				for _, id := range failed {
					v := verdict(t, report, id)
					if len(v.Findings) == 0 || v.Findings[0].Text == "" || v.Next == "" {
						t.Errorf("%s fails without a worked example: %+v", id, v)
					}
				}
			})
		}
	}
}

// naive is the same judgement by sets, without any cleverness: what a subscriber was owed and received, in full.
func (w *world) naive() map[string]uint64 {
	all := map[string]uint64{}
	for _, o := range w.log {
		if o.Kind == history.Deliver && o.Mark == history.Corrupted {
			all["corrupted"]++
		}
	}
	for i := range w.subs {
		w.naiveSubscriber(int32(i), all)
	}
	for name, n := range all {
		if n == 0 {
			delete(all, name)
		}
	}
	return all
}

func (w *world) naiveSubscriber(index int32, all map[string]uint64) {
	type key = worldMessage
	begun := map[key]uint64{}
	got := map[key]bool{}
	highest := map[key]uint64{}
	position := map[key]uint64{} // by stream and publisher, what the position of this connection covers
	replay := map[key]uint64{}   // by stream and publisher, the first repetition that the position asked for
	from := map[key]uint64{}
	var latest key
	var hadPosition bool
	lost := func(upto func(k key) uint64, tail bool) {
		for k, first := range from {
			for n := first; n <= upto(k); n++ {
				m := key{k.stream, k.publisher, n}
				switch {
				case w.streams[k.stream].ack[m] != history.Acknowledged || got[m]:
				case n < highest[k]:
					all["lost"]++
				case tail:
					all["outstanding"]++
				}
			}
		}
	}
	for _, o := range w.log {
		if o.Kind == history.Publish {
			begun[key{stream: o.Stream, publisher: o.Publisher}] = o.Number
		}
		if o.Subscriber != index {
			continue
		}
		k := key{stream: o.Stream, publisher: o.Publisher}
		m := key{o.Stream, o.Publisher, o.Number}
		switch o.Kind {
		case history.Dial:
			if o.Text == "" && o.Connection > 1 {
				lost(func(k key) uint64 { return highest[k] }, false)
				clear(got)
				clear(highest)
				clear(from)
			}
			clear(position)
			clear(replay)
			if o.Text != "" && hadPosition {
				for k, n := range highest {
					position[k] = n
				}
				if k := (key{stream: latest.stream, publisher: latest.publisher}); latest.number != 0 {
					position[k], replay[k] = latest.number, latest.number+1
				}
			}
		case history.Ready:
			if from[k] == 0 {
				from[k] = o.Number
			}
		case history.Deliver:
			followed := slices.Contains(w.cfg.Subscribers[index].Streams, o.Stream)
			hadPosition = true
			switch {
			case o.Number > begun[k]:
				all["phantom"]++
				latest = key{}
				continue
			case !followed:
				all["leaked"]++
				latest = key{}
				continue
			case got[m] && replay[k] != 0 && o.Number >= replay[k]:
				replay[k] = o.Number + 1
			case got[m] && o.Number < position[k]:
				all["stale"]++
			case got[m]:
				all["duplicated"]++
			case o.Number < highest[k]:
				all["reordered"]++
			}
			if !got[m] && w.streams[k.stream].ack[m] == history.Rejected {
				all["phantom"]++
			}
			latest = m
			got[m] = true
			if o.Number > highest[k] {
				replay[k] = 0
			}
			highest[k] = max(highest[k], o.Number)
		}
	}
	lost(func(k key) uint64 { return w.streams[k.stream].begun[k.publisher] }, true)
}

// TestJudgeAgreesWithSets lets rapid drive a world with everything that a right target may do and, where wrong is set, with everything
// that a wrong one may, and compares the folds' judgement with the sets'.
func TestJudgeAgreesWithSets(t *testing.T) {
	t.Parallel()
	for _, repertoire := range [][]string{nil, everyDefect} {
		for _, resume := range []bool{false, true} {
			t.Run(fmt.Sprintf("wrong=%v resume=%v", repertoire != nil, resume), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					w := randomWorld(t, repertoire, resume)
					tally, report := w.judge()
					got, want := counts(tally), w.naive()
					for _, derived := range []string{"lost at resume", "empty return", "stalled", "outdated"} {
						delete(got, derived)
					}
					if tally.Unjudged > 0 { // no time passed since somebody came back
						got["outstanding"] += tally.Unjudged
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("anomalies (−sets +folds):\n%s\n%s", diff, w.story())
					}
					if repertoire == nil && len(want) > 0 {
						t.Fatalf("the right target is blamed for %v\n%s", want, w.story())
					}
					if report.Lost != want["lost"] || report.Outstanding != want["outstanding"] {
						t.Fatalf("lost %d, outstanding %d, want %d and %d", report.Lost, report.Outstanding, want["lost"], want["outstanding"])
					}
					if report.Expected != report.Delivered+report.Lost+report.Outstanding {
						t.Fatalf("%d owed is not %d delivered, %d lost and %d outstanding", report.Expected, report.Delivered, report.Lost, report.Outstanding)
					}
				})
			})
		}
	}
}

// everyDefect is what a wrong target may do. One that does nothing of it is right.
var everyDefect = []string{"lose", "swap", "again", "any", "corrupt", "invent"}

// randomWorld is up to 120 random steps of a world whose target does wrong what is in its repertoire.
func randomWorld(t *rapid.T, repertoire []string, resume bool) *world {
	publishers := 1
	if repertoire == nil {
		publishers = rapid.IntRange(1, 2).Draw(t, "publishers")
	}
	streams := rapid.IntRange(1, 3).Draw(t, "streams")
	cfg := config(rapid.IntRange(1, 4).Draw(t, "subscribers"), streams, publishers, rapid.IntRange(1, streams).Draw(t, "follow"))
	cfg.Target.Resume = resume
	w := newWorld(cfg)
	w.repertoire = repertoire
	w.phase("ramp")
	var open []worldMessage // publishes without an end
	pick := func(ready func(*worldSubscriber) bool) *worldSubscriber {
		var list []*worldSubscriber
		for _, s := range w.subs {
			if ready(s) {
				list = append(list, s)
			}
		}
		if len(list) == 0 {
			return nil
		}
		return rapid.SampledFrom(list).Draw(t, "subscriber")
	}
	busy := func(p worldMessage) bool {
		return slices.ContainsFunc(open, func(m worldMessage) bool { return m.stream == p.stream && m.publisher == p.publisher })
	}
	for range rapid.IntRange(1, 120).Draw(t, "steps") {
		switch rapid.SampledFrom([]string{"begin", "begin", "end", "deliver", "deliver", "deliver", "connect", "connect", "lose connection", "defect"}).Draw(t, "step") {
		case "begin":
			p := worldMessage{stream: rapid.Int32Range(0, int32(streams)-1).Draw(t, "stream"), publisher: rapid.Int32Range(0, int32(publishers)-1).Draw(t, "publisher")}
			if busy(p) {
				continue
			}
			m := w.begin(p.stream, p.publisher)
			if rapid.IntRange(0, 3).Draw(t, "accepted") > 0 {
				w.accept(m)
			}
			open = append(open, m)
		case "end":
			if len(open) == 0 {
				continue
			}
			m := open[0]
			open = open[1:]
			w.end(m, outcomeOf(t, w, m))
		case "deliver":
			if s := pick(func(s *worldSubscriber) bool { return s.open && len(s.queue) > 0 }); s != nil {
				w.receive(s, s.next(), 0)
			}
		case "connect":
			if s := pick(func(s *worldSubscriber) bool { return !s.open }); s != nil {
				w.connect(s)
			}
		case "lose connection":
			if s := pick(func(s *worldSubscriber) bool { return s.open }); s != nil {
				w.disconnect(s, history.CauseReset)
			}
		case "defect":
			if s := pick(func(s *worldSubscriber) bool { return s.open }); s != nil && repertoire != nil {
				w.defect(t, s)
			}
		}
	}
	for _, m := range open {
		w.end(m, outcomeOf(t, w, m))
	}
	for _, s := range w.subs {
		if !s.open {
			w.connect(s)
		}
	}
	w.finish()
	return w
}

// outcomeOf is one that fits with whether the target accepted the message.
func outcomeOf(t *rapid.T, w *world, m worldMessage) history.Acked {
	outcome := history.Rejected
	if slices.Contains(w.streams[m.stream].kept, m) {
		outcome = history.Acknowledged
	}
	if rapid.IntRange(0, 4).Draw(t, "unknown") == 0 {
		outcome = history.Indeterminate
	}
	return outcome
}

// defect does one wrong thing to an open connection.
func (w *world) defect(t *rapid.T, s *worldSubscriber) {
	stream := rapid.Int32Range(0, int32(len(w.streams))-1).Draw(t, "stream")
	begun := w.streams[stream].begun[0]
	switch rapid.SampledFrom(w.repertoire).Draw(t, "defect") {
	case "lose":
		if len(s.queue) > 0 {
			s.next()
		}
	case "swap":
		if len(s.queue) > 1 {
			s.queue[0], s.queue[1] = s.queue[1], s.queue[0]
		}
	case "again":
		if len(s.got) > 0 {
			w.receive(s, rapid.SampledFrom(s.got).Draw(t, "message"), 0)
		}
	case "any":
		if begun > 0 {
			w.receive(s, worldMessage{stream, 0, rapid.Uint64Range(1, begun).Draw(t, "number")}, 0)
		}
	case "invent":
		w.receive(s, worldMessage{stream, 0, begun + rapid.Uint64Range(1, 9).Draw(t, "beyond")}, 0)
	case "corrupt":
		if len(s.queue) > 0 {
			w.receive(s, s.next(), history.Corrupted)
		}
	}
}

// story is the log as text.
func (w *world) story() string {
	var text []byte
	for i := range w.log {
		text = append(history.Append(text, &w.log[i]), '\n')
	}
	return string(text)
}
