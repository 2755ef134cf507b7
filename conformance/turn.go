package conformance

import (
	"sync"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Turn says beside whom a case runs.
type Turn uint8

// The turns, in their order. What may harm the subject comes late, so that much is judged before it does.
const (
	Beside     Turn = iota // beside others: it asks little, and harms nobody
	Waiting                // it hardly does anything but wait: from the start, beside all that is no Disturbing
	Provoking              // it sends what a subject may not stand: by itself, so that nobody else is suspected
	Stalling               // it stops reading: by itself
	Demanding              // it asks so much of the subject, or of this machine, that others would be late: by itself
	Disturbing             // it changes the subject for others, as a restart does: by itself, when nobody waits any more
)

// single are the turns of cases that run one after the other.
var single = []Turn{Provoking, Stalling, Demanding}

// Aside says that the case only waits from now on, for whatever it does then: the next one may begin.
func (t *Trial) Aside() {
	if t.aside != nil {
		t.aside()
	}
}

// Others is closed once no case is left that does anything: those that only wait can end.
func (t *Trial) Others() <-chan struct{} { return t.others }

// lane runs jobs, so many at once. It waits for those that are not aside; all waits for those as well.
type lane struct{ all *sync.WaitGroup }

func (l lane) each(jobs []*job, atOnce int, do func(*job)) {
	slots := make(chan struct{}, atOnce)
	for _, j := range jobs {
		slots <- struct{}{}
		j.aside = sync.OnceFunc(func() { <-slots })
		crash.Go(l.all, func() {
			defer j.aside()
			do(j)
		})
	}
	for range atOnce {
		slots <- struct{}{}
	}
}
