package conformance

import (
	"slices"
	"sort"
	"sync"
	"time"
)

// HeldUp is for how long at most other programs of this machine kept the harness, and the subject where it runs here too, from a processor
// within any period of a length.
type HeldUp struct {
	Within Duration `json:"within"`
	P50    float64  `json:"p50_ms"` // over all periods
	P99    float64  `json:"p99_ms"`
	Max    float64  `json:"max_ms"`
}

// HeldUp is how far other programs may have moved a figure: a median by as much as is usual, a high percentile and a maximum by the most, within
// a period of twice the figure, since what came meanwhile has to be worked off, too. A percentile of 0 is a maximum.
func (h *Health) HeldUp(figure time.Duration, percent float64) time.Duration {
	i := sort.Search(len(h.Contention), func(i int) bool { return time.Duration(h.Contention[i].Within) >= 2*figure })
	if len(h.Contention) == 0 {
		return 0
	}
	c := h.Contention[min(i, len(h.Contention)-1)]
	ms := c.Max
	switch {
	case percent == 0:
	case percent < 90:
		ms = c.P50
	case percent < 99:
		ms = c.P99
	}
	return time.Duration(ms * float64(time.Millisecond))
}

// MostHeldUp is the worse of two accounts, period by period.
func MostHeldUp(a, b []HeldUp) []HeldUp {
	if len(a) != len(b) {
		if len(a) > len(b) {
			return a
		}
		return b
	}
	most := slices.Clone(a)
	for i := range most {
		most[i].P50, most[i].P99, most[i].Max = max(a[i].P50, b[i].P50), max(a[i].P99, b[i].P99), max(a[i].Max, b[i].Max)
	}
	return most
}

// spent is what the processors of this machine were used for by a moment, since whenever.
type spent struct {
	at     time.Time
	idle   time.Duration // of all processors together
	busy   time.Duration
	others time.Duration // what neither the harness nor the subject used
	waited time.Duration // what a thread of each waited for one, though it could have run
	blind  bool          // that cannot be seen
}

// Contention follows how far other programs hold up the harness and the subject beside it: for no longer than both wait for a processor,
// no longer than others use one, and only while none is free. What the subject waits for because of itself is not among it.
type Contention struct {
	read     func() (s spent, known bool)
	looking  sync.Mutex // held by who reads
	watchers int        // guarded by looking

	mu    sync.Mutex
	last  spent
	marks []mark // a ring, once it is full
	n     int
	worst [len(contentionPeriods)]extent
}

// mark is the sum of all that was by then.
type mark struct {
	at                      time.Time
	waited, others, crowded time.Duration
}

// extent is how often each share of a period was lost, and the longest loss.
type extent struct {
	shares [101]uint32
	max    time.Duration
}

// contentionEvery is how often it is looked: the system tells times in hundredths of a second.
const contentionEvery = 100 * time.Millisecond

const contentionMarks = 1 << 14 // half an hour, after which the oldest are overwritten

var contentionPeriods = [...]time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second}

// Watch looks on until it is over. Several may watch: one of them looks each time.
func (c *Contention) Watch(over <-chan struct{}) {
	if c == nil {
		return
	}
	c.arrive()
	defer c.leave()
	ticker := time.NewTicker(contentionEvery)
	defer ticker.Stop()
	for {
		if c.looking.TryLock() {
			if s, known := c.due(); known {
				c.note(s)
			}
			c.looking.Unlock()
		}
		select {
		case <-over:
			return
		case <-ticker.C:
		}
	}
}

// arrive notes one who watches. What was before the first one came, while nobody looked, counts for nobody.
func (c *Contention) arrive() {
	c.looking.Lock()
	defer c.looking.Unlock()
	c.watchers++
	if c.watchers > 1 {
		return
	}
	if s, known := c.read(); known {
		c.mu.Lock()
		c.last = s
		c.mu.Unlock()
		c.note(s)
	}
}

func (c *Contention) leave() {
	c.looking.Lock()
	defer c.looking.Unlock()
	c.watchers--
}

// due reads unless somebody just did. The lock looking is held.
func (c *Contention) due() (s spent, known bool) {
	c.mu.Lock()
	last := c.last.at
	c.mu.Unlock()
	if time.Since(last) < contentionEvery/2 {
		return s, false
	}
	return c.read()
}

func (c *Contention) note(s spent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.marks == nil {
		c.marks, c.last = make([]mark, contentionMarks), s
	}
	passed := s.at.Sub(c.last.at)
	crowded := max(0, passed-(s.idle-c.last.idle)) // less than one processor was free
	others := s.others - c.last.others
	waited := max(0, s.waited-c.last.waited)
	if busy := s.busy - c.last.busy; busy > 0 { // whoever waits, waits for all that run
		waited = time.Duration(float64(waited) * min(1, max(0, float64(others)/float64(busy))))
	}
	if s.blind {
		waited = crowded
	}
	m := mark{at: s.at}
	if c.n > 0 {
		m = *c.mark(c.n - 1)
		m.at, m.waited, m.others, m.crowded = s.at, m.waited+waited, m.others+others, m.crowded+crowded
	}
	c.marks[c.n%contentionMarks] = m
	c.n++
	c.last = s
	for i, period := range contentionPeriods {
		held := c.between(s.at.Add(-period), s.at)
		c.worst[i].shares[min(100, 100*held/period)]++
		c.worst[i].max = max(c.worst[i].max, min(held, period))
	}
}

func (c *Contention) mark(i int) *mark { return &c.marks[i%contentionMarks] }

// between is how long others held up harness and subject from one instant to another. The lock is held.
func (c *Contention) between(from, to time.Time) time.Duration {
	if c.n == 0 {
		return 0
	}
	oldest := max(0, c.n-contentionMarks)
	find := func(at time.Time) int {
		return oldest + sort.Search(c.n-oldest, func(i int) bool { return !c.mark(oldest + i).at.Before(at) })
	}
	first := find(from)
	if first > oldest && (first == c.n || c.mark(first).at.After(from)) {
		first--
	}
	a, b := c.mark(min(first, c.n-1)), c.mark(min(find(to), c.n-1))
	return max(0, min(b.waited-a.waited, b.others-a.others, b.crowded-a.crowded))
}

// sum is how long others held up harness and subject from one instant to another.
func (c *Contention) sum(from, to time.Time) time.Duration {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.between(from, to)
}

// longest is sum over the worst half second between two instants.
func (c *Contention) longest(from, to time.Time) (worst time.Duration) {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	const period = 500 * time.Millisecond
	for at := from.Add(contentionEvery); c.n > 0; at = at.Add(contentionEvery) {
		began := at.Add(-period)
		if began.Before(from) {
			began = from
		}
		if worst = max(worst, c.between(began, at)); !at.Before(to) {
			break
		}
	}
	return worst
}

// leastHeldUp is what is not worth a word.
const leastHeldUp = 10 * time.Millisecond

// HeldUp sums up what was seen; nil is next to nothing.
func (c *Contention) HeldUp() []HeldUp {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.worst[len(contentionPeriods)-1].max < leastHeldUp {
		return nil
	}
	all := make([]HeldUp, len(contentionPeriods))
	for i, period := range contentionPeriods {
		e := &c.worst[i]
		most := milliseconds(e.max)
		all[i] = HeldUp{Within: Duration(period), P50: min(e.quantile(0.5, period), most), P99: min(e.quantile(0.99, period), most), Max: most}
	}
	return all
}

// quantile is in milliseconds.
func (e *extent) quantile(share float64, period time.Duration) float64 {
	var total, seen float64
	for _, n := range e.shares {
		total += float64(n)
	}
	for percent, n := range e.shares {
		if seen += float64(n); seen >= share*total {
			if percent == 0 {
				return 0
			}
			return milliseconds(period * time.Duration(percent+1) / 100)
		}
	}
	return 0
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
