package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// NewGateway is an intermediary as a subject: address is where clients reach it, and what it forwards to is the origin.
func NewGateway(address *url.URL, origin *OriginServer, config *tls.Config) *Subject {
	return &Subject{
		Name: "gateway " + address.Host, Kind: "target", URL: address.Redacted(), TLS: config, Origin: origin,
		Subscribe: func(_ context.Context, s Subscription) (*sse.Request, error) {
			if len(s.Streams) != 1 {
				return nil, fmt.Errorf("want one name for the origin to recognise the request by, have %d", len(s.Streams))
			}
			named := *address
			if named.RawQuery != "" {
				named.RawQuery += "&"
			}
			named.RawQuery += originParameter + "=" + url.QueryEscape(s.Streams[0])
			return &sse.Request{URL: &named, LastEventID: s.Position}, nil
		},
	}
}

// Passage is one stream through a gateway, in the hands of the case at both ends: the client's end is opened in the background, since a
// gateway may hold its head back, and the origin's end is got with Upstream.
type Passage struct {
	Name string // by which the origin recognises the request

	t        *Trial
	requests <-chan *Upstream
	opened   chan struct{} // closed when tap or err is set
	tap      *Tap
	err      error
	sent     int // bytes of the body that the origin has sent
}

// Through sends a request through the gateway.
func (t *Trial) Through(options ...Option) *Passage {
	name := t.suite.name("p")
	requests := t.Subject.Origin.expect(name)
	t.Cleanup(func() { t.Subject.Origin.forget(name) })
	return t.through(name, requests, options...)
}

// Again sends the same request once more. Its requests at the origin are those of the first.
func (p *Passage) Again(options ...Option) *Passage {
	return p.t.through(p.Name, p.requests, options...)
}

func (t *Trial) through(name string, requests <-chan *Upstream, options ...Option) *Passage {
	p := &Passage{Name: name, t: t, requests: requests, opened: make(chan struct{})}
	t.Go(func() {
		defer close(p.opened)
		p.tap, p.err = t.Open([]string{name}, options...)
	})
	return p
}

// Upstream is the next request that reaches the origin. When none does, the case ends as unknown: nothing can be said of a gateway
// that forwards nothing.
func (p *Passage) Upstream() *Upstream {
	u, ok := p.Forwarded(p.t.arrival)
	if ok {
		return u
	}
	p.t.interrupted()
	answer := "gave no answer: " + p.silence()
	if tap, ok := p.Tap(0); ok {
		answer = fmt.Sprintf("answered with status %d", tap.Status())
	}
	p.t.Unknown("a request did not reach the origin at %s within %v, and the gateway %s", p.t.Subject.Origin.URL(), p.t.arrival, answer)
	return nil
}

// Forwarded is Upstream for a case that judges whether the request is forwarded.
func (p *Passage) Forwarded(within time.Duration) (*Upstream, bool) {
	p.t.Doing("a request is awaited at the origin")
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case u := <-p.requests:
		stop := context.AfterFunc(p.t.Context(), u.Reset) // a write that blocks must not outlive the case
		p.t.Cleanup(func() { stop(); u.Break() })
		return u, true
	case <-timer.C:
	case <-p.t.Context().Done():
	}
	return nil, false
}

// Tap is the client's end, once the head of the response has come; false when it has not within the given time, or never will.
func (p *Passage) Tap(within time.Duration) (*Tap, bool) {
	select {
	case <-p.opened:
		return p.tap, p.tap != nil
	default:
	}
	p.t.Doing("the head of a response is awaited")
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.opened:
		return p.tap, p.tap != nil
	case <-timer.C:
	case <-p.t.Context().Done():
		p.t.interrupted()
	}
	return nil, false
}

// Client is Tap for a case that cannot go on without.
func (p *Passage) Client() *Tap {
	tap, ok := p.Tap(p.t.arrival)
	if !ok {
		p.t.Unknown("no response came through the gateway: %s", p.silence())
	}
	return tap
}

// failure is why no response came; nil while one may still come, and when one did.
func (p *Passage) failure() error {
	select {
	case <-p.opened:
		return p.err
	default:
		return nil
	}
}

func (p *Passage) silence() string {
	if err := p.failure(); err != nil {
		return err.Error()
	}
	return "no head"
}

// Relay has the origin send a piece of the body and waits until the client has it. It returns how long that took; false when it has
// not come within the given time.
func (p *Passage) Relay(u *Upstream, piece string, within time.Duration) (took time.Duration, came bool) {
	began := time.Now()
	if err := u.Send(piece); err != nil {
		p.t.interrupted()
		return 0, false
	}
	p.sent += len(piece)
	return p.transit(began, within)
}

// transit waits until everything that the origin has sent is there.
func (p *Passage) transit(began time.Time, within time.Duration) (took time.Duration, came bool) {
	tap, ok := p.Tap(within)
	if !ok {
		return 0, false
	}
	left := max(within-time.Since(began), 0)
	if !p.t.AwaitFor(tap, "a piece of the body is awaited", left, func(r *Record) bool { return r.Bytes >= p.sent }) {
		return 0, false
	}
	tap.Look(func(r *Record) {
		i := slices.IndexFunc(r.Segments, func(s Segment) bool { return s.Offset+len(s.Bytes) >= p.sent })
		took = r.Segments[max(i, 0)].At.Sub(began)
	})
	return max(took, 0), true
}

// ended says how the client's stream ended, once it has; false when it has not within the given time.
func (p *Passage) ended(within time.Duration) (at time.Time, end error, over bool) {
	tap, ok := p.Tap(within)
	if !ok {
		err := p.failure()
		return time.Now(), err, err != nil
	}
	p.t.AwaitFor(tap, "the end of a stream is awaited", within, func(r *Record) bool { return r.Ended })
	tap.Look(func(r *Record) { at, end, over = r.EndedAt, r.End, r.Ended })
	return at, end, over
}

// complete says whether an end tells the client that it has got the whole response.
func complete(end error) bool { return errors.Is(end, io.EOF) && !errors.Is(end, io.ErrUnexpectedEOF) }

// Evidence is what the client has seen.
func (p *Passage) Evidence() []string {
	tap, ok := p.Tap(0)
	if !ok {
		return []string{"no head of a response arrived: " + p.silence()}
	}
	return append(tap.Head(), tap.Evidence()...)
}

// End ends the passage at both ends.
func (p *Passage) End(u *Upstream) {
	u.Finish()
	if tap, ok := p.Tap(stuck); ok {
		tap.Close()
	}
	p.t.Subject.Origin.forget(p.Name)
}

// idle lets time pass in which nothing is watched.
func (t *Trial) idle(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.interrupted()
	}
}

// originSent ends the case as unknown when the origin could not answer.
func (t *Trial) originSent(err error) {
	if err == nil {
		return
	}
	t.interrupted()
	t.Unknown("the gateway closed its connection to the origin before the response: %v", err)
}

// carried is a stream that has come through the gateway.
type carried struct {
	*Passage

	up  *Upstream
	tap *Tap
}

// padding is so long that a gateway that buffers has to pass on its beginning, compressed or not.
var padding = paddingOf(0)

// paddingOf are 128 comments of a KiB each, others for each number, and the blank line behind them.
func paddingOf(number int) string {
	const comments = 128
	var b strings.Builder
	for n := range comments {
		b.WriteString(": " + filler("padding", number*comments+n, kib-3) + "\n")
	}
	return b.String() + "\n"
}

// carry opens a stream through the gateway, with a head and a long comment. That is enough for the head to get through a gateway
// that buffers, so that a case can judge what has nothing to do with buffering.
func (t *Trial) carry(options ...Option) *carried {
	p := t.Through(options...)
	u := p.Upstream()
	t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
	t.originSent(u.Send(padding))
	p.sent = len(padding)
	return &carried{Passage: p, up: u, tap: p.Client()}
}
