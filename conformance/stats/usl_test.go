package stats_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance/stats"
)

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(math.Abs(a), math.Abs(b), 1e-300)
}

// yields are what the law says of loads from 1 to top, geometrically spaced.
func yields(u stats.USL, top float64, points int) (n, x []float64) {
	for i := range points {
		load := math.Pow(top, float64(i)/float64(points-1))
		n, x = append(n, load), append(x, u.At(load))
	}
	return n, x
}

func law(lambda, sigma, kappa float64) stats.USL {
	return stats.USL{
		Lambda: stats.Estimate{Value: lambda}, Sigma: stats.Estimate{Value: sigma}, Kappa: stats.Estimate{Value: kappa},
	}
}

func TestTheLawIsFoundInWhatFollowsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := law(
			rapid.Float64Range(0.01, 1e4).Draw(t, "lambda"), rapid.Float64Range(1e-4, 0.5).Draw(t, "sigma"),
			rapid.Float64Range(1e-8, 1e-3).Draw(t, "kappa"))
		n, x := yields(want, rapid.Float64Range(100, 1e5).Draw(t, "top"), rapid.IntRange(6, 30).Draw(t, "points"))
		got, ok := stats.FitUSL(n, x)
		if !ok {
			t.Fatal("no fit")
		}
		for i := range n {
			if !near(got.At(n[i]), x[i], 1e-3) {
				t.Fatalf("X(%g) = %g, want %g", n[i], got.At(n[i]), x[i])
			}
		}
		if got.R2 < 0.999 {
			t.Fatalf("R² = %g of an exact law", got.R2)
		}
	})
}

// The measurements of Gunther's textbook example, a ray tracer with up to 64 processors: he finds a contention of about 0.05 and next to
// no cost of consistency.
func TestPublishedMeasurementsGiveThePublishedCoefficients(t *testing.T) {
	t.Parallel()
	got, ok := stats.FitUSL([]float64{1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64}, []float64{20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310})
	if !ok {
		t.Fatal("no fit")
	}
	if got.Sigma.Value < 0.03 || got.Sigma.Value > 0.07 || got.Kappa.Value > 1e-4 {
		t.Errorf("σ = %g, κ = %g, want about 0.05 and next to 0", got.Sigma.Value, got.Kappa.Value)
	}
	if got.Sigma.Low <= 0 || got.Sigma.High >= 0.1 {
		t.Errorf("interval of σ is %g to %g", got.Sigma.Low, got.Sigma.High)
	}
}

func TestNoCoefficientIsNegative(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.IntRange(4, 20).Draw(t, "points")
		var n, x []float64
		for i := range points {
			n = append(n, 1+float64(i)*rapid.Float64Range(0.5, 1000).Draw(t, "apart"))
			x = append(x, rapid.Float64Range(0.001, 1e6).Draw(t, "yield"))
		}
		u, ok := stats.FitUSL(n, x)
		if !ok {
			return
		}
		if u.Lambda.Value <= 0 || u.Sigma.Value < 0 || u.Kappa.Value < 0 {
			t.Fatalf("λ %g, σ %g, κ %g", u.Lambda.Value, u.Sigma.Value, u.Kappa.Value)
		}
		for _, e := range []stats.Estimate{u.Sigma, u.Kappa} {
			if e.Low < 0 || e.Low > e.Value || e.High < e.Value || math.IsNaN(e.High) {
				t.Fatalf("interval %+v", e)
			}
		}
	})
}

func TestWhatGrowsWithTheLoadHasNoContention(t *testing.T) {
	t.Parallel()
	var n, x []float64
	for _, load := range []float64{100, 160, 256, 410, 656, 1049} {
		n, x = append(n, load), append(x, 4*load)
	}
	u, ok := stats.FitUSL(n, x)
	if !ok || u.Sigma.Value > 1e-9 || u.Kappa.Value > 1e-12 || !near(u.Lambda.Value, 4, 1e-6) {
		t.Errorf("%+v %v", u, ok)
	}
	if _, _, peak := u.Peak(); peak && u.Kappa.Value == 0 {
		t.Error("a peak without a cost of consistency")
	}
}

func TestThePeakIsTheMostThatIsYielded(t *testing.T) {
	t.Parallel()
	u := law(10, 0.05, 0.0002)
	n, x, ok := u.Peak()
	if !ok || !near(n, math.Sqrt(0.95/0.0002), 1e-9) {
		t.Fatalf("peak at %g, %v", n, ok)
	}
	if u.At(n*0.9) >= x || u.At(n*1.1) >= x {
		t.Errorf("X(%g) = %g is no peak", n, x)
	}
}

func TestTooFewPointsFitNoLaw(t *testing.T) {
	t.Parallel()
	for name, points := range map[string][2][]float64{
		"three points":     {{1, 2, 3}, {1, 2, 3}},
		"two loads":        {{1, 1, 2, 2}, {1, 1, 2, 2}},
		"no yield":         {{1, 2, 3, 4}, {1, 2, 0, 4}},
		"less than a unit": {{0.5, 2, 3, 4}, {1, 2, 3, 4}},
		"not a number":     {{1, 2, 3, math.NaN()}, {1, 2, 3, 4}},
		"other lengths":    {{1, 2, 3, 4}, {1, 2, 3}},
	} {
		if u, ok := stats.FitUSL(points[0], points[1]); ok {
			t.Errorf("%s: %+v", name, u)
		}
	}
}

func TestTheLineIsFoundInWhatLiesOnIt(t *testing.T) {
	t.Parallel()
	l, ok := stats.FitLine([]float64{100, 200, 400, 800}, []float64{31e6, 32e6, 34e6, 38e6})
	if !ok || !near(l.Slope.Value, 1e4, 1e-9) || !near(l.Base.Value, 30e6, 1e-9) || l.R2 < 0.999999 {
		t.Errorf("%+v %v", l, ok)
	}
	for name, points := range map[string][2][]float64{
		"two points": {{1, 2}, {1, 2}}, "one place": {{1, 1, 1}, {1, 2, 3}}, "infinite": {{1, 2, math.Inf(1)}, {1, 2, 3}},
	} {
		if _, ok := stats.FitLine(points[0], points[1]); ok {
			t.Errorf("%s: a line", name)
		}
	}
}

// A 95 % interval that holds the truth much less often, or always, is none.
func TestTheIntervalHoldsTheTruthAsOftenAsItSays(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	const trials = 2000
	line, contention := 0, 0
	truth := law(10, 0.02, 1e-5)
	for range trials {
		var n, y, x []float64
		for load := 10.0; load < 2000; load *= 1.7 {
			n = append(n, load)
			y = append(y, 5000+12*load+300*rnd.NormFloat64())
			x = append(x, truth.At(load)*(1+0.02*rnd.NormFloat64()))
		}
		l, _ := stats.FitLine(n, y)
		if l.Slope.Low <= 12 && 12 <= l.Slope.High {
			line++
		}
		u, _ := stats.FitUSL(n, x)
		if u.Sigma.Low <= 0.02 && 0.02 <= u.Sigma.High {
			contention++
		}
	}
	if share := float64(line) / trials; share < 0.93 || share > 0.97 {
		t.Errorf("the slope's interval held the truth in %.1f%% of %d fits", 100*share, trials)
	}
	if share := float64(contention) / trials; share < 0.88 || share > 0.99 {
		t.Errorf("the contention's interval held the truth in %.1f%% of %d fits", 100*share, trials)
	}
}
