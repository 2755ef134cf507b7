package fault

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrDisturbed says that a connection must be used through its own methods for now. It matches os.ErrDeadlineExceeded, so a
// reader that looks again after a time-out that is not its own needs to know nothing of faults.
var ErrDisturbed error = disturbed{}

type disturbed struct{}

func (disturbed) Error() string        { return "connection is disturbed by a fault" }
func (disturbed) Is(target error) bool { return target == os.ErrDeadlineExceeded }

// SyscallConn lets a reader wait for data without holding a buffer. While a fault is in force it returns ErrDisturbed, and so does
// the RawConn's Read, without having run the callback again, as soon as one begins: the reader then uses Conn.Read, and may ask
// again later. It returns it, too, when a fault has ended the connection while the callback ran, which may have met the end of the socket. Only one goroutine at a time may use the RawConn's Read. Control is the socket's own. Any other error says that
// there is no socket.
//
// As with any RawConn, a callback that returns false must have found the socket empty itself: data that came before it was called
// wakes nobody.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	if c.trouble.Load() != nil {
		return nil, ErrDisturbed
	}
	socket, ok := c.inner.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("raw connection of %T: %w", c.inner, errors.ErrUnsupported)
	}
	inner, err := socket.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("raw connection: %w", err)
	}
	return &rawConn{inner: inner, conn: c}, nil
}

type rawConn struct {
	inner syscall.RawConn
	conn  *Conn
}

// Read makes the one closure that is run for each event: with all it needs in it, a reader that waits among thousands touches no more
// cold memory than it must.
func (r *rawConn) Read(callback func(fd uintptr) (done bool)) error {
	c := r.conn
	guarded := func(fd uintptr) bool {
		if c.trouble.Load() != nil {
			c.kept = true
			return true
		}
		return callback(fd)
	}
	for c.kept = false; c.trouble.Load() == nil; {
		err := r.inner.Read(guarded)
		switch {
		case c.kept, err != nil && c.trouble.Load() != nil, c.severed():
			return ErrDisturbed
		case !isTimeout(err) || c.expired():
			return err
		}
	}
	return ErrDisturbed
}

// severed says whether a fault has ended the connection.
func (c *Conn) severed() bool {
	if c.trouble.Load() == nil {
		return false
	}
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	t := c.trouble.Load()
	return t != nil && t.ended()
}

func (r *rawConn) Write(callback func(fd uintptr) (done bool)) error {
	if r.conn.trouble.Load() != nil {
		return ErrDisturbed
	}
	return r.inner.Write(callback)
}

func (r *rawConn) Control(callback func(fd uintptr)) error { return r.inner.Control(callback) }
