package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

// quickly opens a URL with a first reconnection time so short that a case need not wait for it, where the client can be told.
func (t *Trial) quickly(url string) subject.Open {
	o := subject.Open{URL: url}
	if t.Can(subject.Retry) {
		o.RetryMS = soon
	}
	return o
}

// comeBack is the line that asks a client to come back soon.
var comeBack = fmt.Sprintf("retry: %d\n", soon)

// pass waits; the end of the case ends the wait, and the case.
func (t *Trial) pass(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Give()
	}
}

// until waits for a channel to be closed, at most for the given time.
func (t *Trial) until(done <-chan struct{}, within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
	case <-t.Context().Done():
		t.Give()
	}
	return false
}

// settle waits until the client's adapter has reported all that it had seen by now.
func (t *Trial) settle() {
	t.meet()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	switch err := t.session.Sync(ctx); {
	case err == nil:
	case t.Context().Err() != nil:
		t.Give()
	case !errors.Is(err, context.DeadlineExceeded):
		t.lost(err)
	case t.own:
		t.late(2*patience, "the client goes on", fmt.Sprintf("nothing more was heard of it for %v", 2*patience))
	default:
		t.Unknown("the adapter does not answer; another case can have brought it to that")
	}
}

// sure ends a case as unknown when this process was too busy for a failure to be believed that exceeds its bound by so much. Several
// goroutines of the harness stand between a client and what is measured, and each of them may have been late.
func (t *Trial) sure(excess time.Duration, actual string) {
	if lag := t.Lag(); lag > max(25*time.Millisecond, excess/30) {
		t.Unknown("%s, but this machine was too busy to tell: the harness was %v late", actual, lag.Round(time.Millisecond))
	}
}

// late is Fail for what exceeded its bound by so much.
func (t *Trial) late(excess time.Duration, expected, actual string, evidence ...[]string) {
	t.sure(excess, actual)
	t.Fail(expected, actual, evidence...)
}

// apart gives the case a client that no other case uses.
func (t *Trial) apart() {
	own, err := t.suite.begin(t.Context())
	if err != nil {
		t.Unknown("%v", err)
	}
	t.Cleanup(func() { _ = own.End() }) // how it ended was told where it mattered
	t.session, t.own = own, true
}

// closed closes the subscription and waits until the client says that it is.
func (f *Follower) closed() (reports int) {
	if err := f.Close(); err != nil {
		f.t.lost(err)
	}
	reported := func(all []subject.Report) bool { return len(of(all, subject.EvClosed)) > 0 }
	if _, ok := f.Await(2*patience, reported); !ok {
		if f.t.own {
			f.t.late(2*patience, "close() returns", fmt.Sprintf("it had not after %v", 2*patience))
		}
		f.t.Unknown("the adapter did not report within %v that the subscription is closed", 2*patience)
	}
	for i, r := range f.Reports() {
		if r.Ev == subject.EvClosed {
			return i + 1
		}
	}
	return 0
}

// awaitEvents waits for the given number of events, unless the client gives up.
func (f *Follower) awaitEvents(n int, within time.Duration) ([]subject.Report, bool) {
	f.t.hears()
	for end := time.Now().Add(within); ; {
		reports, ok := f.Await(f.t.step(end), func(all []subject.Report) bool { return len(of(all, subject.EvEvent)) >= n })
		if ok || time.Until(end) <= 0 || f.t.givenUp() || within > returnWithin/2 && f.t.staysAway() {
			return reports, ok
		}
	}
}

// told are reports in a few words.
func told(reports []subject.Report) []string {
	var lines []string
	for i := range reports {
		r := &reports[i]
		switch r.Ev {
		case subject.EvEvent:
			lines = append(lines, "event "+describe(r.Type, string(r.Bytes()), r.LastEventID))
		case subject.EvError:
			line := "error"
			if r.Fatal {
				line = "final error"
			}
			if r.Cause != "" {
				line += fmt.Sprintf(", cause %s", r.Cause)
			}
			if r.Status != 0 {
				line += fmt.Sprintf(", status %d", r.Status)
			}
			if r.State != "" {
				line += fmt.Sprintf(", state %s", r.State)
			}
			lines = append(lines, line+": "+r.Message)
		default:
			lines = append(lines, r.Ev)
		}
	}
	return lines
}
