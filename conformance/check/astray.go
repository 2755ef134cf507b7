package check

import (
	"fmt"
	"math"
	"time"
)

// stuck says whether the end of the run found the subscriber in a row of streams that brought it nothing.
func (m *summing) stuck(s *subscriber) bool {
	t := s.trouble
	return t != nil && t.way.row.n > 1 && m.tally.End-t.way.row.since(m.lifted(s)) > m.judge.stalled
}

// astray judges a subscriber that the end of the run found on its way back, or turned away for good.
func (m *summing) astray(w whose) {
	s, t := w.s, w.s.trouble
	if t == nil || w.fate != owing {
		return
	}
	since := max(t.lost, m.lifted(s))
	e := Example{At: m.tally.End, Subscriber: w.index, Connection: s.connection, Stream: -1, Expected: "a connection again"}
	switch {
	case s.gone.Load():
		if t.way.stopped != 0 && (w.charged != nil || m.publishedSince(s, t.way.stopped)) {
			e.Text, e.Actual = "the target answered 204, that there is nothing to come back for, and went on publishing", "sent away"
			m.note(NeverBack, 1, e)
		}
		return
	case m.stuck(s) && (w.charged != nil || !s.owed() && m.publishedSince(s, t.way.row.from)):
		e.Text = t.way.row.String() + ", without a message"
		if w.charged != nil {
			e.Text = fmt.Sprintf("%s, %s", &t.way.row, w.charged.unchanged())
		}
		lasted := m.tally.End - t.way.row.since(m.lifted(s))
		e.Expected, e.Actual, e.Excess = "at most "+brief(m.judge.stalled)+" without what is owed", brief(lasted), int64(lasted-m.judge.stalled)
		e.Evidence = []string{fmt.Sprintf("the first of them opened at %s; none brought anything that was owed", seconds(t.way.row.from))}
		m.note(Stalled, 1, e)
	case s.away() && t.way.refused > 0 && m.tally.End-since > m.judge.stalled:
		e.Text = fmt.Sprintf("the subscriber lost its connection at %s and the target refused it until the end", seconds(t.lost))
		e.Actual = "refused"
		e.Evidence = []string{fmt.Sprintf("%d attempts in a row were turned down%s", t.way.refused, answered(t.way.status))}
		m.note(NeverBack, 1, e)
		return
	}
	m.lateReturn(w, since)
}

// lateReturn judges a return that had not ended when the run did. Who had not asked again, or had only just been let in, is not judged.
func (m *summing) lateReturn(w whose, since time.Duration) {
	s, t := w.s, w.s.trouble
	within := m.judge.cfg.Expect.Within
	open := !s.away() && m.tally.End-s.began > m.judge.stalled
	if t.lost == silent || within == 0 || m.tally.End-since <= within || !open && t.way.tried <= since {
		return
	}
	m.tally.Astray++
	what := "not let in"
	switch {
	case t.way.row.n > 0:
		what = t.way.row.String() + " without a message that was owed"
	case open:
		what = "let in, and nothing that was owed came"
	}
	m.note(LateReturn, 1, Example{
		At: m.tally.End, Subscriber: w.index, Connection: s.connection, Stream: -1,
		Text:     fmt.Sprintf("the subscriber lost its connection at %s and was not back when the run ended: %s", seconds(t.lost), what),
		Expected: "at most " + brief(within), Actual: "never", Excess: int64(m.tally.End - since - within),
	})
}

// publishedSince says whether something was published after that time to a stream that the subscriber follows.
func (m *summing) publishedSince(s *subscriber, at time.Duration) bool {
	for i := range s.folds {
		l := &m.judge.ledgers[s.folds[i].ledger]
		if l.acknowledged(l.sentBy(at)+1, math.MaxUint64) > 0 {
			return true
		}
	}
	return false
}

// letIn says whether the target opened a stream for the subscriber since it asked to resume.
func (s *subscriber) letIn() bool {
	return !s.away() && !s.gone.Load() || s.trouble.way.row.n > 0
}

// owed says whether a subscription goes on.
func (s *subscriber) owed() bool {
	for i := range s.folds {
		if s.folds[i].from.Load() != 0 {
			return true
		}
	}
	return false
}

// unchanged says where a subscriber stands that gets nothing more of a publisher.
func (f *fold) unchanged() string {
	if n := f.received(); n != 0 {
		return fmt.Sprintf("position %d unchanged", n)
	}
	return fmt.Sprintf("nothing received of what is owed from message %d on", f.from.Load())
}

func answered(status int32) string {
	if status == 0 {
		return ""
	}
	return fmt.Sprintf(", the last with %d", status)
}
