package sse

import (
	"syscall"
	"time"
)

// reader moves bytes from a connection to a sink until something ends it: either end, which is final, or
// failure, an error of the connection that the stream has to judge.
type reader struct {
	s       *Stream
	to      sink
	small   []byte // lazily made, for connections that cannot wait without a buffer
	end     error
	failure error
}

const (
	smallBuffer  = 512
	largerBuffer = 4 << 10
)

func (r *reader) read() {
	if raw := socketOf(r.s); raw != nil {
		r.readSocket(raw)
		return
	}
	r.readConn()
}

// socketOf is the connection's socket if it has one that may be read directly.
func socketOf(s *Stream) syscall.RawConn {
	c, ok := s.conn.(syscall.Conn)
	if !ok || !canReadSockets {
		return nil
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// readConn reads with a buffer of its own, larger once the peer has filled it.
func (r *reader) readConn() {
	if r.small == nil {
		r.small = make([]byte, smallBuffer)
	}
	for {
		n, err := r.s.conn.Read(r.small)
		if n > 0 && !r.took(r.small[:n]) {
			return
		}
		if err != nil {
			r.failure = err
			return
		}
		if n == len(r.small) && n < largerBuffer {
			r.small = make([]byte, largerBuffer)
		}
	}
}

func (r *reader) took(p []byte) bool {
	r.s.lastRead = time.Since(epoch)
	r.end = r.s.deliver(p, r.to)
	return r.end == nil
}
