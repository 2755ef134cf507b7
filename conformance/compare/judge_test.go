package compare_test

import (
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
)

func find(t *testing.T, c *conformance.Comparison, name, quantile string) conformance.MeasureChange {
	t.Helper()
	for _, m := range c.Measures {
		if m.Name == name && m.Quantile == quantile {
			return m
		}
	}
	t.Fatalf("there is no %s %s in %+v", name, quantile, c.Measures)
	return conformance.MeasureChange{}
}

// slower is a run like busy's with all its latencies multiplied.
func slower(seed uint64, by float64) compare.Run {
	r := busy.run(seed, 20)
	for _, s := range r.Result.Runs[0].Series {
		if strings.HasPrefix(s.Name, "latency.") {
			for i := range s.Values {
				s.Values[i] *= conformance.Sample(by)
			}
		}
	}
	q := r.Result.Measures[0].Quantile
	for name := range maps.Keys(q) {
		q[name] *= by
	}
	return r
}

func TestTheSameNoiseLeavesTheDifference(t *testing.T) {
	t.Parallel()
	for by, want := range map[float64]conformance.Trend{
		1: conformance.TrendSame, 1.05: conformance.TrendSame, 1.2: conformance.TrendWorse, 0.8: conformance.TrendBetter, 3: conformance.TrendWorse,
	} {
		c := compare.Do([]compare.Run{busy.run(1, 20)}, slower(1, by), compare.Options{Tolerance: 0.1})
		for _, quantile := range []string{"p50", "p99"} {
			m := find(t, c, "latency.by_second", quantile)
			if m.Trend != want || math.Abs(float64(m.Change)-(by-1)) > 1e-6 || m.Basis != "seconds" {
				t.Errorf("%g times the %s is %+v, want %s", by, quantile, m, want)
			}
		}
	}
}

// What the harness's own timers were late is no difference of the target.
func TestTheHarnessesOwnDelayIsNotBlamedOnTheTarget(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(h *conformance.Health){
		"its timers were late":   func(h *conformance.Health) { h.LagP50 = 4 },
		"it could not keep up":   func(h *conformance.Health) { h.OK = false },
		"the machine was busier": func(h *conformance.Health) { h.LagP50 = 1.5 },
	} {
		latest := slower(1, 1.2)
		set(&latest.Result.Runs[0].Health)
		m := find(t, compare.Do([]compare.Run{busy.run(1, 20)}, latest, compare.Options{Tolerance: 0.1}), "latency.by_second", "p50")
		if m.Trend == conformance.TrendWorse || m.Trend == conformance.TrendUnclear && m.Text == "" {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestWithoutSecondsItTakesSeveralRuns(t *testing.T) {
	t.Parallel()
	bare := func(r compare.Run) compare.Run {
		r.Result.Runs[0].Series = nil
		r.Result.Measures = append(r.Result.Measures, conformance.Measure{
			Name: "connect", Scenario: "steady", Unit: "ms", Samples: 100, Quantile: map[string]float64{"p50": r.Result.Measures[0].Quantile["p50"] / 10},
		})
		return r
	}
	latest := bare(slower(9, 1.5))
	few := compare.Do([]compare.Run{bare(busy.run(1, 20))}, latest, compare.Options{Tolerance: 0.1})
	if m := find(t, few, "latency.by_second", "p50"); m.Trend != conformance.TrendUnclear {
		t.Errorf("without any second: %+v", m)
	}
	for _, name := range []string{"latency", "connect"} {
		if m := find(t, few, name, "p50"); m.Trend != conformance.TrendShown || !strings.Contains(m.Text, "three old runs") {
			t.Errorf("one old run: %+v", m)
		}
	}
	var old []compare.Run
	for seed := range uint64(6) {
		old = append(old, bare(busy.run(seed, 20)))
	}
	many := compare.Do(old, latest, compare.Options{Tolerance: 0.1})
	for _, name := range []string{"latency", "connect"} {
		if m := find(t, many, name, "p50"); m.Trend != conformance.TrendWorse || m.Basis != "runs" {
			t.Errorf("six old runs: %+v", m)
		}
	}
}

func TestAPercentileAmongTheLostIsWorse(t *testing.T) {
	t.Parallel()
	latest := busy.run(1, 20)
	delete(latest.Result.Measures[0].Quantile, "p99")
	latest.Result.Measures[0].Missing = 500
	if m := find(t, compare.Do([]compare.Run{busy.run(1, 20)}, latest, compare.Options{}), "latency", "p99"); m.Trend != conformance.TrendWorse {
		t.Errorf("it is %+v", m)
	}
	latest.Result.Runs[0].Interrupted = true
	if m := find(t, compare.Do([]compare.Run{busy.run(1, 20)}, latest, compare.Options{}), "latency", "p99"); m.Trend == conformance.TrendWorse {
		t.Errorf("after an interrupt it is %+v", m)
	}
}

func TestTheSameRunsGiveTheSameAnswer(t *testing.T) {
	t.Parallel()
	answer := func() *conformance.Comparison {
		return compare.Do([]compare.Run{busy.run(1, 20), busy.run(2, 20)}, busy.run(3, 20), compare.Options{Tolerance: 0.1})
	}
	a, b := answer(), answer()
	for i := range a.Measures {
		if x, y := a.Measures[i], b.Measures[i]; x.Low != y.Low && !math.IsNaN(float64(x.Low)) || x.Trend != y.Trend {
			t.Errorf("%+v, and then %+v", x, y)
		}
	}
}

func TestAComparisonIsAResultLikeAnyOther(t *testing.T) {
	t.Parallel()
	lossy := busy
	lossy.lost = 1
	latest := lossy.run(2, 20)
	latest.Result.Verdicts[0].Findings = []conformance.Finding{{Name: "lost", Count: 1}}
	r := compare.Result(compare.Do([]compare.Run{busy.run(1, 20)}, latest, compare.Options{Tolerance: 0.1}), latest)
	if r.Kind != conformance.KindCompare || r.Outcome != conformance.Fail || r.Comparison == nil {
		t.Fatalf("it is %s %s", r.Kind, r.Outcome)
	}
	v := r.Verdicts[0]
	if v.ID != "delivery.complete" || v.Expected != "no worse than pass (0 lost)" || v.Actual != "fail (1 lost)" || len(v.Findings) != 1 {
		t.Errorf("the first verdict is %+v", v)
	}
	for _, v := range r.Verdicts {
		if (v.Outcome == conformance.Unknown || v.Outcome == conformance.Skip) && v.Reason == "" {
			t.Errorf("%s is %s without a reason", v.ID, v.Outcome)
		}
	}
}
