package sse

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// DialFunc connects to addr, "host:port", and may wrap the connection.
//
// A wrapper that implements [syscall.Conn] lets Pump wait without a buffer and read from the
// socket directly, past the wrapper's Read. Pump asks for SyscallConn before it waits and again after every
// expired read deadline; a wrapper that wants its Read to be used from now on answers with an error and
// sets a read deadline in the past, which Pump then replaces.
type DialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// Options are what a Request does not say. The zero value is usable.
type Options struct {
	TLS          *tls.Config   // for https; ServerName is filled in
	HTTP2        *HTTP2        // speaks HTTP/2 on connections shared through it; nil means HTTP/1.1
	DialTimeout  time.Duration // connecting and TLS handshake together; 0 means 30 s
	HeadTimeout  time.Duration // from writing the request to the end of the response's head; 0 means 30 s
	IdleTimeout  time.Duration // Pump ends with ErrIdle after a silence this long; 0 means never
	MaxHeadBytes int           // 0 means 64 KiB
}

const (
	defaultTimeout      = 30 * time.Second
	defaultMaxHeadBytes = 64 << 10
	maxInformational    = 8 // 1xx responses before the final one
)

func (o Options) dialTimeout() time.Duration { return orDefault(o.DialTimeout, defaultTimeout) }
func (o Options) headTimeout() time.Duration { return orDefault(o.HeadTimeout, defaultTimeout) }
func (o Options) maxHead() int               { return orDefault(o.MaxHeadBytes, defaultMaxHeadBytes) }

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// Open connects, sends the request and reads the head of the response. A status other than 200 is
// no error, and redirects are not followed: the caller looks at [Stream.Response]. The context ends the
// opening only; afterwards the stream lives until it is closed. Errors are of type [*Error]; see [CauseOf].
//
// It takes a deep stack. Who waits in Pump for long, and in great numbers, does so on another goroutine.
func Open(ctx context.Context, dial DialFunc, req *Request, opts Options) (*Stream, error) {
	o := opening{ctx: ctx, dial: dial, req: req, opts: opts}
	phase, err := o.start()
	if err == nil {
		return o.stream, nil
	}
	if o.conn != nil {
		_ = o.conn.Close() // the error that matters is the one we have
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return nil, &Error{Phase: phase, Addr: o.addr, Err: err}
}

type opening struct {
	ctx  context.Context
	dial DialFunc
	req  *Request
	opts Options

	addr   string
	conn   net.Conn
	timing Timing
	stream *Stream
}

func (o *opening) start() (phase Phase, err error) {
	if err := o.req.check(); err != nil {
		return PhaseRequest, err
	}
	if o.addr, err = o.req.address(); err != nil {
		return PhaseRequest, err
	}
	if o.dial == nil {
		o.dial = new(net.Dialer).DialContext
	}
	if o.opts.HTTP2 != nil {
		return o.openHTTP2()
	}
	if phase, err := o.connect(); err != nil {
		return phase, err
	}
	return PhaseHead, o.exchange()
}

func (o *opening) connect() (Phase, error) {
	ctx, cancel := context.WithTimeout(o.ctx, o.opts.dialTimeout())
	defer cancel()
	o.timing.Start = time.Now()
	conn, err := o.dial(ctx, "tcp", o.addr)
	if err != nil {
		return PhaseDial, err
	}
	o.conn = conn
	o.timing.Dial = time.Since(o.timing.Start)
	if o.req.URL.Scheme != "https" {
		return PhaseDial, nil
	}
	secured := tls.Client(conn, clientTLS(o.opts.TLS, o.req.URL.Hostname()))
	if err := secured.HandshakeContext(ctx); err != nil {
		return PhaseTLS, err
	}
	o.conn = secured
	o.timing.TLS = time.Since(o.timing.Start) - o.timing.Dial
	return PhaseTLS, nil
}

func clientTLS(base *tls.Config, host string) *tls.Config {
	config := base.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"}
	return config
}

// exchange sends the request in one write and reads the response's head.
func (o *opening) exchange() error {
	began := time.Now()
	if err := o.conn.SetDeadline(began.Add(o.opts.headTimeout())); err != nil {
		return err
	}
	stop := context.AfterFunc(o.ctx, func() { _ = o.conn.SetDeadline(time.Unix(1, 0)) })
	response, rest, err := o.roundTrip()
	if !stop() {
		return context.Cause(o.ctx)
	}
	if err != nil {
		return err
	}
	body, err := frame(response)
	if err != nil {
		return err
	}
	o.timing.Head = time.Since(began)
	response.Timing = o.timing
	o.stream = &Stream{conn: o.conn, addr: o.addr, response: response, rest: rest, framing: body, idle: o.opts.IdleTimeout}
	_ = o.conn.SetDeadline(time.Time{}) // a connection that the peer has closed by now still has its response to give
	return nil
}

func (o *opening) roundTrip() (*Response, []byte, error) {
	buf := headPool.Get().(*[headSize]byte)
	defer headPool.Put(buf)
	if _, err := o.conn.Write(o.req.append(buf[:0])); err != nil {
		return nil, nil, err
	}
	return readHead(o.conn, buf[:0], o.opts.maxHead())
}

// headSize suffices for nearly every head, and is little enough for ten thousand that are waited for at once.
const headSize = 1 << 10

var headPool = sync.Pool{New: func() any { return new([headSize]byte) }}

// readHead reads up to the end of a final response's head; rest is a copy of what came behind it.
func readHead(conn io.Reader, buf []byte, limit int) (r *Response, rest []byte, err error) {
	for informational := 0; ; {
		end, next := headEnd(buf)
		if next > 0 {
			if r, err = parseHead(buf[:end]); err != nil {
				return nil, nil, err
			}
			if r.Status >= 200 || r.Status == 101 {
				return r, bytes.Clone(buf[next:]), nil
			}
			if informational++; informational > maxInformational {
				return nil, nil, malformed("sequence of 1xx responses", buf[:end])
			}
			buf = append(buf[:0], buf[next:]...)
			continue
		}
		if len(buf) >= limit {
			return nil, nil, ErrHeadTooLong
		}
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := conn.Read(buf[len(buf):min(cap(buf), limit)])
		buf = buf[:len(buf)+n]
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) && len(buf) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, nil, err
		}
	}
}

// headEnd finds the blank line: where the head before it ends, and where the body begins, 0 when it
// has not arrived. Blank lines before a status line are not skipped: they are malformed.
func headEnd(p []byte) (end, next int) {
	for at := 0; ; {
		lf := bytes.IndexByte(p[at:], '\n')
		if lf < 0 {
			return 0, 0
		}
		at += lf + 1
		switch {
		case bytes.HasPrefix(p[at:], []byte("\n")):
			return at, at + 1
		case bytes.HasPrefix(p[at:], []byte("\r\n")):
			return at, at + 2
		}
	}
}
