package compare

import (
	"fmt"
	"math"

	"github.com/streamgauge/streamgauge/conformance"
)

// tooWide is the half width of a logarithm beyond which an interval could hide that a figure has doubled.
const tooWide = math.Ln2

// wakes is how often somebody is woken up on the way of a message: its publisher, the target, its subscriber. Each can be as late as the
// harness's own timers were.
const wakes = 3

// judge weighs two finite figures above 0. A figure is worse when all of its interval lies beyond what is tolerated. It is unclear when
// its middle does. Of a figure that few seconds decide, that says something only when the whole interval lies above what was before.
func (f figure) judge(c *conformance.MeasureChange, before []view, after view, tolerance float64) {
	log, half, basis := f.interval(before, after)
	old := float64(c.Old)
	if f.kind == typical {
		c.New = conformance.Sample(old * math.Exp(log)) // second by second, not as the mean of each run has it
	}
	floor := f.floor(before, after)
	limit := max(old*(1+tolerance), old+floor)
	c.Change, c.Limit, c.Basis = share(log), conformance.Sample(limit), basis
	if math.IsInf(half, 1) {
		c.Trend, c.Text = f.without(), f.unknowable(len(before))
		return
	}
	c.Low, c.High = share(log-half), share(log+half)
	most := math.Log(limit / old)
	switch {
	case log-half > most:
		c.Trend, c.Text = f.worse(before, after, basis)
	case log > most && (f.kind == typical || log-half > 0):
		c.Trend, c.Text = f.doubt(), "it looks worse by more than is tolerated, but chance could explain that: run longer, or give several old runs"
	case half > tooWide && log+half > most:
		c.Trend, c.Text = f.without(), "it varies so much that it could have doubled unnoticed: run longer, or give several old runs"
	case basis != byRuns && f.kind == whole:
		c.Trend = conformance.TrendShown
	case log+half < -math.Log(1+tolerance) && old-float64(c.New) > floor:
		c.Trend = conformance.TrendBetter
	default:
		c.Trend = conformance.TrendSame
	}
}

// worse is the trend of a figure whose whole interval lies beyond what is tolerated.
func (f figure) worse(before []view, after view, basis string) (trend conformance.Trend, why string) {
	if f.kind == whole && basis != byRuns {
		return conformance.TrendUnclear, "it is worse in some seconds, which a pause would cause as well: give three old runs or more"
	}
	if why := f.otherConditions(before, after); why != "" {
		return conformance.TrendUnclear, why
	}
	return conformance.TrendWorse, ""
}

// doubt is the trend of a figure that is worse and nobody knows how much. What only a comparison with several runs can judge is not asked for.
func (f figure) doubt() conformance.Trend {
	if f.kind == single {
		return conformance.TrendShown
	}
	return conformance.TrendUnclear
}

func (f figure) unknowable(runs int) string {
	if f.kind != single {
		return "too few seconds with deliveries say how much it varies: run longer, or give three old runs or more"
	}
	few := "two old runs"
	if runs == 1 {
		few = "one old run"
	}
	return few + " cannot say how much it varies: give three old runs or more"
}

// share is a difference of logarithms as a share of the old figure.
func share(log float64) conformance.Sample { return conformance.Sample(math.Expm1(log)) }

// floor is what the harness itself may have added to the figure, in milliseconds.
func (f figure) floor(before []view, after view) float64 {
	if !f.isTime() {
		return 0
	}
	late := f.lag(after)
	for _, v := range before {
		late = max(late, f.lag(v))
	}
	return wakes * late
}

// otherConditions says why a worse time is not the target's doing: the harness had less of the machine than before.
func (f figure) otherConditions(before []view, after view) string {
	if !f.isTime() {
		return ""
	}
	if !after.run.Health.OK {
		return "the harness of the new run could not keep up"
	}
	var old float64
	for _, v := range before {
		old = max(old, f.lag(v))
	}
	if now := f.lag(after); now > 2*old+1 {
		return fmt.Sprintf("the machine was busier: the harness's own timers were %.1f ms late at %s, and %.1f ms before", now, f.quantile, old)
	}
	return ""
}
