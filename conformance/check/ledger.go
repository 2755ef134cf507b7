package check

import (
	"cmp"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// ledger is what one publisher did: the truth that deliveries are compared with. Numbers count from 1 without a hole. Its
// counters are read by every subscriber; the rest changes only with what the publisher does, and grows only with exceptions.
type ledger struct {
	stream, publisher int32
	joined            bool // it was kept by another shard

	begun atomic.Uint64 // every publish up to here began
	done  atomic.Uint64 // every publish up to here ended, one way or another
	some  atomic.Bool   // there are exceptions

	mu         sync.Mutex
	early      []ended     // publishes that ended before one with a lower number did
	exceptions []exception // ended publishes that nothing is owed for, ascending and disjoint
	clock      clock
	sizes      sizes
}

// exception is a range of publishes, lo to hi−1, that were not acknowledged.
type exception struct {
	lo, hi   uint64
	rejected bool // else indeterminate
}

type ended struct {
	number  uint64
	outcome history.Acked
}

func (l *ledger) publish(o *history.Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.Number > l.begun.Load() {
		l.begun.Store(o.Number)
	}
	l.clock.sent(o.At, o.Due, o.Number)
	l.sizes.publish(o.Number, o.Size)
}

func (l *ledger) ack(o *history.Observation) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.Number != l.done.Load()+1 {
		l.early = append(l.early, ended{o.Number, o.Acked})
		return
	}
	l.end(o.Number, o.Acked)
	if len(l.early) > 0 {
		l.catchUp()
	}
	l.clock.acked(o.At, l.done.Load())
}

// catchUp ends what ended early and has its turn now.
func (l *ledger) catchUp() {
	slices.SortStableFunc(l.early, func(a, b ended) int { return cmp.Compare(a.number, b.number) })
	n := 0
	for n < len(l.early) && l.early[n].number <= l.done.Load()+1 {
		if e := l.early[n]; e.number == l.done.Load()+1 {
			l.end(e.number, e.outcome)
		}
		n++
	}
	l.early = slices.Delete(l.early, 0, n)
}

// end notes that publish n ended. An exception is noted before the counter moves on, for whoever reads the counter first.
func (l *ledger) end(n uint64, outcome history.Acked) {
	if outcome != history.Acknowledged {
		l.except(n, n+1, outcome == history.Rejected)
	}
	l.done.Store(n)
}

// except notes that nothing is owed for the publishes lo to hi−1.
func (l *ledger) except(lo, hi uint64, rejected bool) {
	if last := len(l.exceptions) - 1; last >= 0 && l.exceptions[last].hi == lo && l.exceptions[last].rejected == rejected {
		l.exceptions[last].hi = hi
		return
	}
	l.exceptions = append(l.exceptions, exception{lo, hi, rejected})
	l.some.Store(true)
}

// close makes every publish without an end indeterminate. After it the ledger does not change.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	begun := l.begun.Load()
	for l.catchUp(); l.done.Load() < begun; l.catchUp() {
		next := begun + 1
		if len(l.early) > 0 {
			next = min(next, l.early[0].number)
		}
		l.except(l.done.Load()+1, next, false)
		l.done.Store(next - 1)
	}
	l.early = nil
}

// acknowledged counts the acknowledged publishes among lo to hi−1.
func (l *ledger) acknowledged(lo, hi uint64) uint64 {
	hi = min(hi, l.done.Load()+1)
	if lo >= hi {
		return 0
	}
	n := hi - lo
	if !l.some.Load() {
		return n
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.exceptions {
		if a, b := max(lo, e.lo), min(hi, e.hi); a < b {
			n -= b - a
		}
	}
	return n
}

// firstAcknowledged is the first acknowledged number among lo to hi−1; 0: there is none.
func (l *ledger) firstAcknowledged(lo, hi uint64) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.exceptions {
		if lo >= e.lo && lo < e.hi {
			lo = e.hi
		}
	}
	if lo >= min(hi, l.done.Load()+1) {
		return 0
	}
	return lo
}

// newest is the highest acknowledged number; 0: there is none.
func (l *ledger) newest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.done.Load()
	for i := len(l.exceptions) - 1; i >= 0 && l.exceptions[i].hi == n+1; i-- {
		n = l.exceptions[i].lo - 1
	}
	return n
}

func (l *ledger) ackedBefore(t time.Duration) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.ackedBefore(t)
}

func (l *ledger) sentBefore(n uint64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.sentBefore(n)
}

func (l *ledger) sentBy(t time.Duration) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.sentBy(t)
}

// clock remembers roughly when which number was sent and acknowledged, in at most maxTicks steps: when they are used up it
// keeps every second one. It answers on the side that favours the target.
type clock struct {
	every time.Duration
	ticks []tick
}

type tick struct {
	at          time.Duration
	due         time.Duration // when the first message sent in it was due
	sent, acked uint64        // highest numbers by then
}

const (
	maxTicks   = 2048
	firstEvery = 50 * time.Millisecond
)

func (c *clock) sent(at, due time.Duration, n uint64) {
	t := c.step(at)
	if t.sent == sentBeforeLast(c.ticks) {
		t.due = due
	}
	t.sent = n
}

// sentBeforeLast is what had been sent before the last tick.
func sentBeforeLast(ticks []tick) uint64 {
	if len(ticks) < 2 {
		return 0
	}
	return ticks[len(ticks)-2].sent
}

func (c *clock) acked(at time.Duration, n uint64) { c.step(at).acked = n }

// step returns the tick for something that happens at that time. A tick's time is that of the first thing in it.
func (c *clock) step(at time.Duration) *tick {
	c.every = max(c.every, firstEvery)
	last := len(c.ticks) - 1
	if last >= 0 && at < c.ticks[last].at+c.every {
		return &c.ticks[last]
	}
	next := tick{at: at}
	if last >= 0 {
		next.sent, next.acked = c.ticks[last].sent, c.ticks[last].acked
	}
	if len(c.ticks) == maxTicks {
		c.thin()
	}
	c.ticks = append(c.ticks, next)
	return &c.ticks[len(c.ticks)-1]
}

// thin joins neighbours until at most half of the ticks are left: the earlier one's time, the later one's numbers. What a tick
// tells of happened less than every after its time, and so it stays: the later one began at most half of that after the earlier one.
func (c *clock) thin() {
	for len(c.ticks) > maxTicks/2 {
		c.every *= 2
		joined := c.ticks[:1]
		for _, t := range c.ticks[1:] {
			if last := &joined[len(joined)-1]; t.at <= last.at+c.every/2 {
				if last.sent == sentBeforeLast(joined) {
					last.due = t.due
				}
				last.sent, last.acked = t.sent, t.acked
			} else {
				joined = append(joined, t)
			}
		}
		c.ticks = joined
	}
}

// end is a time by which tick i was over.
func (c *clock) end(i int) time.Duration {
	end := c.ticks[i].at + c.every
	if i+1 < len(c.ticks) {
		end = min(end, c.ticks[i+1].at)
	}
	return end
}

// ackedBefore returns a number that was surely acknowledged before t, the highest it knows of.
func (c *clock) ackedBefore(t time.Duration) uint64 {
	for i := len(c.ticks) - 1; i >= 0; i-- {
		if c.end(i) <= t {
			return c.ticks[i].acked
		}
	}
	return 0
}

// sentBefore returns a time before which number n was surely sent.
func (c *clock) sentBefore(n uint64) time.Duration {
	i, _ := slices.BinarySearchFunc(c.ticks, n, func(k tick, n uint64) int { return cmp.Compare(k.sent, n) })
	if i == len(c.ticks) {
		return math.MaxInt64
	}
	return c.end(i)
}

// sentBy returns a number such that no higher one was sent by t.
func (c *clock) sentBy(t time.Duration) uint64 {
	i, _ := slices.BinarySearchFunc(c.ticks, t, func(k tick, t time.Duration) int {
		if k.at <= t {
			return -1
		}
		return 1
	})
	if i == 0 {
		return 0
	}
	return c.ticks[i-1].sent
}
