//go:build unix

package sse

import (
	"io"
	"os"
	"sync"
	"syscall"
)

const canReadSockets = true

const bufferSize = 16 << 10

var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// readSocket waits for the socket to become readable before it takes a buffer, so that thousands of silent
// streams share the few that are in use.
func (r *reader) readSocket(raw syscall.RawConn) {
	if err := raw.Read(r.readable); err != nil {
		r.failure = err
	}
}

// readable reads all there is; false means to wait for more. It reads until the socket is empty, also
// after a short read: the poller reports an edge once, and the end of the stream may hide behind it.
func (r *reader) readable(fd uintptr) (done bool) {
	buf := bufferPool.Get().(*[bufferSize]byte)
	defer bufferPool.Put(buf)
	for {
		n, err := syscall.Read(int(fd), buf[:])
		switch {
		case n > 0:
			if !r.took(buf[:n]) {
				return true
			}
		case err == syscall.EAGAIN:
			return false
		case err == syscall.EINTR:
		case err != nil:
			r.failure = os.NewSyscallError("read", err)
			return true
		default:
			r.failure = io.EOF
			return true
		}
	}
}
