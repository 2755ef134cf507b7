package capacity_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios/capacity"
)

// target is a made-up one. Above its limits it breaks what they are named after; noise lets a budget be missed, or a run be of no use, at
// any load.
type target struct {
	guarantee, budget, harness float64 // 0: none
	knee                       float64 // relative width of the range around budget in which a run may go either way
	missed, dark               float64 // chances
	rnd                        *rand.Rand
}

func (g *target) step(_ context.Context, t capacity.Trial) (conformance.CapacityStep, error) {
	chance := func(p float64) bool { return p > 0 && g.rnd.Float64() < p }
	failed := func(id string, final bool) (conformance.CapacityStep, error) {
		return conformance.CapacityStep{
			Outcome: conformance.Fail, Final: final, Broken: &conformance.Verdict{ID: id, Outcome: conformance.Fail},
		}, nil
	}
	over := 0.0
	if g.budget > 0 {
		over = 1
		if g.knee > 0 {
			over = 1 / (1 + math.Exp(-4*(t.Value-g.budget)/(g.knee*g.budget)))
		} else if t.Value <= g.budget {
			over = 0
		}
	}
	switch {
	case g.harness > 0 && t.Value > g.harness:
		return conformance.CapacityStep{Harness: true, Reason: "too few files"}, nil
	case g.guarantee > 0 && t.Value > g.guarantee:
		return failed("delivery.complete", true)
	case chance(g.dark):
		return conformance.CapacityStep{Harness: true, Reason: "the harness was held up"}, nil
	case chance(over), chance(g.missed):
		return failed("latency.p99", false)
	}
	return conformance.CapacityStep{Outcome: conformance.Pass}, nil
}

func search(g *target, from, to, precision, quantum float64) *capacity.Search {
	return &capacity.Search{From: from, To: to, Factor: 1.6, Precision: precision, Repeat: 3, Quantum: quantum, Step: g.step}
}

func find(t rapid.TB, s *capacity.Search) *conformance.Capacity {
	t.Helper()
	c, err := s.Find(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// An exact limit is found within the precision, and never exceeded.
func TestAnExactLimitIsFoundWithinThePrecision(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		quantum := rapid.SampledFrom([]float64{0, 1, 7}).Draw(t, "quantum")
		from := 7 * float64(rapid.IntRange(1, 100).Draw(t, "from"))
		limit := math.Floor(from * rapid.Float64Range(1, 900).Draw(t, "limit over from"))
		g := &target{rnd: random(1)}
		if rapid.Bool().Draw(t, "guarantee") {
			g.guarantee = limit
		} else {
			g.budget = limit
		}
		s := search(g, from, from*7000, 0.05, quantum)
		c := find(t, s)
		if c.Limit != conformance.LimitTarget || c.Beyond == nil {
			t.Fatalf("limit %s, beyond %v", c.Limit, c.Beyond)
		}
		if c.Line > limit || c.High <= limit || c.High-c.Line > max(0.05*c.Line, quantum)*1.0001 || c.Low != c.Line {
			t.Fatalf("line %g, low %g, high %g of limit %g", c.Line, c.Low, c.High, limit)
		}
		if quantum > 0 && math.Mod(c.Line, quantum) != 0 {
			t.Fatalf("line %g is no multiple of %g", c.Line, quantum)
		}
		if _, most := s.Estimate(); len(c.Steps) > most {
			t.Fatalf("%d runs, the estimate was at most %d", len(c.Steps), most)
		}
	})
}

// whatever happens, a search keeps these.
func keeps(t rapid.TB, c *conformance.Capacity) {
	t.Helper()
	at := map[float64][3]int{} // carried, missed, dark
	final := map[float64]bool{}
	for _, step := range c.Steps {
		if step.Outcome == conformance.Fail && step.Final && step.Value <= c.Line {
			t.Fatalf("the line is %g, and a guarantee failed at %g", c.Line, step.Value)
		}
		final[step.Value] = final[step.Value] || step.Final
		n := at[step.Value]
		switch step.Outcome {
		case conformance.Pass:
			n[0]++
		case conformance.Fail:
			n[1]++
		default:
			n[2]++
		}
		at[step.Value] = n
	}
	if n := at[c.Line]; c.Line > 0 && n[0] <= n[1]+n[2] {
		t.Fatalf("the line %g was carried in %d of %d runs", c.Line, n[0], n[0]+n[1]+n[2])
	}
	if n := at[c.Low]; c.Low > 0 && (n[0] == 0 || n[1]+n[2] > 0 || c.Low > c.Line) {
		t.Fatalf("low is %g, where %d runs held and %d did not", c.Low, n[0], n[1]+n[2])
	}
	if n := at[c.High]; c.High > 0 && (c.High <= c.Line || n[0] > n[1]+n[2] && !final[c.High]) {
		t.Fatalf("high is %g above %g, carried in %d of %d runs", c.High, c.Line, n[0], n[0]+n[1]+n[2])
	}
	if (c.Limit == conformance.LimitTarget) != (c.Beyond != nil) {
		t.Fatalf("limit is %s, beyond it %v", c.Limit, c.Beyond)
	}
}

func TestTheLineIsNeverBeyondAFailedGuarantee(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := func(name string) float64 {
			return rapid.SampledFrom([]float64{0, 1}).Draw(t, name) * rapid.Float64Range(5, 30000).Draw(t, name)
		}
		g := &target{
			guarantee: limit("guarantee"), budget: limit("budget"), harness: limit("harness"),
			knee:   rapid.Float64Range(0, 1).Draw(t, "knee"),
			missed: rapid.Float64Range(0, 0.6).Draw(t, "missed"), dark: rapid.Float64Range(0, 0.6).Draw(t, "dark"),
			rnd: random(rapid.Uint64().Draw(t, "seed")),
		}
		flaky := rapid.Float64Range(0, 0.2).Draw(t, "flaky")
		s := search(g, 10, 20000, 0.05, 1)
		s.AtLeast = rapid.SampledFrom([]float64{0, 0, 10, 777, 20000}).Draw(t, "at least")
		s.Step = func(ctx context.Context, trial capacity.Trial) (conformance.CapacityStep, error) {
			if g.rnd.Float64() < flaky {
				return conformance.CapacityStep{
					Outcome: conformance.Fail, Final: true, Broken: &conformance.Verdict{ID: "delivery.unique"},
				}, nil
			}
			return g.step(ctx, trial)
		}
		c := find(t, s)
		keeps(t, c)
		if len(c.Steps) > 150 {
			t.Fatalf("%d runs", len(c.Steps))
		}
	})
}

// Single misses by chance do not move the line: of many searches with one run in twenty spoilt, nearly all find it.
func TestASingleMissIsNoise(t *testing.T) {
	t.Parallel()
	const searches, limit = 1000, 1370
	found := 0
	for seed := range uint64(searches) {
		g := &target{budget: limit, missed: 0.05, rnd: random(seed)}
		c := find(t, search(g, 100, 20000, 0.05, 1))
		keeps(t, c)
		if c.Line <= limit && limit-c.Line <= 0.05*limit {
			found++
		}
	}
	if found < searches*9/10 {
		t.Errorf("the line was found in %d of %d searches", found, searches)
	}
}

// Where a run may go either way over a tenth of the load, the interval says so: the knee is in it or next to it.
func TestTheIntervalIsAroundTheKnee(t *testing.T) {
	t.Parallel()
	const searches, limit = 500, 5000
	near := 0
	for seed := range uint64(searches) {
		g := &target{budget: limit, knee: 0.1, rnd: random(seed)}
		c := find(t, search(g, 500, 20000, 0.05, 1))
		keeps(t, c)
		if c.Line > limit*1.15 || c.Line < limit*0.8 {
			t.Errorf("seed %d: line %g", seed, c.Line)
		}
		if c.Low <= limit*1.05 && c.High >= limit*0.95 {
			near++
		}
	}
	if near < searches*9/10 {
		t.Errorf("the knee was near the interval in %d of %d searches", near, searches)
	}
}

func TestTheHarnessAsALimitEndsTheSearch(t *testing.T) {
	t.Parallel()
	c := find(t, search(&target{harness: 3000, rnd: random(1)}, 500, 20000, 0.05, 1))
	keeps(t, c)
	if c.Limit != conformance.LimitHarness || c.Line != 2048 || c.Reason != "the harness itself was the limit: too few files" {
		t.Errorf("%s %g %q", c.Limit, c.Line, c.Reason)
	}
	if len(c.Steps) != 8 { // 500, 800, 1280, 2048, 3277 twice, 2048 twice more
		t.Errorf("%d runs", len(c.Steps))
	}
}

func TestTheEndOfTheRangeIsNoLimitOfTheTarget(t *testing.T) {
	t.Parallel()
	c := find(t, search(&target{rnd: random(1)}, 500, 2000, 0.05, 1))
	if c.Limit != conformance.LimitRange || c.Line != 2000 || c.High != 0 {
		t.Errorf("%s %g %g", c.Limit, c.Line, c.High)
	}
	if last := c.Steps[len(c.Steps)-1]; last.Value != 2000 || last.Trial != 3 {
		t.Errorf("the last run is %+v", last)
	}
}

func TestWhatIsNotEvenCarriedAtFirstHasNoLine(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]*target{"guarantee": {guarantee: 100}, "budget": {budget: 100}} {
		g.rnd = random(1)
		c := find(t, search(g, 500, 2000, 0.05, 1))
		keeps(t, c)
		if c.Limit != conformance.LimitTarget || c.Line != 0 || c.High != 500 || c.Beyond == nil {
			t.Errorf("%s: %s %g %g", name, c.Limit, c.Line, c.High)
		}
		if most := map[string]int{"guarantee": 1, "budget": 2}[name]; len(c.Steps) > most {
			t.Errorf("%s: %d runs", name, len(c.Steps))
		}
	}
}

func TestAValueThatIsAskedForIsTried(t *testing.T) {
	t.Parallel()
	for _, limit := range []float64{1370, 1371, 1400, 5000} {
		s := search(&target{guarantee: limit, rnd: random(1)}, 100, 20000, 0.05, 1)
		s.AtLeast = 1370
		if c := find(t, s); c.Line < 1370 || c.Line > limit {
			t.Errorf("limit %g: line %g", limit, c.Line)
		}
	}
}

func TestATargetThatIsGoneEndsTheSearch(t *testing.T) {
	t.Parallel()
	g := &target{guarantee: 1000, rnd: random(1)}
	s := search(g, 500, 20000, 0.05, 1)
	dead := false
	s.Step = func(ctx context.Context, trial capacity.Trial) (conformance.CapacityStep, error) {
		step, err := g.step(ctx, trial)
		if dead {
			step = conformance.CapacityStep{Reason: "connection refused"}
		}
		dead = dead || step.Final
		return step, err
	}
	c := find(t, s)
	keeps(t, &conformance.Capacity{Line: c.Line, Low: c.Low, Steps: c.Steps})
	if c.Limit != conformance.LimitUnknown || len(c.Steps) > 30 {
		t.Errorf("%s after %d runs: %s", c.Limit, len(c.Steps), c.Reason)
	}
}

func TestAnInterruptionKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	g := &target{guarantee: 5000, rnd: random(1)}
	s := search(g, 500, 20000, 0.05, 1)
	s.Step = func(ctx context.Context, trial capacity.Trial) (conformance.CapacityStep, error) {
		if trial.Value > 1000 {
			cancel()
			return conformance.CapacityStep{Reason: "interrupted"}, nil
		}
		return g.step(ctx, trial)
	}
	c, err := s.Find(ctx)
	if err != nil || c.Limit != conformance.LimitInterrupted || c.Line != 800 || c.High != 0 || len(c.Steps) != 3 {
		t.Errorf("%+v %v", c, err)
	}
}

func TestAnErrorEndsTheSearch(t *testing.T) {
	t.Parallel()
	broken := errors.New("no disk")
	s := search(nil, 1, 2, 0.05, 1)
	s.Step = func(context.Context, capacity.Trial) (conformance.CapacityStep, error) {
		return conformance.CapacityStep{}, broken
	}
	if _, err := s.Find(context.Background()); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestValuesAreRoundedToWhatCanBeTried(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ quantum, value, want float64 }{
		{1, 12.4, 12}, {60, 131, 120}, {0, 123.456, 123.5}, {0, 0.123456, 0.1235}, {0, 98765, 98770}, {0, 0, 0},
	} {
		if got := (&capacity.Search{Quantum: c.quantum}).Round(c.value); got != c.want {
			t.Errorf("%g by %g is %g, want %g", c.value, c.quantum, got, c.want)
		}
	}
}

// Next to the line a value may be of no use, again and again; what is seen around it is enough, when it is near.
func TestWhatCannotBeJudgedNextToTheLineDoesNotHideIt(t *testing.T) {
	t.Parallel()
	g := &target{guarantee: 1000, rnd: random(1)}
	s := search(g, 900, 20000, 0.04, 1)
	s.Factor = 1.15 // 1,035 is beyond it, 965 is not
	s.Step = func(ctx context.Context, trial capacity.Trial) (conformance.CapacityStep, error) {
		if trial.Value > 980 && trial.Value < 1020 {
			return conformance.CapacityStep{Harness: true, Reason: "the harness was held up"}, nil
		}
		return g.step(ctx, trial)
	}
	c := find(t, s)
	keeps(t, c)
	if c.Limit != conformance.LimitTarget || c.Line < 960 || c.High > 1040 {
		t.Errorf("%s: %s, %d runs", c.Limit, c.Answer(), len(c.Steps))
	}
}
