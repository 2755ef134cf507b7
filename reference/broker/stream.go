package broker

import (
	"sort"
	"sync"
	"time"
)

// stream is a totally ordered log of events and the window of it that is still held.
//
// It holds the history that can be resumed from and Config.Queue events more, so that neither a subscriber within its
// queue nor one that resumes from the oldest position is overtaken.
type stream struct {
	name string
	refs int // subscribers and publishers that use it; guarded by Broker.mu

	mu     sync.Mutex
	events []*event // held[head:] is the window
	head   int
	last   uint64 // number of the newest event, 0 before the first
	bytes  int
	gone   uint64 // sequence of the newest event no longer held
	rooms  []*room
}

// retention bounds what a stream holds.
type retention struct {
	events int // resumable
	queue  int // held beyond those
	bytes  int
	age    time.Duration
}

// forget drops what is held.
func (s *stream) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events, s.head, s.bytes = nil, 0, 0
}

func (s *stream) window() []*event { return s.events[s.head:] }

// oldest returns the number of the oldest event held, last+1 when there is none. The caller holds s.mu.
func (s *stream) oldest() uint64 { return s.last + 1 - uint64(len(s.window())) }

// append adds e and evicts what is out of bounds.
func (s *stream) append(e *event, keep retention) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	s.last = e.number
	s.bytes += len(e.chunk)
	for s.overfull(e.at, keep) {
		s.evict()
	}
}

func (s *stream) overfull(now time.Duration, keep retention) bool {
	held := s.window()
	switch {
	case len(held) <= 1:
		return false
	case len(held) > keep.events+keep.queue, s.bytes > keep.bytes:
		return true
	}
	return keep.age > 0 && len(held) > keep.queue && held[0].at < now-keep.age
}

func (s *stream) evict() {
	e := s.events[s.head]
	s.events[s.head] = nil
	s.head++
	s.bytes -= len(e.chunk)
	s.gone = e.sequence
	if s.head > len(s.events)/2 && s.head >= 64 {
		s.events = append([]*event(nil), s.window()...)
		s.head = 0
	}
}

// resumable returns the number of the oldest event that may be resumed with, last+1 when there is none, and the
// sequence of the event before it, 0 when it is the first of all. The caller holds s.mu.
func (s *stream) resumable(now time.Duration, keep retention) (number, before uint64) {
	held := s.window()
	skip := max(0, len(held)-keep.events)
	if keep.age > 0 {
		fresh := sort.Search(len(held), func(i int) bool { return held[i].at >= now-keep.age })
		skip = max(skip, fresh)
	}
	if skip == 0 {
		return s.oldest(), s.gone
	}
	return s.oldest() + uint64(skip), held[skip-1].sequence
}

// after returns the number of the first event behind a sequence. The caller holds s.mu.
func (s *stream) after(sequence uint64) uint64 {
	held := s.window()
	skip := sort.Search(len(held), func(i int) bool { return held[i].sequence > sequence })
	return s.oldest() + uint64(skip)
}

// from returns at most limit bytes of consecutive events, at least one, that begin at number. The caller holds s.mu
// and does not keep the result.
func (s *stream) from(number uint64, limit int) []*event {
	held := s.window()
	start := int(number - s.oldest())
	end, size := start, 0
	for end < len(held) && (end == start || size+len(held[end].chunk) <= limit) {
		size += len(held[end].chunk)
		end++
	}
	return held[start:end]
}
