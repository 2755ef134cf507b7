package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// htmlComparison is what became of every promise and measure from some runs to a new one.
type htmlComparison struct {
	*conformance.Comparison

	Changed  []conformance.VerdictChange
	AsBefore string // of the others
	Changes  []htmlChange
	Reasons  []htmlReason
	Interval string // the name of the column
	Legend   string
}

// htmlChange is one measure's row.
type htmlChange struct {
	Trend          conformance.Trend
	Name, Scenario string
	Cells          []string // old, new, change, interval, tolerated
}

type htmlReason struct {
	Trend       conformance.Trend
	Names, Text string
}

// Comparison is nil when nothing was compared.
func (h *htmlReport) Comparison() *htmlComparison {
	c := h.R.Comparison
	if c == nil {
		return nil
	}
	shown := &htmlComparison{Comparison: c, Interval: share(c.Confidence) + " interval", Legend: measureLegend(c)}
	changed, same := changedVerdicts(c)
	shown.Changed = changed
	if same > 0 || len(changed) == 0 {
		shown.AsBefore = verdictsAsBefore(same)
	}
	for _, m := range c.Measures {
		shown.Changes = append(shown.Changes, htmlChange{m.Trend, measureName(m), m.Scenario, measureCells(m)})
	}
	for _, r := range measureReasons(c) {
		shown.Reasons = append(shown.Reasons, htmlReason{r.trend, strings.Join(r.names, ", "), r.text})
	}
	return shown
}

// comparisonLine is the verdict of a comparison in one sentence; the summary names what it is about.
func comparisonLine(c *conformance.Comparison) string {
	counts := map[conformance.Trend]uint64{}
	for _, v := range c.Verdicts {
		counts[v.Trend]++
	}
	for _, m := range c.Measures {
		counts[m.Trend]++
	}
	switch worse, unclear := counts[conformance.TrendWorse], counts[conformance.TrendUnclear]; {
	case worse > 0:
		return fmt.Sprintf("%s got worse.", Plural(worse, "result"))
	case unclear > 0:
		return fmt.Sprintf("Whether %s got worse could not be told.", Plural(unclear, "result"))
	}
	return "Nothing got worse."
}

// comparedFacts name one of the runs.
func comparedFacts(r conformance.ComparedRun) string {
	facts := []string{r.Name, r.Version, fmt.Sprintf("seed %d", r.Seed)}
	if !r.Started.IsZero() {
		facts = append(facts, r.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return joinNonEmpty(" · ", append(facts, r.Outcome.String())...)
}
