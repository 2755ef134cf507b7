package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// slowReading is the fault of reading slowly, whether a step of the timeline or the load asks for it.
const slowReading = "slow"

// slowFrom is when the slow share of the load begins to read slowly: after an undisturbed phase to compare with.
func (e *engine) slowFrom() time.Duration { return e.plan.Scenario.SlowFrom() }

func (e *engine) beginSlow() {
	read := int64(e.plan.Scenario.Load.Slow.Read)
	e.observe(&history.Observation{At: e.clock.now(), Kind: history.SlowBegin, Subscriber: -1, Size: read})
	slow, _ := fault.ByName(slowReading)
	for _, s := range e.subscribers {
		if s.plan.Slow {
			s.mark(history.Observation{Kind: history.SlowBegin, Size: read})
			slow.Begin(&s.line, fault.Params{Step: e.loadStep(), Read: read, Seed: s.plan.Seed})
			e.slow.add(s, e.loadStep())
		}
	}
}

// loadStep is the step that stands for the load's own slow reading: the first behind the timeline's.
func (e *engine) loadStep() int32 { return int32(len(e.plan.Timeline)) } //nolint:gosec // few

// endSlow lets the slow share of the load read as fast as the others while the run settles, so that what it is owed can be told
// from what it had no time to read.
func (e *engine) endSlow() {
	slow, _ := fault.ByName(slowReading)
	for _, s := range e.subscribers {
		if s.plan.Slow {
			e.slow.remove(s, e.loadStep())
			slow.End(&s.line, fault.Params{Step: e.loadStep()})
			s.mark(history.Observation{Kind: history.SlowEnd})
		}
	}
}

// slowReaders are those subscribers that read slowly and of which it is not known yet that the target was made to wait.
type slowReaders struct {
	mu  sync.Mutex
	all []slowReader
}

type slowReader struct {
	subscriber *subscriber
	step       int32
	handed     int64 // bytes of its streams that the target had been handed when it began
	owed       int64 // what the target had been handed for it since, at the last look
}

// leastLeft is the share that a content coding leaves of payloads, at least: deflate leaves a quarter.
const leastLeft = 8

// add makes a slow reader of a subscriber. A connection that was fast leaves megabytes of room in the kernels of both sides, so it has to make
// another one. One that accepts a coding is not looked at.
func (r *slowReaders) add(s *subscriber, step int32) {
	hangUp, _ := fault.ByName("close")
	hangUp.Begin(&s.line, fault.Params{Step: step})
	if s.plan.Compressed {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, slowReader{subscriber: s, step: step, handed: s.handed()})
}

func (r *slowReaders) remove(s *subscriber, step int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, func(one slowReader) bool { return one.subscriber == s && one.step == step })
}

// handed is how many bytes of the subscriber's streams the target has been handed.
func (s *subscriber) handed() (bytes int64) {
	for _, stream := range s.plan.Streams {
		bytes += s.engine.handed[stream].Load()
	}
	return bytes
}

// slowLook is how often the slow readers are looked at.
const slowLook = 500 * time.Millisecond

// watchSlow looks for what proves that the target was made to wait for a slow reader: that of what it was handed for it, and the subscriber
// has not taken, the kernels of both sides cannot hold the rest.
func (e *engine) watchSlow(ctx context.Context) {
	for at := time.Duration(0); e.clock.sleep(at, ctx.Done()); at = e.clock.now() + slowLook {
		e.slow.look()
	}
}

func (r *slowReaders) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) == 0 {
		return
	}
	sockets := fault.Sockets()
	still := r.all[:0]
	for _, one := range r.all {
		s := one.subscriber
		b := s.line.Backlog(sockets)
		owed := one.owed // what came since, the target may be just about to write
		held := owed - b.Taken - b.Kernel
		if held <= 0 {
			one.owed = s.handed() - one.handed - s.underWay()
			if s.coded.Load() {
				one.owed /= leastLeft
			}
			still = append(still, one)
			continue
		}
		kernel := "the kernels of both sides held"
		if !b.Seen {
			kernel = "the kernels may have held"
		}
		s.mark(history.Observation{
			Kind: history.FaultBite, Step: one.step, Text: slowReading, Size: held,
			Data: fmt.Sprintf("owed %s, read %d, of which %s %d", conformance.Plural(owed, "byte"), b.Taken, kernel, b.Kernel),
		})
	}
	clear(r.all[len(still):])
	r.all = still
}

// underWay is as much as publishers may be just handing over of the subscriber's streams.
func (s *subscriber) underWay() int64 {
	publish := &s.engine.plan.Scenario.Load.Publish
	return int64(len(s.plan.Streams)*max(1, publish.Publishers)) * int64(s.engine.contents.Largest())
}
