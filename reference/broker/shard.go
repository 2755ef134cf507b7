package broker

import "sync"

// shard carries events to its share of all subscribers. It has a goroutine while there is something to carry.
type shard struct {
	catch   func()
	mu      sync.Mutex
	dirty   []*room // with news, in order of arrival
	running bool
}

// room is where the cursors of one stream in one shard meet. The shard's lock guards it.
type room struct {
	shard   *shard
	stream  *stream
	cursors []*cursor
	next    uint64 // number of the first event not yet carried; may lie too low, never too high
	dirty   bool
}

// announce tells every room of the stream that there is something new.
func (s *stream) announce() {
	s.mu.Lock()
	rooms := s.rooms
	s.mu.Unlock()
	for _, r := range rooms {
		r.shard.mark(r)
	}
}

// room returns the stream's room in a shard, a new one if need be.
func (s *stream) room(sh *shard) *room {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rooms {
		if r.shard == sh {
			return r
		}
	}
	r := &room{shard: sh, stream: s, next: s.last + 1}
	s.rooms = append(s.rooms[:len(s.rooms):len(s.rooms)], r)
	return r
}

func (sh *shard) mark(r *room) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if r.dirty || len(r.cursors) == 0 {
		return
	}
	r.dirty = true
	sh.dirty = append(sh.dirty, r)
	if !sh.running {
		sh.running = true
		go sh.run()
	}
}

func (sh *shard) run() {
	defer sh.catch()
	for r := sh.take(); r != nil; r = sh.take() {
		r.carry()
	}
}

func (sh *shard) take() *room {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if len(sh.dirty) == 0 {
		sh.running, sh.dirty = false, nil
		return nil
	}
	r := sh.dirty[0]
	sh.dirty = sh.dirty[1:]
	r.dirty = false
	return r
}

func (sh *shard) enter(c *cursor) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	c.slot = len(c.room.cursors)
	if c.slot == 0 {
		c.room.next = max(c.room.next, c.live+1)
	}
	c.room.cursors = append(c.room.cursors, c)
}

func (sh *shard) leave(c *cursor) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	all := c.room.cursors
	last := len(all) - 1
	all[c.slot] = all[last]
	all[c.slot].slot = c.slot
	all[last] = nil
	c.room.cursors = all[:last]
}

// carry brings the next batch of the stream to the room. A stream with more is marked again, behind the others.
func (r *room) carry() {
	b, more := r.stream.batch(r.carried(0))
	if len(b.events) == 0 {
		return
	}
	r.carried(b.next)
	r.visit(b)
	if more {
		r.shard.mark(r)
	}
}

// carried sets the number of the first event not yet carried, unless next is 0, and returns it.
func (r *room) carried(next uint64) uint64 {
	r.shard.mu.Lock()
	defer r.shard.mu.Unlock()
	if next > 0 {
		r.next = next
	}
	return r.next
}

// batch returns the events from number next on, up to batchBytes of them, and whether more follow.
func (s *stream) batch(next uint64) (b batch, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := max(next, s.oldest())
	if first > s.last {
		return batch{}, false
	}
	b.events = append(b.events, s.from(first, batchBytes)...)
	b.first, b.next = first, first+uint64(len(b.events))
	return b, b.next <= s.last
}

// visit offers b to every cursor in the room. It goes from the end to the start, because a cursor that leaves is
// replaced by the last one: so one that stays may be visited twice but is never missed. One that enters meanwhile
// looks for itself.
func (r *room) visit(b batch) {
	var few [64]*cursor
	for at := maxSlot; ; {
		n, start := r.below(at, few[:])
		if n == 0 {
			return
		}
		for _, c := range few[:n] {
			c.subscriber.offer(c, &b)
		}
		at = start
	}
}

const maxSlot = int(^uint(0) >> 1)

// below copies the last cursors below slot at, and returns how many and the slot of the first.
func (r *room) below(at int, into []*cursor) (n, start int) {
	r.shard.mu.Lock()
	defer r.shard.mu.Unlock()
	end := min(at, len(r.cursors))
	start = max(0, end-len(into))
	return copy(into, r.cursors[start:end]), start
}

// batch is consecutive events of one stream, joined once for all who are in step.
type batch struct {
	first, next uint64 // numbers
	events      []*event
	joined      [2][]byte // plain, chunked
}

func (b *batch) bytes(chunked bool) []byte {
	if len(b.events) == 1 {
		return b.events[0].bytes(chunked)
	}
	which := 0
	if chunked {
		which = 1
	}
	if b.joined[which] == nil {
		for _, e := range b.events {
			b.joined[which] = append(b.joined[which], e.bytes(chunked)...)
		}
	}
	return b.joined[which]
}

// offer brings a batch to a subscriber. One that is idle and in step gets the shared bytes, any other looks for itself.
func (s *subscriber) offer(c *cursor, b *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if c.next != b.first || !s.plain() {
		s.kick()
		return
	}
	c.next = b.next
	s.broker.metrics.delivered.Add(uint64(len(b.events)))
	if s.push(b.bytes(s.conn.chunked())) {
		s.kick()
	}
}

// plain reports whether nothing but the next events of one stream can be due.
func (s *subscriber) plain() bool {
	return !s.busy && len(s.cursors) == 1 && s.control == nil && s.final == nil && s.info == nil
}
