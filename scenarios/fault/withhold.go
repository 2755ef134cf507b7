package fault

import (
	"net"
	"os"
	"time"
)

func (c *Conn) Write(p []byte) (int, error) {
	written := 0
	for c.trouble.Load() != nil {
		n, through, err := c.withhold(p[written:])
		written += n
		if through {
			break
		}
		if err != nil || written == len(p) {
			return written, err
		}
	}
	n, err := c.inner.Write(p[written:])
	if err != nil {
		err = c.blame(err)
	}
	return written + n, err
}

// withhold keeps as much of p as a socket's buffer would. When there is no room it waits for a change. It is through when p may
// go to the socket.
func (c *Conn) withhold(p []byte) (n int, through bool, err error) {
	l := c.line
	l.mu.Lock()
	t := c.trouble.Load()
	switch {
	case c.closed:
		err = net.ErrClosed
	case t == nil:
		through = true
	case t.ended():
		err = t.lost
	case !t.holds() && !t.flushing:
		through = true
	case passed(c.writeDeadline, time.Now()):
		err = os.ErrDeadlineExceeded
	default:
		if n = min(len(p), maxWithheld-len(t.withheld)); n == 0 && len(p) > 0 {
			changed, until := t.changed, c.writeDeadline
			l.mu.Unlock()
			wait(changed, until)
			return 0, false, nil
		}
		t.withheld = append(t.withheld, p[:n]...)
	}
	l.mu.Unlock()
	return n, through, err
}

// flush writes what was withheld. It ends when all is written, a fault holds again, or the connection is closed.
func (c *Conn) flush() {
	l := c.line
	for {
		l.mu.Lock()
		t := c.trouble.Load()
		p := t.withheld
		if len(p) == 0 || t.holds() || c.closed || t.ended() {
			t.flushing = false
			_ = c.inner.SetWriteDeadline(c.writeDeadline)
			c.wake(t)
			l.mu.Unlock()
			return
		}
		t.withheld = nil
		_ = c.inner.SetWriteDeadline(time.Time{})
		l.mu.Unlock()
		if _, err := c.inner.Write(p); err != nil {
			l.mu.Lock()
			t.withheld = nil // the subscriber learns of it by its next read or write
			l.mu.Unlock()
		}
	}
}

// blame returns the fault that ended the connection, or err when there was none.
func (c *Conn) blame(err error) error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if t := c.trouble.Load(); t != nil && t.ended() && !c.closed {
		return t.lost
	}
	return err
}
