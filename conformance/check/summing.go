package check

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// summing adds up folds.
type summing struct {
	judge *Judge
	tally *Tally
	step  time.Duration // of the tally's lost messages by when they were due
	dues  map[*ledger]*dues
	lost  *gathering
	noted [anomalies]int // that were passed on
}

// fate is what becomes of the messages at the end of a subscription that did not arrive.
type fate uint8

const (
	owing  fate = iota // the target should have delivered them
	behind             // the subscriber reads slowly
	held               // a fault of ours stood in the way, or the target was not asked for them
)

func (m *summing) subscriber(index int32, s *subscriber) {
	j := m.judge
	if s.away() && !s.gone.Load() && (!j.cfg.Target.Resume || s.position == 0) {
		j.endSubscription(s)
	}
	before := m.tally.Expected - m.held()
	m.lost.begin(index)
	who := whose{index: index, s: s}
	who.fate = m.fate(who)
	for i := range s.folds {
		f := &s.folds[i]
		l := &j.ledgers[f.ledger]
		if odd := f.odd.Load(); odd != nil {
			m.spans(who, l, odd)
		}
		if f.from.Load() != 0 || f.low != 0 {
			m.fold(&who, f, l)
		}
	}
	m.lost.end(s, m.tally.Expected-m.held()-before)
	m.astray(who)
}

// whose says whose fold is summed up.
type whose struct {
	index   int32
	s       *subscriber
	fate    fate
	charged *fold // the first on which something was outstanding that the target should have delivered
}

func (m *summing) fate(w whose) fate {
	s := w.s
	switch {
	case s.gone.Load():
		return owing
	case s.behindBySlowness(m.tally.End, m.judge.stalled):
		if s.away() || m.stillReading(s) {
			return behind
		}
		return owing
	case s.disturbed() || m.judge.clock.faults.Load() > 0:
		return held
	}
	// A fault that was lifted only a moment ago left no time to catch up.
	if lifted := m.lifted(s); lifted > 0 && m.tally.End-lifted <= m.judge.stalled {
		return held
	}
	return owing
}

// lifted is when the last fault of ours on the subscriber or the target was lifted; 0: there was none.
func (m *summing) lifted(s *subscriber) time.Duration {
	lifted := time.Duration(m.judge.clock.lifted.Load())
	if s.trouble != nil {
		lifted = max(lifted, s.trouble.lifted)
	}
	return lifted
}

// asked is the number up to which the target has had its time: its stream was open for long enough, or it ended one, or turned an
// attempt down, that began when the message was there. What is above may have waited for our client alone.
func (m *summing) asked(s *subscriber, l *ledger) uint64 {
	t := s.trouble
	open := !s.away() && m.tally.End-s.began > m.judge.stalled
	if s.gone.Load() || open || t == nil || s.connection <= 1 && !s.away() {
		return math.MaxUint64
	}
	upto := l.ackedBefore(t.way.tried)
	if t.calm {
		upto = max(upto, l.ackedBefore(t.closed-m.judge.stalled))
	}
	return upto
}

// stillReading says whether a slow reader may have been in the middle of what was sent to it: something came not long ago, for
// the size of the messages and the rate at which it reads.
func (m *summing) stillReading(s *subscriber) bool {
	rate := s.trouble.rate
	if rate == 0 {
		return true
	}
	patience := time.Duration(3 * float64(m.judge.counts.size.Load()) / float64(rate) * float64(time.Second))
	return m.tally.End-max(s.served, s.steady) <= m.judge.stalled+patience
}

func (m *summing) note(a Anomaly, n uint64, e Example) { m.noteBetween(a, n, e, receipt{}, receipt{}) }

// noteBetween is note for what is missing between two receipts.
func (m *summing) noteBetween(a Anomaly, n uint64, e Example, before, after receipt) {
	s := m.tally.sightings(a)
	s.Count += n
	s.add(e)
	m.judge.mark(a, e.Subscriber)
	if m.noted[a]++; m.judge.sink == nil || m.noted[a] > maxEmitted {
		return
	}
	m.judge.pass(&history.Observation{
		At: m.tally.End, Kind: history.Anomaly, Subscriber: e.Subscriber, Connection: e.Connection,
		Stream: e.Stream, Publisher: e.Publisher, Number: e.Number, Due: e.At, Text: a.String(), Data: e.Text,
	}, before, after)
}

// spans sums up subscriptions that have ended, and holes that were given up.
func (m *summing) spans(w whose, l *ledger, o *odd) {
	for _, span := range o.spans {
		if span.low != 0 {
			m.unpublished(w, l, span.low, span.next, span.holes)
		}
		if span.from == 0 {
			continue
		}
		m.tally.Expected += l.acknowledged(span.from, span.upto+1)
		m.lost.owe(l, span.from, span.upto+1)
		for _, h := range span.holes {
			h.lo, h.hi = max(h.lo, span.from), min(h.hi, span.upto+1)
			m.hole(w, l, h)
		}
	}
	m.givenUp(w, l, o)
}

// fold sums up the subscription that went on until the end.
func (m *summing) fold(w *whose, f *fold, l *ledger) {
	from, next, done := f.from.Load(), f.next.Load(), l.done.Load()
	odd := f.odd.Load()
	var missing holes
	if odd != nil {
		missing = odd.holes
	}
	if f.low != 0 {
		m.unpublished(*w, l, f.low, next, missing)
	}
	if from == 0 {
		return
	}
	m.tally.Expected += l.acknowledged(from, done+1)
	m.lost.owe(l, from, done+1)
	tail := hole{lo: max(next, from), hi: done + 1, connection: w.s.connection, why: last | outstanding, before: f.latest()}
	if odd != nil {
		for _, h := range odd.holes {
			h.lo = max(h.lo, from)
			m.hole(*w, l, h)
		}
		if odd.atSeam && w.s.letIn() {
			tail.why |= seam
			tail.asked = odd.position
			if odd.announced {
				tail.why |= announced
			}
		}
	}
	m.tail(w, f, l, tail)
	m.newest(*w, f, l)
}

// tail sums up what followed the highest number received.
func (m *summing) tail(w *whose, f *fold, l *ledger, h hole) {
	cut := func(at uint64, why reason) {
		if at > h.lo {
			part := h
			part.hi, part.why = min(at, h.hi), part.why|why
			m.hole(*w, l, part)
			h.lo = min(at, h.hi)
		}
	}
	if w.fate == owing {
		cut(m.judge.droppable(w.s, f), dropped)
		cut(h.lo+uint64(w.s.damage), damaged)
	}
	switch w.fate {
	case behind:
		m.tally.Behind += l.acknowledged(h.lo, h.hi)
		m.lost.forgive(l, h.lo, h.hi)
	case held:
		m.hold(l, h.lo, h.hi)
	default:
		upto := h.hi
		if asked := m.asked(w.s, l); asked < upto {
			upto = max(asked+1, h.lo)
			m.hold(l, upto, h.hi)
		}
		h.hi = upto
		if l.acknowledged(h.lo, h.hi) > 0 {
			if w.charged == nil {
				w.charged = f
			}
			m.stalled(*w, l, h)
			m.hole(*w, l, h)
		}
	}
}

// hold notes what the harness kept back.
func (m *summing) hold(l *ledger, lo, hi uint64) {
	m.tally.Unjudged += l.acknowledged(lo, hi)
	m.lost.forgive(l, lo, hi)
}

// held is what the harness kept back so far.
func (m *summing) held() uint64 { return m.tally.Behind + m.tally.Unjudged }

// stalled judges an open connection on which owed messages were still missing at the end.
func (m *summing) stalled(w whose, l *ledger, h hole) {
	if w.s.away() || w.s.gone.Load() || m.stuck(w.s) {
		return
	}
	first := l.firstAcknowledged(h.lo, h.hi)
	since := max(l.sentBefore(first), w.s.steady, time.Duration(m.judge.clock.lifted.Load()))
	if m.tally.End-since <= m.judge.stalled {
		return
	}
	m.note(Stalled, 1, Example{
		At: m.tally.End, Subscriber: w.index, Connection: w.s.connection, Stream: l.stream, Publisher: l.publisher, Number: first, Excess: int64(m.tally.End - since - m.judge.stalled),
		Text:     fmt.Sprintf("message %d had not arrived when the run ended, %s after it could have, on an open connection", first, brief(m.tally.End-since)),
		Expected: "at most " + brief(m.judge.stalled), Actual: "never",
	})
}

// hole sums up what is missing in a range of what is owed.
func (m *summing) hole(w whose, l *ledger, h hole) {
	n := l.acknowledged(h.lo, h.hi)
	if n == 0 {
		return
	}
	m.account(w, h.why, n)
	if h.why&unowed == 0 {
		m.lostDue(l, h.lo, h.hi)
		m.lost.lose(w.s, l, h, m.judge.cfg.Steps)
	} else if h.why&damaged == 0 {
		m.lost.forgive(l, h.lo, h.hi)
	}
	first := l.firstAcknowledged(h.lo, h.hi)
	e := Example{
		At: m.tally.End, Subscriber: w.index, Connection: h.connection, Stream: l.stream, Publisher: l.publisher, Number: first,
	}
	switch {
	case h.why&(dropped|damaged) != 0:
	case h.why&beyond != 0:
		if h.why&announced == 0 {
			e.Text = fmt.Sprintf("%s beyond the target's history, and nothing told the subscriber so", numbers(h, first, n))
			e.Expected, e.Actual = "a sign that the position is too old", "the next message as if nothing were missing"
			m.note(Unannounced, n, e)
		}
	default:
		if m.judge.spread != nil {
			m.tally.LostMessages = append(m.tally.LostMessages, LostRange{l.stream, l.publisher, h.lo, h.hi})
		}
		e.At = l.due(first)
		e.Text = numbers(h, first, n) + " never arrived"
		e.Expected, e.Actual = "each acknowledged message", "none of them"
		e.Evidence = around(h)
		if h.why&outstanding != 0 {
			e.Text = numbers(h, first, n) + " had not arrived when the time to settle was over"
			m.noteBetween(Outstanding, n, e, h.before, h.after)
		} else {
			m.noteBetween(Lost, n, e, h.before, h.after)
		}
		if h.why&seam != 0 && (h.why&last == 0 || m.tally.Settled) {
			m.note(LostAtSeam, n, e)
		}
	}
}

// account adds n missing messages to the totals.
func (m *summing) account(w whose, why reason, n uint64) {
	t := m.tally
	switch {
	case why&damaged != 0:
	case why&dropped != 0:
		t.Dropped += n
		t.Expected -= n
	case why&beyond != 0:
		t.Beyond += n
		t.Expected -= n
	default:
		if why&outstanding != 0 {
			t.Outstanding += n
		} else {
			t.Lost += n
		}
		if why&seam != 0 {
			t.LostBy.Seam += n
		}
		if w.s.wasSlow {
			t.LostBy.SlowReader += n
		}
		if !w.s.touched {
			t.LostBy.Bystander += n
		}
	}
}

func numbers(h hole, first, n uint64) string {
	if n == 1 {
		return fmt.Sprintf("message %d", first)
	}
	return fmt.Sprintf("%s from %d to %d", conformance.Plural(n, "message"), first, h.hi-1)
}

// around says what a subscriber received before and after a hole, and what it had asked for.
func around(h hole) []string {
	say := func(format string, args ...any) string {
		return fmt.Sprintf("connection %d", h.connection) + fmt.Sprintf(format, args...)
	}
	lines := []string{say(": message %d was the last before it", h.before.number)}
	switch {
	case h.before.number != 0:
	case h.why&last != 0:
		lines[0] = say(": no message had arrived on it")
	case h.lo == 1:
		lines[0] = say(": owed from the first message on")
	default:
		lines[0] = say(": owed from message %d on, and none had arrived before it", h.lo)
	}
	switch {
	case h.why&seam != 0 && h.asked != 0:
		lines = append(lines, say(" had asked for what follows message %d", h.asked))
	case h.why&seam != 0:
		lines = append(lines, say(" had come back with a position"))
	}
	if h.why&announced != 0 {
		lines = append(lines, "the target had said that it cannot continue from there, although its history should reach that far")
	}
	if h.after.number != 0 {
		return append(lines, say(": message %d came next", h.after.number))
	}
	return append(lines, say(": nothing came after it"))
}

// unpublished names what was received although its publish was rejected, or never made.
func (m *summing) unpublished(w whose, l *ledger, low, next uint64, missing holes) {
	for _, e := range l.exceptions {
		if e.rejected {
			m.phantoms(w, l, max(low, e.lo), min(next, e.hi), missing, "the target had rejected its publish")
		}
	}
	m.phantoms(w, l, max(low, l.begun.Load()+1), next, missing, "it was never published")
}

// phantoms names every number of lo to hi−1 that is not in a hole.
func (m *summing) phantoms(w whose, l *ledger, lo, hi uint64, missing holes, why string) {
	var n, first uint64
	for lo < hi {
		until := hi
		if i := missing.find(lo); i >= 0 {
			lo = missing[i].hi
			continue
		}
		if i := slices.IndexFunc(missing, func(h hole) bool { return h.lo > lo }); i >= 0 {
			until = min(until, missing[i].lo)
		}
		first = cmp.Or(first, lo)
		n += until - lo
		lo = until
	}
	if n > 0 {
		m.note(Phantom, n, Example{
			At: m.tally.End, Subscriber: w.index, Connection: w.s.connection, Stream: l.stream, Publisher: l.publisher, Number: first,
			Text:     fmt.Sprintf("message %d arrived, but %s", first, why),
			Expected: "only what was published", Actual: fmt.Sprintf("message %d", first),
		})
	}
}

// newest judges whether the newest message of the stream arrived.
func (m *summing) newest(w whose, f *fold, l *ledger) {
	n := l.newest()
	if w.fate != owing || n == 0 || n < f.from.Load() {
		return
	}
	m.tally.Newest++
	if n < f.next.Load() {
		odd := f.odd.Load()
		if odd == nil {
			return
		}
		if i := odd.holes.find(n); i < 0 || odd.holes[i].why&damaged != 0 {
			return
		}
	} else if n-max(f.next.Load(), f.from.Load()) < uint64(w.s.damage) {
		return // it arrived damaged
	}
	m.note(Outdated, 1, Example{
		At: m.tally.End, Subscriber: w.index, Connection: w.s.connection, Stream: l.stream, Publisher: l.publisher, Number: n,
		Text:     fmt.Sprintf("message %d, the newest, never arrived", n),
		Expected: fmt.Sprintf("message %d", n), Actual: f.newestReceived(),
	})
}

// newestReceived says what was the highest message received.
func (f *fold) newestReceived() string {
	if n := f.received(); n != 0 {
		return fmt.Sprintf("message %d at the latest", n)
	}
	return "none"
}

// givenUp sums up holes that were given up.
func (m *summing) givenUp(w whose, l *ledger, o *odd) {
	for _, g := range o.given {
		m.account(w, g.why, g.n)
		e := Example{
			At: m.tally.End, Subscriber: w.index, Connection: w.s.connection, Stream: l.stream, Publisher: l.publisher,
			Text: fmt.Sprintf("%s in more than %s never arrived", conformance.Plural(g.n, "message"), conformance.Plural(maxHoles, "hole")),
		}
		switch {
		case g.n == 0 || g.why&(dropped|damaged) != 0:
		case g.why&beyond == 0:
			m.lost.losses.Unnamed = true
			m.note(Lost, g.n, e)
		case g.why&announced == 0:
			m.note(Unannounced, g.n, e)
		}
	}
}
