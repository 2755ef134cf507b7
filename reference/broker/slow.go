package broker

import (
	"encoding/json"
)

// gap is the data of a gap event.
type gap struct {
	Stream string `json:"stream"`
	Reason string `json:"reason"` // evicted, unknown, dropped or coalesced
	Missed uint64 `json:"missed,omitempty"`
	Oldest string `json:"oldest,omitempty"` // id of the stream's next event
}

func (g gap) encode() []byte {
	data, _ := json.Marshal(g) // never fails
	return Signal{Type: "gap", Data: string(data)}.encode()
}

// skipOverflow applies the slow policy to every cursor that is too far behind and appends the gap events to out. It
// reports false when the policy ended the subscriber. Only one that keeps its pump waiting is slow: a burst that an
// idle one has had no chance to take yet is not held against it. The caller holds s.mu.
func (s *subscriber) skipOverflow(out []byte) ([]byte, bool) {
	for i := range s.cursors {
		skipped, ok := s.skip(&s.cursors[i])
		if !ok {
			s.endLocked(endSlow)
			return nil, false
		}
		if skipped != nil && !s.hides(*skipped) {
			out = appendFramed(out, skipped.encode(), s.conn.chunked())
		}
	}
	return out, true
}

// skip moves a cursor over what its policy gives up, and reports false when that is the whole subscriber. One that the
// history overtakes before it had a chance to write is not slow: it is told, and goes on.
func (s *subscriber) skip(c *cursor) (*gap, bool) {
	st, queue := c.stream, uint64(s.broker.config.Queue)
	st.mu.Lock()
	defer st.mu.Unlock()
	overtaken, over := c.next < st.oldest(), c.lag() > queue
	switch policy := s.broker.config.SlowPolicy; {
	case overtaken && !s.busy:
		return s.skipTo(c, st.oldest(), "evicted"), true
	case !s.busy, !overtaken && !over:
		return nil, true
	case policy == Drop && over:
		return s.skipTo(c, max(st.oldest(), st.last+1-queue), "dropped"), true
	case policy == Drop:
		return s.skipTo(c, st.oldest(), "dropped"), true
	case policy == Coalesce:
		return s.skipTo(c, st.last, "coalesced"), true
	case policy == Block:
		return nil, !overtaken
	}
	return nil, false
}

// skipTo moves a cursor forward. The caller holds its stream's lock.
func (s *subscriber) skipTo(c *cursor, number uint64, reason string) *gap {
	missed := number - c.next
	c.next = number
	s.broker.metrics.skipped(reason, missed)
	return &gap{Stream: c.stream.name, Reason: reason, Missed: missed, Oldest: s.broker.idOf(c.stream, number)}
}

// idOf returns the id of an event that is held, or "" when there is none. The caller holds st.mu.
func (b *Broker) idOf(st *stream, number uint64) string {
	if number < st.oldest() || number > st.last {
		return ""
	}
	return formatID(b.epoch, st.window()[number-st.oldest()].sequence)
}

// checkOverflow ends a subscriber that is stuck in a write and over its queue, as far as the policy says so without
// waiting for the write. The caller holds s.mu.
func (s *subscriber) checkOverflow() {
	if s.ended {
		return
	}
	if s.info != nil {
		s.info.behind()
	}
	switch s.broker.config.SlowPolicy {
	case Disconnect:
		if s.over() {
			s.endLocked(endSlow)
		}
	case Block:
		s.checkBlock()
	case Drop, Coalesce: // decided when the write is over, by what is too old then
	}
}

// checkBlock starts, keeps or clears the time after which a blocked subscriber is given up.
func (s *subscriber) checkBlock() {
	now := s.broker.now()
	switch {
	case !s.over():
		s.due.unblock = forever
	case s.due.unblock == forever:
		s.due.unblock = now + s.broker.config.BlockTimeout
		s.schedule()
	case s.due.unblock <= now:
		s.endLocked(endSlow)
	}
}

// over reports whether any stream has more waiting than the queue admits.
func (s *subscriber) over() bool {
	for i := range s.cursors {
		if s.cursors[i].behindBy() > uint64(s.broker.config.Queue) {
			return true
		}
	}
	return false
}

func (c *cursor) behindBy() uint64 {
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	return c.lag()
}
