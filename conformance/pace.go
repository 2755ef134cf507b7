package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// A subject that takes long for each message is waited for longer than others before it is called dead, and not judged for ever: what
// could not be decided by then is unknown, for that reason.

const (
	slowPace   = 50 * time.Millisecond // a message, from which on a subject is slow
	slowLimit  = 4 * time.Minute       // for all cases
	lateDelay  = time.Second           // from which on a subject that is quick enough delivers late
	lateLimit  = 150 * time.Second
	slowAnswer = 30 * time.Second // what waits behind the messages of others may take this long, or as many as
	slowQueue  = 40
)

func (s *Suite) slow() bool { return s.Pace > slowPace }

// limit is how long all cases may take, and why there is one; 0 where there is none.
func (s *Suite) limit() (limit time.Duration, why string) {
	switch {
	case s.slow():
		return slowLimit, fmt.Sprintf("the target takes %v a message", s.Pace.Round(10*time.Millisecond))
	case s.Delay > lateDelay:
		return lateLimit, fmt.Sprintf("messages take %v to arrive", s.Delay.Round(10*time.Millisecond))
	}
	return 0, ""
}

// outOfTimeError is why a case ended before it was decided.
type outOfTimeError struct{ text string }

func (e *outOfTimeError) Error() string { return e.text }

// bounded is the context of all cases. It has no deadline that a dialer or a client could tell in words of its own.
func (s *Suite) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() bool { return true }
	if limit, why := s.limit(); limit > 0 {
		stop = time.AfterFunc(limit, func() { cancel(&outOfTimeError{fmt.Sprintf("not judged within %v: %s", limit, why)}) }).Stop
	}
	return ctx, func() { stop(); cancel(nil) }
}

// outOfTime says why no case can be decided any more, nil while one can.
func (r *round) outOfTime() error {
	if e, ok := context.Cause(r.cases).(*outOfTimeError); ok { //nolint:errorlint // the cause itself
		return e
	}
	return nil
}

// alone says that what may be the load's doing was not tried again by itself, which leaves it open.
func alone(first Verdict, why error) Verdict {
	first.Outcome, first.Reason = Unknown, joined(why.Error(), "the first attempt, beside others: "+told(first))
	return first
}

// cheapFirst has a subject for which there is a limit asked first for what takes few messages, and again for what is open only after all of that: later is
// whom the repeats wait for, nil where there is none.
func (r *round) cheapFirst(turns map[Turn][]*job) (later []*job) {
	if limit, _ := r.limit(); limit == 0 {
		return nil
	}
	for _, jobs := range turns {
		slices.SortStableFunc(jobs, func(a, b *job) int { return cmp.Compare(a.c.Asks, b.c.Asks) })
	}
	return slices.Clone(turns[Beside])
}

// answerWithin is how long who says nothing, and to nobody, may do so.
func (s *Suite) answerWithin() time.Duration {
	const late = 4 // how often a message that is late for everybody is waited for
	if !s.slow() {
		return max(answerWithin, late*s.Delay)
	}
	return max(slowAnswer, slowQueue*s.Pace, late*s.Delay)
}
