package server

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// latencies publishes coldMessages messages at a steady pace, or for five seconds, and measures how long each took from the start of its
// publish.
func (t *Trial) latencies(f *follower) []time.Duration {
	s, took := t.series(), make([]time.Duration, 0, coldMessages)
	for n, end := 1, time.Now().Add(5*time.Second); n <= coldMessages && time.Now().Before(end); n++ {
		began := time.Now()
		t.Send(f.streams[0], s.text(0, n))
		if !f.hears(s.text(0, n)) {
			t.Unknown("a plain message did not arrive within %v of its acknowledgement", t.arrival)
		}
		took = append(took, f.seen[len(f.seen)-1].At.Sub(began))
		t.wait(5 * time.Millisecond)
	}
	t.Count(len(took))
	return took
}

// notSlower compares latencies without and under load, which several goroutines make until it is over. It ends the case when they rose by
// more than the requirement's factor and an allowance for the machine itself, twice: once can be an accident, and so can a time without
// load that was so long that nothing is longer.
func (t *Trial) notSlower(f *follower, what string, loaders int, load func(over <-chan struct{})) (usual, loaded time.Duration) {
	const most = 3 // attempts
	factor, allowance := t.Number("factor"), t.Duration("allowance")
	slower := 0
	for attempt := 1; ; attempt++ {
		usual = quantile99(t.latencies(f))
		loaded = quantile99(t.under(f, loaders, load))
		bound := time.Duration(float64(usual)*factor) + allowance
		switch {
		case loaded <= bound && (usual <= allowance || attempt == most):
			t.mustBeIdle(usual)
			return usual, loaded
		case loaded > bound:
			slower++
		}
		switch {
		case slower == 2:
			t.Late(loaded-bound, fmt.Sprintf("p99 of at most %v: %v times the %v without it, and %v", bound, factor, usual, allowance),
				fmt.Sprintf("p99 of %s was %v", what, loaded))
		case attempt == most:
			t.Unknown("p99 of %s was %v, after %v without load; it was not like that before", what, loaded, usual)
		}
	}
}

// under measures latencies under load.
func (t *Trial) under(f *follower, loaders int, load func(over <-chan struct{})) []time.Duration {
	over := make(chan struct{})
	var loading sync.WaitGroup
	for range loaders {
		loading.Add(1)
		t.Go(func() {
			defer loading.Done()
			load(over)
		})
	}
	took := t.latencies(f)
	close(over)
	loading.Wait()
	t.interrupted()
	return took
}

// mustBeIdle ends the case when what is compared with was late because this process was: then nothing would be too late.
func (t *Trial) mustBeIdle(usual time.Duration) {
	if lag := t.Lag(); usual > t.Duration("allowance")/2 && lag > usual/4 {
		t.Unknown("even without load it took %v, but this machine was too busy to tell: a timer of the harness was %v late", shown(usual), lag.Round(time.Millisecond))
	}
}

// quantile99 is the 99th percentile.
func quantile99(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[(len(sorted)*99+99)/100-1].Round(10 * time.Microsecond)
}
