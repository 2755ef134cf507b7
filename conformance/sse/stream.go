package sse

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// Stream is the body of one response, open until it ends or is closed.
type Stream struct {
	conn     connection
	addr     string
	response *Response
	rest     []byte // read together with the head
	framing  framing
	idle     time.Duration
	until    time.Duration // since epoch: when reading must be over; 0 means never
	lastRead time.Duration // since epoch
	reading  reader        // here, so that an event finds all it needs close together
}

// connection is what a stream needs of a net.Conn.
type connection interface {
	Read(p []byte) (int, error)
	Close() error
	SetReadDeadline(t time.Time) error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// epoch makes an instant 8 bytes: reading times are kept as the time since then, on the monotonic clock. In
// virtual time they may be negative.
var epoch = time.Now()

// Response is the head. Pump forgets it, so that an idle stream does not keep its header; keep
// what is needed before.
func (s *Stream) Response() *Response { return s.response }

// LastRead is when the bytes now being decoded were read from the connection; handlers use it as the time
// of delivery. Call it on Pump's goroutine only.
func (s *Stream) LastRead() time.Time { return epoch.Add(s.lastRead) }

// LocalAddr is this end of the connection.
func (s *Stream) LocalAddr() net.Addr { return s.conn.LocalAddr() }

// RemoteAddr is the peer's end.
func (s *Stream) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// Close closes the connection. It may be called at any time from any goroutine; a Pump that is under way
// ends with an error whose cause is CauseCanceled.
func (s *Stream) Close() error { return s.conn.Close() }

// Pump resets the decoder and decodes the body into h until it ends. It never returns nil: io.EOF means that
// the body ended as HTTP wants it, an [*Error] anything else, and a handler's error comes back as it is. Whether
// the end cut an event in the middle is for the decoder to say ([Decoder.Pending]). Call it once.
//
// From here to the handler the stack grows by about 1.3 KiB. Callers and handlers with small frames keep it
// within the 4 KiB that a goroutine waiting for a socket needs anyway; the next size is 8 KiB.
func (s *Stream) Pump(d *Decoder, h Handler) error {
	d.Reset()
	listener, _ := h.(Listener)
	coding := s.response.encoding()
	s.response = nil
	if coding != "" {
		return s.decode(coding, decoderSink{d, h, listener})
	}
	return s.drain(decoderSink{d, h, listener})
}

// Text is Body with its content coding removed.
func (s *Stream) Text(receive func(p []byte) error) error {
	coding := s.response.encoding()
	s.response = nil
	if coding != "" {
		return s.decode(coding, bodyFunc(receive))
	}
	return s.drain(bodyFunc(receive))
}

// decode drains a body that is in a content coding.
func (s *Stream) decode(coding string, to sink) error {
	if known := codingOf(coding); known != "" {
		return s.inflate(known, to)
	}
	return s.failed(&EncodedError{Encoding: coding})
}

// ReadBody reads the body of a response that is no event stream, at most limit bytes of it, within the
// given time. What was read is returned also with an error; io.EOF is none.
func (s *Stream) ReadBody(limit int, within time.Duration) ([]byte, error) {
	s.until = time.Since(epoch) + within
	body := collector{limit: limit}
	err := s.drain(&body)
	if errors.Is(err, io.EOF) || errors.Is(err, errEnough) {
		err = nil
	}
	return body.bytes, err
}

// sink receives the bytes of a body.
type sink interface{ body(p []byte) error }

type decoderSink struct {
	d *Decoder
	h Handler
	l Listener // nil: h is none
}

func (k decoderSink) body(p []byte) error {
	err := k.d.Feed(p, k.h)
	if k.l != nil && err == nil {
		k.l.Heard()
	}
	return err
}

var errEnough = errors.New("enough was read")

type collector struct {
	bytes []byte
	limit int
}

func (c *collector) body(p []byte) error {
	c.bytes = append(c.bytes, p[:min(len(p), c.limit-len(c.bytes))]...)
	if len(c.bytes) >= c.limit {
		return errEnough
	}
	return nil
}

// drain reads until the body ends. It does not return nil.
func (s *Stream) drain(to sink) error {
	s.lastRead = time.Since(epoch)
	rest := s.rest
	s.rest = nil
	if err := s.deliver(rest, to); err != nil {
		return err
	}
	r := &s.reading
	*r = reader{s: s, to: to}
	for {
		s.arm()
		r.read()
		if r.end != nil {
			return r.end
		}
		if err := s.ended(r.failure); err != nil {
			return err
		}
	}
}

// deliver hands the body bytes among p to the sink. Every error is final.
func (s *Stream) deliver(p []byte, to sink) error {
	for len(p) > 0 {
		body, rest, err := s.framing.next(p)
		if len(body) > 0 {
			if err := to.body(body); err != nil {
				return s.refused(err)
			}
		}
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		if err != nil {
			return s.failed(err)
		}
		p = rest
	}
	if s.framing.complete() {
		return io.EOF
	}
	return nil
}

// refused tells the decoder's own error from the handler's.
func (s *Stream) refused(err error) error {
	if errors.Is(err, ErrTooLong) {
		return s.failed(err)
	}
	return err
}

func (s *Stream) failed(err error) error { return &Error{Phase: PhaseBody, Addr: s.addr, Err: err} }

// arm sets the read deadline. It is done when reading begins and after a deadline has expired, never for
// each read: setting a timer costs as much as decoding an event. A connection that takes no deadline any more says
// why when it is read.
func (s *Stream) arm() {
	var at time.Time
	shared, ok := s.conn.(*http2Stream)
	switch {
	case s.until != 0:
		at = epoch.Add(s.until)
	case s.idle > 0 && ok:
		shared.endIdle(s.idle)
	case s.idle > 0:
		at = epoch.Add(s.lastRead + s.idle)
	}
	_ = s.conn.SetReadDeadline(at)
}

// ended decides what an error of a read means; nil means to arm again and read on.
func (s *Stream) ended(err error) error {
	now := time.Since(epoch)
	switch {
	case errors.Is(err, io.EOF) && s.framing.kind == untilClose:
		return io.EOF
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case s.until != 0 && now >= s.until:
	case s.until == 0 && s.idle > 0 && now-s.lastRead >= s.idle:
		err = ErrIdle
	default:
		return nil
	}
	return s.failed(err)
}
