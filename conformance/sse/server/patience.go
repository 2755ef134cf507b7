package server

import (
	"sync/atomic"
	"time"
)

// patience is how long the cases of a check wait for what must come. Where that was in vain again and again, nobody waits as long any more:
// a subject that holds back what some cases wait for would have each of them wait in full.
type patience struct {
	vain    atomic.Int32 // cases that waited in vain
	longest atomic.Int64 // wait that was not, in nanoseconds
}

const (
	vainStep    = 3               // so many cases halve it
	shortest    = 2 * time.Second // whatever was in vain
	manyTimes   = 4               // as long as what came late is waited for at least
	sameAbsence = 6               // cases are enough to see it, and those that follow need not be tried again
)

// now is what is left of a generous time.
func (p *patience) now(generous time.Duration) time.Duration {
	left := generous >> min(p.vain.Load()/vainStep, 10)
	return min(generous, max(left, shortest, manyTimes*time.Duration(p.longest.Load())))
}

// came notes a wait that was not in vain.
func (p *patience) came(after time.Duration) {
	for known := p.longest.Load(); int64(after) > known && !p.longest.CompareAndSwap(known, int64(after)); {
		known = p.longest.Load()
	}
}

// inVain notes that what must come did not, once for each case.
func (t *Trial) inVain() {
	if t.waited.Swap(true) {
		return
	}
	if t.suite.patience.vain.Add(1) > sameAbsence {
		t.Settled()
	}
}
