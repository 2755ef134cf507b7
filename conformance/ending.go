package conformance

import (
	"context"
	"errors"
	"time"
)

// overtime is what a case gets to return after its context ended, and lastOvertime where the whole check has ended, unless it must leave
// the subject as it was.
const (
	overtime     = 10 * time.Second
	lastOvertime = 1500 * time.Millisecond
)

// leave gives a case that was ended some time to return. Then its goroutine is left behind: a case that hangs must not hang the others.
func (r *round) leave(j *job, done <-chan struct{}) {
	late := time.NewTimer(overtime)
	defer late.Stop()
	over := r.ctx.Done()
	if j.c.Turn == Disturbing {
		over = nil
	}
	for {
		select {
		case <-over:
			over = nil
			late.Reset(lastOvertime)
		case <-done:
			return
		case <-late.C:
			return
		}
	}
}

// endedBy words why all cases were ended.
func endedBy(cause error) string {
	if errors.Is(cause, context.Canceled) {
		return "the check was interrupted"
	}
	return cause.Error()
}
