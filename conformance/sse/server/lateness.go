package server

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// lateness is how much later events come than they were there to be sent. A timer that flushes delays each by another time, and a busy machine
// delays some; so several decide, each without what this machine itself may have added.
type lateness struct {
	within time.Duration
	beside string // what the delays count from

	took                       []time.Duration
	missing, late, soon, murky int // never came by themselves; later than within for sure; not later; neither
}

// How many events decide: a few where they agree, else more, of which a quarter must not be late.
const (
	fewLate  = 5
	manyLate = 16
)

// add notes one event; lag is how late a timer of this process was meanwhile, and each of two ends can be as late.
func (d *lateness) add(took, lag time.Duration, came bool) {
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
func (d *lateness) decided() bool {
	n := len(d.took)
	return n >= fewLate && (d.late == 0 && d.soon >= fewLate-1 || d.late >= fewLate) || n >= manyLate || d.missing > 1
}

func (d *lateness) failed() bool {
	return d.missing > 1 || d.late >= fewLate-1 && 4*d.late >= len(d.took)
}

func (d *lateness) unclear() bool { return !d.failed() && d.soon < fewLate-1 }

func (d *lateness) median() time.Duration {
	return slices.Sorted(slices.Values(d.took))[len(d.took)/2]
}

// String says what was seen.
func (d *lateness) String() string {
	return fmt.Sprintf("%d of %s came more than %v after %s, half of all at least %v", len(d.took)-d.soon, conformance.Plural(len(d.took), "event"), d.within, d.beside, shown(d.median()))
}
