// Package policy says how long a client waits before it reconnects. It is pure: no clock, and randomness is passed in.
package policy

import (
	"math"
	"math/rand/v2"
	"time"
)

// Policy is a reconnection policy. After the n-th loss in a row (from 0) the undisturbed delay is min(Cap, Base·Factor^n).
type Policy struct {
	Name   string
	Base   time.Duration
	Factor float64       // 1: constant
	Cap    time.Duration // 0: none
	Jitter float64       // share of the undisturbed delay that Spread works with, 0 to 1
	Spread Spread
	Reset  Reset
	// HonorRetry lets a retry: field of the stream replace Base, as HTML §9.2.3 asks of an EventSource.
	HonorRetry bool
	// ComeBackOn is the type of an event by which a server asks the client to come back; "" for none.
	ComeBackOn string
	// Silence is how long an open connection may be silent before it counts as dead. 0: for ever.
	Silence time.Duration
}

// Spread says where jitter moves a delay d.
type Spread string

const (
	Up   Spread = "up"   // d to d·(1+Jitter); the zero value means Up
	Both Spread = "both" // d·(1−Jitter) to d·(1+Jitter)
	Full Spread = "full" // 0 to d, whatever Jitter says
)

// Reset says when the count of losses in a row starts again.
type Reset string

const (
	OnOpen  Reset = "on-open" // once response headers of a good stream arrived; the zero value means OnOpen
	OnEvent Reset = "on-event"
	Never   Reset = "never"
)

// Bounds returns the shortest and the longest delay the policy allows after loss n of a row, n ≥ 0. A retry above zero is
// the stream's latest retry: field.
func (p *Policy) Bounds(n int, retry time.Duration) (low, high time.Duration) {
	d := p.undisturbed(n, retry)
	switch p.Spread {
	case Full:
		return 0, clamp(d)
	case Both:
		return clamp(d * (1 - p.Jitter)), clamp(d * (1 + p.Jitter))
	}
	return clamp(d), clamp(d * (1 + p.Jitter))
}

// Delay draws the delay after loss n of a row from rnd.
func (p *Policy) Delay(n int, retry time.Duration, rnd *rand.Rand) time.Duration {
	low, high := p.Bounds(n, retry)
	return Draw(low, high, rnd)
}

// Draw draws a delay between two bounds from rnd. It draws no random number where they are equal.
func Draw(low, high time.Duration, rnd *rand.Rand) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(rnd.Float64()*float64(high-low))
}

func (p *Policy) undisturbed(n int, retry time.Duration) float64 {
	base := float64(p.Base)
	if p.HonorRetry && retry > 0 {
		base = float64(retry)
	}
	d := base
	if p.Factor > 1 && base > 0 { // 0 times an infinite factor is not a number either
		d = base * math.Pow(p.Factor, float64(n))
	}
	if limit := float64(p.Cap); limit > 0 && d > limit {
		// A stream that asks for more than the cap is obeyed: the cap bounds growth, not the server's wish.
		d = max(limit, base)
	}
	return min(d, math.MaxInt64) // infinity times a jitter of 0 is not a number
}

// clamp keeps absurd products inside what a Duration can hold.
func clamp(d float64) time.Duration {
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(max(d, 0))
}

// Scaled returns the policy with every time multiplied by scale.
func (p Policy) Scaled(scale float64) Policy {
	times := func(d time.Duration) time.Duration { return clamp(float64(d) * scale) }
	p.Base, p.Cap, p.Silence = times(p.Base), times(p.Cap), times(p.Silence)
	return p
}

// Named are the policies that a scenario can call by name.
var Named = []Policy{
	{Name: "eventsource", Base: 3 * time.Second, Factor: 1, HonorRetry: true},
	{Name: "constant-1s", Base: time.Second, Factor: 1, HonorRetry: true},
	{Name: "exponential-1s-30s", Base: time.Second, Factor: 2, Cap: 30 * time.Second, Reset: OnOpen, Silence: 5 * time.Minute},
	// Pings keep it alive, and a server that is about to go says so with an event.
	{Name: "console", Base: time.Second, Factor: 2, Cap: 30 * time.Second, Jitter: 0.3, Spread: Up, Reset: OnEvent, HonorRetry: true, Silence: time.Minute, ComeBackOn: "closed"},
	{Name: "jittered-500ms-30s", Base: 500 * time.Millisecond, Factor: 2, Cap: 30 * time.Second, Jitter: 0.3, Spread: Up, Reset: OnOpen},
	{Name: "immediate", Base: 0, Factor: 1},
}

// ByName returns the named policy.
func ByName(name string) (Policy, bool) {
	for _, p := range Named {
		if p.Name == name {
			return p, true
		}
	}
	return Policy{}, false
}
