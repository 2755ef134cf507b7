package broker

import (
	"net/http"
	"time"
)

func (t *Tamper) epoch(correct string) string {
	if t == nil || t.Epoch == "" {
		return correct
	}
	return t.Epoch
}

func (t *Tamper) handler(h http.Handler) http.Handler {
	if t == nil || t.Handler == nil {
		return h
	}
	return t.Handler(h)
}

func (t *Tamper) http1() bool { return t != nil && t.HTTP1 }

func (t *Tamper) serving(s *http.Server) *http.Server {
	if t != nil && t.Serve != nil {
		t.Serve(s)
	}
	return s
}

func (t *Tamper) header(r *http.Request, h http.Header) {
	if t != nil && t.Header != nil {
		t.Header(r, h)
	}
}

// source keeps what a Tamper may want to see of a message; a correct broker needs its encoding alone.
func (t *Tamper) source(stream, eventType string, data []byte) *Event {
	if t == nil {
		return nil
	}
	return &Event{Stream: stream, Type: eventType, Data: append([]byte(nil), data...)}
}

func (t *Tamper) stores(ev Event) bool { return t.Store == nil || t.Store(ev) }

func (t *Tamper) authorizes(allowed bool, stream string) bool {
	if t == nil || t.Authorize == nil {
		return allowed
	}
	return t.Authorize(stream, allowed)
}

func (t *Tamper) expires(at time.Time) time.Time {
	if t == nil || t.Expires == nil {
		return at
	}
	return t.Expires(at)
}

func (t *Tamper) revokes(to *Subscriber) bool { return t == nil || t.Revoke == nil || t.Revoke(to) }

func (t *Tamper) drains(to *Subscriber) bool { return t == nil || t.Drain == nil || t.Drain(to) }

// start moves a cursor that was just placed. The caller holds Broker.mu.
func (t *Tamper) start(c *cursor, ask Ask) {
	if t == nil || t.Start == nil {
		return
	}
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	oldest, newest := c.stream.oldest(), c.stream.last
	first := t.Start(ask, c.stream.name, c.next, oldest, newest)
	c.next = min(max(first, oldest), newest+1)
}

func (s *subscriber) hides(g gap) bool {
	if s.info == nil {
		return false
	}
	hook := s.broker.config.Tamper.Gap
	return hook != nil && !hook(s.info, g.Stream, g.Reason)
}

func (b *Broker) heartbeat() []byte {
	if t := b.config.Tamper; t != nil && t.Heartbeat != nil {
		return t.Heartbeat()
	}
	return b.wire.heartbeat
}

// leak sends an event where it does not belong.
func (b *Broker) leak(ev *Event) {
	hook := b.config.Tamper.Leak
	if hook == nil {
		return
	}
	for _, s := range b.gate.subscribers() {
		if !s.follows(ev.Stream) && hook(s.info, *ev) {
			s.info.Send(*ev)
		}
	}
}

func (s *subscriber) follows(stream string) bool {
	for i := range s.cursors {
		if s.cursors[i].stream.name == stream {
			return true
		}
	}
	return false
}
