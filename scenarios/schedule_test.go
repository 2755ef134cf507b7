package scenarios

import (
	"math"
	"testing"
	"time"
)

func schedule(arrivals Arrivals, rate float64, duration time.Duration, types map[string]int, seed uint64) *Schedule {
	p := &Plan{Scenario: &Scenario{Duration: duration, Load: Load{Publish: Publish{Arrivals: arrivals, Types: types}}}}
	return p.Schedule(Publisher{Rate: rate, Seed: seed})
}

func drain(s *Schedule) (all []Message) {
	for m, ok := s.Next(); ok; m, ok = s.Next() {
		all = append(all, m)
	}
	return all
}

func TestUniformScheduleIsAbsolute(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		rate     float64
		duration time.Duration
		interval time.Duration
		least    int
	}{
		{1, 10 * time.Second, time.Second, 10},
		{1000, time.Second, time.Millisecond, 1000},
		{0.1, 10 * time.Second, 10 * time.Second, 1},
		{3, 10 * time.Second, time.Second / 3, 30},
		{1_000_000, 10 * time.Millisecond, time.Microsecond, 10_000},
		{0, time.Second, time.Second, 0},
		{1, 0, time.Second, 0},
	} {
		got := drain(schedule(Uniform, test.rate, test.duration, nil, 3))
		if len(got) != test.least {
			t.Errorf("%v/s for %v: %d messages, want %d", test.rate, test.duration, len(got), test.least)
		}
		for i, m := range got {
			want := got[0].Due + time.Duration(float64(i)/test.rate*float64(time.Second))
			if d := m.Due - want; d.Abs() > time.Nanosecond || m.Number != uint64(i+1) || m.Due >= test.duration {
				t.Fatalf("%v/s: message %d is number %d due at %v, want number %d at %v", test.rate, i, m.Number, m.Due, i+1, want)
			}
		}
		if len(got) > 0 && got[0].Due >= test.interval {
			t.Errorf("%v/s: the first message is due at %v, after a whole interval", test.rate, got[0].Due)
		}
	}
}

func TestPublishersDoNotFireInStep(t *testing.T) {
	t.Parallel()
	seen := map[time.Duration]bool{}
	for seed := range uint64(100) {
		m, _ := schedule(Uniform, 1, time.Minute, nil, seed).Next()
		seen[m.Due.Round(time.Millisecond)] = true
	}
	if len(seen) < 80 {
		t.Errorf("100 publishers begin at %d different times", len(seen))
	}
}

func TestPoissonScheduleHasExponentialGaps(t *testing.T) {
	t.Parallel()
	const n = 100_000
	got := drain(schedule(Poisson, 1000, n*time.Millisecond, nil, 5))
	if math.Abs(float64(len(got))-n) > 5*math.Sqrt(n) {
		t.Errorf("%d messages, want about %d", len(got), n)
	}
	var sum, squares float64
	var last time.Duration
	for _, m := range got {
		gap := (m.Due - last).Seconds() * 1000
		sum, squares, last = sum+gap, squares+gap*gap, m.Due
	}
	mean := sum / float64(len(got))
	variance := squares/float64(len(got)) - mean*mean
	if math.Abs(mean-1) > 0.02 || math.Abs(variance-1) > 0.05 { // both are 1 for an exponential of mean 1 ms
		t.Errorf("gaps have mean %v and variance %v", mean, variance)
	}
}

func TestTypesAreDrawnByTheirWeights(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for _, m := range drain(schedule(Uniform, 10_000, time.Second, map[string]int{"a": 6, "b": 3, "c": 1}, 9)) {
		counts[m.Type]++
	}
	for name, want := range map[string]int{"a": 6000, "b": 3000, "c": 1000} {
		if math.Abs(float64(counts[name]-want)) > 250 {
			t.Errorf("%d of type %s, want about %d", counts[name], name, want)
		}
	}
}

func TestScheduleNeedsNoMemoryPerMessage(t *testing.T) {
	s := schedule(Poisson, 1_000_000, time.Hour, map[string]int{"a": 1, "b": 2}, 1)
	if allocs := testing.AllocsPerRun(1000, func() { s.Next() }); allocs > 0 {
		t.Errorf("%v allocations per message", allocs)
	}
}
