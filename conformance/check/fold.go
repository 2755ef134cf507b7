package check

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// fold is what one subscriber has received from one publisher of one stream. While all is well it is only this struct.
//
// Its subscriber's goroutine alone changes it. What Judge.Outstanding reads meanwhile is atomic, or in odd under its lock.
//
// A message is received for the first time exactly if its number is ≥ next, or lies in a hole, or is below low; otherwise it is
// a repetition. This holds since low is the lowest number of the subscription that was received or owed when the first one
// came, next follows the highest received, and every number between them is either received or in a hole.
type fold struct {
	from   atomic.Uint64 // the first number owed; 0: the subscription is not ready
	next   atomic.Uint64 // one more than the highest received; before the first, equal to from
	low    uint64        // see above; 0: nothing received
	odd    atomic.Pointer[odd]
	ledger int32
	on     int32         // the connection on which the highest was received
	at     time.Duration // when; 0: nothing received
}

// odd holds what most folds never need.
type odd struct {
	mu    sync.Mutex // Outstanding reads holes; everything else belongs to the subscriber
	holes holes
	spans []span // subscriptions that have ended, where the target does not resume

	atSeam    bool    // resumed, and nothing beyond the position has come yet
	announced bool    // the target said that it cannot continue from the position
	position  uint64  // highest number that the position asked for covers; 0: none
	replay    uint64  // repetitions from here on are right once, since the position was older; 0: none are
	kept      uint64  // the first number that the target's history had to hold when it was asked to resume; 0: all
	caughtUp  uint64  // one more than the last message of the resume gap; 0: no gap is open
	given     []given // what was missing in holes that were given up to bound memory
}

// given counts the missing numbers of one reason in holes that were given up.
type given struct {
	why reason
	n   uint64
}

// maxHoles bounds the holes of one fold. Beyond it the older half is given up: what is missing there counts as missing
// for good, and would be called duplicated if it came after all.
const maxHoles = 1024

// bound gives holes up when there are too many. missing counts what is owed in one.
func (o *odd) bound(missing func(hole) uint64) {
	if len(o.holes) <= maxHoles {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.holes[:maxHoles/2] {
		i := slices.IndexFunc(o.given, func(g given) bool { return g.why == h.why })
		if i < 0 {
			i = len(o.given)
			o.given = append(o.given, given{why: h.why})
		}
		o.given[i].n += missing(h)
	}
	o.holes = slices.Delete(o.holes, 0, maxHoles/2)
}

// span is a subscription that has ended: what was owed, from to upto, and what was received, low to next−1, less the holes.
type span struct {
	from, upto uint64
	low, next  uint64
	holes      holes
}

func (f *fold) unusual() *odd {
	o := f.odd.Load()
	if o == nil {
		o = new(odd)
		f.odd.Store(o)
	}
	return o
}

// arrival says what a delivery was to its fold.
type arrival uint8

const (
	advanced arrival = iota // the first of its number, above all others
	filled                  // the first of its number, after a higher one
	repeated                // not the first of its number
)

// receive folds number n in. The hole that an advance opens is the caller's to explain: why is asked once, with its bounds.
func (f *fold) receive(n uint64, explain func(lo, hi uint64) []hole) arrival {
	next := f.next.Load()
	switch {
	case f.low == 0:
		f.low = n
		if from := f.from.Load(); from != 0 && from < n {
			f.low = from
			f.open(explain(from, n))
		}
		f.next.Store(n + 1)
		return advanced
	case n >= next:
		if n > next {
			f.open(explain(next, n))
		}
		f.next.Store(n + 1)
		return advanced
	case n < f.low:
		f.open([]hole{{lo: n + 1, hi: f.low}})
		f.low = n
		return filled
	case f.fill(n):
		return filled
	}
	return repeated
}

func (f *fold) open(hs []hole) {
	o := f.unusual()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range hs {
		o.holes.open(h)
	}
}

func (f *fold) fill(n uint64) bool {
	o := f.odd.Load()
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holes.fill(n)
}

// end ends the subscription: what is owed of it goes up to upto, and the next one starts with nothing.
func (f *fold) end(upto uint64, connection int32) {
	from, next := f.from.Load(), f.next.Load()
	o := f.unusual()
	o.mu.Lock()
	defer o.mu.Unlock()
	if owed := from != 0 && upto >= from; owed || f.low != 0 {
		s := span{from: from, upto: upto, low: f.low, next: next, holes: o.holes}
		if tail := max(next, from); owed && tail <= upto {
			s.holes.open(hole{lo: tail, hi: upto + 1, connection: connection, why: last, before: f.latest()})
		}
		o.spans = append(o.spans, s)
	}
	o.holes, o.atSeam, o.announced, o.position, o.replay, o.kept, o.caughtUp = nil, false, false, 0, 0, 0, 0
	f.low, f.at = 0, 0
	f.from.Store(0)
	f.next.Store(0)
}

// outstanding counts what is owed of the subscription that goes on, and what of it has not arrived. Where lazy, the tail is
// not asked for.
func (f *fold) outstanding(l *ledger, lazy bool) (owed, missing uint64) {
	from := f.from.Load()
	if from == 0 {
		return 0, 0
	}
	next, done := f.next.Load(), l.done.Load()
	if lazy {
		done = min(done, next-1)
	}
	owed = l.acknowledged(from, done+1)
	missing = l.acknowledged(max(next, from), done+1)
	if o := f.odd.Load(); o != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		for _, h := range o.holes {
			n := l.acknowledged(max(h.lo, from), min(h.hi, done+1))
			if h.why&unowed != 0 {
				owed -= min(owed, n)
			} else {
				missing += n
			}
		}
	}
	return owed, missing
}

// upToDate says whether nothing newer than what was received is owed.
func (f *fold) upToDate(l *ledger) bool {
	from, n := f.from.Load(), l.newest()
	return from == 0 || n < from || n < f.next.Load()
}
