package compare

import (
	"math"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// measures are what became of every figure, scenario by scenario.
func measures(old []Run, latest Run, o Options) []conformance.MeasureChange {
	list := []conformance.MeasureChange{}
	for _, scenario := range scenariosOf(latest.Result) {
		before := views(old, scenario)
		after, there := viewOf(latest.Result, scenario)
		if len(before) == 0 || !there {
			continue
		}
		if wanted(o.Only, "lost") && (after.run.Expected > 0 || before[0].run.Expected > 0) {
			list = append(list, lost(before, after))
		}
		worse := map[string]bool{} // measure and quantile that are worse in a typical second
		for _, f := range figures {
			c, there := f.compare(before, after, o.Tolerance)
			key := f.measure + "." + f.quantile
			switch {
			case f.kind == typical:
				worse[key] = there && c.Trend == conformance.TrendWorse
			case f.kind == whole && worse[key] && c.Trend == conformance.TrendUnclear:
				c.Trend, c.Text = conformance.TrendWorse, "" // it is no matter of some seconds
			}
			if there && wanted(o.Only, f.name+"."+f.quantile) {
				list = append(list, c)
			}
		}
	}
	return list
}

func scenariosOf(r *conformance.Result) []string {
	var names []string
	for i := range r.Runs {
		if !slices.Contains(names, r.Runs[i].Scenario) {
			names = append(names, r.Runs[i].Scenario)
		}
	}
	return names
}

// view is one scenario of one result.
type view struct {
	run      *conformance.ScenarioRun
	measures map[string]*conformance.Measure
}

func viewOf(r *conformance.Result, scenario string) (view, bool) {
	v := view{measures: map[string]*conformance.Measure{}}
	for i := range r.Runs {
		if r.Runs[i].Scenario == scenario && v.run == nil {
			v.run = &r.Runs[i]
		}
	}
	for i := range r.Measures {
		if r.Measures[i].Scenario == scenario {
			v.measures[r.Measures[i].Name] = &r.Measures[i]
		}
	}
	return v, v.run != nil
}

func views(runs []Run, scenario string) []view {
	var list []view
	for _, r := range runs {
		if v, there := viewOf(r.Result, scenario); there {
			list = append(list, v)
		}
	}
	return list
}

// compare is false where neither side measured it.
func (f figure) compare(before []view, after view, tolerance float64) (conformance.MeasureChange, bool) {
	c := empty(f.name, f.quantile, after.run.Scenario)
	var olds []float64
	var measured []view
	for _, v := range before {
		if x := f.value(v); !math.IsNaN(x) {
			olds, measured = append(olds, x), append(measured, v)
			c.Unit = v.measures[f.measure].Unit
		}
	}
	now := f.value(after)
	if m := after.measures[f.measure]; m != nil {
		c.Unit = m.Unit
	}
	old := geometricMean(olds)
	c.Old, c.New = conformance.Sample(old), conformance.Sample(now)
	switch {
	case math.IsNaN(now) && len(olds) == 0 && f.kind == typical && len(before) < leastRuns && before[0].measures[f.measure] != nil:
		c.Trend, c.Text = conformance.TrendUnclear, "these results keep no latency second by second: run again with this version, or give three old runs or more"
	case math.IsNaN(now) && len(olds) == 0:
		return c, false
	case math.IsNaN(now):
		c.Trend, c.Text = f.without(), "the new run did not measure it"
	case len(olds) == 0:
		c.Trend, c.Text = conformance.TrendShown, "the old runs did not measure it"
	case math.IsInf(now, 1) && math.IsInf(old, 1):
		c.Trend, c.Text = conformance.TrendShown, "it lies among the deliveries that never came, in both"
	case math.IsInf(now, 1) && after.run.Interrupted:
		c.Trend, c.Text = conformance.TrendShown, "the new run was interrupted before everything owed could arrive"
	case math.IsInf(now, 1):
		c.Trend, c.Text = conformance.TrendWorse, "it lies among the deliveries that never came"
	case math.IsInf(old, 1):
		c.Trend, c.Text = conformance.TrendBetter, "it lay among the deliveries that never came"
	case old <= 0 || now <= 0:
		c.Trend, c.Text = conformance.TrendShown, "it is 0, so that there is no ratio"
	default:
		f.judge(&c, measured, after, tolerance)
	}
	return c, true
}

func empty(name, quantile, scenario string) conformance.MeasureChange {
	none := conformance.Sample(math.NaN())
	return conformance.MeasureChange{Name: name, Scenario: scenario, Quantile: quantile, Change: none, Low: none, High: none, Limit: none}
}

func geometricMean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += math.Log(v)
	}
	if len(values) == 0 {
		return math.NaN()
	}
	return math.Exp(sum / float64(len(values)))
}

// lost compares owed deliveries that did not come, save those that the harness kept back. One is too many where there was none.
func lost(before []view, after view) conformance.MeasureChange {
	c := empty("lost", "", after.run.Scenario)
	most, least := uint64(0), uint64(math.MaxUint64)
	for _, v := range before {
		n := v.lost()
		most, least = max(most, n), min(least, n)
	}
	now := after.lost()
	c.Old, c.New, c.Limit = conformance.Sample(most), conformance.Sample(now), conformance.Sample(most)
	switch {
	case after.run.Interrupted && now > 0:
		c.Trend, c.Text = conformance.TrendUnclear, "the new run was interrupted before everything owed could arrive"
	case now == 0 && least > 0:
		c.Trend = conformance.TrendBetter
	case now <= most:
		c.Trend = conformance.TrendSame
	case most == 0:
		c.Trend = conformance.TrendWorse
	default:
		c.Trend, c.Text = conformance.TrendUnclear, "the old runs lost some as well, and how many is a matter of chance"
	}
	return c
}

func (v view) lost() uint64 {
	return v.run.Expected - min(v.run.Delivered+v.run.Held, v.run.Expected)
}
