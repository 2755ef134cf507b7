package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// Trial is one attempt to decide one requirement of a client. The methods that reach a verdict end the case at once.
type Trial struct {
	*conformance.Trial

	began   time.Time
	load    conformance.Load // since then
	suite   *suite
	hello   subject.Hello
	profile conformance.Profile
	own     bool // this attempt has a session of its own, so its end is this case's doing
	session *subject.Session
	real    bool // times are not scaled

	mu        sync.Mutex // some cases follow many at once
	followers []*Follower
}

// Lag is how late this process was at worst since the case began: a timer, or a byte on its way to a goroutine.
func (t *Trial) Lag() time.Duration { return max(t.Trial.Lag(), t.suite.echo.worst(t.began)) }

// Can says whether the adapter declares a capability.
func (t *Trial) Can(c subject.Capability) bool {
	for _, have := range t.hello.Caps {
		if have == string(c) {
			return true
		}
	}
	return false
}

// ownID says that the client's interface tells which id an event has, and not the last event id, where that is an older one.
func (t *Trial) ownID() bool { return slices.Contains(t.hello.Unsaid, "last_event_id") }

// visible are the events without those that have no data, which an SDK may report although browsers must not. Only at requirements that
// are about them they matter.
func (t *Trial) visible(all []seen) []seen {
	if t.profile != conformance.ProfileSDK {
		return all
	}
	return slices.DeleteFunc(all, func(e seen) bool { return e.data == "" })
}

// inRealTime has the case go on with the client's own times, where they are scaled for others.
func (t *Trial) inRealTime() {
	t.hello, t.real = t.suite.plain, true
}

// Random is seeded by the check's seed and the requirement.
func (t *Trial) Random() *rand.Rand {
	var h uint64
	for _, c := range []byte(t.Requirement.ID) {
		h = h*31 + uint64(c)
	}
	return rand.New(rand.NewPCG(t.suite.seed, h))
}

// Serve starts a scripted server that lives as long as the case.
func (t *Trial) Serve(script sse.Script) *sse.Server { return t.ServeWith(sse.ServerOptions{}, script) }

// ServeWith is Serve with options.
func (t *Trial) ServeWith(o sse.ServerOptions, script sse.Script) *sse.Server {
	s, err := sse.Serve(t.Context(), o, t.bounded(script))
	if err != nil {
		t.Unknown("%v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Follower is one subscription of the client under test.
type Follower struct {
	*subject.Conn

	t *Trial
}

// Follow has the client open a URL. It is closed with the case.
func (t *Trial) Follow(o subject.Open) *Follower {
	t.meet()
	c, err := t.session.Open(t.paced(o))
	if err != nil {
		t.lost(err)
	}
	f := &Follower{c, t}
	t.mu.Lock()
	t.followers = append(t.followers, f)
	t.mu.Unlock()
	t.Cleanup(func() {
		_ = c.Close() // the session may have ended, which was told where it mattered
		c.Forget()
	})
	return f
}

// paced has the client keep the times that were scaled.
func (t *Trial) paced(o subject.Open) subject.Open {
	if t.suite.scale == 0 || t.real {
		return o
	}
	if t.Can(subject.TimeScale) {
		o.TimeScale = t.suite.scale
	} else if o.RetryMS == 0 && t.Can(subject.Retry) && t.hello.Policy != nil && t.hello.Policy.Backoff != nil {
		o.RetryMS = max(1, int(t.hello.Policy.Backoff.BaseMS))
	}
	return o
}

// meet gets the case a session.
func (t *Trial) meet() {
	if t.session != nil {
		return
	}
	var err error
	if t.own {
		if t.session, err = t.suite.begin(t.Context()); err == nil {
			own := t.session
			t.Cleanup(func() { _ = own.End() }) // how it ended was told where it mattered
		}
	} else {
		t.session, err = t.suite.session(t.Context())
	}
	if err != nil {
		t.session = nil
		t.Unknown("%v", err)
	}
}

// lost ends the case after an error of the session. When the session was this case's own, the case has brought the client down.
func (t *Trial) lost(err error) {
	switch {
	case t.Context().Err() != nil:
		t.Give()
	case t.own && !errors.Is(err, subject.ErrGarbled):
		t.Fail("the client goes on", subject.Ending(err, t.Requirement.ID+" ran"))
	}
	t.Unknown("%v", err)
}

// Await waits until the reports are enough, at most for the given time; ok says whether they became so.
func (f *Follower) Await(within time.Duration, enough func([]subject.Report) bool) (reports []subject.Report, ok bool) {
	ctx, cancel := context.WithTimeout(f.t.Context(), within)
	defer cancel()
	reports, err := f.Conn.Await(ctx, enough)
	switch {
	case err == nil:
		return reports, true
	case f.t.Context().Err() != nil:
		f.t.Give()
	case !errors.Is(err, context.DeadlineExceeded):
		f.t.lost(err)
	}
	return reports, false
}

// AwaitRequest waits for the server's n-th request, counted from 1, at most for the given time, and not for clients that have given up.
func (t *Trial) AwaitRequest(s *sse.Server, n int, within time.Duration) (r *sse.Received, ok bool) {
	for end := time.Now().Add(within); ; {
		ctx, cancel := context.WithTimeout(t.Context(), t.step(end))
		all, err := s.Await(ctx, n)
		cancel()
		if err == nil {
			t.suite.returns.note(n, true, within)
			return &all[n-1], true
		}
		if t.Context().Err() != nil {
			t.Give()
		}
		if t.session != nil && t.session.Err() != nil {
			t.lost(t.session.Err())
		}
		if time.Until(end) <= 0 || t.givenUp() || n > 1 && t.staysAway() {
			t.suite.returns.note(n, false, within)
			return nil, false
		}
	}
}

// step is how long to wait before looking again whether the client has given up.
func (t *Trial) step(end time.Time) time.Duration {
	return max(0, min(time.Until(end), 500*time.Millisecond))
}

// givenUp says whether all subscriptions of the case were given up.
func (t *Trial) givenUp() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.followers) > 0 && !slices.ContainsFunc(t.followers, func(f *Follower) bool { return !f.gaveUp() })
}

// seen is an event as the client reported it.
type seen struct {
	kind, data, id string
	raw            bool // data were reported as bytes, since they are not UTF-8
	at             time.Time
}

func (s seen) String() string { return describe(s.kind, s.data, s.id) }

func describe(kind, data, id string) string {
	text := fmt.Sprintf("%s %s", kind, sse.Escape([]byte(data)))
	if id != "" {
		text += " (id " + sse.Escape([]byte(id)) + ")"
	}
	return text
}

// events are those among the reports.
func events(reports []subject.Report) []seen {
	var all []seen
	for i := range reports {
		if r := &reports[i]; r.Ev == subject.EvEvent {
			kind := r.Type
			if kind == "" {
				kind = "message"
			}
			all = append(all, seen{kind, string(r.Bytes()), r.LastEventID, r.Data == nil && r.DataB64 != nil, r.At})
		}
	}
	return all
}

// of are the reports of one kind.
func of(reports []subject.Report, ev string) []subject.Report {
	var some []subject.Report
	for _, r := range reports {
		if r.Ev == ev {
			some = append(some, r)
		}
	}
	return some
}
