package broker

import (
	"slices"
	"time"
)

// cursor is the place of one subscriber in one stream. The subscriber's lock guards it, except room and slot, which
// its shard guards.
type cursor struct {
	subscriber *subscriber
	stream     *stream
	next       uint64 // number of the next event to take
	live       uint64 // number of the newest event at the time of joining; a replay up to it is not lag
	room       *room
	slot       int // in room.subscribers
}

// lag returns how many events published since joining wait behind the cursor. The caller holds stream.mu.
func (c *cursor) lag() uint64 {
	taken := max(c.next-1, c.live)
	return max(c.stream.last, taken) - taken
}

// place puts the cursor behind position at, or behind the newest event if live, and reports a gap if events between were
// lost. It returns the stream's newest number for a Tamper. The caller holds Broker.mu.
func (c *cursor) place(p place, now time.Duration, keep retention) (evicted bool) {
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	c.live = c.stream.last
	if p.live {
		c.next = c.stream.last + 1
		return false
	}
	oldest, before := c.stream.resumable(now, keep)
	c.next = max(oldest, c.stream.after(p.sequence))
	return p.sequence < before && !p.earliest
}

// place is where a subscription begins: behind a sequence, at everything retained, or live.
type place struct {
	sequence       uint64
	earliest, live bool
}

// batchBytes bounds what is gathered for one write.
const batchBytes = 64 << 10

// pending returns the events that follow the cursor, up to batchBytes of them and not past sequence until, and whether
// more of the stream wait behind those. It copies into buf.
func (c *cursor) pending(buf []*event, until uint64) (events []*event, more bool) {
	c.stream.mu.Lock()
	defer c.stream.mu.Unlock()
	if c.next > c.stream.last {
		return buf, false
	}
	found := c.stream.from(c.next, batchBytes)
	for i, e := range found {
		if e.sequence > until {
			return append(buf, found[:i]...), false
		}
	}
	return append(buf, found...), found[len(found)-1].number < c.stream.last
}

// merge puts the events of several streams in the order of the whole broker. Where a stream had more to give, events
// later than its last one must wait, for what the stream still holds may come before them.
func merge(events []*event, horizon uint64) []*event {
	slices.SortFunc(events, func(a, b *event) int {
		if a.sequence < b.sequence {
			return -1
		}
		return 1
	})
	end, _ := slices.BinarySearchFunc(events, horizon+1, func(e *event, limit uint64) int {
		if e.sequence < limit {
			return -1
		}
		return 1
	})
	return events[:end]
}

// cursorOf returns the cursor in the stream of e.
func (s *subscriber) cursorOf(e *event) *cursor {
	for i := range s.cursors {
		if s.cursors[i].stream == e.stream {
			return &s.cursors[i]
		}
	}
	return nil
}
