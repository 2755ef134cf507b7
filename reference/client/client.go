// Package client is the reference SSE client: the semantics of an EventSource (WHATWG HTML §9.2.3), a reconnection policy, a
// heartbeat timeout and resumption from the last event id. It costs one goroutine and no buffer while it waits, so a load
// test can run tens of thousands of them.
package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// Config is what many clients share. It must not change while one of them runs.
type Config struct {
	Options sse.Options // IdleTimeout is the heartbeat timeout
	Policy  *policy.Policy
	// Final says which statuses end the client for good. nil means FinalStatus.
	Final func(status int) bool
	// Resume sends the last event id with each new connection.
	Resume bool
	// Lasting makes a stream count for the policy's reset only once it has lasted so long, or Served was called. 0: at its head, or its first
	// event, as the policy says.
	Lasting time.Duration
	// MaxEventBytes bounds a line, and the data of an event; a longer one ends the connection. 0 means the decoder's default.
	MaxEventBytes int
	// Tamper breaks the clients on purpose, for mutants; nil is correct.
	Tamper *Tamper
}

// Observer is told what happens, in order, on the client's goroutine. Large frames in Event would double the memory of an idle client,
// see sse.Stream.Pump.
type Observer interface {
	// Request makes the request of the next connection; position is "" when there is nothing to resume from.
	Request(ctx context.Context, position string) (*sse.Request, error)
	// Dialing comes before each connection, redirects not counted.
	Dialing(attempt int, position string)
	// Opened comes with the head of a good stream.
	Opened(*sse.Response)
	// Event receives one event; an error closes the connection and is the loss's Err.
	Event(sse.Event) error
	// Comment receives a comment line.
	Comment(text []byte)
	// Heard comes after everything in a piece of the stream was handed on, also when that was nothing.
	Heard()
	// Lost comes when a connection ended or could not be opened.
	Lost(Loss)
	// Waiting comes before the delay ahead of the next connection; low and high are the policy's bounds of it.
	Waiting(row int, delay, low, high time.Duration)
}

// Loss is how a connection ended.
type Loss struct {
	Opened bool // a good stream was open; else the attempt failed
	Status int  // of the response, 0 when there was none
	Err    error
	Half   bool // in the middle of an event
	Final  bool // the client gives up

	retryAfter time.Duration
}

// Errors that a Loss carries beside those of package sse.
var (
	ErrStatus      = errors.New("status is not 200")
	ErrContentType = errors.New("content type is not text/event-stream")
	ErrRedirects   = errors.New("too many redirects")
	ErrAskedBack   = errors.New("the server asked to come back")
)

// Client follows one URL for as long as Run runs. Its fields are set before.
type Client struct {
	Config   *Config
	Observer Observer
	Dial     sse.DialFunc
	Seed     uint64     // decides all jitter
	HTTP2    *sse.HTTP2 // nil: HTTP/1.1

	decoder sse.Decoder
	stream  atomic.Pointer[sse.Stream]
	stopped atomic.Bool
	hurry   atomic.Bool // the next loss is a restart
	row     int32       // losses in a row
	heard   bool        // an event came on the stream
	served  bool        // Served was called
	waits   uint32
	retry   time.Duration
}

// Position is the last event id. Call it on the client's goroutine only.
func (c *Client) Position() string { return c.decoder.LastEventID() }

// ReadAt is when the bytes now being handled were read from the connection. Call it from the Observer only.
func (c *Client) ReadAt() time.Time { return c.stream.Load().LastRead() }

// SetPosition sets where the first connection resumes. Call it before Run.
func (c *Client) SetPosition(id string) { c.decoder.SetLastEventID(id) }

// Stop ends the client from any goroutine: an open connection is closed and Run returns. A client that dials or waits is
// ended by the context of Run.
func (c *Client) Stop() {
	c.stopped.Store(true)
	c.Disconnect()
}

// Disconnect closes the connection, if one is open, from any goroutine; the client then reconnects as after any other loss.
func (c *Client) Disconnect() {
	if s := c.stream.Load(); s != nil {
		_ = s.Close() // the loss that Pump reports is what matters
	}
}

// Restart closes an open connection, from any goroutine; the client connects again at once. One that dials or waits goes on with that.
func (c *Client) Restart() {
	if s := c.stream.Load(); s != nil {
		c.hurry.Store(true)
		_ = s.Close() // the loss that Pump reports is what matters
	}
}

// Run connects, reads and reconnects until the context ends, Stop is called or a final answer comes; the last is returned.
func (c *Client) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	c.Start(ctx, func(err error) { ended <- err })
	return <-ended
}

// Start does what Run does without waiting for it; over is told what Run would return.
//
// One goroutine after the other does the work: connecting takes a deep stack, and reading a connection begins on a new goroutine, so that
// the client waits for events on a small one.
func (c *Client) Start(ctx context.Context, over func(error)) {
	c.decoder.MaxEventBytes = c.Config.MaxEventBytes
	c.Observer = c.Config.Tamper.observer(c)
	go c.connect(ctx, over)
}

// PanicError is a panic of the client, or of its Observer: it has ended the client.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// caught is deferred at the top of the client's goroutines.
func caught(over func(error)) {
	if p := recover(); p != nil {
		over(&PanicError{p, debug.Stack()})
	}
}

// connect opens a stream and has it followed, or finds out that it never will.
func (c *Client) connect(ctx context.Context, over func(error)) {
	defer caught(over)
	for {
		position := ""
		if c.Config.Resume {
			position = c.Config.Tamper.position(c, c.Position())
		}
		c.Observer.Dialing(int(c.row)+1, position)
		stream, loss := c.open(ctx, position)
		if stream != nil {
			go c.follow(ctx, stream, over)
			return
		}
		if again, err := c.after(ctx, loss); !again {
			over(err)
			return
		}
	}
}

// follow reads a stream to its end, and connects again.
func (c *Client) follow(ctx context.Context, stream *sse.Stream, over func(error)) {
	defer caught(over)
	if again, err := c.after(ctx, c.read(stream)); !again {
		over(err)
		return
	}
	c.connect(ctx, over)
}

// after waits for the time to connect again after a loss, unless there is none.
func (c *Client) after(ctx context.Context, loss *Loss) (again bool, err error) {
	c.Observer.Lost(*loss)
	switch {
	case c.ended(ctx):
		return false, nil
	case loss.Final || c.Config.Tamper.givesUp(*loss):
		return false, loss.Err
	}
	return c.wait(ctx, loss), nil
}

// ended says whether the client was told to end.
func (c *Client) ended(ctx context.Context) bool { return c.stopped.Load() || ctx.Err() != nil }

// read lives through one stream, from its head to its loss.
func (c *Client) read(stream *sse.Stream) *Loss {
	c.stream.Store(stream)
	if c.stopped.Load() {
		_ = stream.Close() // Stop may have come before it could see this stream
	}
	c.heard, c.served = false, false
	if c.Config.Lasting == 0 && c.onOpen() {
		c.row = 0
	}
	opened := time.Now()
	c.Observer.Opened(stream.Response())
	var err error
	if tamper := c.Config.Tamper; tamper.pumps() { // asked here, so that nobody waits for events in one more frame
		err = tamper.Pump(stream, &c.decoder, (*handler)(c))
	} else {
		err = stream.Pump(&c.decoder, (*handler)(c))
	}
	c.stream.Store(nil)
	c.Config.Tamper.closeStream(stream)
	if last := c.Config.Lasting; last > 0 && (c.served || time.Since(opened) >= last) && (c.onOpen() || c.heard && c.Config.Policy.Reset == policy.OnEvent) {
		c.row = 0
	}
	return &Loss{Opened: true, Status: http.StatusOK, Err: err, Half: c.decoder.Pending()}
}

// Served says that the stream brings what it should. Call it from the Observer only.
func (c *Client) Served() { c.served = true }

func (c *Client) onOpen() bool {
	return c.Config.Policy.Reset == policy.OnOpen || c.Config.Policy.Reset == ""
}

// open follows redirects to a good stream, or says why there is none.
func (c *Client) open(ctx context.Context, position string) (*sse.Stream, *Loss) {
	req, err := c.Observer.Request(ctx, position)
	if err != nil {
		return nil, &Loss{Err: fmt.Errorf("making the request: %w", err)}
	}
	options := c.Config.Options
	options.HTTP2 = c.HTTP2
	dial := c.Config.Tamper.dial(c.Dial)
	for range sse.MaxRedirects {
		stream, err := sse.Open(ctx, dial, req, options)
		if err != nil {
			return nil, &Loss{Err: err}
		}
		r := stream.Response()
		if c.Config.Tamper.accepts(r) {
			return stream, nil
		}
		c.Config.Tamper.closeStream(stream) // its answer is in r
		if next := c.Config.Tamper.redirected(req, r); next != nil {
			req = next
			continue
		}
		return nil, c.refused(r)
	}
	return nil, &Loss{Err: ErrRedirects, Final: true}
}

func (c *Client) refused(r *sse.Response) *Loss {
	if r.Status == http.StatusOK {
		return &Loss{Status: r.Status, Final: true, Err: fmt.Errorf("%w but %q", ErrContentType, r.Header.Get("Content-Type"))}
	}
	final := c.Config.Final
	if final == nil {
		final = FinalStatus
	}
	return &Loss{Status: r.Status, Final: final(r.Status), Err: fmt.Errorf("%w but %d", ErrStatus, r.Status), retryAfter: retryAfter(r)}
}

// FinalStatus is the rule of most SDKs: 204 and client errors are final, but 408, 425 and 429 are worth another try, and so
// is every server error.
func FinalStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status < 500
}

// AnyStatusFinal is the rule of HTML: any status but 200 ends an EventSource.
func AnyStatusFinal(int) bool { return true }

// maxRetryAfter bounds how long a server may send a client away (RFC 9110 §10.2.3).
const maxRetryAfter = time.Hour

// retryAfter is the delay that a response asks for, in seconds or until a date.
func retryAfter(r *sse.Response) time.Duration {
	value := r.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(max(seconds, 0), int(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(time.Until(at), 0), maxRetryAfter)
}

// Redirected is the request that a redirect asks for, nil when r is none. What the request was given stays with the origin it was meant
// for: any of its fields may be a credential, whatever its name. Another origin gets what a client sends by itself.
func Redirected(req *sse.Request, r *sse.Response) *sse.Request {
	switch r.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	location, err := url.Parse(r.Header.Get("Location"))
	if err != nil || r.Header.Get("Location") == "" {
		return nil
	}
	next := *req
	next.URL = req.URL.ResolveReference(location)
	if sse.SameOrigin(next.URL, req.URL) {
		return &next
	}
	bare := &sse.Request{URL: next.URL, LastEventID: req.LastEventID}
	if req.Header.Get("Accept-Encoding") == sse.AcceptEncoding {
		bare.Header = http.Header{"Accept-Encoding": {sse.AcceptEncoding}}
	}
	return bare
}

// wait sits out the policy's delay; false means that the client is to end.
func (c *Client) wait(ctx context.Context, loss *Loss) bool {
	if c.hurry.Swap(false) {
		return true
	}
	row := int(c.row)
	c.row++
	c.waits++
	low, high := c.Config.Policy.Bounds(row, c.retry)
	rnd := rand.New(rand.NewPCG(c.Seed, uint64(c.waits)))
	delay := c.Config.Policy.Delay(row, c.retry, rnd)
	if after := loss.retryAfter; after > delay {
		delay, low, high = after, max(low, after), max(high, after)
	}
	delay = c.Config.Tamper.delay(Wait{row, int(c.waits), c.retry, delay, low, high})
	c.Observer.Waiting(row, delay, low, high)
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !c.stopped.Load()
	case <-ctx.Done():
		return false
	}
}

// handler is the client as its decoder sees it.
type handler Client

func (h *handler) Event(e sse.Event) error {
	h.heard = true
	if h.Config.Lasting == 0 && h.Config.Policy.Reset == policy.OnEvent {
		h.row = 0
	}
	err := h.Observer.Event(e)
	if on := h.Config.Policy.ComeBackOn; err == nil && on != "" && string(e.Type) == on {
		return ErrAskedBack
	}
	return err
}

func (h *handler) Comment(text []byte) { h.Observer.Comment(text) }

func (h *handler) Heard() { h.Observer.Heard() }

func (h *handler) Retry(d time.Duration) { h.retry = d }
