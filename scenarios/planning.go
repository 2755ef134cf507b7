package scenarios

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// NewPlan decides everything a run of s against t will do. A nil target is the embedded reference broker. Subscribers are in
// the order in which they start; their Streams share one array and must not be written to.
func NewPlan(s *Scenario, t *Target, seed uint64) *Plan {
	p := &Plan{Scenario: s, Target: t, Seed: seed, Run: runID(seed)}
	p.Streams = streamNames(s.Load.Streams, p.Run, t != nil)
	p.Subscribers = planSubscribers(&s.Load, seed)
	if t == nil || t.Publish != nil {
		p.Publishers = planPublishers(&s.Load, seed)
	}
	for i, step := range s.Timeline {
		p.Timeline = append(p.Timeline, planStep(step, i, s.Load.Subscribers, seed))
	}
	return p
}

// At returns the plan as it is carried out at one time, told apart by nonce: on a real target its run id and stream names are
// that execution's own, so that what an execution with the same seed has left behind is not taken for its own.
func (p *Plan) At(nonce uint64) *Plan {
	if p.Target == nil {
		return p
	}
	executed := *p
	executed.Run = runID(subseed(p.Seed, "execution", int(nonce)))
	executed.Streams = streamNames(len(p.Streams), executed.Run, true)
	return &executed
}

// streamNames gives short names to the streams of a broker of our own, and names that no other run uses to a real target's.
func streamNames(n int, run string, foreign bool) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%d", i)
		if foreign {
			names[i] = fmt.Sprintf("sg-%s-%d", run, i)
		}
	}
	return names
}

func planSubscribers(load *Load, seed uint64) []Subscriber {
	subscribers := make([]Subscriber, load.Subscribers)
	starts := rampStarts(load.Ramp, load.Subscribers, seed)
	// The ring holds the streams twice, so that what a subscriber follows is a window of it even past its end.
	ring := make([]int32, 2*load.Streams)
	for i := range ring {
		ring[i] = int32(i % load.Streams)
	}
	groups := max(1, len(load.Groups))
	for i := range subscribers {
		group := int32(-1)
		if len(load.Groups) > 0 {
			group = int32(i % groups)
		}
		from := i / groups * load.Follow % load.Streams
		subscribers[i] = Subscriber{
			Index: int32(i), Start: starts(i), Streams: ring[from : from+load.Follow : from+load.Follow], Group: group,
			Seed: subseed(seed, "subscriber", i),
		}
	}
	for _, i := range choose(load.Slow.Share, load.Subscribers, subseed(seed, "slow", 0)) {
		subscribers[i].Slow = true
	}
	// A body that shrinks would not fill the buffers that a slow reader is to fill.
	for _, i := range choose(load.Compressed, load.Subscribers, subseed(seed, "compressed", 0)) {
		subscribers[i].Compressed = !subscribers[i].Slow
	}
	return subscribers
}

// rampStarts returns when the i-th subscriber starts, ascending in i.
func rampStarts(ramp Ramp, n int, seed uint64) func(i int) time.Duration {
	switch ramp.Arrivals {
	case AtOnce:
		return func(int) time.Duration { return 0 }
	case Poisson:
		// A Poisson process of which n arrivals are known to lie in the interval is n uniform points, sorted.
		starts, rnd := make([]time.Duration, n), random(subseed(seed, "ramp", 0))
		for i := range starts {
			starts[i] = time.Duration(rnd.Float64() * float64(ramp.Over))
		}
		slices.Sort(starts)
		return func(i int) time.Duration { return starts[i] }
	}
	return func(i int) time.Duration { return time.Duration(float64(ramp.Over) * float64(i) / float64(n)) }
}

func planPublishers(load *Load, seed uint64) []Publisher {
	if load.Publish.Rate <= 0 {
		return nil
	}
	per := max(1, load.Publish.Publishers)
	publishers := make([]Publisher, load.Streams*per)
	for i := range publishers {
		publishers[i] = Publisher{
			Stream: int32(i / per), Index: int32(i % per), Seed: subseed(seed, "publisher", i),
			Rate: load.Publish.Rate / float64(len(publishers)),
		}
	}
	return publishers
}

func planStep(step Step, index, subscribers int, seed uint64) PlannedStep {
	planned := PlannedStep{Step: step, Index: int32(index), Seed: subseed(seed, "step", index)}
	planned.Subscribers = choose(step.Share, subscribers, planned.Seed)
	return planned
}

// Of is how many of n are chosen: the exact number, rounded, but at least one of any; none for a share that is 0.
func (share Share) Of(n int) int {
	if share <= 0 || n == 0 {
		return 0
	}
	return min(n, max(1, int(math.Round(float64(share)*float64(n)))))
}

// choose picks a share of the subscribers 0 to n−1, in ascending order: the exact number, rounded, but at least one. Who is
// picked goes by a rank of each one's own, so that one subscriber more changes the choice by one at most.
func choose(share Share, n int, seed uint64) []int32 {
	if share <= 0 || n == 0 {
		return nil
	}
	chosen := make([]int32, n)
	for i := range chosen {
		chosen[i] = int32(i)
	}
	if want := share.Of(n); want < n {
		rank := func(i int32) uint64 { return subseed(seed, "rank", int(i)) }
		slices.SortFunc(chosen, func(a, b int32) int { return cmp.Compare(rank(a), rank(b)) })
		chosen = slices.Clip(slices.Clone(chosen[:want]))
		slices.Sort(chosen)
	}
	return chosen
}
