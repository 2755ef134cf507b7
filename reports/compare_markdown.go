package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

func markdownTrend(t conformance.Trend) string {
	sign := map[conformance.Trend]string{
		conformance.TrendWorse: "❌", conformance.TrendBetter: "✅", conformance.TrendSame: "✅", conformance.TrendShown: "ℹ️",
	}[t]
	if sign == "" {
		sign = "❓"
	}
	return sign + " " + escape(string(t))
}

// comparison writes the verdicts that changed, then the measures that did, and folded below them all others.
func (m *markdownReport) comparison(room int) {
	c := m.r.Comparison
	for _, why := range c.Forced {
		fmt.Fprintf(&m.b, "> **Not comparable, and compared all the same.** %s\n\n", escape(why))
	}
	changed, same := changedVerdicts(c)
	if len(changed) > 0 {
		m.fit(verdictChanges(changed), room)
	}
	fmt.Fprintf(&m.b, "%s\n\n", verdictsAsBefore(same))
	var told, rest []conformance.MeasureChange
	for _, measure := range c.Measures {
		if measure.Trend == conformance.TrendSame || measure.Trend == conformance.TrendShown {
			rest = append(rest, measure)
		} else {
			told = append(told, measure)
		}
	}
	if len(told) > 0 {
		m.fit(measureChanges(c, told), room)
	}
	for _, v := range m.r.Verdicts {
		if v.Outcome == conformance.Fail && len(v.Findings) > 0 {
			m.fit(explanationDetails(section{name: v.Scenario}, v), room)
		}
	}
	if len(rest) > 0 {
		m.fit(fmt.Sprintf("<details><summary>%s as before, or not judged</summary>\n\n%s</details>\n\n",
			Plural(uint64(len(rest)), "measure"), measureChanges(c, rest)), room)
	}
	var b strings.Builder
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "- %s\n", escape(note))
	}
	fmt.Fprintf(&b, "\n<sub>%s</sub>\n\n", escape(measureLegend(c)))
	m.fit(b.String(), room)
}

func verdictChanges(changed []conformance.VerdictChange) string {
	var b strings.Builder
	b.WriteString("| | promise | scenario | old | new | why |\n|---|---|---|---|---|---|\n")
	for _, v := range changed {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", markdownTrend(v.Trend), cell(v.ID), cell(v.Scenario), cell(outcomeAnd(v.Old, v.OldActual)),
			cell(outcomeAnd(v.New, v.NewActual)), cell(v.Text))
	}
	b.WriteByte('\n')
	return b.String()
}

func measureChanges(c *conformance.Comparison, measures []conformance.MeasureChange) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | measure | scenario | old | new | change | %s interval | tolerated up to | why |\n|---|---|---|---:|---:|---:|---:|---:|---|\n", share(c.Confidence))
	for _, m := range measures {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", markdownTrend(m.Trend), cell(measureName(m)), cell(m.Scenario),
			strings.Join(measureCells(m), " | "), cell(m.Text))
	}
	b.WriteByte('\n')
	return b.String()
}

// comparedRuns says which runs were compared, in one line.
func comparedRuns(c *conformance.Comparison) string {
	names := make([]string, len(c.Old))
	for i, old := range c.Old {
		names[i] = old.Name
	}
	return "old: " + strings.Join(names, ", ") + " · new: " + c.New.Name
}
