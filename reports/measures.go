package reports

import (
	"math"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// keyMeasure is a column of the table of key measures: one percentile of one measure, with another one beside it.
type keyMeasure struct {
	title, measure, quantile string
	beside                   string // a measure shown in brackets
}

var keyMeasures = []keyMeasure{
	{"latency p50\n(uncorrected)", "latency", "p50", "latency.uncorrected"},
	{"latency p99\n(uncorrected)", "latency", "p99", "latency.uncorrected"},
	{"connect\np99", "connect", "p99", ""},
	{"resume gap\np99", "resume.gap", "p99", ""},
}

// measuresOf are the measures of one scenario by name.
type measuresOf struct {
	scenario string
	byName   map[string]conformance.Measure
}

func measuresByScenario(all []conformance.Measure) []measuresOf {
	var grouped []measuresOf
	index := map[string]int{}
	for _, m := range all {
		at, known := index[m.Scenario]
		if !known {
			at = len(grouped)
			index[m.Scenario] = at
			grouped = append(grouped, measuresOf{m.Scenario, map[string]conformance.Measure{}})
		}
		grouped[at].byName[m.Name] = m
	}
	return grouped
}

// measureGrid has a row per scenario and a column per key measure that any scenario has. It has no rows when there is none.
func measureGrid(r *conformance.Result) grid {
	grouped := measuresByScenario(r.Measures)
	g := grid{header: []string{"\nscenario"}, right: []bool{false}}
	var shown []keyMeasure
	for _, k := range keyMeasures {
		if slices.ContainsFunc(grouped, k.in) {
			shown = append(shown, k)
			g.header, g.right = append(g.header, k.title), append(g.right, true)
		}
	}
	for _, m := range grouped {
		if row := m.row(shown); row != nil {
			g.rows = append(g.rows, row)
		}
	}
	return g
}

func (k keyMeasure) in(m measuresOf) bool {
	_, there := m.byName[k.measure]
	return there
}

// row is nil when the scenario has none of the measures shown.
func (m measuresOf) row(shown []keyMeasure) []string {
	if !slices.ContainsFunc(shown, func(k keyMeasure) bool { return k.in(m) }) {
		return nil
	}
	row := []string{m.scenario}
	for _, k := range shown {
		text := quantile(m.byName[k.measure], k.quantile)
		if beside, there := m.byName[k.beside]; there {
			text += " (" + quantile(beside, k.quantile) + ")"
		}
		row = append(row, text)
	}
	return row
}

// quantile writes one percentile of m: "–" when nothing was measured, ∞ when it lies among the deliveries that never came.
func quantile(m conformance.Measure, name string) string {
	value, there := m.Quantile[name]
	switch {
	case there:
		return quantity(value, m.Unit)
	case m.Missing > 0:
		return quantity(math.Inf(1), m.Unit)
	}
	return "–"
}
