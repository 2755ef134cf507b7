package run

import (
	"sync/atomic"
	"time"
)

// Status is a glance at a run under way.
type Status struct {
	Scenario       string
	Phase          string
	Elapsed, Total time.Duration
	Subscribers    int
	Connected      int64
	Published      uint64
	Delivered      uint64
	Reconnects     uint64
	Faults         string // the fault that began last and is not over, "" when none
}

// counters are what a Status is made from. Deliveries are counted in several places so that subscribers do not fight over
// one cache line.
type counters struct {
	began      atomic.Pointer[time.Time]
	phase      atomic.Pointer[string]
	fault      atomic.Pointer[string]
	connected  atomic.Int64
	published  atomic.Uint64
	reconnects atomic.Uint64
	unsent     atomic.Uint64 // messages that were due and never left, since the target was slow to take those before
	deliveries [64]struct {
		atomic.Uint64
		_ [56]byte
	}
}

func (c *counters) dialing(connection int32) {
	if connection > 1 {
		c.reconnects.Add(1)
	}
}

func (c *counters) delivered(subscriber int32) {
	c.deliveries[uint32(subscriber)%uint32(len(c.deliveries))].Add(1)
}

func (c *counters) sum() (n uint64) {
	for i := range c.deliveries {
		n += c.deliveries[i].Load()
	}
	return n
}
