package server

import (
	"fmt"
	"slices"
	"time"
)

// codingDelay is how much later events come in a coding than without one. A flush by a timer delays each event by another time, and a busy
// machine delays some; so several decide, each without what this machine itself may have added.
type codingDelay struct {
	within time.Duration
	beside string // what the delays count from

	took                       []time.Duration
	missing, late, soon, murky int // never came by themselves; later than within for sure; not later; neither
}

// How many events decide: a few where they agree, else more, of which a quarter must not be late.
const (
	fewCoded  = 5
	manyCoded = 16
)

// add notes one event; lag is how late a timer of this process was meanwhile, and each of two connections can be as late.
func (d *codingDelay) add(took, lag time.Duration, came bool) {
	d.took = append(d.took, took)
	switch {
	case !came:
		d.missing++
		d.late++
	case took <= d.within:
		d.soon++
	case took-2*lag > d.within:
		d.late++
	default:
		d.murky++
	}
}

// decided says whether no more events are needed.
func (d *codingDelay) decided() bool {
	n := len(d.took)
	return n >= fewCoded && (d.late == 0 && d.soon >= fewCoded-1 || d.late >= fewCoded) || n >= manyCoded || d.missing > 1
}

func (d *codingDelay) failed() bool {
	return d.missing > 1 || d.late >= fewCoded-1 && 4*d.late >= len(d.took)
}

func (d *codingDelay) unclear() bool { return !d.failed() && d.soon < fewCoded-1 }

func (d *codingDelay) median() time.Duration {
	return slices.Sorted(slices.Values(d.took))[len(d.took)/2]
}

// String says what was seen.
func (d *codingDelay) String() string {
	return fmt.Sprintf("%d of %d events came more than %v after %s, half of all at least %v", len(d.took)-d.soon, len(d.took), d.within, d.beside, shown(d.median()))
}
