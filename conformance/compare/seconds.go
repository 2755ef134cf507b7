package compare

import (
	"math"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/stats"
)

// blocks are the latencies of a run second by second, as its series tell them. A run without series has none.
func blocks(v view) []stats.Block {
	p50, p99, most := series(v.run, "latency.p50"), series(v.run, "latency.p99"), series(v.run, "latency.max")
	deliveries, missing := series(v.run, "deliveries"), series(v.run, "lost")
	list := make([]stats.Block, len(p99))
	for i := range list {
		b := &list[i]
		b.Missing = orZero(at(missing, i))
		for _, k := range []stats.Knot{{Share: 0.5, Value: at(p50, i)}, {Share: 0.99, Value: at(p99, i)}, {Share: 1, Value: at(most, i)}} {
			if finite(k.Value) {
				k.Value = max(k.Value, leastLatency)
				b.Knots = append(b.Knots, k)
			}
		}
		if len(b.Knots) > 0 {
			b.Samples = max(1, orZero(at(deliveries, i))*stepSeconds(v.run))
		}
	}
	return list
}

// leastLatency in milliseconds is the resolution of the histograms: what has a logarithm must not be 0.
const leastLatency = 0.001

// logsBySecond are the logarithms of a latency in every second that says something.
func logsBySecond(v view, quantile string) []float64 {
	values, enough := series(v.run, "latency."+quantile), busySeconds(v)
	var logs []float64
	for i := range values {
		if enough(i) {
			logs = append(logs, math.Log(max(at(values, i), leastLatency)))
		}
	}
	return logs
}

// differences are the logarithms of the ratios of two runs in the seconds in which both say something. Both went through the same timeline:
// what differs between the seconds of one run, such as a fault half-way, is no difference between the runs.
func differences(old, latest view, quantile string) []float64 {
	name := "latency." + quantile
	before, after := series(old.run, name), series(latest.run, name)
	enough, enoughNow := busySeconds(old), busySeconds(latest)
	var d []float64
	for i := range min(len(before), len(after)) {
		if enough(i) && enoughNow(i) {
			d = append(d, math.Log(max(at(after, i), leastLatency)/max(at(before, i), leastLatency)))
		}
	}
	return d
}

// busySeconds says which seconds had at least a quarter of the deliveries of a middling one: the last ones of a run often have a handful,
// whose percentiles are those of single deliveries.
func busySeconds(v view) func(i int) bool {
	latency, deliveries := series(v.run, "latency.p99"), series(v.run, "deliveries")
	var counts []float64
	for i := range latency {
		if n := at(deliveries, i); finite(at(latency, i)) && finite(n) {
			counts = append(counts, n)
		}
	}
	least := 0.0
	if slices.Sort(counts); len(counts) > 0 {
		least = counts[len(counts)/2] / 4
	}
	return func(i int) bool { return finite(at(latency, i)) && orZero(at(deliveries, i)) >= least }
}

func series(r *conformance.ScenarioRun, name string) []conformance.Sample {
	for i := range r.Series {
		if r.Series[i].Name == name {
			return r.Series[i].Values
		}
	}
	return nil
}

// stepSeconds is how many seconds each sample of the series stands for.
func stepSeconds(r *conformance.ScenarioRun) float64 {
	for i := range r.Series {
		if r.Series[i].StepMS > 0 {
			return r.Series[i].StepMS / 1000
		}
	}
	return 1
}

func at(values []conformance.Sample, i int) float64 {
	if i < len(values) {
		return float64(values[i])
	}
	return math.NaN()
}

func orZero(v float64) float64 {
	if finite(v) {
		return v
	}
	return 0
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
