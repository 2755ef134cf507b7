package sse

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"strings"
	"time"
)

// AcceptEncoding asks for the content codings that a Stream decodes, which are those of the standard library.
const AcceptEncoding = "gzip, deflate"

// inflate reads the body in a content coding until it ends, and hands on what is decoded as soon as the peer has flushed it. It does not
// return nil. It costs some 45 KiB, which is spent only on a body that comes compressed.
func (s *Stream) inflate(coding string, to sink) error {
	body := &codedBody{s: s, rest: s.rest}
	s.rest = nil
	s.lastRead = time.Since(epoch)
	source := bufio.NewReaderSize(body, smallBuffer) // read byte by byte, it never waits for more than there is
	plain := make([]byte, largerBuffer)
	for {
		from, err := inflater(coding, source)
		if err == nil {
			err = s.copyDecoded(from, plain, to)
		}
		switch {
		case body.end == nil && err == nil: // one member of several (RFC 1952, 2.2)
		case err == nil, body.end != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
			return body.end // a trailer that is missing takes nothing from what was decoded
		default:
			return s.notCoded(err)
		}
	}
}

// copyDecoded hands on one member; nil means that it is complete.
func (s *Stream) copyDecoded(from io.Reader, plain []byte, to sink) error {
	for {
		n, err := from.Read(plain)
		if n > 0 {
			if refused := to.body(plain[:n]); refused != nil {
				return refusedError{s.refused(refused)}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// refusedError is what the sink said, which has nothing to do with the coding.
type refusedError struct{ error }

// notCoded is the error of a body that is not in the coding that its head names, unless it is another one.
func (s *Stream) notCoded(err error) error {
	var refused refusedError
	if errors.As(err, &refused) {
		return refused.error
	}
	if is[*Error](err) {
		return err
	}
	return s.failed(&MalformedError{What: "content coding: " + err.Error()})
}

// Decoding reads what is in one of the content codings that a Stream decodes, as soon as its writer has flushed it.
func Decoding(coding string, from io.Reader) (io.Reader, error) {
	return inflater(codingOf(coding), bufio.NewReader(from))
}

// codingOf is the one name that a coding which can be decoded has here; "" for any other.
func codingOf(name string) string {
	switch name = strings.ToLower(name); name {
	case "x-gzip":
		return "gzip"
	case "gzip", "deflate":
		return name
	}
	return ""
}

// inflater decodes one member. It returns io.EOF when there is none.
func inflater(coding string, source *bufio.Reader) (io.Reader, error) {
	start, err := source.Peek(2)
	if len(start) < 2 {
		return nil, err
	}
	switch {
	case coding == "gzip" && (start[0] != 0x1f || start[1] != 0x8b):
		return nil, gzip.ErrHeader
	case coding == "gzip":
		member, err := gzip.NewReader(source)
		if err != nil {
			return nil, err
		}
		member.Multistream(false)
		return member, nil
	case start[0]&0x0f == 8 && (uint(start[0])<<8|uint(start[1]))%31 == 0:
		return zlib.NewReader(source)
	}
	return flate.NewReader(source), nil // deflate without its wrapping, as some servers send it
}

// codedBody is the bytes of a body before they are decoded, framing removed.
type codedBody struct {
	s    *Stream
	read []byte // a buffer for the connection
	rest []byte // what was read of it, with its framing
	body []byte // what stands at the beginning of that, without
	end  error  // how the body ended, once it has
}

func (b *codedBody) Read(p []byte) (int, error) {
	for len(b.body) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		b.fill()
	}
	n := copy(p, b.body)
	b.body = b.body[n:]
	return n, nil
}

// fill takes the next bytes of the body, or notes its end.
func (b *codedBody) fill() {
	if len(b.rest) == 0 {
		if b.s.framing.complete() {
			b.end = io.EOF
			return
		}
		b.receive()
	}
	if b.end != nil || len(b.rest) == 0 {
		return
	}
	body, rest, err := b.s.framing.next(b.rest)
	b.body, b.rest = body, rest
	switch {
	case errors.Is(err, io.EOF):
		b.end = io.EOF
	case err != nil:
		b.end = b.s.failed(err)
	}
}

func (b *codedBody) receive() {
	if b.read == nil {
		b.read = make([]byte, largerBuffer)
	}
	b.s.arm()
	n, err := b.s.conn.Read(b.read)
	if n > 0 {
		b.s.lastRead = time.Since(epoch)
		b.rest = b.read[:n]
		return
	}
	if err != nil {
		b.end = b.s.ended(err)
	}
}
