package run

import (
	"errors"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/scenarios/fault"
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
	heads      atomic.Uint64 // of streams, that came
	answers    atomic.Uint64 // to publishes, of whatever status
	pending    atomic.Int64  // publishes and connections that are under way
	turnedOff  atomic.Uint64 // connections at whose address nothing listened
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

// failed notes an attempt to connect that came to nothing.
func (c *counters) failed(l *client.Loss) {
	c.pending.Add(-1)
	switch cause := sse.CauseOf(l.Err); {
	case l.Status != 0:
		c.heads.Add(1)
	case cause == sse.CauseRefused && !errors.Is(l.Err, fault.ErrFault):
		c.turnedOff.Add(1)
	}
}

// answered notes the end of a publish.
func (c *counters) answered(status int, err error) {
	c.pending.Add(-1)
	switch {
	case status != 0:
		c.answers.Add(1)
	case errors.Is(err, syscall.ECONNREFUSED):
		c.turnedOff.Add(1)
	}
}

// signs grows with every sign of life of the target. Comments are none: what sends them may go on when nothing else does.
func (c *counters) signs() uint64 { return c.heads.Load() + c.answers.Load() + c.sum() }

func (c *counters) delivered(subscriber int32) {
	c.deliveries[uint32(subscriber)%uint32(len(c.deliveries))].Add(1)
}

func (c *counters) sum() (n uint64) {
	for i := range c.deliveries {
		n += c.deliveries[i].Load()
	}
	return n
}
