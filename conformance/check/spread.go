package check

import (
	"sync/atomic"
	"time"
)

// spread measures the time from the first to the last delivery of each message. It remembers the newest messages of each
// publisher only: a delivery that comes after more than that many newer messages were published is not counted, and shards
// measure each their own subscribers.
type spread struct {
	size  uint64
	slots []slot
	done  histogram
}

type slot struct {
	number      atomic.Uint64
	first, last atomic.Int64 // first is stored as its complement, so that zero means none
}

// spreadSlots bounds the memory of all publishers together: 24 bytes a slot.
const spreadSlots = 1 << 17

func newSpread(publishers int) *spread {
	size := uint64(min(max(spreadSlots/max(publishers, 1), 16), 4096))
	return &spread{size: size, slots: make([]slot, uint64(publishers)*size)}
}

// publish makes room for message n, before anyone can receive it.
func (s *spread) publish(ledger int32, n uint64) {
	slot := &s.slots[uint64(ledger)*s.size+n%s.size]
	s.count(slot)
	slot.first.Store(0)
	slot.last.Store(0)
	slot.number.Store(n)
}

func (s *spread) deliver(ledger int32, n uint64, at time.Duration) {
	slot := &s.slots[uint64(ledger)*s.size+n%s.size]
	if slot.number.Load() != n {
		return
	}
	raise(&slot.last, int64(at))
	lower(&slot.first, int64(at))
}

// count counts a slot that is over.
func (s *spread) count(slot *slot) {
	if first := slot.first.Load(); first != 0 {
		s.done.record(time.Duration(slot.last.Load() - ^first))
		slot.first.Store(0)
	}
}

// snapshot counts all that is left and returns the distribution.
func (s *spread) snapshot() Distribution {
	for i := range s.slots {
		s.count(&s.slots[i])
	}
	return s.done.snapshot()
}
