package check

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Report judges a whole run's tally.
func (t *Tally) Report(c *Config, health conformance.Health) Report {
	held := t.Behind + t.Unjudged
	r := Report{
		Expected: t.Expected, Delivered: t.Expected - min(t.Expected, t.Lost+t.Outstanding+held), Published: t.Published, Measures: t.measures(c),
		Lost: t.Lost, Outstanding: t.Outstanding + held, Held: held,
		Series: t.Series(c), Curves: t.Curves(), Faults: t.Faults(c), Effects: t.effectsOf(c),
	}
	for _, g := range Guarantees() {
		if c.Expect.wants(g.Name) {
			r.Verdicts = append(r.Verdicts, g.judge(c, t, &health))
		}
	}
	for _, b := range budgets {
		r.Verdicts = append(r.Verdicts, b(c, t, &health)...)
	}
	if health.Crash == "" { // whoever crashed may have been the one that killed it
		r.Verdicts = t.Death.apply(c.Scenario, r.Verdicts)
	}
	return r
}

// measures are everything that was measured, whether or not it has a budget.
func (t *Tally) measures(c *Config) []conformance.Measure {
	all := t.latency()
	connected := all.without(t.distribution(latencyCatchUp))
	list := []conformance.Measure{distribution("latency", all), distribution("latency.connected", &connected)}
	for _, name := range distributionNames {
		list = append(list, distribution(name, t.distribution(name)))
	}
	list = append(list, endingMeasures(t)...)
	list = append(list,
		perSecond("deliveries", t.Delivered), perSecond("connections", cumulated(t.Connected)), perSecond("reconnects", bySecond(t.Returns)),
		t.memoryMeasure(),
		amount("heartbeat.silence_max", "ms", milliseconds(t.Silence), t.Connections),
		amount("connect.ended_at_once", "connections", float64(t.Fleeting), t.Fleeting),
		amount("delivery.lost", "deliveries", float64(t.Lost), t.Lost),
		amount("delivery.outstanding", "deliveries", float64(t.Outstanding+t.Behind+t.Unjudged), t.Outstanding+t.Behind+t.Unjudged),
		amount("slow.dropped", "deliveries", float64(t.Dropped), t.Dropped),
		amount("slow.behind", "deliveries", float64(t.Behind), t.Behind),
		amount("history.beyond", "deliveries", float64(t.Beyond), t.Beyond),
		amount("publish.acknowledged", "messages", float64(t.Published), t.Published),
		amount("publish.rejected", "messages", float64(t.Rejected), t.Rejected),
		amount("publish.indeterminate", "messages", float64(t.Indeterminate), t.Indeterminate),
	)
	kept := list[:0]
	for _, m := range list {
		if m.Samples+m.Missing > 0 {
			m.Scenario = c.Scenario
			kept = append(kept, m)
		}
	}
	return kept
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// measuredPercentiles are those that every distribution is reported with, as far as they are finite.
var measuredPercentiles = []float64{50, 90, 99, 99.9}

func distribution(name string, d *Distribution) conformance.Measure {
	m := conformance.Measure{
		Name: name, Unit: "ms", Samples: d.Samples, Missing: d.Missing, Value: milliseconds(d.Mean()),
		Min: milliseconds(d.Min), Max: milliseconds(d.Max), Quantile: map[string]float64{},
	}
	for _, p := range measuredPercentiles {
		if v, finite := d.Quantile(p); finite {
			m.Quantile[percentile(p)] = milliseconds(v)
		}
	}
	return m
}

func amount(name, unit string, value float64, samples uint64) conformance.Measure {
	return conformance.Measure{Name: name, Unit: unit, Value: value, Samples: samples}
}

// perSecond is a series with its mean, least and most.
func perSecond(name string, counts []int64) conformance.Measure {
	m := conformance.Measure{Name: name, Unit: "per second", Series: make([]float64, len(counts))}
	if name == "connections" {
		m.Unit = "connections"
	}
	for i, n := range counts {
		v := float64(n)
		m.Series[i] = v
		m.Value += v / float64(len(counts))
		m.Max = max(m.Max, v)
		if i == 0 || v < m.Min {
			m.Min = v
		}
	}
	if m.Max > 0 {
		m.Samples = uint64(len(counts))
	}
	return m
}

// cumulated turns changes into levels.
func cumulated(changes []int64) []int64 {
	levels := make([]int64, len(changes))
	var level int64
	for i, n := range changes {
		level += n
		levels[i] = level
	}
	return levels
}

// bySecond sums a series in peakSteps up.
func bySecond(steps []int64) []int64 {
	const width = int(time.Second / peakStep)
	sums := make([]int64, (len(steps)+width-1)/width)
	for i, n := range steps {
		sums[i/width] += n
	}
	return sums
}

func (t *Tally) memoryMeasure() conformance.Measure {
	m := conformance.Measure{Name: "memory", Unit: "bytes", Samples: uint64(len(t.Memory))}
	for i, s := range t.Memory {
		v := float64(s.Bytes)
		m.Series = append(m.Series, v)
		m.Value += v / float64(len(t.Memory))
		m.Max = max(m.Max, v)
		if i == 0 || v < m.Min {
			m.Min = v
		}
	}
	return m
}
