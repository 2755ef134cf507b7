package client

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// SSE-API-004: After close() nothing is reported any more, not even events that had been received.
func silentOnceClosed(t *Trial) {
	const (
		burst  = 300 // events that lie in the client's buffers when it is closed
		behind = 50  // events that are sent when it has been
	)
	closed, over := make(chan struct{}), make(chan struct{})
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		defer close(over)
		err := c.Send(strings.Repeat("data: x\n\n", burst))
		for n := 0; err == nil && n < behind; {
			select {
			case <-closed:
				n++
			default:
			}
			err = c.Segments(10*time.Millisecond, nil, []byte("data: x\n\n"))
		}
		return nil // by then the client is gone, as it should be
	})
	f := t.Follow(subject.Open{URL: s.URL("/")})
	if _, ok := f.awaitEvents(1, beginWithin); !ok {
		t.Unknown("no event was reported within %v, so there was nothing to close", beginWithin)
	}
	end := f.closed()
	close(closed)
	if !t.until(over, 2*patience) {
		t.Unknown("the scripted server could not send on")
	}
	t.pass(300 * time.Millisecond) // callbacks that wait somewhere in the client
	t.settle()
	if late := f.Reports()[end:]; len(late) > 0 {
		t.Fail("nothing after close()", fmt.Sprintf("%s, the first is an %s", conformance.Plural(len(late), "report"), late[0].Ev), told(late[:min(len(late), 5)]))
	}
	t.Pass("nothing after close()")
}

// SSE-API-005: close() aborts the request: the server sees the connection end.
func closingEndsTheConnection(t *Trial) {
	within := t.Duration("within")
	gone := make(chan struct{})
	var at atomic.Pointer[time.Time]
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		if err := c.Send("data: x\n\n"); err != nil {
			return err
		}
		end := c.AwaitGone()
		at.Store(&end)
		close(gone)
		return nil
	})
	f := t.Follow(subject.Open{URL: s.URL("/")})
	if _, ok := f.awaitEvents(1, beginWithin); !ok {
		t.Unknown("no event was reported within %v, so there was nothing to close", beginWithin)
	}
	began := time.Now()
	f.closed()
	want := fmt.Sprintf("the end of the connection within %v", within)
	if !t.until(gone, 5*within) {
		t.late(4*within, want, fmt.Sprintf("it was still there %v after close()", 5*within))
	}
	if took := at.Load().Sub(began); took > within {
		t.late(took-within, want, fmt.Sprintf("it ended after %v", took.Round(time.Millisecond)))
	}
	t.Pass("the connection ended at once")
}

// SSE-API-006: close() while the client waits to reconnect, or while a connection is being made, ends it for good.
func closedForGood(t *Trial) {
	const wait = 500 * time.Millisecond
	ended := make(chan struct{})
	waiting := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if c.Number > 0 {
			c.AwaitGone()
			return nil
		}
		defer close(ended)
		return c.Send(fmt.Sprintf("retry: %d\ndata: x\n\n", wait.Milliseconds()))
	})
	f := t.Follow(subject.Open{URL: waiting.URL("/")})
	if !t.until(ended, beginWithin) {
		t.Unknown("the client sent no request within %v", beginWithin)
	}
	if _, ok := f.awaitEvents(1, patience); !ok {
		t.Unknown("the event in front of the wait was not reported")
	}
	t.pass(wait / 5)
	firstEnd := f.closed()
	before := len(waiting.Requests()) // a client with a short delay of its own has come back already

	asked, answer, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	connecting := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		if c.Number > 0 {
			c.AwaitGone()
			return nil
		}
		defer close(over)
		close(asked)
		c.Hold(answer)
		_ = c.Head(200, "Content-Type: text/event-stream") // the client may be gone, as it should be
		_ = c.Segments(50*time.Millisecond, sse.EachByte([]byte("data: x\n\n"))...)
		return nil
	})
	g := t.Follow(subject.Open{URL: connecting.URL("/")})
	if !t.until(asked, beginWithin) {
		t.Unknown("the client sent no second request within %v", beginWithin)
	}
	secondEnd := g.closed()
	close(answer)
	t.until(over, patience)

	t.pass(t.silence(6 * wait))
	t.settle()
	want := "no request and no report after close()"
	if n := len(waiting.Requests()); n > before {
		t.sure(0, "a request after close()")
		t.Deviation(want, fmt.Sprintf("closed while it waited to reconnect, the client came back %s", conformance.Plural(n-before, "time")))
	}
	if n := len(connecting.Requests()); n > 1 {
		t.Deviation(want, fmt.Sprintf("closed while it connected, the client came back %s", conformance.Plural(n-1, "time")))
	}
	if late := f.Reports()[firstEnd:]; len(late) > 0 {
		t.Deviation(want, "closed while it waited to reconnect, the client went on reporting", told(late))
	}
	if late := g.Reports()[secondEnd:]; len(late) > 0 {
		t.Deviation(want, "closed while it connected, the client went on reporting", told(late))
	}
	t.Count(2)
	t.Conclude("it stayed away, and silent")
}

// silence is how long nothing has to come before it counts as never: at least the given time, and longer for a client that
// declares longer delays.
func (t *Trial) silence(least time.Duration) time.Duration {
	if p := t.hello.Policy; p != nil && p.Backoff != nil {
		longest := time.Duration(p.Backoff.BaseMS*(1+p.Backoff.Jitter)) * time.Millisecond
		least = max(least, min(3*longest, 15*time.Second))
	}
	return least
}

// SSE-API-007: close() may be called at any time and more than once, without an error.
func closingIsNoError(t *Trial) {
	judge := func(when string, f *Follower) {
		end := f.closed()
		if err := f.Close(); err != nil {
			t.lost(err)
		}
		t.settle()
		for _, r := range f.Reports()[end:] {
			if r.Ev == subject.EvError {
				t.Deviation("no error", "an error after close() "+when, told([]subject.Report{r}))
				return
			}
		}
	}
	streaming := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if err := c.Send("data: x\n\n"); err != nil {
			return err
		}
		c.AwaitGone()
		return nil
	})
	f := t.Follow(subject.Open{URL: streaming.URL("/")})
	if _, ok := f.awaitEvents(1, beginWithin); !ok {
		t.Unknown("no event was reported within %v", beginWithin)
	}
	judge("of an open stream, twice", f)

	silent := t.Serve(func(c *sse.Conn) error { c.AwaitGone(); return nil })
	judge("before there was a response", t.Follow(subject.Open{URL: silent.URL("/")}))

	final := t.finalStatus()
	refusing := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		return c.Head(final, "Content-Length: 0")
	})
	f = t.Follow(subject.Open{URL: refusing.URL("/")})
	if _, ok := f.Await(beginWithin, func(all []subject.Report) bool { return len(of(all, subject.EvError)) > 0 }); !ok {
		t.Unknown("the client did not report that it was refused")
	}
	judge("after a refusal", f)
	t.Count(3)
	t.Conclude("no error: of an open stream, before a response, after a refusal")
}
