package fault

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
)

// DialFunc opens a connection, like net.Dialer.DialContext.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Line is one subscriber's network: every connection that the subscriber makes goes through it. The zero value is an
// undisturbed line, which costs a connection one atomic load before and after each read: no goroutine, no buffer.
//
// A line must not be copied once it was used. Its methods, and the faults that begin and end on it, may be used concurrently.
type Line struct {
	// Bite is told once per fault and line that the fault took effect, before the subscriber can notice. It is called with the
	// line locked, from the goroutine that began the fault or from one that uses a connection: it must neither block nor use
	// the line. Nil tells nobody.
	Bite       func(subscriber, step int32)
	Subscriber int32

	mu     sync.Mutex     // guards all below and every connection's state
	conns  *Conn          // the open ones, and those that a stall keeps open after their subscriber closed them
	active []*disturbance // those that concern new connections too
	taken  int64          // bytes that were read from disturbed connections' sockets
}

// Dial opens a connection on the line, with dial or, when that is nil, a net.Dialer. While the line refuses connections, the
// error wraps ErrFault and syscall.ECONNREFUSED and dial is not called. Other errors are dial's own.
//
// A dialer whose ControlContext is Control lets a slow line shrink the receive buffer before the connection is made.
func (l *Line) Dial(ctx context.Context, network, address string, dial DialFunc) (net.Conn, error) {
	ctx, err := l.admit(ctx)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("%s: %w", address, err)}
	}
	if dial == nil {
		dial = (&net.Dialer{ControlContext: Control}).DialContext
	}
	inner, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return l.adopt(inner), nil
}

// Live is how many connections the subscriber has open, those not counted that it has closed and a stall keeps from the target.
func (l *Line) Live() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	live := 0
	for c := l.conns; c != nil; c = c.next {
		if !c.closed {
			live++
		}
	}
	return live
}

// Lift ends all faults on the line, as at the end of a run. Connections that a stall kept open after their subscriber closed
// them are reset.
func (l *Line) Lift() {
	l.lift(func(*disturbance) bool { return true })
}

func (l *Line) admit(ctx context.Context) (context.Context, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	buffer := 0
	for _, d := range l.active {
		if d.refuse {
			l.bite(d)
			return ctx, fmt.Errorf("%w by fault %s, step %d: %w", syscall.ECONNREFUSED, d.fault, d.step, ErrFault)
		}
		if d.buffer > 0 && (buffer == 0 || d.buffer < buffer) {
			buffer = d.buffer
		}
	}
	if buffer > 0 {
		ctx = context.WithValue(ctx, receiveBuffer{}, buffer)
	}
	return ctx, nil
}

func (l *Line) adopt(inner net.Conn) *Conn {
	c := &Conn{inner: inner, line: l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns != nil {
		l.conns.previous = c
	}
	c.next, l.conns = l.conns, c
	for _, d := range l.active {
		if d.joins {
			c.disturb(d)
		}
	}
	return c
}

// begin puts a disturbance in force on the connections that live now and, if it joins or refuses, on the line.
func (l *Line) begin(d *disturbance) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.joins || d.refuse {
		l.active = append(l.active, d)
	}
	if d.refuse {
		return
	}
	for c := l.conns; c != nil; c = c.next {
		if !c.closed {
			c.disturb(d)
		}
	}
}

// end lifts the disturbances of one fault and step; there need not be any.
func (l *Line) end(fault string, step int32) {
	l.lift(func(d *disturbance) bool { return d.fault == fault && d.step == step })
}

func (l *Line) lift(match func(*disturbance) bool) {
	var orphans []*Conn
	l.mu.Lock()
	l.active = slices.DeleteFunc(l.active, match)
	for c := l.conns; c != nil; c = c.next {
		if c.relieve(match) && c.closed {
			orphans = append(orphans, c)
		}
	}
	for _, c := range orphans {
		l.forget(c)
	}
	l.mu.Unlock()
	for _, c := range orphans {
		reset(c.inner)
	}
}

// sever ends every live connection at once; hangUp is how its socket goes.
func (l *Line) sever(fault string, step int32, hangUp func(net.Conn)) {
	var severed []*Conn
	l.mu.Lock()
	d := &disturbance{fault: fault, step: step}
	for c := l.conns; c != nil; c = c.next {
		if !c.closed {
			l.bite(d)
			severed = append(severed, c)
		}
	}
	for _, c := range severed {
		l.forget(c)
		c.lose(lost(fault, step))
	}
	l.mu.Unlock()
	for _, c := range severed {
		hangUp(c.inner)
	}
}

func (l *Line) bite(d *disturbance) {
	if d.bitten {
		return
	}
	d.bitten = true
	if l.Bite != nil {
		l.Bite(l.Subscriber, d.step)
	}
}

// forget takes a connection off the line; no fault finds it any more.
func (l *Line) forget(c *Conn) {
	switch {
	case c.previous != nil:
		c.previous.next = c.next
	case l.conns == c:
		l.conns = c.next
	}
	if c.next != nil {
		c.next.previous = c.previous
	}
	c.next, c.previous = nil, nil
}
