package compare

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Result is a comparison as a result of its own, so that every report can show it: a verdict says of each promise and of each measure that was
// judged whether it got worse. What the new run found out about a promise that got worse comes along.
func Result(c *conformance.Comparison, latest Run) *conformance.Result {
	r := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindCompare, Subject: latest.Result.Subject, Seed: latest.Result.Seed, Started: latest.Result.Started,
		Duration: latest.Result.Duration, Measures: []conformance.Measure{}, Health: latest.Result.Health, Comparison: c, Verdicts: []conformance.Verdict{},
	}
	found := map[promise]conformance.Verdict{}
	for _, v := range latest.Result.Verdicts {
		found[promise{v.Scenario, v.ID}] = v
	}
	for i := range c.Verdicts {
		r.Verdicts = append(r.Verdicts, ofPromise(&c.Verdicts[i], found[promise{c.Verdicts[i].Scenario, c.Verdicts[i].ID}]))
	}
	for i := range c.Measures {
		if m := &c.Measures[i]; m.Trend != conformance.TrendShown {
			r.Verdicts = append(r.Verdicts, ofMeasure(m, latest))
		}
	}
	r.Outcome = conformance.Overall(r.Verdicts, false)
	return r
}

func ofPromise(c *conformance.VerdictChange, found conformance.Verdict) conformance.Verdict {
	v := conformance.Verdict{
		ID: c.ID, Scenario: c.Scenario, Title: c.Title, Source: found.Source, Level: conformance.Must, Outcome: c.Trend.Outcome(), Reason: c.Text,
		Checked: found.Checked, Expected: "no worse than " + withActual(c.Old, c.OldActual), Actual: withActual(c.New, c.NewActual),
	}
	if c.Trend == conformance.TrendWorse {
		v.Findings, v.Next, v.Repeat = found.Findings, found.Next, found.Repeat
	}
	return v
}

func withActual(o conformance.Outcome, actual string) string {
	if actual == "" {
		return o.String()
	}
	return o.String() + " (" + actual + ")"
}

func ofMeasure(m *conformance.MeasureChange, latest Run) conformance.Verdict {
	id := "measure." + m.Name
	if m.Quantile != "" {
		id += "." + m.Quantile
	}
	v := conformance.Verdict{
		ID: id, Scenario: m.Scenario, Title: "It is no worse than before, by more than is tolerated and chance explains.", Level: conformance.Must,
		Outcome: m.Trend.Outcome(), Reason: m.Text, Expected: "≤ " + amount(float64(m.Limit), m.Unit) + " (was " + amount(float64(m.Old), m.Unit) + ")",
		Actual: amount(float64(m.New), m.Unit),
	}
	if finite(float64(m.Low)) {
		v.Actual += fmt.Sprintf(", %s (%s to %s)", Percent(m.Change), Percent(m.Low), Percent(m.High))
	}
	if at, there := viewOf(latest.Result, m.Scenario); there && at.measures[m.Name] != nil {
		v.Checked = at.measures[m.Name].Samples
	} else if there && m.Name == "lost" {
		v.Checked = at.run.Expected
	}
	return v
}

// Percent writes a share with its sign: +12%, −3.4%.
func Percent(s conformance.Sample) string {
	v := 100 * float64(s)
	sign, size := "+", v
	if v < 0 {
		sign, size = "−", -v
	}
	switch {
	case !finite(v):
		return "–"
	case size < 0.05:
		return "±0%"
	case size < 9.95:
		return sign + strconv.FormatFloat(size, 'f', 1, 64) + "%"
	case size < 999.5:
		return sign + strconv.FormatFloat(size, 'f', 0, 64) + "%"
	}
	return sign + "more than tenfold"
}

// amount writes a value in the unit of its measure.
func amount(value float64, unit string) string {
	switch {
	case !finite(value):
		return "never"
	case unit == "ms":
		return time.Duration(value * float64(time.Millisecond)).Round(resolution(value)).String()
	case unit == "bytes":
		return fmt.Sprintf("%.1f MiB", value/(1<<20))
	}
	return strings.TrimSpace(strconv.FormatFloat(value, 'g', 6, 64) + " " + unit)
}

// resolution keeps some four digits of so many milliseconds.
func resolution(ms float64) time.Duration {
	switch {
	case ms < 10:
		return time.Microsecond
	case ms < 1000:
		return 10 * time.Microsecond
	}
	return time.Millisecond
}
