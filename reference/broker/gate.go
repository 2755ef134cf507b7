package broker

import (
	"context"
	"sync"
)

// gate knows who is connected and whether anybody more may be.
type gate struct {
	mu      sync.Mutex
	inside  map[*subscriber]struct{}
	closing bool
	emptied chan struct{} // closed when the last one leaves a closing gate
	peak    int
}

// enter lets s in unless the gate is closing.
func (g *gate) enter(s *subscriber) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return false
	}
	if g.inside == nil {
		g.inside = map[*subscriber]struct{}{}
	}
	g.inside[s] = struct{}{}
	g.peak = max(g.peak, len(g.inside))
	return true
}

func (g *gate) leave(s *subscriber) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.inside, s)
	if g.closing && len(g.inside) == 0 {
		g.closeEmptied()
	}
}

func (g *gate) closeEmptied() {
	select {
	case <-g.emptied:
	default:
		close(g.emptied)
	}
}

func (g *gate) draining() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closing
}

func (g *gate) subscribers() []*subscriber {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := make([]*subscriber, 0, len(g.inside))
	for s := range g.inside {
		all = append(all, s)
	}
	return all
}

// shut lets nobody more in and returns a channel that is closed when all have left.
func (g *gate) shut() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closing {
		g.closing = true
		g.emptied = make(chan struct{})
	}
	if len(g.inside) == 0 {
		g.closeEmptied()
	}
	return g.emptied
}

func (g *gate) cut() {
	for _, s := range g.subscribers() {
		s.end(endCut)
	}
}

// drain sends everybody away with all that was published for them so far. Who has not left when ctx ends is cut off.
func (g *gate) drain(ctx context.Context, b *Broker) error {
	empty := g.shut()
	until := b.newest()
	for _, s := range g.subscribers() {
		if b.config.Tamper.drains(s.info) {
			s.finish(endDrained, until, b.wire.comeBack(), forever)
		}
	}
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		g.cut()
		return context.Cause(ctx)
	}
}

// Drain refuses new subscribers and messages with 503 and Retry-After, sends every connected subscriber all that was
// published for it, then a jittered retry, and ends its connection. It returns when all have left, or cuts off the rest
// and returns the cause when ctx ends. A drained broker stays so.
func (b *Broker) Drain(ctx context.Context) error { return b.gate.drain(ctx, b) }

// connections returns how many are connected and how many were at most.
func (g *gate) connections() (now, peak int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.inside), g.peak
}
