package check

import (
	"sort"
	"time"
)

// due is about when message n was due, to the length of the clock's ticks; the time until the next tick is shared out evenly.
func (c *clock) due(n uint64) time.Duration {
	i := sort.Search(len(c.ticks), func(i int) bool { return c.ticks[i].sent >= n })
	if i == len(c.ticks) {
		return 0
	}
	first, share := c.share(i)
	switch {
	case i+1 < len(c.ticks) && c.ticks[i+1].due > c.ticks[i].due:
		share = min(share, float64(c.ticks[i+1].due-c.ticks[i].due)/float64(c.ticks[i].sent-first+1))
	case i > 0: // the last one is shorter than the others
		_, before := c.share(i - 1)
		share = min(share, before)
	}
	return c.ticks[i].due + time.Duration(float64(n-first)*share)
}

// share is the first number sent in tick i, and what of the tick's length each number has.
func (c *clock) share(i int) (first uint64, each float64) {
	first = 1
	if i > 0 {
		first = c.ticks[i-1].sent + 1
	}
	return first, float64(c.every) / float64(max(c.ticks[i].sent+1, first+1)-first)
}

func (l *ledger) due(n uint64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clock.due(n)
}

// dues tells of one publisher which messages were due in which step, and how many of these were acknowledged.
type dues struct {
	first []uint64 // the first number due in the step or later; one more at the end
	acked []uint64
}

func newDues(l *ledger, step time.Duration, steps int) *dues {
	d := &dues{first: make([]uint64, steps+1), acked: make([]uint64, steps)}
	end := l.begun.Load() + 1
	l.mu.Lock()
	for i := 1; i < steps; i++ {
		from, at := d.first[i-1], time.Duration(i)*step
		reach := min(uint64(1), end-from) // doubled until the answer is within it, since one step holds few of all messages
		for from+reach < end && l.clock.due(from+reach) < at {
			reach = min(2*reach, end-from)
		}
		d.first[i] = from + uint64(sort.Search(int(reach), func(k int) bool { return l.clock.due(from+uint64(k)) >= at }))
	}
	l.mu.Unlock()
	d.first[steps] = end
	for i := range d.acked {
		d.acked[i] = l.acknowledged(d.first[i], d.first[i+1])
	}
	return d
}

// lostDue notes when the messages lo to hi−1, which never came, were due.
func (m *summing) lostDue(l *ledger, lo, hi uint64) {
	d := m.dues[l]
	if d == nil {
		d = newDues(l, m.step, len(m.tally.LostByStep))
		m.dues[l] = d
	}
	i := max(sort.Search(len(d.first), func(i int) bool { return d.first[i] > lo })-1, 0)
	for ; i < len(d.acked) && d.first[i] < hi; i++ {
		if lo <= d.first[i] && d.first[i+1] <= hi {
			m.tally.LostByStep[i] += int64(d.acked[i])
		} else {
			m.tally.LostByStep[i] += int64(l.acknowledged(max(lo, d.first[i]), min(hi, d.first[i+1])))
		}
	}
}
