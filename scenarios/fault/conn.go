package fault

import (
	"errors"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Conn is a connection on a line. It may be read, written, closed and given deadlines concurrently, but only one goroutine at a
// time may read.
//
// Nobody but its reader reads the socket. A fault that begins while the reader waits in the kernel wakes it by a deadline in the
// past, so the subscriber's own deadlines are kept here, and a time-out counts only once the subscriber's own has passed.
type Conn struct {
	trouble atomic.Pointer[trouble] // nil while undisturbed; stored only with the line locked
	inner   net.Conn
	line    *Line
	kept    bool // the callback of a raw read was not run; for the reader alone

	next, previous *Conn
	readDeadline   time.Time
	writeDeadline  time.Time
	closed         bool // by the subscriber
}

var past = time.Unix(1, 0)

func (c *Conn) Read(p []byte) (int, error) {
	for {
		if c.trouble.Load() != nil {
			n, lifted, err := c.readDisturbed(p)
			if !lifted {
				return n, err
			}
		}
		n, err := c.inner.Read(p)
		switch {
		case isTimeout(err):
			if c.trouble.Load() == nil && c.expired() {
				return n, err
			}
		case c.trouble.Load() == nil || !c.take(p[:n], err):
			return n, err
		}
	}
}

// readDisturbed reads until there is something to return, or until no fault is in force any more and nothing is kept back.
func (c *Conn) readDisturbed(p []byte) (n int, lifted bool, err error) {
	if len(p) == 0 {
		return 0, false, nil
	}
	l := c.line
	for {
		l.mu.Lock()
		t, now := c.trouble.Load(), time.Now()
		if t == nil || c.settle(t) {
			l.mu.Unlock()
			return 0, true, nil
		}
		if n, err = c.deliver(t, p, now); n > 0 || err != nil {
			l.mu.Unlock()
			return n, false, err
		}
		most, ready := t.window(now)
		until := earliest(ready, c.readDeadline)
		if most == 0 {
			changed := t.changed
			l.mu.Unlock()
			wait(changed, until)
			continue
		}
		buf := t.scratch(most)
		t.reading = true
		_ = c.inner.SetReadDeadline(until)
		l.mu.Unlock()
		n, err = c.inner.Read(buf)
		c.take(buf[:n], err)
	}
}

func (c *Conn) deliver(t *trouble, p []byte, now time.Time) (int, error) {
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case passed(c.readDeadline, now):
		return 0, os.ErrDeadlineExceeded
	case t.holds():
		return 0, nil
	}
	return t.deliver(p, now)
}

// take passes what was read from the socket through the faults in force and keeps it for delivery. It returns false when none is
// in force: what was read is the subscriber's as it is.
func (c *Conn) take(data []byte, err error) bool {
	l := c.line
	l.mu.Lock()
	t := c.trouble.Load()
	if t == nil {
		l.mu.Unlock()
		return false
	}
	t.reading = false
	l.taken += int64(len(data))
	cut := false
	if !t.ended() && !c.closed {
		cut = c.arrive(t, data, err)
	}
	l.mu.Unlock()
	if cut {
		reset(c.inner)
	}
	return true
}

func (c *Conn) arrive(t *trouble, data []byte, err error) (cut bool) {
	now := time.Now()
	a := arrival{data: data}
	if len(data) > 0 {
		t.in = slices.DeleteFunc(t.in, func(d *disturbance) bool {
			if a.done = false; d.arrive != nil && d.arrive(now, &a) {
				c.line.bite(d)
			}
			return a.done
		})
		t.keep(parcel{data: slices.Clone(a.data), due: now.Add(a.delay)})
	}
	switch {
	case a.lost != nil:
		t.keep(parcel{err: a.lost, due: now.Add(a.delay)})
		t.lost, t.in = a.lost, nil
		c.line.forget(c)
		return true
	case err != nil && !isTimeout(err):
		t.keep(parcel{err: err, due: now})
	}
	return false
}

// Close closes the connection. While a stall is in force its end does not reach the target: the socket stays open and unread
// until the stall is over, and is then reset.
func (c *Conn) Close() error {
	l := c.line
	l.mu.Lock()
	t := c.trouble.Load()
	again := c.closed
	c.closed = true
	if t != nil {
		c.wake(t)
	}
	switch {
	case again:
		l.mu.Unlock()
		return net.ErrClosed
	case t != nil && t.ended():
		l.mu.Unlock()
		return nil
	case t != nil && t.holds():
		for _, d := range t.in {
			if d.hold {
				l.bite(d)
			}
		}
		_ = c.inner.SetDeadline(past)
		l.mu.Unlock()
		return nil
	}
	l.forget(c)
	l.mu.Unlock()
	return c.inner.Close()
}

// LocalAddr is the socket's.
func (c *Conn) LocalAddr() net.Addr { return c.inner.LocalAddr() }

// RemoteAddr is the socket's.
func (c *Conn) RemoteAddr() net.Addr { return c.inner.RemoteAddr() }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline bounds reads, also while a fault is in force.
func (c *Conn) SetReadDeadline(deadline time.Time) error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.readDeadline = deadline
	if t := c.trouble.Load(); t != nil {
		c.wake(t)
		return nil
	}
	return c.inner.SetReadDeadline(deadline)
}

// SetWriteDeadline bounds writes, also while a fault is in force. What a stall withheld counts as written.
func (c *Conn) SetWriteDeadline(deadline time.Time) error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.closed {
		return net.ErrClosed
	}
	c.writeDeadline = deadline
	if t := c.trouble.Load(); t != nil {
		c.wake(t)
		if t.flushing || t.ended() {
			return nil
		}
	}
	return c.inner.SetWriteDeadline(deadline)
}

// disturb, relieve, lose, wake and settle are called with the line locked.

func (c *Conn) disturb(d *disturbance) {
	t := c.trouble.Load()
	if t == nil {
		t = &trouble{changed: make(chan struct{})}
		c.trouble.Store(t)
	}
	t.in = append(t.in, d)
	if d.buffer > 0 {
		narrow(c.inner, d.buffer)
	}
	c.wake(t)
}

// relieve lifts the faults that match and says whether the connection is free to pass data now.
func (c *Conn) relieve(match func(*disturbance) bool) bool {
	t := c.trouble.Load()
	if t == nil {
		return true
	}
	t.in = slices.DeleteFunc(t.in, func(d *disturbance) bool {
		if !match(d) {
			return false
		}
		if d.hold && !c.closed && unread(c.inner) != 0 {
			c.line.bite(d)
		}
		if d.buffer > 0 {
			widen(c.inner)
		}
		return true
	})
	if t.holds() {
		return false
	}
	if len(t.withheld) > 0 && !t.flushing && !c.closed {
		t.flushing = true
		go func() {
			defer crash.Catch()
			c.flush()
		}()
	}
	c.wake(t)
	return true
}

// lose ends the connection for its subscriber: what was not yet delivered is gone.
func (c *Conn) lose(err error) {
	t := c.trouble.Load()
	if t == nil {
		t = &trouble{changed: make(chan struct{})}
		c.trouble.Store(t)
	}
	t.lost, t.in, t.withheld = err, nil, nil
	t.arrived, t.size = []parcel{{err: err}}, 0
	c.wake(t)
}

// wake makes readers and writers look again at what is in force, wherever they wait.
func (c *Conn) wake(t *trouble) {
	close(t.changed)
	t.changed = make(chan struct{})
	_ = c.inner.SetReadDeadline(past)
	c.settle(t)
}

// settle makes the connection an undisturbed one again if nothing is in force and nothing is kept back.
func (c *Conn) settle(t *trouble) bool {
	if !t.over() || c.closed {
		return false
	}
	_ = c.inner.SetReadDeadline(c.readDeadline)
	c.trouble.Store(nil)
	return true
}

// expired says whether the subscriber's own read deadline has passed.
func (c *Conn) expired() bool {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	return passed(c.readDeadline, time.Now())
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded)
}
