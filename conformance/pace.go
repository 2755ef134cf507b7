package conformance

import (
	"context"
	"fmt"
	"time"
)

// A subject that takes long for each message is waited for longer than others before it is called dead, and not judged for ever: what
// could not be decided by then is unknown, for that reason.

const (
	slowPace   = 50 * time.Millisecond // a message, from which on a subject is slow
	slowLimit  = 4 * time.Minute       // for all cases
	slowAnswer = 30 * time.Second      // what waits behind the messages of others may take this long, or as many as
	slowQueue  = 40
)

func (s *Suite) slow() bool { return s.Pace > slowPace }

// outOfTimeError is why a case ended before it was decided.
type outOfTimeError struct{ pace time.Duration }

func (e *outOfTimeError) Error() string {
	return fmt.Sprintf("not judged within %v: the target takes %v a message", slowLimit, e.pace.Round(10*time.Millisecond))
}

// bounded is the context of all cases. It has no deadline that a dialer or a client could tell in words of its own.
func (s *Suite) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := func() bool { return true }
	if s.slow() {
		stop = time.AfterFunc(slowLimit, func() { cancel(&outOfTimeError{s.Pace}) }).Stop
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

// answerWithin is how long who says nothing, and to nobody, may do so.
func (s *Suite) answerWithin() time.Duration {
	if !s.slow() {
		return answerWithin
	}
	return max(slowAnswer, slowQueue*s.Pace)
}
