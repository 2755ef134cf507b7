package conformance

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// pulse watches how late the timers of this process fire: a harness that is late itself cannot blame a subject for it.
type pulse struct {
	cancel     context.CancelFunc
	done       sync.WaitGroup
	contention *Contention

	mu    sync.Mutex
	all   []uint32              // how many beats were late by so many milliseconds
	late  [pulses]time.Duration // the worst of each period
	first time.Time             // start of period 0
}

const (
	pulseEvery  = 10 * time.Millisecond
	pulsePeriod = 100 * time.Millisecond
	mostLate    = 1000    // milliseconds that are told apart
	pulses      = 1 << 14 // half an hour, after which the oldest periods are overwritten
)

func newPulse(ctx context.Context, contention *Contention) *pulse {
	ctx, cancel := context.WithCancel(ctx)
	p := &pulse{cancel: cancel, first: time.Now(), contention: contention}
	crash.Go(&p.done, func() { p.beat(ctx) })
	crash.Go(&p.done, func() { contention.Watch(ctx.Done()) })
	return p
}

func (p *pulse) stop() {
	p.cancel()
	p.done.Wait()
}

func (p *pulse) beat(ctx context.Context) {
	ticker := time.NewTicker(pulseEvery)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := time.Now()
			p.note(now, now.Sub(last)-pulseEvery)
			last = now
		}
	}
}

func (p *pulse) note(now time.Time, late time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make([]uint32, mostLate+1)
	}
	p.all[min(max(late, 0).Milliseconds(), mostLate)]++
	period := int(now.Sub(p.first) / pulsePeriod)
	at := &p.late[period%pulses]
	if next := &p.late[(period+1)%pulses]; *next != 0 {
		*next = 0
	}
	*at = max(*at, late)
}

// worst is the longest that a timer fired late between two instants, as far as the periods tell them apart.
func (p *pulse) worst(from, to time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := max(0, int(from.Sub(p.first)/pulsePeriod))
	last := int(to.Sub(p.first) / pulsePeriod)
	var worst time.Duration
	for i := max(first, last-pulses+2); i <= last; i++ {
		worst = max(worst, p.late[i%pulses])
	}
	return worst
}

// tooLate is how late timers may be before what was measured meanwhile is doubted.
const tooLate = 100 // milliseconds

// health is the harness's account of itself so far.
func (p *pulse) health() Health {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	h := Health{
		OK: true, LagP50: p.quantile(0.5), LagP99: p.quantile(0.99), LagMax: float64(p.worstSince(p.first).Microseconds()) / 1000,
		MemoryBytes: memory.Sys, Goroutines: runtime.NumGoroutine(), Contention: p.contention.HeldUp(),
	}
	if h.LagP99 > tooLate {
		h.OK = false
		h.Problems = []string{fmt.Sprintf("timers of the harness were %.0f ms late (p99): verdicts about times can be unknown", h.LagP99)}
	}
	return h
}

// quantile is the lateness, in milliseconds, that a share of all beats kept within.
func (p *pulse) quantile(share float64) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var total, seen float64
	for _, n := range p.all {
		total += float64(n)
	}
	for late, n := range p.all {
		if seen += float64(n); seen >= share*total {
			return float64(late)
		}
	}
	return 0
}

// worstSince is worst up to now.
func (p *pulse) worstSince(from time.Time) time.Duration { return p.worst(from, time.Now()) }
