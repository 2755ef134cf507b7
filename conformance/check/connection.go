package check

import (
	"fmt"
	"math"
	"net/http"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// dial folds an attempt to connect: its delay, and what it asks for. On a target that resumes, an attempt with a position goes on
// with the subscription. Any other begins a new one, since the target cannot know where the old one stopped.
func (j *Judge) dial(s *subscriber, o *history.Observation) {
	s.connection = o.Connection
	t := s.trouble
	if t == nil {
		return
	}
	t.way.dialled, t.way.told = o.At, false
	j.judgeDelay(t, o)
	switch {
	case s.live > 0 || t.lost == silent:
	case j.cfg.Target.Resume && o.Text != "":
		j.resume(s, o.Text)
	default:
		j.endSubscription(s)
	}
}

// resume prepares the folds for what may follow a position. A position that is not the last id received, which only a client
// of another mind would ask for, makes every repetition right.
func (j *Judge) resume(s *subscriber, position string) {
	s.trouble.way.resuming = true
	known := j.hash(position) == s.position
	for i := range s.folds {
		f := &s.folds[i]
		if f.from.Load() == 0 && f.low == 0 {
			continue
		}
		odd := f.unusual()
		odd.atSeam, odd.announced, odd.kept = true, false, 0
		received := f.received()
		covered := received
		if s.loose {
			covered = s.trouble.committed[i]
		}
		if s.latest != 0 && s.lastFold == int32(i) {
			covered = s.latest
		}
		odd.position, odd.replay = covered, 0
		if covered < received {
			odd.replay = covered + 1
		}
		if !known {
			odd.position, odd.replay = 0, 1
		}
	}
}

// endSubscription ends what is owed with the connection that was lost. What was overtaken on it is owed; of what came after the
// highest received only what was acknowledged so long before that it must have arrived, undisturbed: the rest may have
// been on its way when the connection broke.
func (j *Judge) endSubscription(s *subscriber) {
	t := s.troubled()
	t.way.resuming = false
	moment := j.stalled
	if t.dead {
		moment = lasting // nothing at all came any more
	}
	for i := range s.folds {
		f := &s.folds[i]
		upto := f.received()
		if t.calm && !j.cfg.Remote {
			upto = max(upto, j.ledgers[f.ledger].ackedBefore(t.closed-moment))
		}
		f.end(upto, s.connection)
	}
	s.position, s.latest, s.loose, s.damage, s.trail = 0, 0, false, 0, nil
}

func (j *Judge) open(s *subscriber, o *history.Observation) {
	s.live++
	j.connected.add(o.At, 1)
	j.counts.connections.Add(1)
	live := max(int64(s.live), o.Size)
	raise(&j.counts.sessions, live)
	if most := j.cfg.Expect.Sessions; most > 0 && live > int64(most) {
		j.reportBy(SecondLife, o, live-int64(most), func() Example {
			return Example{
				Stream: -1, Text: fmt.Sprintf("%d connections of one subscriber were open at once", live),
				Expected: fmt.Sprintf("at most %d", most), Actual: fmt.Sprint(live),
			}
		})
	}
	s.heard, s.steady, s.began, s.atFirst, s.fed, s.expires = o.At, o.At, o.At, true, false, o.Due
	s.connection = o.Connection
	if s.opened {
		j.comesBack(o)
	} else {
		s.opened = true
		j.counts.opened.Add(1)
		j.connect.record(o.Took)
	}
}

// comesBack counts an attempt to come back that the target had to deal with: one that a fault of ours refused never reached it.
func (j *Judge) comesBack(o *history.Observation) { j.returns.add(o.At-o.Took, 1) }

// readied notes from when on a subscription is owed messages. On one that goes on, it tells how much was missed.
func (j *Judge) readied(s *subscriber, o *history.Observation) {
	index, l := j.ledger(o.Stream, o.Publisher)
	if l == nil {
		return
	}
	_, f := s.fold(index)
	if f == nil {
		return
	}
	s.steady = o.At
	if !s.ready {
		s.ready = true
		j.counts.ready.Add(1)
	}
	if t := s.trouble; t != nil && t.lost != silent && t.way.ready == silent {
		t.way.ready, t.gapFrom = o.At, t.lost
	}
	if f.from.Load() == 0 {
		f.from.Store(o.Number)
		if f.low == 0 {
			f.next.Store(o.Number)
		}
		return
	}
	if odd := f.odd.Load(); odd != nil && odd.atSeam {
		odd.kept = j.mustKeep(l, o)
		if max(f.next.Load(), f.from.Load()) < o.Number {
			j.counts.missed.Add(1)
			odd.caughtUp = o.Number
			s.trouble.behind++
		}
	}
}

// mustKeep is the first number that the target's declared history has to hold when it is asked to resume. Where its limits
// are shared by several publishers of the stream or measured in time, the answer is on the side that favours the target.
func (j *Judge) mustKeep(l *ledger, ready *history.Observation) uint64 {
	var kept uint64
	if events := uint64(j.cfg.Target.Events); events > 0 {
		if many := uint64(j.cfg.PublishersOf(int(l.stream))); many > 1 {
			events /= 2 * many
		}
		if ready.Number > events {
			kept = ready.Number - events
		}
	}
	if age := j.cfg.Target.Age; age > 0 {
		kept = max(kept, l.sentBy(ready.At-age)+1)
	}
	return kept
}

// gap notes that the target said it cannot continue. After that it may begin again wherever it likes.
func (j *Judge) gap(s *subscriber, o *history.Observation) {
	j.other(s, o)
	j.counts.announced.Add(1)
	s.troubled().way.told = true
	if j.cfg.Target.Resume {
		if n := j.namesOf(o.Subscriber); n != nil {
			n.forget()
		}
	}
	for i := range s.folds {
		odd := s.folds[i].odd.Load()
		if odd == nil {
			continue
		}
		odd.announced, odd.position, odd.replay = true, 0, 1
		odd.mu.Lock()
		for k := range odd.holes {
			if h := &odd.holes[k]; h.why&seam != 0 && h.connection == o.Connection {
				h.why |= announced
			}
		}
		odd.mu.Unlock()
	}
}

// goOn notes that a message arrived which is higher than all before: what was asked to be replayed is over, and so is the resume
// gap once the last message that was missed is among them.
func (j *Judge) goOn(s *subscriber, odd *odd, o *history.Observation) {
	odd.atSeam, odd.replay = false, 0
	if odd.caughtUp == 0 || o.Number+1 < odd.caughtUp {
		return
	}
	odd.caughtUp = 0
	if s.trouble.behind--; s.trouble.behind == 0 {
		j.resumeGap.record(o.At - s.trouble.gapFrom)
	}
}

func (j *Judge) refused(s *subscriber, o *history.Observation) {
	if o.Cause == history.CauseEnd {
		return // the run ended while it dialled
	}
	t := s.troubled()
	t.stop = o.Status == http.StatusNoContent
	t.undone = o.At
	if !s.opened {
		if o.Attempt <= 1 {
			j.counts.failed.Add(1)
			j.attempts.add(o)
		}
		return
	}
	if o.Cause == history.CauseFault || o.Cause == history.CauseHarness {
		return
	}
	j.comesBack(o)
	if s.lasting == 0 && j.clock.faults.Load() == 0 {
		t.way.refuse(o)
	}
}

func (j *Judge) closed(s *subscriber, o *history.Observation) {
	if s.live == 0 {
		return
	}
	s.live--
	j.connected.add(o.At, -1)
	if o.Cause != history.CauseEnd {
		j.losses.add(o.At, 1)
	}
	if step := j.clock.onTarget.Load(); step > 0 && o.Cause != history.CauseFault && o.Cause != history.CauseEnd && o.Cause != history.CauseHarness {
		j.reach(s, step-1)
	}
	if o.Cause == history.CauseFarewell {
		j.reach(s, j.returning)
	}
	if s.live > 0 {
		return
	}
	calm := !s.disturbed() && j.clock.faults.Load() == 0
	if o.Cause == history.CauseIdle && calm {
		j.counts.idle.Add(1)
	}
	heard := s.heard
	j.hear(s, o)
	how := j.account(s, o, heard, calm)
	j.expired(s, o)
	j.streamEnded(s, o, calm)
	if o.Cause == history.CauseEnd {
		s.final = true
		return
	}
	t := s.troubled()
	if t.first == math.MaxUint64 && o.Connection <= 1 {
		t.first = s.owedSoFar()
	}
	t.calm, t.dead = calm, how == endedSilent
	t.closed, t.undone, t.behind = o.At, o.At, 0
	if t.lost == silent {
		t.lost = o.At
	}
	for i := range s.folds {
		if odd := s.folds[i].odd.Load(); odd != nil {
			odd.caughtUp = 0
		}
	}
	s.heard, s.atFirst, s.passing = silent, false, 0
}

// away ends a subscription for good. What a target that resumes owed to it stays owed where an answer of the target's own ended it.
func (j *Judge) away(s *subscriber, o *history.Observation) {
	if o.Cause == history.CauseEnd || s.gone.Load() {
		return
	}
	t, ours := s.troubled(), o.Cause == history.CauseFault || o.Cause == history.CauseHarness
	if ours || !j.cfg.Target.Resume || s.position == 0 {
		j.endSubscription(s)
	}
	s.gone.Store(true)
	switch {
	case ours || !s.opened:
	case !t.stop:
		j.neverBack(o, "it gave up: "+o.Cause.String())
	case j.cfg.Target.Resume && s.position != 0:
		t.way.stopped = o.At // whether there was more to come for shows in the end
	}
}

func (j *Judge) neverBack(o *history.Observation, why string) {
	j.report(NeverBack, o, func() Example {
		return Example{
			Stream: -1, Text: "the subscriber lost its connection and was not taken back: " + why,
			Expected: "a connection again", Actual: why,
		}
	})
}
