package compare

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/stats"
)

// figure is one number that is compared. All of them are better when they are smaller.
type figure struct {
	name     string // of what is compared
	measure  string // that it is taken from
	quantile string
	share    float64 // of the quantile, 0 to 1; 0 for the measure's value
	kind     kind
}

// kind says what tells how much a figure varies.
type kind int

const (
	typical kind = iota // the value of a typical second: the seconds of one run tell, and a pause in a few of them does no harm
	whole               // over all seconds of a run: they tell what chance may do, but not whether it was a pause
	single              // one number of a run: only other runs tell
)

// figures are those that are compared. Other measures of a result follow from the plan, as rates and numbers of messages do, or from these.
var figures = []figure{
	{"latency.by_second", "latency", "p50", 0.5, typical},
	{"latency.by_second", "latency", "p99", 0.99, typical},
	{"latency", "latency", "p50", 0.5, whole},
	{"latency", "latency", "p99", 0.99, whole},
	{"connect", "connect", "p50", 0.5, single},
	{"connect", "connect", "p99", 0.99, single},
	{"reconnect", "reconnect", "p50", 0.5, single},
	{"reconnect", "reconnect", "p99", 0.99, single},
	{"resume.gap", "resume.gap", "p50", 0.5, single},
	{"resume.gap", "resume.gap", "p99", 0.99, single},
	{"fan_out.spread", "fan_out.spread", "p50", 0.5, single},
	{"fan_out.spread", "fan_out.spread", "p99", 0.99, single},
	{"memory", "memory", "", 0, single},
}

// value is the figure in a run: +Inf where it lies among what never came, NaN where nothing was measured.
func (f figure) value(v view) float64 {
	if f.kind == typical {
		return math.Exp(stats.TrimmedMean(logsBySecond(v, f.quantile)))
	}
	m := v.measures[f.measure]
	switch {
	case m == nil:
		return math.NaN()
	case f.quantile == "":
		return m.Value
	}
	value, there := m.Quantile[f.quantile]
	switch {
	case there:
		return value
	case m.Missing > 0:
		return math.Inf(1)
	}
	return math.NaN()
}

// estimate is the logarithm of the ratio of a new run to an old one, and how far that may be off by chance.
func (f figure) estimate(old, latest view) (log float64, e stats.Error) {
	rnd := f.random(latest.run.Scenario)
	switch f.kind {
	case typical:
		d := differences(old, latest, f.quantile)
		return stats.TrimmedMean(d), stats.TrimmedMeanError(d, draws, rnd)
	case whole:
		e = stats.RatioError(blocks(old), blocks(latest), f.share, draws, rnd)
	}
	return math.Log(f.value(latest) / f.value(old)), e
}

// draws of a bootstrap: they leave the width of an interval uncertain by 1/√(2·draws), some hundredths.
const draws = 400

// random is a generator that the same figure always gets: the same runs give the same answer.
func (f figure) random(scenario string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(scenario + "\x00" + f.name + "\x00" + f.quantile)) // a hash takes everything
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}

// Words for what an interval rests on.
const (
	bySeconds = "seconds"
	byRuns    = "runs"
)

// interval is the logarithm of the ratio of the new run to the old ones, and the half width of its interval, infinite where nothing says how
// much the figure varies. With three old runs or more it is how much those differ, and never less than what the seconds say.
func (f figure) interval(before []view, after view) (log, half float64, basis string) {
	logs := make([]float64, len(before))
	var squares float64
	for i, v := range before {
		var e stats.Error
		logs[i], e = f.estimate(v, after)
		within := e.Within(Confidence)
		squares += within * within / float64(len(before))
	}
	log, half = stats.Mean(logs), math.Sqrt(squares)
	if !math.IsInf(half, 1) {
		basis = bySeconds
	}
	switch {
	case len(before) >= leastRuns && math.IsInf(half, 1):
		return log, stats.PredictionError(logs).Within(Confidence), byRuns
	case len(before) >= leastRuns:
		return log, max(half, stats.PredictionError(logs).Within(Confidence)), byRuns
	case len(before) == 2:
		// Two runs say little of a third, but never that it is nearer to them than they are to each other.
		return log, max(half, math.Abs(logs[0]-logs[1])), basis
	}
	return log, half, basis
}

// leastRuns is how many old runs say how much runs differ.
const leastRuns = 3

// lag is how late the harness's timers fired, at the percentile that is nearest to the figure's.
func (f figure) lag(v view) float64 {
	if f.share > 0.5 {
		return v.run.Health.LagP99
	}
	return v.run.Health.LagP50
}

// isTime says whether the figure is a time, which a busy harness lengthens.
func (f figure) isTime() bool { return f.quantile != "" }

// without is the trend of a figure of which nothing can be said.
func (f figure) without() conformance.Trend {
	if f.kind == typical {
		return conformance.TrendUnclear
	}
	return conformance.TrendShown
}
