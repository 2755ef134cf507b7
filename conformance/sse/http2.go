package sse

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// HTTP2 shares HTTP/2 connections among the streams that are opened with it: a new one is dialled, with the
// DialFunc of the stream that needs it, when the others carry as many streams as their peers allow. It
// speaks h2 to https URLs and h2c with prior knowledge to http ones, through the standard library's stack and at
// its cost. The zero value is ready; it may be used by many goroutines.
type HTTP2 struct {
	mu    sync.Mutex
	hosts map[string]*http2Host
}

// http2Host is the connections to one origin. The holder of turn may look at them and dial.
type http2Host struct {
	turn  chan struct{}
	conns []http2Conn
}

type http2Conn struct {
	client *http.ClientConn
	conn   net.Conn
}

// Close closes every connection, and so every stream on them.
func (h *HTTP2) Close() error {
	h.mu.Lock()
	hosts := h.hosts
	h.hosts = nil
	h.mu.Unlock()
	var errs []error
	for _, host := range hosts {
		host.turn <- struct{}{}
		for _, c := range host.conns {
			errs = append(errs, c.client.Close())
		}
		host.conns = nil
		<-host.turn
	}
	return errors.Join(errs...)
}

// Connections is how many connections are open.
func (h *HTTP2) Connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, host := range h.hosts {
		host.turn <- struct{}{}
		for _, c := range host.conns {
			if c.client.Err() == nil {
				n++
			}
		}
		<-host.turn
	}
	return n
}

func (h *HTTP2) host(origin string) *http2Host {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts == nil {
		h.hosts = make(map[string]*http2Host)
	}
	if h.hosts[origin] == nil {
		h.hosts[origin] = &http2Host{turn: make(chan struct{}, 1)}
	}
	return h.hosts[origin]
}

// reserve finds a connection with room for one stream more, or dials one. Only one goroutine dials at a time,
// so that a burst of streams shares what the first of them opened. It goes on holding its turn until it calls
// settled: how many streams a new connection may carry is known only when the peer's settings have come.
func (o *opening) reserve(ctx context.Context) (c http2Conn, settled func(), err error) {
	host := o.opts.HTTP2.host(o.req.URL.Scheme + "://" + o.addr)
	select {
	case host.turn <- struct{}{}:
		settled = sync.OnceFunc(func() { <-host.turn })
	case <-ctx.Done():
		return c, nil, ctx.Err()
	}
	host.conns = slices.DeleteFunc(host.conns, func(c http2Conn) bool { return c.client.Err() != nil })
	for _, c := range host.conns {
		if c.client.Reserve() == nil {
			settled()
			return c, settled, nil
		}
	}
	if c, err = o.dialHTTP2(ctx); err == nil {
		host.conns = append(host.conns, c)
		err = c.client.Reserve()
	}
	if err != nil {
		settled()
	}
	return c, settled, err
}

func (o *opening) dialHTTP2(ctx context.Context) (http2Conn, error) {
	var c http2Conn
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{
		Protocols: protocols, DisableCompression: true,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			var err error
			if c.conn, err = o.dial(ctx, network, addr); err != nil {
				return nil, err
			}
			plain, err := o.secureHTTP2(ctx, c.conn)
			if err != nil {
				_ = c.conn.Close() // the error that matters is the one we have
				return nil, err
			}
			return guardWindows(plain), nil
		},
	}
	var err error
	o.timing.Start = time.Now()
	c.client, err = transport.NewClientConn(ctx, "http", o.addr) // whether it is secured is settled below
	o.timing.Dial = time.Since(o.timing.Start)
	return c, err
}

// secureHTTP2 is conn, over TLS where the request wants that.
func (o *opening) secureHTTP2(ctx context.Context, conn net.Conn) (net.Conn, error) {
	if o.req.URL.Scheme != "https" {
		return conn, nil
	}
	config := clientTLS(o.opts.TLS, o.req.URL.Hostname())
	config.NextProtos = []string{"h2"}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	if agreed := secured.ConnectionState().NegotiatedProtocol; agreed != "h2" {
		return nil, fmt.Errorf("peer agreed on %q, want HTTP/2", agreed)
	}
	return secured, nil
}

// openHTTP2 opens a stream on a shared connection. More streams than the peer allows may be given to a connection before
// its settings have come. Those that the peer refused unprocessed may be tried again (RFC 9113, 8.7), and so
// may those that still wait for a place in the connection.
func (o *opening) openHTTP2() (phase Phase, err error) {
	o.timing.Start = time.Now()
	for range maxRefused {
		phase, err = o.tryHTTP2()
		e := http2StreamError{}
		if refused := errors.As(err, &e) && e.Code == refusedStream; !refused && !errors.Is(err, errNoPlace) {
			break
		}
	}
	return phase, err
}

func (o *opening) tryHTTP2() (Phase, error) {
	dialing, cancelDial := context.WithTimeout(o.ctx, o.opts.dialTimeout())
	defer cancelDial()
	c, settled, err := o.reserve(dialing)
	if err != nil && c.conn != nil {
		return PhaseTLS, err
	}
	if err != nil {
		return PhaseDial, err
	}
	defer settled()
	defer time.AfterFunc(settleHTTP2, settled).Stop() // some servers hold their heads back
	began := time.Now()
	response, cancel, err := o.roundTripHTTP2(c) //nolint:bodyclose // it lives as long as the stream, which closes it
	if err != nil {
		return PhaseHead, err
	}
	o.timing.Head = time.Since(began)
	o.stream = &Stream{
		conn: &http2Stream{shared: c.conn, body: response.Body, cancel: cancel},
		addr: o.addr, idle: o.opts.IdleTimeout,
		response: &Response{Proto: response.Proto, Status: response.StatusCode, Header: response.Header, Timing: o.timing},
	}
	return PhaseHead, nil
}

// roundTripHTTP2 returns what ends the stream along with the head of the response.
func (o *opening) roundTripHTTP2(c http2Conn) (*http.Response, context.CancelCauseFunc, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := context.AfterFunc(o.ctx, func() { cancel(context.Canceled) })
	late := time.AfterFunc(o.opts.headTimeout(), func() { cancel(os.ErrDeadlineExceeded) })
	waiting := time.AfterFunc(placeHTTP2, func() { cancel(errNoPlace) })
	sent := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { waiting.Stop() }})
	response, err := c.client.RoundTrip(o.http2Request(sent))
	waiting.Stop()
	stayed, inTime := stop(), late.Stop()
	switch {
	case !stayed:
		err = context.Canceled
	case !inTime:
		err = os.ErrDeadlineExceeded
	case errors.Is(context.Cause(ctx), errNoPlace):
		err = errNoPlace
	case err == nil && response.ProtoMajor != 2:
		err = fmt.Errorf("peer answered with %s, want HTTP/2", response.Proto)
	}
	if err == nil {
		return response, cancel, nil
	}
	cancel(err)
	if response != nil {
		_ = response.Body.Close() // the error that matters is the one we have
	}
	return nil, nil, err
}

const (
	refusedStream = 7  // RFC 9113, 7
	maxRefused    = 16 // attempts
	settleHTTP2   = 100 * time.Millisecond
	placeHTTP2    = time.Second
)

var errNoPlace = errors.New("request was not sent: the http/2 connection is full")

// http2StreamError has the shape that the standard library's unexported error converts itself to.
type http2StreamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e http2StreamError) Error() string {
	return fmt.Sprintf("stream %d: code %d", e.StreamID, e.Code)
}

func (o *opening) http2Request(ctx context.Context) *http.Request {
	r := &http.Request{
		Method: o.req.method(), URL: o.req.URL, Host: o.req.Header.Get("Host"),
		Header: o.req.Header.Clone(), Body: http.NoBody,
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	r.Header.Del("Host")
	for _, f := range append(o.req.implied(), [2]string{"User-Agent", ""}) {
		if _, ok := r.Header[f[0]]; !ok {
			r.Header[f[0]] = []string{f[1]}
		}
	}
	if len(o.req.Body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(o.req.Body)), int64(len(o.req.Body))
	}
	return r.WithContext(ctx)
}

var errStreamLost = errors.New("http/2 stream lost")

// http2Stream makes the body of a response look like a connection. Of the shared one only the
// addresses show through.
type http2Stream struct {
	body     io.ReadCloser
	shared   net.Conn
	cancel   context.CancelCauseFunc
	lastRead atomic.Int64 // since epoch

	mu    sync.Mutex
	timer *time.Timer
	ended error // why this side ended the stream
}

func (c *http2Stream) LocalAddr() net.Addr  { return c.shared.LocalAddr() }
func (c *http2Stream) RemoteAddr() net.Addr { return c.shared.RemoteAddr() }

func (c *http2Stream) Read(p []byte) (int, error) {
	n, err := c.body.Read(p)
	if n > 0 {
		c.lastRead.Store(int64(time.Since(epoch)))
	}
	if err == nil || err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return n, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return n, c.ended
	}
	return n, fmt.Errorf("%w: %w", errStreamLost, err)
}

func (c *http2Stream) Close() error {
	c.end(net.ErrClosed)
	return c.body.Close()
}

// SetReadDeadline ends the stream at t: unlike a socket's, this deadline cannot be moved once it has expired.
func (c *http2Stream) SetReadDeadline(t time.Time) error {
	if !t.IsZero() {
		c.after(time.Until(t), func() { c.end(os.ErrDeadlineExceeded) })
	}
	return nil
}

// endIdle ends the stream with ErrIdle once nothing has been read for d. The last read is looked at only
// when the timer expires.
func (c *http2Stream) endIdle(d time.Duration) {
	c.lastRead.Store(int64(time.Since(epoch)))
	var check func()
	check = func() {
		silent := time.Since(epoch) - time.Duration(c.lastRead.Load())
		if silent >= d {
			c.end(ErrIdle)
			return
		}
		c.after(d-silent, check)
	}
	c.after(d, check)
}

func (c *http2Stream) after(d time.Duration, do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.timer = time.AfterFunc(d, do)
	}
}

func (c *http2Stream) end(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return
	}
	c.ended = why
	if c.timer != nil {
		c.timer.Stop()
	}
	c.cancel(why)
}
