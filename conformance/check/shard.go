package check

import (
	"fmt"
	"slices"
	"time"
)

// LedgerState is what one publisher did, as plain data: what a shard with publishers tells the shards with their subscribers.
type LedgerState struct {
	Stream     int32         `json:"stream"`
	Publisher  int32         `json:"publisher"`
	Begun      uint64        `json:"begun"`
	Exceptions []Exception   `json:"exceptions,omitempty"`
	Every      time.Duration `json:"every"`
	Ticks      []Tick        `json:"ticks"`
	Size       uint32        `json:"size,omitempty"`  // of all messages, in bytes
	Sizes      []uint32      `json:"sizes,omitempty"` // of each, where they differ
	Unsized    bool          `json:"unsized,omitempty"`
}

// Exception is a range of publishes, From to Before−1, that were not acknowledged.
type Exception struct {
	From     uint64 `json:"from"`
	Before   uint64 `json:"before"`
	Rejected bool   `json:"rejected,omitempty"` // else indeterminate
}

// Tick is how far a publisher was at one time.
type Tick struct {
	At    time.Duration `json:"at"`
	Due   time.Duration `json:"due"` // of the first message sent in it
	Sent  uint64        `json:"sent"`
	Acked uint64        `json:"acked"`
}

// Ledgers returns what the publishers of this shard did. They must have ended.
func (j *Judge) Ledgers() []LedgerState {
	var states []LedgerState
	for i := range j.ledgers {
		l := &j.ledgers[i]
		if l.begun.Load() == 0 || l.joined {
			continue
		}
		l.close()
		s := LedgerState{Stream: l.stream, Publisher: l.publisher, Begun: l.begun.Load(), Every: l.clock.every, Size: l.sizes.all, Sizes: l.sizes.list, Unsized: l.sizes.lost}
		for _, e := range l.exceptions {
			s.Exceptions = append(s.Exceptions, Exception{e.lo, e.hi, e.rejected})
		}
		for _, t := range l.clock.ticks {
			s.Ticks = append(s.Ticks, Tick{t.at, t.due, t.sent, t.acked})
		}
		states = append(states, s)
	}
	return states
}

// Join takes what publishers of another shard did. It must be called before Tally.
func (j *Judge) Join(states []LedgerState) error {
	for _, s := range states {
		_, l := j.ledger(s.Stream, s.Publisher)
		if l == nil {
			return fmt.Errorf("joining a ledger: stream %d has no publisher %d", s.Stream, s.Publisher)
		}
		if l.begun.Load() > 0 {
			return fmt.Errorf("joining a ledger: publisher %d of stream %d belongs to two shards", s.Publisher, s.Stream)
		}
		l.joined = true
		l.begun.Store(s.Begun)
		l.done.Store(s.Begun)
		for _, e := range s.Exceptions {
			l.exceptions = append(l.exceptions, exception{e.From, e.Before, e.Rejected})
		}
		l.some.Store(len(l.exceptions) > 0)
		l.clock.every = s.Every
		l.sizes = sizes{all: s.Size, list: s.Sizes, lost: s.Unsized}
		l.clock.ticks = slices.Grow(l.clock.ticks, len(s.Ticks))
		for _, t := range s.Ticks {
			l.clock.ticks = append(l.clock.ticks, tick{t.At, t.Due, t.Sent, t.Acked})
		}
	}
	return nil
}
