package reports

import (
	"math"
	"strconv"

	"github.com/streamgauge/streamgauge/conformance"
)

// chartData is what the page's script draws.
type chartData struct {
	Runs   []runCharts  `json:"runs,omitempty"`
	Delays []delayChart `json:"delays,omitempty"`

	Capacity *capacityChart `json:"capacity,omitempty"`
}

func (c chartData) empty() bool { return len(c.Runs) == 0 && len(c.Delays) == 0 && c.Capacity == nil }

// runCharts are the charts of one scenario run.
type runCharts struct {
	Run    int                             `json:"run"`  // its place among the runs
	Step   float64                         `json:"step"` // seconds that one sample stands for
	Series map[string][]conformance.Sample `json:"series"`
	Faults []conformance.FaultBand         `json:"faults"`
	Curves []conformance.Curve             `json:"curves"`
}

// delayChart shows the delays of one verdict of a client.
type delayChart struct {
	Verdict int                 `json:"verdict"` // its place among the verdicts
	Delays  []conformance.Delay `json:"delays"`
}

// chartsOf takes over what r has to draw, with four significant digits.
func chartsOf(r *conformance.Result) chartData {
	c := chartData{Capacity: capacityChartOf(r.Capacity)}
	for i := range r.Runs {
		run := &r.Runs[i]
		if len(run.Series) == 0 && len(run.Curves) == 0 {
			continue
		}
		drawn := runCharts{Run: i, Step: stepOf(run), Series: map[string][]conformance.Sample{}, Faults: run.Faults}
		for _, s := range run.Series {
			drawn.Series[s.Name] = rounded(s.Values)
		}
		for _, curve := range run.Curves {
			drawn.Curves = append(drawn.Curves, roundedCurve(curve))
		}
		c.Runs = append(c.Runs, drawn)
	}
	for i, v := range r.Verdicts {
		if len(v.Delays) > 0 {
			c.Delays = append(c.Delays, delayChart{i, v.Delays})
		}
	}
	return c
}

// stepOf is how many seconds a sample of a run's timeline stands for.
func stepOf(run *conformance.ScenarioRun) float64 {
	if len(run.Series) == 0 || run.Series[0].StepMS <= 0 {
		return 1
	}
	return run.Series[0].StepMS / 1000
}

func rounded(values []conformance.Sample) []conformance.Sample {
	short := make([]conformance.Sample, len(values))
	for i, v := range values {
		short[i] = significant(v)
	}
	return short
}

func roundedCurve(c conformance.Curve) conformance.Curve {
	points := make([]conformance.CurvePoint, len(c.Points))
	for i, p := range c.Points {
		points[i] = conformance.CurvePoint{Quantile: p.Quantile, Value: significant(p.Value)}
	}
	c.Points = points
	return c
}

// significant rounds to four digits: what a chart shows, and a third of the bytes.
func significant(v conformance.Sample) conformance.Sample {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return v
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', 4, 64), 64)
	if err != nil {
		return v
	}
	return conformance.Sample(rounded)
}
