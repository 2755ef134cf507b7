package client

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// visit is one connection of a client, as its server saw it.
type visit struct {
	Number   int // from 0
	Accepted time.Time
	Request  *sse.Received // nil: none was read
	Lost     time.Time     // just before it was ended or reset; zero while it is open
	Gone     time.Time     // when the client was seen to have left; zero when that was not looked for

	in *scene
}

// scene is one subscription with a server of its own, which keeps a diary of the client's visits.
type scene struct {
	*Follower

	t      *Trial
	server *sse.Server
	answer func(c *sse.Conn, v *visit) error
	blind  bool // a visit counts before its request was read; the answer reads it, or not

	mu      sync.Mutex
	visits  []*visit
	changed chan struct{} // closed and replaced with every change
}

// play opens a subscription to a server of its own; answer gets each visit with its request read. The URL of o is a path, "" for any.
func (t *Trial) play(o subject.Open, answer func(c *sse.Conn, v *visit) error) *scene {
	return t.stage(sse.ServerOptions{}, o, false, answer)
}

// playBlind is play for answers that want to act before the request is read.
func (t *Trial) playBlind(o subject.Open, answer func(c *sse.Conn, v *visit) error) *scene {
	return t.stage(sse.ServerOptions{}, o, true, answer)
}

func (t *Trial) stage(with sse.ServerOptions, o subject.Open, blind bool, answer func(c *sse.Conn, v *visit) error) *scene {
	s := &scene{t: t, answer: answer, blind: blind, changed: make(chan struct{})}
	s.server = t.ServeWith(with, s.serve)
	if o.URL == "" {
		o.URL = "/"
	}
	o.URL = s.server.URL(o.URL)
	s.Follower = t.Follow(o)
	return s
}

func (s *scene) serve(c *sse.Conn) error {
	v := &visit{Accepted: c.Accepted, in: s}
	if !s.blind {
		r, err := c.Request()
		if err != nil {
			return err // a connection without a request is no visit: clients open such ones to have them at hand
		}
		v.Request = r
	}
	s.mu.Lock()
	v.Number = len(s.visits)
	s.visits = append(s.visits, v)
	s.tell()
	s.mu.Unlock()
	err := s.answer(c, v)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.Lost.IsZero() {
		v.Lost = time.Now()
	}
	s.tell()
	return err
}

func (s *scene) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// lose notes that the connection is about to be lost. A client can know of a loss before the script that caused it goes on, and must not be
// found to have come back too early for that.
func (v *visit) lose() {
	v.in.mu.Lock()
	defer v.in.mu.Unlock()
	v.Lost = time.Now()
}

// reset resets the connection.
func (v *visit) reset(c *sse.Conn) error {
	v.lose()
	return c.Reset()
}

// asked notes the request of a visit that began before it was read.
func (v *visit) asked(r *sse.Received) {
	v.in.mu.Lock()
	defer v.in.mu.Unlock()
	v.Request = r
}

// awaitGone waits until the client has left, and notes when.
func (v *visit) awaitGone(c *sse.Conn) {
	at := c.AwaitGone()
	v.in.mu.Lock()
	defer v.in.mu.Unlock()
	v.Gone = at
	v.in.tell()
}

// all are the visits so far.
func (s *scene) all() []visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot()
}

func (s *scene) snapshot() []visit {
	some := make([]visit, len(s.visits))
	for i, v := range s.visits {
		some[i] = *v
	}
	return some
}

// until waits for the visits to be enough, at most for the given time; ok says whether they became so.
func (s *scene) until(within time.Duration, enough func([]visit) bool) (visits []visit, ok bool) {
	ctx, cancel := context.WithTimeout(s.t.Context(), within)
	defer cancel()
	for {
		s.mu.Lock()
		visits, changed := s.snapshot(), s.changed
		s.mu.Unlock()
		if enough(visits) {
			return visits, true
		}
		select {
		case <-changed:
		case <-s.t.session.Over():
			if s.t.Context().Err() == nil {
				s.t.lost(s.t.session.Err())
			}
			s.t.Give()
		case <-ctx.Done():
			if s.t.Context().Err() != nil {
				s.t.Give()
			}
			return visits, false
		}
	}
}

// afterFinal is how long a client that reported a final failure may still come back: its report may be about something else.
const afterFinal = 3 * time.Second

// comes waits for the n-th visit, counted from 1. A client that says it has given up is not waited for as long.
func (s *scene) comes(n int, within time.Duration) (v visit, ok bool) {
	arrived := func(visits []visit) bool { return len(visits) >= n }
	for end := time.Now().Add(within); ; {
		step := s.t.step(end)
		if s.gaveUp() || n > 1 && s.t.staysAway() {
			step = 0 // it is there, or never will be
		}
		if visits, ok := s.until(step, arrived); ok {
			s.t.suite.returns.note(n, true, within)
			return visits[n-1], true
		}
		if time.Until(end) <= 0 || s.gaveUp() || n > 1 && s.t.staysAway() {
			s.t.suite.returns.note(n, false, within)
			return visit{}, false
		}
	}
}

// final is the report that the client has given up, nil when there is none.
func (s *scene) final() *subject.Report { return finalOf(s.Reports()) }

// gaveUp says that the client has reported a final failure, some time ago.
func (f *Follower) gaveUp() bool {
	final := finalOf(f.Reports())
	return final != nil && time.Since(final.At) > afterFinal
}

func finalOf(reports []subject.Report) *subject.Report {
	i := slices.IndexFunc(reports, func(r subject.Report) bool { return r.Ev == subject.EvError && r.Fatal || r.Ev == subject.EvClosed })
	if i < 0 {
		return nil
	}
	return &reports[i]
}

// outcome says in words how many visits there were, and whether the client has given up.
func (s *scene) outcome() string {
	text := conformance.Plural(len(s.all()), "request")
	if s.t.staysAway() {
		text += ", and it came back after no loss at all"
	}
	if final := s.final(); final != nil {
		text += ", and the client gave up"
		if final.Message != "" {
			text += ": " + final.Message
		}
	}
	return text
}

// gaps are the delays between the losses and the next visits.
func gaps(visits []visit) []time.Duration {
	var all []time.Duration
	for i := 1; i < len(visits); i++ {
		if !visits[i-1].Lost.IsZero() {
			all = append(all, visits[i].Accepted.Sub(visits[i-1].Lost))
		}
	}
	return all
}

// leave has the client end the subscription, so that it is quiet for the rest of the case.
func (s *scene) leave() { _ = s.Close() } // the session may have ended, which is told where it matters

// has waits for an event with these data. A client that says it has given up is not waited for as long.
func (s *scene) has(data string, within time.Duration) bool {
	s.t.hears()
	for end := time.Now().Add(within); ; {
		if _, ok := s.Await(s.t.step(end), func(reports []subject.Report) bool { return reportsData(reports, data) }); ok {
			return true
		}
		if time.Until(end) <= 0 || s.gaveUp() || within > 2*patience && s.t.staysAway() {
			return false
		}
	}
}

func reportsData(reports []subject.Report, data string) bool {
	for i := len(reports) - 1; i >= 0; i-- {
		if d := reports[i].Data; d != nil && *d == data {
			return true
		}
	}
	return false
}

// each runs f for 0 to n-1, side by side when the client can follow several streams.
func (t *Trial) each(n int, f func(i int)) {
	t.meet()
	if !t.Can(subject.Multi) {
		for i := range n {
			f(i)
		}
		return
	}
	var running sync.WaitGroup
	for i := range n {
		running.Add(1)
		t.Go(func() {
			defer running.Done()
			f(i)
		})
	}
	running.Wait()
	if t.Context().Err() != nil {
		t.Give() // one of them has reached a verdict, or the time is over
	}
}

// hurried asks for a short first delay, where the client lets it be set.
func (t *Trial) hurried() subject.Open {
	if t.Can(subject.Retry) {
		return subject.Open{RetryMS: soon}
	}
	return subject.Open{}
}

// head is that of a good stream that lasts until the connection is closed.
func head(c *sse.Conn) error {
	return c.Head(200, "Content-Type: text/event-stream", "Cache-Control: no-store", "Connection: close", allowOrigin)
}

// allowOrigin lets a page of another origin read the response.
const allowOrigin = "Access-Control-Allow-Origin: *"

// stream answers with a good stream that has these bytes so far.
func stream(c *sse.Conn, body string) error {
	if err := head(c); err != nil {
		return err
	}
	if body == "" {
		return nil
	}
	return c.Send(body)
}

// control answers with a stream that stays open behind an event of these data.
func control(c *sse.Conn, data string) error {
	if err := stream(c, "data: "+data+"\n\n"); err != nil {
		return err
	}
	c.Hold(nil)
	return nil
}
