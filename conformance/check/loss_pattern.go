package check

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// LossPattern tells whether the deliveries that were owed and did not arrive have something in common. It is bounded, and the losses
// of shards merge into those of the whole, exactly.
type LossPattern struct {
	Subscribers []StreamLosses `json:"subscribers,omitempty"` // by stream, ascending
	Owed        []MessageSteps `json:"owed,omitempty"`        // to how many subscribers each message was owed
	Missed      []MessageSteps `json:"missed,omitempty"`      // how many of them missed it
	Crowded     bool           `json:"crowded,omitempty"`     // there are too many steps to keep them
	FirstOwed   uint64         `json:"first_owed,omitempty"`  // deliveries owed on a subscriber's first connection
	FirstLost   uint64         `json:"first_lost,omitempty"`  // and lost on it
	Gaps        Gaps           `json:"gaps"`
	Holes       uint64         `json:"holes,omitempty"`    // ranges without a gap, of all subscribers
	Smallest    int64          `json:"smallest,omitempty"` // bytes of the smallest lost message; −1: not known
	Largest     int64          `json:"largest,omitempty"`  // bytes of the largest that arrived at those who lost some
	Odds        float64        `json:"odds,omitempty"`     // how many ways there were to lose so many at one subscriber, as a power of ten; the most
	After       Span           `json:"after"`              // when the lost ones were due, from the beginning of the latest step of the timeline
	Unnamed     bool           `json:"unnamed,omitempty"`  // some were only counted
}

// StreamLosses is who missed something of one stream.
type StreamLosses struct {
	Stream      int32  `json:"stream"`
	Subscribers uint64 `json:"subscribers"`
	Deliveries  uint64 `json:"deliveries"`
}

// MessageSteps counts subscribers for each message of a publisher: By[i] is added from message At[i] on. Who is the same for a hash of
// each subscriber, whose sum tells one set of subscribers from another.
type MessageSteps struct {
	Stream    int32    `json:"stream"`
	Publisher int32    `json:"publisher"`
	At        []uint64 `json:"at"`
	By        []int64  `json:"by"`
	Who       []uint64 `json:"who"`
}

// maxSteps bounds the steps of all publishers together.
const maxSteps = 1 << 15

// Gaps are the distances between one lost message and the next of the same publisher, on one connection of a subscriber.
type Gaps struct {
	N   uint64 `json:"n,omitempty"`
	Min uint64 `json:"min,omitempty"`
	Max uint64 `json:"max,omitempty"`
}

func (g *Gaps) add(n, least, most uint64) {
	if n == 0 {
		return
	}
	if g.N == 0 || least < g.Min {
		g.Min = least
	}
	g.N, g.Max = g.N+n, max(g.Max, most)
}

// Span is a range of times. Outside says that something lies in none.
type Span struct {
	N        uint64        `json:"n,omitempty"`
	From     time.Duration `json:"from,omitempty"`
	Until    time.Duration `json:"until,omitempty"`
	Outside  bool          `json:"outside,omitempty"`
	Earliest time.Duration `json:"earliest,omitempty"` // step that something follows
	Latest   time.Duration `json:"latest,omitempty"`
}

func (s *Span) merge(o Span) {
	s.Outside = s.Outside || o.Outside
	if o.N == 0 {
		return
	}
	if s.N == 0 {
		outside := s.Outside
		*s = o
		s.Outside = outside
		return
	}
	s.N += o.N
	s.From, s.Until = min(s.From, o.From), max(s.Until, o.Until)
	s.Earliest, s.Latest = min(s.Earliest, o.Earliest), max(s.Latest, o.Latest)
}

// Merge adds the losses of another shard.
func (p *LossPattern) Merge(o *LossPattern) {
	for _, s := range o.Subscribers {
		i, found := slices.BinarySearchFunc(p.Subscribers, s.Stream, func(s StreamLosses, stream int32) int { return cmp.Compare(s.Stream, stream) })
		if !found {
			p.Subscribers = slices.Insert(p.Subscribers, i, StreamLosses{Stream: s.Stream})
		}
		p.Subscribers[i].Subscribers += s.Subscribers
		p.Subscribers[i].Deliveries += s.Deliveries
	}
	p.Owed, p.Missed = mergeSteps(p.Owed, o.Owed), mergeSteps(p.Missed, o.Missed)
	p.Crowded = p.Crowded || o.Crowded
	p.bound()
	p.FirstOwed, p.FirstLost = p.FirstOwed+o.FirstOwed, p.FirstLost+o.FirstLost
	p.Holes += o.Holes
	p.Gaps.add(o.Gaps.N, o.Gaps.Min, o.Gaps.Max)
	if p.Smallest == 0 || o.Smallest != 0 && o.Smallest < p.Smallest {
		p.Smallest = o.Smallest
	}
	p.Largest, p.Odds = max(p.Largest, o.Largest), max(p.Odds, o.Odds)
	p.After.merge(o.After)
	p.Unnamed = p.Unnamed || o.Unnamed
}

// bound gives the steps up when there are too many.
func (p *LossPattern) bound() {
	n := 0
	for _, lists := range [][]MessageSteps{p.Owed, p.Missed} {
		for _, l := range lists {
			n += len(l.At)
		}
	}
	if p.Crowded = p.Crowded || n > maxSteps; p.Crowded {
		p.Owed, p.Missed = nil, nil
	}
}

func compareSteps(a, b MessageSteps) int {
	return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Publisher, b.Publisher))
}

// mergeSteps adds two lists up. A step that comes to nothing stays, so that the bound does not depend on the shards.
func mergeSteps(a, b []MessageSteps) []MessageSteps {
	var merged []MessageSteps
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && compareSteps(a[0], b[0]) < 0:
			merged, a = append(merged, a[0]), a[1:]
		case len(a) == 0 || compareSteps(a[0], b[0]) > 0:
			merged, b = append(merged, b[0]), b[1:]
		default:
			sum := steps{}
			sum.addAll(a[0])
			sum.addAll(b[0])
			merged, a, b = append(merged, sum.list(a[0].Stream, a[0].Publisher)), a[1:], b[1:]
		}
	}
	return merged
}

// steps are the steps of one publisher while they are gathered.
type steps map[uint64]step

type step struct {
	by  int64
	who uint64
}

func (s steps) add(at uint64, by int64, who uint64) {
	s[at] = step{s[at].by + by, s[at].who + who}
}

func (s steps) addAll(l MessageSteps) {
	for i, at := range l.At {
		s.add(at, l.By[i], l.Who[i])
	}
}

func (s steps) list(stream, publisher int32) MessageSteps {
	l := MessageSteps{Stream: stream, Publisher: publisher}
	for at := range s {
		l.At = append(l.At, at)
	}
	slices.Sort(l.At)
	for _, at := range l.At {
		l.By, l.Who = append(l.By, s[at].by), append(l.Who, s[at].who)
	}
	return l
}

// gathering collects the losses of a judge's subscribers.
type gathering struct {
	losses  LossPattern
	owed    map[*ledger]steps
	missed  map[*ledger]steps
	streams map[int32]*StreamLosses
	kept    int // steps

	// Of the subscriber that is being summed up:
	who     uint64         // its hash
	lost    map[int32]bool // streams of which it lost something
	n       uint64         // deliveries that it lost
	last    uint64         // newest lost message of the fold
	between *ledger        // whose messages these are
	on      int32          // on which connection
}

func newGathering() *gathering {
	return &gathering{owed: map[*ledger]steps{}, missed: map[*ledger]steps{}, streams: map[int32]*StreamLosses{}}
}

// owe notes that the messages lo to hi−1 were owed to a subscriber, and forgive that they were not after all.
func (g *gathering) owe(l *ledger, lo, hi uint64)     { g.step(g.owed, l, lo, hi, 1) }
func (g *gathering) forgive(l *ledger, lo, hi uint64) { g.step(g.owed, l, lo, hi, -1) }

func (g *gathering) step(of map[*ledger]steps, l *ledger, lo, hi uint64, by int64) {
	if g.kept > maxSteps || lo >= hi {
		return
	}
	s := of[l]
	if s == nil {
		s = steps{}
		of[l] = s
	}
	before := len(s)
	who := uint64(by) * g.who
	s.add(lo, by, who)
	s.add(hi, -by, -who)
	g.kept += len(s) - before
}

// lose notes that a subscriber missed the acknowledged ones of the messages lo to hi−1.
func (g *gathering) lose(s *subscriber, l *ledger, h hole, steps []Step) {
	if g.between != l || g.on != h.connection { // who counts deliveries counts those of a connection
		g.between, g.on, g.last = l, h.connection, 0
	}
	for lo, hi := range l.runs(h.lo, h.hi) {
		n := hi - lo
		g.step(g.missed, l, lo, hi, 1)
		if g.last != 0 {
			g.losses.Gaps.add(1, lo-min(lo, g.last), lo-min(lo, g.last))
		}
		g.losses.Gaps.add(n-1, 1, 1)
		g.losses.Holes++
		g.last = hi - 1
		g.n += n
		if h.connection <= 1 {
			g.losses.FirstLost += n
		}
		g.when(l.due(lo), l.due(hi-1), steps)
		of := g.streams[l.stream]
		if of == nil {
			of = &StreamLosses{Stream: l.stream}
			g.streams[l.stream] = of
		}
		of.Deliveries += n
		if g.lost == nil {
			g.lost = map[int32]bool{}
		}
		if !g.lost[l.stream] {
			g.lost[l.stream] = true
			of.Subscribers++
		}
		g.losses.Largest = max(g.losses.Largest, int64(s.largest))
	}
}

// soon is how long before a fault a message can be due that it hits: it was on its way.
const soon = 100 * time.Millisecond

// when notes when lost messages were due, counted from the beginning of the latest step of the timeline.
func (g *gathering) when(first, last time.Duration, timeline []Step) {
	at := time.Duration(-1)
	for _, s := range timeline {
		if s.At <= first+soon {
			at = max(at, s.At)
		}
	}
	if at < 0 {
		g.losses.After.Outside = true
		return
	}
	g.losses.After.merge(Span{N: 1, From: first - at, Until: last - at, Earliest: at, Latest: at})
}

// begin turns to a subscriber.
func (g *gathering) begin(index int32) {
	g.who = hashOf(uint64(index))
	g.lost, g.between, g.last, g.n = nil, nil, 0, 0
}

// hashOf mixes the bits of a number (SplitMix64).
func hashOf(n uint64) uint64 {
	n += 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// end notes how much was owed to the subscriber.
func (g *gathering) end(s *subscriber, owed uint64) {
	if g.n > 0 {
		g.losses.Odds = max(g.losses.Odds, choices(int64(max(owed, g.n)), int64(g.n)))
	}
	if s.trouble != nil {
		owed = min(owed, s.trouble.first)
	}
	g.losses.FirstOwed += owed
}

// result is what was gathered.
func (g *gathering) result(ledgers []ledger) LossPattern {
	p := g.losses
	p.Crowded = g.kept > maxSteps
	for i := range ledgers {
		l := &ledgers[i]
		if s := g.owed[l]; s != nil {
			p.Owed = append(p.Owed, s.list(l.stream, l.publisher))
		}
		if s := g.missed[l]; s != nil {
			list := s.list(l.stream, l.publisher)
			p.Missed = append(p.Missed, list)
			for lo, hi := range list.where() {
				p.smallest(l.sizes.least(lo, hi))
			}
		}
	}
	for _, of := range g.streams {
		p.Subscribers = append(p.Subscribers, *of)
	}
	slices.SortFunc(p.Subscribers, func(a, b StreamLosses) int { return cmp.Compare(a.Stream, b.Stream) })
	p.bound()
	return p
}

func (p *LossPattern) smallest(size int64) {
	if p.Smallest == 0 || size < p.Smallest {
		p.Smallest = size
	}
}

// where are the ranges of messages for which the count is not 0.
func (l *MessageSteps) where() func(yield func(lo, hi uint64) bool) {
	return func(yield func(lo, hi uint64) bool) {
		n := int64(0)
		for i, at := range l.At[:max(len(l.At)-1, 0)] {
			if n += l.By[i]; n != 0 && !yield(at, l.At[i+1]) {
				return
			}
		}
	}
}

// count is the count for message n, and the sum of the hashes.
func (l *MessageSteps) count(n uint64) (count int64, who uint64) {
	for i, at := range l.At {
		if at > n {
			break
		}
		count += l.By[i]
		who += l.Who[i]
	}
	return count, who
}

// runs are the acknowledged ones among the messages lo to hi−1, as ranges.
func (l *ledger) runs(lo, hi uint64) func(yield func(lo, hi uint64) bool) {
	return func(yield func(lo, hi uint64) bool) {
		hi = min(hi, l.done.Load()+1)
		for _, e := range l.exceptions {
			if e.hi <= lo {
				continue
			}
			if e.lo >= hi {
				break
			}
			if lo < e.lo && !yield(lo, e.lo) {
				return
			}
			lo = e.hi
		}
		if lo < hi {
			yield(lo, hi)
		}
	}
}

// sizes are the sizes of a publisher's messages by their numbers, one where all are alike.
type sizes struct {
	all  uint32   // while list is nil
	list []uint32 // of message i+1
	lost bool     // they are not known
}

// maxSizes bounds the messages whose sizes are kept.
const maxSizes = 1 << 20

func (s *sizes) publish(n uint64, size int64) {
	switch {
	case s.lost:
	case n > maxSizes || n == 0 || size > math.MaxUint32:
		if s.list != nil || int64(s.all) != size {
			*s = sizes{lost: true}
		}
	case s.list == nil && (n == 1 || int64(s.all) == size):
		s.all = uint32(size)
	default:
		for s.list == nil || uint64(len(s.list)) < n {
			s.list = append(s.list, s.all)
		}
		s.list[n-1] = uint32(size)
	}
}

// least is the size of the smallest of the messages lo to hi−1, −1 when it is not known.
func (s *sizes) least(lo, hi uint64) int64 {
	switch {
	case s.lost || lo == 0:
		return -1
	case s.list == nil:
		return int64(s.all)
	case hi > uint64(len(s.list))+1:
		return -1
	}
	return int64(slices.Min(s.list[lo-1 : hi-1]))
}
