package check

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// order is what all subscribers together have said of the order of one stream that several publish to. Each message received
// directly after another is an edge; the subscribers agree on one order exactly while the edges form no cycle.
//
// The edges are kept in a topological order that grows with them (Pearce and Kelly, "A Dynamic Topological Sort Algorithm for
// Directed Acyclic Graphs", 2006), so that an edge which agrees costs next to nothing: no lock when it is known, a comparison of two
// ranks when it is not. Only the newest messages of each publisher are remembered. Shards compare their own subscribers.
type order struct {
	window uint64
	rings  [][]message // by publisher

	mu  sync.Mutex
	top int64
}

// message is a node. Beside what is atomic it is guarded by its order's lock.
type message struct {
	number atomic.Uint64
	next   atomic.Pointer[ref] // a successor that is known: the first one seen
	rank   int64
	after  []ref
	before []ref
}

// ref names a message of one stream.
type ref struct {
	publisher int32
	number    uint64
}

const (
	maxWindow   = 4096
	orderBudget = 1 << 16 // messages remembered, all publishers together
)

// newOrders returns one order per stream that needs one; nil when none does.
func newOrders(c *Config) []*order {
	most := int32(0)
	for stream := range c.Streams {
		most = max(most, c.PublishersOf(stream))
	}
	if most < 2 || !c.Target.TotalOrder || !c.Expect.wants(ordered.Name) {
		return nil
	}
	window := uint64(min(max(orderBudget/c.allPublishers(), 64), maxWindow))
	orders := make([]*order, len(c.Streams))
	for stream := range orders {
		if n := c.PublishersOf(stream); n > 1 {
			o := &order{window: window, rings: make([][]message, n)}
			for i := range o.rings {
				o.rings[i] = make([]message, window)
			}
			orders[stream] = o
		}
	}
	return orders
}

// follow compares a delivery's place with everyone else's. Repetitions and late arrivals have names of their own and say nothing here.
func (j *Judge) follow(s *subscriber, o *history.Observation) {
	all := j.orders[o.Stream]
	if all == nil {
		return
	}
	streams := j.cfg.Subscribers[o.Subscriber-j.cfg.First].Streams
	if s.trail == nil {
		s.trail = &trail{last: make([]ref, len(streams))}
	}
	last := &s.trail.last[slices.Index(streams, o.Stream)]
	previous, current := *last, ref{o.Publisher, o.Number}
	*last = current
	if previous.number == 0 || all.agrees(previous, current) {
		return
	}
	j.report(Divergent, o, func() Example {
		return Example{
			Text: fmt.Sprintf("message %d of publisher %d arrived directly after message %d of publisher %d, other subscribers received them the other way round",
				current.number, current.publisher, previous.number, previous.publisher),
			Expected: "one order for all subscribers of the stream",
			Actual:   "an order that contradicts the others'",
		}
	})
}

// trail is the message that a subscriber received last of each stream it follows.
type trail struct{ last []ref }

// agrees says whether b directly after a fits with all that was said before, and remembers it if so.
func (o *order) agrees(a, b ref) bool {
	if known := o.slot(a); known.number.Load() == a.number {
		if next := known.next.Load(); next != nil && *next == b {
			return true
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	from := o.enter(a)
	to := o.enter(b)
	if from == nil || to == nil || slices.Contains(from.after, b) {
		return true
	}
	if from.rank > to.rank && !o.reorder(a, b, from, to) {
		return false
	}
	from.after = append(from.after, b)
	to.before = append(to.before, a)
	from.next.CompareAndSwap(nil, &b)
	return true
}

func (o *order) slot(r ref) *message { return &o.rings[r.publisher][r.number%o.window] }

// find returns r's node; nil: it was forgotten.
func (o *order) find(r ref) *message {
	if m := o.slot(r); m.number.Load() == r.number {
		return m
	}
	return nil
}

// enter returns r's node, a new one at the end when r is new; nil: r is older than what is remembered.
func (o *order) enter(r ref) *message {
	m := o.slot(r)
	switch number := m.number.Load(); {
	case number == r.number:
		return m
	case number > r.number:
		return nil
	}
	o.top++
	m.next.Store(nil)
	m.rank, m.after, m.before = o.top, nil, nil
	m.number.Store(r.number)
	return m
}

// reorder makes room for the edge a→b where b's rank is the lower one: what b leads to moves behind what leads to a, within the
// ranks that they have together. It is impossible, and nothing changes, when b leads to a.
func (o *order) reorder(a, b ref, from, to *message) bool {
	forward := o.reach(b, func(m *message) []ref { return m.after }, func(m *message) bool { return m.rank <= from.rank })
	if slices.Contains(forward, a) {
		return false
	}
	backward := o.reach(a, func(m *message) []ref { return m.before }, func(m *message) bool { return m.rank >= to.rank })
	moved := append(o.byRank(backward), o.byRank(forward)...)
	ranks := make([]int64, len(moved))
	for i, m := range moved {
		ranks[i] = m.rank
	}
	slices.Sort(ranks)
	for i, m := range moved {
		m.rank = ranks[i]
	}
	return true
}

// reach lists what can be reached from start along edges, among the nodes within bounds.
func (o *order) reach(start ref, edges func(*message) []ref, within func(*message) bool) []ref {
	seen := map[ref]bool{start: true}
	found := []ref{start}
	for i := 0; i < len(found); i++ {
		for _, r := range edges(o.find(found[i])) {
			if m := o.find(r); m != nil && !seen[r] && within(m) {
				seen[r] = true
				found = append(found, r)
			}
		}
	}
	return found
}

func (o *order) byRank(refs []ref) []*message {
	nodes := make([]*message, len(refs))
	for i, r := range refs {
		nodes[i] = o.find(r)
	}
	slices.SortFunc(nodes, func(a, b *message) int { return int(a.rank - b.rank) })
	return nodes
}
