package broker

import (
	"math"
	"sync"
	"time"
)

// subscriber is one connection. Whoever has something for it calls kick; bytes go out from there while the peer takes
// them at once, and from its pump, which may block, as soon as it does not.
//
// Locks are taken in this order: subscriber.mu, then any of Broker.mu, stream.mu and shard.mu.
type subscriber struct {
	broker  *Broker
	server  *Server // nil when the handler runs in a server of somebody else
	conn    conn
	user    string // for the limits
	subject string // of its token, empty without one
	info    *Subscriber

	mu      sync.Mutex
	cursors []cursor
	single  [1]cursor // what cursors points to when one stream is followed

	busy    bool   // the pump has it, and it alone writes
	rest    []byte // of a write that the peer took in part
	control []byte // framed comments and signals that go before the next event
	until   uint64 // no event past this sequence is sent
	final   []byte // framed end of the stream, sent when nothing else is left; nil while the stream goes on
	ending  endReason
	closing bool // the final bytes are on their way
	ended   bool

	timer *time.Timer
	due   deadlines
}

// forever is later than any sequence and any time.
const forever = math.MaxInt64

// next returns the bytes to write next, nil when the connection is up to date. The caller holds s.mu.
func (s *subscriber) next() []byte {
	switch {
	case s.ended:
		return nil
	case len(s.rest) > 0:
		rest := s.rest
		s.rest = nil
		return rest
	case s.closing:
		return nil
	}
	if batch := s.gather(); len(batch) > 0 || s.ended {
		return batch
	}
	if s.final != nil {
		s.closing = true
	}
	return s.final
}

// gather returns what the streams and the broker itself have for the connection, as whole events.
func (s *subscriber) gather() []byte {
	out := s.control
	s.control = nil
	if s.info != nil {
		s.info.extra, out = nil, append(out, s.info.extra...)
	}
	out, ok := s.skipOverflow(out)
	if !ok {
		return nil
	}
	events := s.takeEvents()
	if len(events) == 0 {
		return out
	}
	if len(events) == 1 && len(out) == 0 && s.info == nil {
		return events[0].bytes(s.conn.chunked())
	}
	return s.join(out, events)
}

func (s *subscriber) join(out []byte, events []*event) []byte {
	chunked := s.conn.chunked()
	if s.info != nil {
		return s.info.tampered(out, events, chunked)
	}
	size := len(out)
	for _, e := range events {
		size += len(e.chunk)
	}
	joined := append(make([]byte, 0, size), out...)
	for _, e := range events {
		joined = append(joined, e.bytes(chunked)...)
	}
	return joined
}

// takeEvents advances the cursors over the next events and returns them in the order of the broker.
func (s *subscriber) takeEvents() []*event {
	// Read first: every event up to it is in its stream by now, so no earlier one can still turn up.
	horizon := min(s.broker.sequence.Load(), s.until)
	var events []*event
	for i := range s.cursors {
		var more bool
		events, more = s.cursors[i].pending(events, horizon)
		if more {
			horizon = min(horizon, events[len(events)-1].sequence)
		}
	}
	if len(s.cursors) > 1 {
		events = merge(events, horizon)
	}
	s.advance(events)
	return events
}

func (s *subscriber) advance(events []*event) {
	replayed := 0
	for _, e := range events {
		c := s.cursorOf(e)
		c.next = e.number + 1
		if e.number <= c.live {
			replayed++
		}
	}
	s.broker.metrics.delivered.Add(uint64(len(events)))
	s.broker.metrics.replayed.Add(uint64(replayed))
}

// kick sends what waits for the subscriber as far as the peer takes it at once. The caller holds s.mu.
func (s *subscriber) kick() {
	if s.busy {
		s.checkOverflow()
		return
	}
	for {
		p := s.next()
		if p == nil || !s.push(p) {
			return
		}
	}
}

// push writes p without blocking and hands what is left to the pump. It reports whether all was written and more may follow.
func (s *subscriber) push(p []byte) bool {
	n, err := s.conn.try(p)
	if err != nil {
		s.endLocked(endGone)
		return false
	}
	if n > 0 {
		s.due.silentSince = s.broker.now()
	}
	if n < len(p) {
		s.rest, s.busy = p[n:], true
		s.conn.start(s.pump)
		return false
	}
	return !s.finished()
}

// finished ends the connection when its last bytes are written.
func (s *subscriber) finished() bool {
	if s.closing && len(s.rest) == 0 {
		s.busy = false
		s.endLocked(s.ending)
	}
	return s.ended
}

// pump writes, blocking, until the connection is up to date.
func (s *subscriber) pump() {
	for {
		p := s.nextForPump()
		if p == nil {
			return
		}
		if err := s.conn.write(p, s.broker.config.WriteTimeout); err != nil {
			s.end(reasonOf(err))
			return
		}
	}
}

func (s *subscriber) nextForPump() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due.silentSince = s.broker.now()
	if s.finished() {
		return nil
	}
	p := s.next()
	s.busy = p != nil
	return p
}

// finish lets the subscriber take its events up to sequence until, then its farewell, and then ends it, at the latest
// after grace.
func (s *subscriber) finish(reason endReason, until uint64, farewell []byte, grace time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finishLocked(reason, until, farewell, grace)
}

func (s *subscriber) finishLocked(reason endReason, until uint64, farewell []byte, grace time.Duration) {
	if s.ended || s.final != nil {
		return
	}
	s.ending, s.until = reason, until
	s.final = s.conn.ending(farewell)
	if grace != forever {
		s.due.cut = s.broker.now() + grace
	}
	s.kick()
	s.schedule()
}

// send queues text of the broker's own, which goes out before the next event. A busy connection is not silent, and what
// was meant for a regular time is of no use later.
func (s *subscriber) send(text []byte) {
	if s.final == nil && !s.busy && len(text) > 0 {
		s.control = appendFramed(s.control, text, s.conn.chunked())
	}
}
