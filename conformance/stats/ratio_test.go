package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/stats"
)

func block(samples, p50, p99, most float64) stats.Block {
	return stats.Block{Samples: samples, Knots: []stats.Knot{{Share: 0.5, Value: p50}, {Share: 0.99, Value: p99}, {Share: 1, Value: most}}}
}

// noisy are seconds whose common level wanders, each as far as it likes from the one before: spread is that of one second.
func noisy(rnd *rand.Rand, seconds int, level, spread, memory float64) []stats.Block {
	blocks := make([]stats.Block, seconds)
	var common float64
	for i := range blocks {
		common = memory*common + math.Sqrt(1-memory*memory)*rnd.NormFloat64()
		p50 := level * math.Exp(spread*common)
		blocks[i] = block(1000, p50, 1.2*p50, 1.5*p50)
	}
	return blocks
}

func TestEqualRunsDifferByNothing(t *testing.T) {
	t.Parallel()
	seconds := noisy(rand.New(rand.NewPCG(1, 1)), 20, 50, 0.3, 0)
	for _, q := range []float64{0.5, 0.99} {
		if got := stats.RatioError(seconds, seconds, q, 200, rand.New(rand.NewPCG(1, 2))); got.Standard > 1e-9 || got.Freedom < 3 {
			t.Errorf("quantile %g: the error is %+v, want none: the same seconds are drawn from both", q, got)
		}
	}
}

// The error must not be that of the thousands of single samples, which would be a hundredth of this.
func TestTheErrorIsThatOfSeconds(t *testing.T) {
	t.Parallel()
	const seconds, spread = 40, 0.1
	rnd := rand.New(rand.NewPCG(3, 3))
	want := spread * math.Sqrt2 / math.Sqrt(seconds)
	var sum float64
	const runs = 50
	for range runs {
		e := stats.RatioError(noisy(rnd, seconds, 50, spread, 0), noisy(rnd, seconds, 50, spread, 0), 0.5, 200, rnd)
		sum += e.Standard / runs
	}
	if sum < 0.7*want || sum > 1.5*want {
		t.Errorf("the mean standard error is %.4f, want about %.4f", sum, want)
	}
}

func TestTheTruthLiesWithinTheInterval(t *testing.T) {
	t.Parallel()
	for _, memory := range []float64{0, 0.5} {
		rnd := rand.New(rand.NewPCG(4, 4))
		const runs = 200
		missed := 0
		for range runs {
			old, latest := noisy(rnd, 30, 50, 0.1, memory), noisy(rnd, 30, 50, 0.1, memory)
			var difference float64
			for i := range old {
				difference += math.Log(latest[i].Knots[0].Value/old[i].Knots[0].Value) / 30
			}
			if e := stats.RatioError(old, latest, 0.5, 200, rnd); math.Abs(difference) > e.Within(0.99) {
				missed++
			}
		}
		if missed > runs*4/100 {
			t.Errorf("with a memory of %g the truth was missed %d times of %d, want at most some 1%%", memory, missed, runs)
		}
	}
}

func TestWhatCannotBeSaidHasNoFreedom(t *testing.T) {
	t.Parallel()
	good := block(100, 50, 60, 70)
	lossy := good
	lossy.Missing = 100
	none := stats.Block{}
	for name, c := range map[string]struct{ old, latest []stats.Block }{
		"two seconds":            {[]stats.Block{good, good}, []stats.Block{good, good}},
		"nothing in common":      {[]stats.Block{good, good, good, none, none, none}, []stats.Block{none, none, none, good, good, good}},
		"half of it lost":        {[]stats.Block{good, good, good, good}, []stats.Block{lossy, lossy, lossy, lossy}},
		"sometimes half is lost": {[]stats.Block{good, good, good, good}, []stats.Block{good, lossy, good, good}},
		"no seconds at all":      {nil, nil},
	} {
		e := stats.RatioError(c.old, c.latest, 0.99, 100, rand.New(rand.NewPCG(1, 1)))
		if e.Freedom != 0 || !math.IsInf(e.Within(0.99), 1) {
			t.Errorf("%s: the error is %+v, want one without any degree of freedom", name, e)
		}
	}
}

func TestNeighboursThatAreAlikeAreDrawnTogether(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(5, 5))
	apart, together := make([]float64, 100), make([]float64, 100)
	for i := range apart {
		apart[i], together[i] = rnd.NormFloat64(), rnd.NormFloat64()
		if i > 0 {
			together[i] += 0.8 * together[i-1]
		}
	}
	if got := stats.BlockLength(apart); got > 3 {
		t.Errorf("independent values are drawn by %d", got)
	}
	if got := stats.BlockLength(together); got < 5 || got > 12 {
		t.Errorf("values that depend on each other are drawn by %d, want 5 to 12", got)
	}
	if got := stats.BlockLength(nil); got != 1 {
		t.Errorf("nothing is drawn by %d, want 1", got)
	}
}

func TestMoreRunsNarrowWhatIsExpectedOfTheNext(t *testing.T) {
	t.Parallel()
	few, many := stats.PredictionError([]float64{1, 1.1, 0.9}), stats.PredictionError([]float64{1, 1.1, 0.9, 1, 1.1, 0.9, 1, 1.1, 0.9})
	if few.Within(0.99) <= many.Within(0.99) {
		t.Errorf("three runs leave ±%g, nine ±%g", few.Within(0.99), many.Within(0.99))
	}
	if one := stats.PredictionError([]float64{1}); !math.IsInf(one.Within(0.99), 1) {
		t.Errorf("one run leaves ±%g, want that nothing can be said", one.Within(0.99))
	}
}
