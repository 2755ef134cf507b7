package check

import (
	"fmt"
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// lasting is how long a stream that nothing is owed on must go on before it counts as one.
const lasting = time.Second

// way is a subscriber's way back after a loss. The head of a stream does not end it: that does the first message that was owed,
// or, where nothing was missed or has come due since, a stream that lasts.
type way struct {
	dialled  time.Duration // when the newest attempt began
	tried    time.Duration // when the newest one began that reached the target, undisturbed, and ended; 0: none did
	ready    time.Duration // when the open stream became ready; silent: none is, or it is back
	stopped  time.Duration // when the target said that there is nothing to come back for; 0: it did not
	resuming bool          // the newest attempt named a position, and nothing that is owed has come since
	told     bool          // the target said that it cannot continue from the position
	refused  int32         // attempts in a row that the target turned down
	status   int32         // the answer to the last of them; 0: there was none
	row      row
}

// row is of streams that ended one after the other, undisturbed, and brought nothing of what was owed.
type row struct {
	n       int32
	from    time.Duration // when the first of them was opened
	longest time.Duration
}

func (r *row) String() string {
	return fmt.Sprintf("%s, all ended within %s", conformance.Plural(r.n, "connection"), brief(r.longest))
}

// since is from when on a row counts: a fault that was lifted later forgives what was before.
func (r *row) since(lifted time.Duration) time.Duration { return max(r.from, lifted) }

func (w *way) refuse(o *history.Observation) {
	w.refused++
	w.status, w.tried = o.Status, w.dialled
}

// again begins the way anew, because a disturbance of ours stood in it or it is over.
func (w *way) again() { w.row, w.refused, w.tried, w.told = row{}, 0, 0, false }

// streamEnded judges a stream that has ended: it brought the subscriber back, or one more ended in vain.
func (j *Judge) streamEnded(s *subscriber, o *history.Observation, calm bool) {
	byTarget := calm
	switch o.Cause {
	case history.CauseEnd, history.CauseFault, history.CauseHarness, history.CauseExpired:
		byTarget = false
	}
	life := o.At - s.began
	if byTarget && !s.fed {
		j.inVain(s, o, life)
	}
	t := s.trouble
	if t == nil {
		return
	}
	if byTarget {
		t.way.tried = t.way.dialled
	}
	if t.lost == silent || t.way.ready == silent {
		return
	}
	switch found := (t.way.told || j.missed(s) == 0) && !j.published(s, o.At-lasting); {
	case found && (life >= lasting || !byTarget):
		j.returned(s, o)
	case !byTarget && o.Cause != history.CauseEnd:
		t.lost = o.At // whether it was back cannot be told any more
	}
	t.way.ready = silent
}

// inVain notes a stream that ended before anything that was owed came on it, if it ended at once or something should have come.
func (j *Judge) inVain(s *subscriber, o *history.Observation, life time.Duration) {
	missed := j.missed(s)
	switch {
	case life < lasting:
		j.counts.fleeting.Add(1)
	case missed == 0 && !j.published(s, o.At-lasting):
		return
	}
	r := &s.troubled().way.row
	if r.n == 0 {
		r.from, r.longest = o.At-life, 0
	}
	r.n++
	r.longest = max(r.longest, life)
	if missed == 0 || s.trouble.way.told {
		return
	}
	beyond := int64(math.MaxInt64) // an end is an end, however busy the target is
	if o.Cause == history.CauseIdle {
		beyond = int64(life)
	}
	j.reportBy(EmptyReturn, o, beyond, func() Example {
		return Example{
			Stream: -1, Text: fmt.Sprintf("connection %d was taken back with its position and ended after %s (%s), without any of the %s that it had missed",
				o.Connection, brief(life), o.Cause, conformance.Plural(missed, "message")),
			Expected: "the next message", Actual: "the end of the stream",
			Evidence: []string{fmt.Sprintf("lost at %s, opened again at %s, ended at %s", seconds(s.trouble.lost), seconds(s.began), seconds(o.At))},
		}
	})
}

// missed counts what there was to catch up with when the stream became ready.
func (j *Judge) missed(s *subscriber) (n uint64) {
	for i := range s.folds {
		f := &s.folds[i]
		odd := f.odd.Load()
		if odd == nil || odd.caughtUp == 0 {
			continue
		}
		lo := max(f.next.Load(), f.from.Load(), odd.kept)
		if j.cfg.Remote {
			n += max(lo, odd.caughtUp) - lo
		} else {
			n += j.ledgers[f.ledger].acknowledged(lo, odd.caughtUp)
		}
	}
	return n
}

// published says whether something that is owed and has not come was acknowledged before at.
func (j *Judge) published(s *subscriber, at time.Duration) bool {
	for i := range s.folds {
		f := &s.folds[i]
		l := &j.ledgers[f.ledger]
		if from := f.from.Load(); from != 0 && !j.cfg.Remote && l.acknowledged(max(f.next.Load(), from), l.ackedBefore(at)+1) > 0 {
			return true
		}
	}
	return false
}

// feed notes the first message that was owed and came on a connection.
func (j *Judge) feed(s *subscriber, o *history.Observation, how arrival) {
	s.fed = true
	t := s.trouble
	if t == nil {
		return
	}
	w := &t.way
	if w.row.n > 1 && how == advanced {
		j.servedLate(s, o)
	}
	if w.resuming {
		w.resuming = false
		j.counts.resumes.Add(1)
	}
	if t.lost != silent {
		j.returned(s, o)
	}
	w.again()
}

// servedLate names a message that could have come on one of several streams before.
func (j *Judge) servedLate(s *subscriber, o *history.Observation) {
	t := s.trouble
	r := t.way.row
	since := max(o.Sent, r.since(max(t.lifted, time.Duration(j.clock.lifted.Load()))))
	if s.disturbed() || j.clock.faults.Load() > 0 || o.At-since <= j.stalled || s.behindBySlowness(o.At, j.stalled) {
		return
	}
	t.stalledTo = o.At
	j.reportBy(Stalled, o, int64(o.At-since-j.stalled), func() Example {
		return Example{
			Text:     fmt.Sprintf("message %d arrived %s after it could have, after %s without it", o.Number, brief(o.At-since), &r),
			Expected: "at most " + brief(j.stalled), Actual: brief(o.At - since),
			Evidence: []string{fmt.Sprintf("sent at %s, the first of these connections opened at %s, arrived at %s",
				seconds(o.Sent), seconds(r.from), seconds(o.At))},
		}
	})
}

// returned measures how long a subscriber was away: from the loss, or from when a fault of ours that kept it away was lifted, until
// the stream that brought it back was ready.
func (j *Judge) returned(s *subscriber, o *history.Observation) {
	t := s.trouble
	ready := t.way.ready
	if ready == silent {
		ready = o.At
	}
	from := t.lost
	if lifted := max(t.lifted, time.Duration(j.clock.lifted.Load())); lifted < ready {
		from = max(from, lifted)
	}
	took := ready - from
	t.lost, t.way.ready, t.way.refused = silent, silent, 0
	j.reconnect.record(took)
	if within := j.cfg.Expect.Within; within > 0 && took > within {
		at := *o
		at.At, at.Stream, at.Number = ready, -1, 0
		r := t.way.row
		j.reportBy(LateReturn, &at, int64(took-within), func() Example {
			e := Example{
				Stream: -1, Text: fmt.Sprintf("connection %d was ready %s after the loss", o.Connection, brief(took)),
				Expected: "at most " + brief(within), Actual: brief(took),
				Evidence: []string{fmt.Sprintf("lost at %s, ready at %s", seconds(from), seconds(ready))},
			}
			if r.n > 0 {
				e.Evidence = append(e.Evidence, fmt.Sprintf("between: %s without a message that was owed", &r))
			}
			return e
		})
	}
}
