package policy_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

func TestBounds(t *testing.T) {
	t.Parallel()
	exponential, _ := policy.ByName("exponential-1s-30s")
	jittered, _ := policy.ByName("jittered-500ms-30s")
	eventsource, _ := policy.ByName("eventsource")
	full := policy.Policy{Base: time.Second, Factor: 2, Cap: 10 * time.Second, Spread: policy.Full}
	both := policy.Policy{Base: time.Second, Factor: 1, Jitter: 0.5, Spread: policy.Both}
	for _, c := range []struct {
		policy    policy.Policy
		row       int
		retry     time.Duration
		low, high time.Duration
	}{
		{exponential, 0, 0, time.Second, time.Second},
		{exponential, 4, 0, 16 * time.Second, 16 * time.Second},
		{exponential, 5, 0, 30 * time.Second, 30 * time.Second},
		{exponential, 5000, 0, 30 * time.Second, 30 * time.Second},
		{exponential, 0, 9 * time.Second, time.Second, time.Second},
		{jittered, 0, 0, 500 * time.Millisecond, 650 * time.Millisecond},
		{jittered, 3, 0, 4 * time.Second, 5200 * time.Millisecond},
		{eventsource, 7, 0, 3 * time.Second, 3 * time.Second},
		{eventsource, 7, 100 * time.Millisecond, 100 * time.Millisecond, 100 * time.Millisecond},
		{full, 2, 0, 0, 4 * time.Second},
		{both, 2, 0, 500 * time.Millisecond, 1500 * time.Millisecond},
		{policy.Policy{Base: time.Hour, Factor: 10}, 1000, 0, math.MaxInt64, math.MaxInt64},
	} {
		low, high := c.policy.Bounds(c.row, c.retry)
		if low != c.low || high != c.high {
			t.Errorf("%+v after loss %d with retry %v: %v to %v, want %v to %v", c.policy, c.row, c.retry, low, high, c.low, c.high)
		}
	}
}

func TestDelayStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := policy.Policy{
			Base: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "base")), Factor: rapid.Float64Range(1, 10).Draw(t, "factor"),
			Cap:    time.Duration(rapid.Int64Range(0, int64(24*time.Hour)).Draw(t, "cap")),
			Jitter: rapid.Float64Range(0, 1).Draw(t, "jitter"),
			Spread: rapid.SampledFrom([]policy.Spread{policy.Up, policy.Both, policy.Full}).Draw(t, "spread"),
		}
		row := rapid.IntRange(0, 10000).Draw(t, "row")
		low, high := p.Bounds(row, 0)
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		if d := p.Delay(row, 0, rnd); d < low || d > high || low < 0 {
			t.Fatalf("delay %v, bounds %v to %v", d, low, high)
		}
	})
}

func TestScalingMultipliesEveryTime(t *testing.T) {
	t.Parallel()
	p, _ := policy.ByName("exponential-1s-30s")
	s := p.Scaled(0.02)
	if s.Base != 20*time.Millisecond || s.Cap != 600*time.Millisecond || s.Silence != 6*time.Second {
		t.Errorf("base %v, cap %v, silence %v, want 20ms, 600ms, 6s", s.Base, s.Cap, s.Silence)
	}
}
