package check

import (
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// maxSamples bounds the samples of one line of a chart.
const maxSamples = 1200

// chartSteps are the lengths of time that one sample of a chart can stand for.
var chartSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second,
}

// chartStep is the shortest step in which the whole planned run fits. All shards of a run have the same one.
func (c *Config) chartStep() time.Duration {
	length := min(c.Duration, maxSeries)
	for _, step := range chartSteps {
		if length/step < maxSamples {
			return step
		}
	}
	return chartSteps[len(chartSteps)-1]
}

// Series are the lines of the run's timeline: see docs/result.md.
func (t *Tally) Series(c *Config) []conformance.Series {
	step := c.chartStep()
	n := len(t.Arrivals)
	longest := t.latency().Max
	return []conformance.Series{
		line("connected", "1", step, n, levels(t.Connected, step)),
		line("deliveries", "1/s", step, n, rates(t.Delivered, step)),
		line("reconnects", "1/s", step, n, rates(bySecond(t.Returns), step)),
		line("lost", "1", step, n, t.lostByStep()),
		line("latency.p50", "ms", step, n, t.latencies(0.5, longest)),
		line("latency.p99", "ms", step, n, t.latencies(0.99, longest)),
		line("latency.max", "ms", step, n, t.latencies(1, longest)),
	}
}

// line is a series of n samples; value gives one.
func line(name, unit string, step time.Duration, n int, value func(i int) float64) conformance.Series {
	s := conformance.Series{Name: name, Unit: unit, StepMS: milliseconds(step), Values: make([]conformance.Sample, n)}
	for i := range s.Values {
		s.Values[i] = conformance.Sample(value(i))
	}
	return s
}

// levels is what changes per second amount to when a step begins.
func levels(changes []int64, step time.Duration) func(int) float64 {
	after := cumulated(changes)
	width := int(step / time.Second)
	return func(i int) float64 {
		if i == 0 || len(after) == 0 {
			return 0
		}
		return float64(after[min(i*width, len(after))-1])
	}
}

// rates is the mean per second of each step. The last step may have been shorter, and its rate is then too low.
func rates(perSecond []int64, step time.Duration) func(int) float64 {
	width := int(step / time.Second)
	return func(i int) float64 {
		var sum int64
		for _, n := range perSecond[min(i*width, len(perSecond)):min((i+1)*width, len(perSecond))] {
			sum += n
		}
		return float64(sum) / float64(width)
	}
}

// lostByStep is no number before what is owed has been summed up: while the run goes on nothing is lost for good.
func (t *Tally) lostByStep() func(int) float64 {
	return func(i int) float64 {
		switch {
		case t.LostByStep == nil:
			return math.NaN()
		case i < len(t.LostByStep):
			return float64(t.LostByStep[i])
		}
		return 0
	}
}

// latencies is a quantile of each step, interpolated within its bucket, or of the highest sample the end of it.
func (t *Tally) latencies(quantile float64, longest time.Duration) func(int) float64 {
	return func(i int) float64 {
		row := t.Arrivals[i]
		n := row.samples()
		if n == 0 {
			return math.NaN()
		}
		bucket, within := row.bucket(max(1, int64(math.Ceil(quantile*float64(n)))))
		least, below := bucketBounds(bucket)
		value := least + time.Duration(within*float64(below-least))
		if quantile == 1 {
			value = below
		}
		if longest > 0 && (value > longest || bucket == latencyBuckets-1) {
			value = longest
		}
		return math.Round(1000*milliseconds(value)) / 1000
	}
}

// Chart is the timeline of a run that still goes on, up to the last step that was over at the time now. What is lost is not known yet.
// It may be called at any time, from any goroutine.
func (j *Judge) Chart(now time.Duration) ([]conformance.Series, []conformance.FaultBand) {
	t := &Tally{End: now, Connected: j.connected.sums(now), Returns: j.returns.sums(now), Losses: j.losses.sums(now), Effects: j.effects.seen(&j.cfg), Bands: j.bands.list()}
	t.Delivered, t.Arrivals = j.arrivals.counts(now, j.cfg.chartStep())
	t.Arrivals = t.Arrivals[:min(int(now/j.cfg.chartStep()), len(t.Arrivals))]
	return t.Series(&j.cfg), t.Faults(&j.cfg)
}
