package check

import (
	"math"
	"sync/atomic"
	"time"
)

// subscriber is the fold of one subscriber's connections. Its own goroutine alone changes it; while nothing was ever wrong with
// its connection it is only this struct and one fold per stream and publisher.
type subscriber struct {
	folds   []fold
	trouble *trouble // nil until its connection is lost or refused for the first time
	trail   *trail   // only where several publish to a stream it follows

	heard   time.Duration // when something last arrived on the open connection; silent: there is none
	served  time.Duration // when a message last arrived
	expires time.Duration // when the token of the open connection expires; 0: not known
	steady  time.Duration // since when the connection has been open without a disturbance of ours
	began   time.Duration // when the connection was opened

	position uint64 // hash of the last event id it received; 0: none
	latest   uint64 // number of the message that carried it; 0: it was another event
	lastFold int32  // whose message that was
	largest  int32  // bytes of the largest message that arrived whole

	connection int32
	damage     int32 // messages that came too damaged to know their number and no hole has been explained with yet
	lasting    int16 // faults of ours on its connections that go on until they are lifted
	passing    int16 // those that end with the connection
	slows      int16 // reasons to read slowly that hold now
	live       int16 // open connections
	atFirst    bool  // the connection is open and no event came yet
	fed        bool  // a message that was owed has arrived on the connection
	opened     bool  // it was connected at least once
	ready      bool  // it was ready at least once
	loose      bool  // messages without an id came after the last one with an id
	touched    bool  // disturbed or slow at any time: no bystander
	wasSlow    bool
	final      bool        // the run ended its last connection
	gone       atomic.Bool // its subscription ended for good
	lazy       atomic.Bool // it is not expected to have caught up: it reads slowly
}

const silent = time.Duration(-1)

// trouble is what a subscriber that lost a connection needs to remember.
type trouble struct {
	lost      time.Duration // when the connection was lost; silent: it is back
	closed    time.Duration // when its last connection ended
	undone    time.Duration // when its last connection or attempt ended
	low, high time.Duration // bounds of the delay it announced; high is silent: none announced
	slowEnd   time.Duration // when it last began to read normally again
	rate      int64         // bytes per second at which it reads slowly; 0: not known
	gapFrom   time.Duration // the loss that the open resume gap is counted from
	lifted    time.Duration // when a fault of ours was lifted from it
	behind    int32         // folds that have not caught up
	calm      bool          // the connection was undisturbed when it ended
	dead      bool          // it had gone silent, and did not end by itself
	restless  bool          // it disturbs the calm of the run
	way       way           // back, since it was lost
	stop      bool          // the last answer was that there is nothing to come back for
	stalledTo time.Duration // when the last stall ended
	first     uint64        // deliveries owed on its first connection
	reached   uint64        // bits of the steps that were seen to take effect on it by the ends of its connections
	committed []uint64      // while loose: the highest number of each fold that the position covers
}

func (s *subscriber) troubled() *trouble {
	if s.trouble == nil {
		s.trouble = &trouble{lost: silent, high: silent, slowEnd: silent, first: math.MaxUint64, way: way{ready: silent}}
	}
	return s.trouble
}

// away says whether it lost its connection and did not come back.
func (s *subscriber) away() bool {
	return s.trouble != nil && s.trouble.lost != silent && s.live == 0 && !s.final
}

func (s *subscriber) slow() bool { return s.slows > 0 }

// disturbed says whether the harness itself stands in the way of what should arrive.
func (s *subscriber) disturbed() bool { return s.lasting > 0 || s.passing > 0 || s.slow() }

// fold returns the fold of a ledger; nil: the subscriber does not follow that stream. Folds ascend by ledger.
func (s *subscriber) fold(ledger int32) (int32, *fold) {
	lo, hi := 0, len(s.folds)
	for hi-lo > 8 {
		if mid := (lo + hi) / 2; s.folds[mid].ledger > ledger {
			hi = mid
		} else {
			lo = mid
		}
	}
	for i := lo; i < hi; i++ {
		if s.folds[i].ledger == ledger {
			return int32(i), &s.folds[i]
		}
	}
	return -1, nil
}

// commit notes what the position that the subscriber holds covers, when a message without an id is about to make it older than
// what was received.
func (s *subscriber) commit() {
	s.loose = true
	t := s.troubled()
	t.committed = make([]uint64, len(s.folds))
	for i := range s.folds {
		t.committed[i] = s.folds[i].received()
	}
}

// received is the highest number received; 0: none.
func (f *fold) received() uint64 {
	if f.low == 0 {
		return 0
	}
	return f.next.Load() - 1
}

// owedSoFar counts the messages from the first that was owed to the newest that was received.
func (s *subscriber) owedSoFar() (n uint64) {
	for i := range s.folds {
		if from, next := s.folds[i].from.Load(), s.folds[i].next.Load(); from != 0 && next > from {
			n += next - from
		}
	}
	return n
}
