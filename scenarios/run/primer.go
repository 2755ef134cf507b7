package run

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/scenarios"
)

// primer publishes into streams whose subscribers wait for an event before they have a head, or before anything is owed to them: some
// targets send nothing before. What it publishes is no message of the load. A nil primer does nothing.
type primer struct {
	waiting []atomic.Int64 // by stream: subscribers that are not ready yet
}

// primeEvery is long enough for a target that greets, and short enough for a budget on connecting.
const primeEvery = 100 * time.Millisecond

// newPrimer is nil where nobody has to be helped.
func (e *engine) newPrimer() *primer {
	if e.plan.Target == nil || e.target.Publish == nil || !e.held && e.readyWhen != scenarios.ReadyFirstEvent {
		return nil
	}
	return &primer{waiting: make([]atomic.Int64, len(e.plan.Streams))}
}

// waits notes that a subscriber has begun to wait, or does not any more.
func (p *primer) waits(s *subscriber, waits bool) {
	if p == nil || s.waits == waits {
		return
	}
	s.waits = waits
	if waits {
		p.waiting[s.plan.Streams[0]].Add(1)
	} else {
		p.waiting[s.plan.Streams[0]].Add(-1)
	}
}

// prime helps along until the load ends.
func (e *engine) prime(load context.Context) {
	if e.primer == nil {
		return
	}
	run := lookRun(e.plan.Run)
	for number := uint64(1); e.clock.sleep(e.clock.now()+primeEvery, load.Done()); number++ {
		for i := range e.primer.waiting {
			if e.primer.waiting[i].Load() > 0 && load.Err() == nil {
				e.primeStream(load, e.lookMessage(e.plan.Streams[i], run, number, 0))
			}
		}
	}
}

func (e *engine) primeStream(ctx context.Context, vars scenarios.PublishVars) {
	ctx, cancel := context.WithTimeout(ctx, e.target.Publish.Timeout)
	defer cancel()
	var err error
	if vars.Token, err = e.publisherToken(ctx); err != nil {
		return // the load's own publishers tell of it
	}
	if r, err := e.target.PublishRequest(vars); err == nil {
		_, _, _ = send(ctx, e.publishClient, r) // whoever goes on waiting is helped again
	}
}
