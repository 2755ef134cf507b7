//go:build unix

package sse

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"
	"syscall"
)

const canReadSockets = true

const bufferSize = 16 << 10

// leastPiece is what a read counts for at least.
const leastPiece = 256

var bufferPool = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// share is how much is read at a time from a connection that never runs dry: then it is looked whether the stream was closed, its
// deadline has passed or somebody else reads the connection from now on, and others get their turn.
const share = 4 * bufferSize

// readSocket waits for the socket to become readable before it takes a buffer, so that thousands of silent
// streams share the few that are in use.
func (r *reader) readSocket(raw syscall.RawConn) {
	r.failure = nil
	readable := r.readable
	for r.end == nil && r.failure == nil {
		if err := raw.Read(readable); err != nil {
			if r.failure = err; errors.Is(r.end, io.EOF) {
				r.end = nil // the end was met while this side ended the connection: what that was, the next read says
			}
		} else if r.end == nil && r.failure == nil {
			runtime.Gosched() // its share is used up
		}
	}
}

// readable reads all there is, or a share of it; false means to wait for more. It reads until the socket is empty, also
// after a short read: the poller reports an edge once, and the end of the stream may hide behind it. After a share it is called again.
func (r *reader) readable(fd uintptr) (done bool) {
	buf := bufferPool.Get().(*[bufferSize]byte)
	defer bufferPool.Put(buf)
	for left := share; left > 0; {
		n, err := syscall.Read(int(fd), buf[:])
		switch {
		case n > 0:
			if !r.took(buf[:n]) {
				return true
			}
			left -= max(n, leastPiece)
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
	return true
}
