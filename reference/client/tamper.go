package client

import (
	"net"
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Tamper breaks one promise of a client on purpose, for mutants only. A nil *Tamper and nil fields are correct. Hooks are
// called on the goroutines of all clients that share the Config.
type Tamper struct {
	// Position replaces the position that the next connection resumes from.
	Position func(c *Client, position string) string
	// Delay replaces the delay before the next connection.
	Delay func(Wait) time.Duration
	// GiveUp says whether a loss that is not final ends the client all the same.
	GiveUp func(Loss) bool
	// Close replaces the closing of a stream that the client is done with.
	Close func(*sse.Stream)
	// Observe stands between a client and its observer.
	Observe func(c *Client, o Observer) Observer
	// Dial replaces how connections are made, and so the very bytes that go over them.
	Dial func(correct sse.DialFunc) sse.DialFunc
	// Pump replaces the decoding of one stream's body: correct is s.Pump(d, h).
	Pump func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error
	// Accept decides whether a response is a good stream.
	Accept func(r *sse.Response, correct bool) bool
	// Redirect replaces the request that follows a response; nil when none does.
	Redirect func(req *sse.Request, r *sse.Response, correct *sse.Request) *sse.Request
	// End replaces what an application's wish to end a subscription leads to. Whoever wraps a client for an application asks it, see
	// [Tamper.Ended].
	End func(Ending)
	// AnyURL keeps what wraps a client from refusing URLs.
	AnyURL bool
}

// Ending is what an application's wish to end a subscription should lead to, in parts.
type Ending struct {
	Quiet func()               // from now on nothing is reported
	Stop  func()               // the client ends; returns when it has
	Fail  func(message string) // reports an error to the application all the same
	Times int                  // how often it was wished for, this time included
}

// Ended carries out the wish to end a subscription.
func (t *Tamper) Ended(e Ending) {
	if t == nil || t.End == nil {
		e.Quiet()
		e.Stop()
		return
	}
	t.End(e)
}

// Wait is what a correct client does before its next connection.
type Wait struct {
	Row       int // losses in a row before this one
	Waits     int // losses in the client's life, this one included
	Retry     time.Duration
	Delay     time.Duration
	Low, High time.Duration // what the policy allows
}

func (t *Tamper) position(c *Client, correct string) string {
	if t == nil || t.Position == nil {
		return correct
	}
	return t.Position(c, correct)
}

func (t *Tamper) delay(w Wait) time.Duration {
	if t == nil || t.Delay == nil {
		return w.Delay
	}
	return t.Delay(w)
}

func (t *Tamper) givesUp(l Loss) bool { return t != nil && t.GiveUp != nil && t.GiveUp(l) }

func (t *Tamper) closeStream(s *sse.Stream) {
	if t == nil || t.Close == nil {
		_ = s.Close() // it is lost already
		return
	}
	t.Close(s)
}

func (t *Tamper) observer(c *Client) Observer {
	if t == nil || t.Observe == nil {
		return c.Observer
	}
	return t.Observe(c, c.Observer)
}

func (t *Tamper) dial(correct sse.DialFunc) sse.DialFunc {
	if t == nil || t.Dial == nil {
		return correct
	}
	if correct == nil {
		correct = new(net.Dialer).DialContext
	}
	return t.Dial(correct)
}

func (t *Tamper) pumps() bool { return t != nil && t.Pump != nil }

func (t *Tamper) accepts(r *sse.Response) bool {
	correct := r.Status == http.StatusOK && r.EventStream()
	if t == nil || t.Accept == nil {
		return correct
	}
	return t.Accept(r, correct)
}

func (t *Tamper) redirected(req *sse.Request, r *sse.Response) *sse.Request {
	correct := Redirected(req, r)
	if t == nil || t.Redirect == nil {
		return correct
	}
	return t.Redirect(req, r, correct)
}
