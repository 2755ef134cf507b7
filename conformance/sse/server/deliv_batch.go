package server

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// "An event is sent when it is published, and does not wait for others to be sent with."
//
// Each is published when the one before it has come, so that each waits for a timer that sends. Where they are late, some are published
// within that time: those that come together have waited; those that come one by one have a long way, which nobody forbids.
func deliversAtOnce(t *Trial) {
	f := t.follow([]string{t.Stream()})
	if !f.goesOn() {
		silent(t, f.tap())
	}
	d := &lateness{within: t.Duration("within"), beside: "they were acknowledged"}
	for !d.decided() {
		began := time.Now()
		marker := t.Unique()
		t.Send(f.streams[0], marker)
		acknowledged := time.Now()
		if !f.hears(marker) {
			silent(t, f.tap())
		}
		d.add(max(0, f.seen[len(f.seen)-1].At.Sub(acknowledged)), t.LagBetween(began, time.Now()), true)
		t.Count(1)
	}
	expected := fmt.Sprintf("each event at most %v after its acknowledgement", d.within)
	switch {
	case d.unclear():
		t.Unknown("%s; but this machine was too busy to tell", d)
	case !d.failed():
		t.Pass(fmt.Sprintf("half of %s came at most %v after %s, allowed %v", conformance.Plural(len(d.took), "event"), shown(d.median()), d.beside, d.within))
	}
	over, moments := t.togetherWithin(f, d.median())
	what := fmt.Sprintf("%s; %d that were published over %v came at %d moments", d, batch, shown(over), moments)
	if moments > batch/2 && t.Level() != conformance.Must {
		t.Info(what + ": they did not wait for each other")
	}
	t.Absent(expected, what, f.tap().Evidence())
}

// batch is how many events are published to see whether they come together.
const batch = 8

// togetherWithin publishes events over some time and counts at how many moments they come. This machine must be quick enough to tell two.
func (t *Trial) togetherWithin(f *follower, period time.Duration) (over time.Duration, moments int) {
	const most = 3 // attempts
	apart := period / batch
	for range most {
		began, first := time.Now(), len(f.seen)
		last := ""
		for range batch {
			last = t.Unique()
			t.Send(f.streams[0], last)
			over = time.Since(began)
			t.wait(apart)
		}
		if !f.hears(last) {
			silent(t, f.tap())
		}
		moments = 1
		for i := first + 1; i < len(f.seen); i++ {
			if f.seen[i].At.Sub(f.seen[i-1].At) > apart/2 {
				moments++
			}
		}
		lag := t.LagBetween(began, time.Now()) // which makes one moment of several
		if moments > batch/2 || 2*lag < apart || moments <= 2 && 6*lag < period {
			return over, moments
		}
	}
	t.Unknown("events were late, and this machine was too busy to tell whether they wait for each other")
	return 0, 0
}
