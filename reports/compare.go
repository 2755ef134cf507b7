package reports

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// trendMarks are how a trend looks at a terminal.
var trendMarks = map[conformance.Trend]mark{
	conformance.TrendWorse:   {"✗", "x", "WORSE", "1;31"},
	conformance.TrendUnclear: {"?", "?", "unclear", "1;35"},
	conformance.TrendBetter:  {"✓", "+", "better", "32"},
	conformance.TrendSame:    {"=", "=", "same", "2"},
	conformance.TrendShown:   {"·", "i", "shown", "36"},
}

// trend is "✗ WORSE".
func (s style) trend(t conformance.Trend) string {
	m, known := trendMarks[t]
	if !known {
		m = trendMarks[conformance.TrendUnclear]
	}
	if s.ascii {
		return s.paint(m.color, m.ascii+" "+m.word)
	}
	return s.paint(m.color, m.sign+" "+m.word)
}

// comparison shows what became of every promise, then of every measure.
func (t tableReport) comparison() error {
	c := t.r.Comparison
	for _, old := range c.Old {
		t.fact("old", t.comparedRun(old))
	}
	t.fact("new", t.comparedRun(c.New))
	for _, why := range c.Forced {
		t.para(margin, "not comparable, and compared all the same: "+t.text(why), plain)
	}
	for _, note := range c.Notes {
		t.para(margin, t.text(note), t.dim)
	}
	if err := t.changedVerdicts(c); err != nil {
		return err
	}
	return t.changedMeasures(c)
}

func (t tableReport) comparedRun(r conformance.ComparedRun) string {
	facts := []string{r.Name, r.Version, fmt.Sprintf("seed %d", r.Seed)}
	if !r.Started.IsZero() {
		facts = append(facts, r.Started.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	return joinNonEmpty(t.text(" · "), append(facts, r.Outcome.String())...)
}

func (t tableReport) changedVerdicts(c *conformance.Comparison) error {
	changed, same := changedVerdicts(c)
	t.blank()
	if len(changed) == 0 {
		t.para("", verdictsAsBefore(same), t.bold)
		return nil
	}
	t.para("", "Verdicts", t.bold)
	t.blank()
	g := grid{header: []string{"trend", "promise", "scenario", "old", "new", "why"}, right: make([]bool, 6)}
	for _, v := range changed {
		g.rows = append(g.rows, []string{t.trend(v.Trend), v.ID, v.Scenario, outcomeAnd(v.Old, v.OldActual), outcomeAnd(v.New, v.NewActual), v.Text})
	}
	if err := t.grid(g.withoutEmpty()); err != nil {
		return err
	}
	if same > 0 {
		t.blank()
		t.para(margin, verdictsAsBefore(same), t.dim)
	}
	var worse []conformance.Verdict
	for _, v := range t.r.Verdicts {
		if v.Outcome == conformance.Fail && len(v.Findings) > 0 {
			worse = append(worse, v)
		}
	}
	t.explanations(worse)
	return nil
}

func changedVerdicts(c *conformance.Comparison) (changed []conformance.VerdictChange, same int) {
	for _, v := range c.Verdicts {
		if v.Trend == conformance.TrendSame && v.Text == "" {
			same++
		} else {
			changed = append(changed, v)
		}
	}
	return changed, same
}

func verdictsAsBefore(n int) string {
	switch n {
	case 0:
		return "No verdicts were compared."
	case 1:
		return "1 verdict is as before."
	}
	return fmt.Sprintf("%s verdicts are as before.", Count(uint64(n)))
}

func outcomeAnd(o conformance.Outcome, actual string) string {
	if actual == "" {
		return o.String()
	}
	return o.String() + ": " + short(actual)
}

func (t tableReport) changedMeasures(c *conformance.Comparison) error {
	if len(c.Measures) == 0 {
		return nil
	}
	for _, scenario := range scenariosOf(c) {
		t.blank()
		t.para("", "Measures of "+scenario, t.bold)
		t.blank()
		g := grid{
			header: []string{"trend", "measure", "old", "new", "change", fmt.Sprintf("%s\ninterval", share(c.Confidence)), "tolerated\nup to"},
			right:  []bool{false, false, true, true, true, true, true},
		}
		for _, m := range c.Measures {
			if m.Scenario == scenario {
				g.rows = append(g.rows, append([]string{t.trend(m.Trend), measureName(m)}, t.texts(measureCells(m))...))
			}
		}
		if err := t.grid(g); err != nil {
			return err
		}
	}
	for _, reason := range measureReasons(c) {
		t.blank()
		t.para(margin+t.trend(reason.trend)+margin, strings.Join(reason.names, ", "), t.bold)
		t.para(margin+margin, t.text(reason.text), plain)
	}
	t.blank()
	t.para(margin, t.text(measureLegend(c)), t.dim)
	return nil
}

// scenariosOf are the scenarios whose measures were compared, those with the worst trend first.
func scenariosOf(c *conformance.Comparison) []string {
	var names []string
	for _, m := range c.Measures {
		if !slices.Contains(names, m.Scenario) {
			names = append(names, m.Scenario)
		}
	}
	return names
}

func measureName(m conformance.MeasureChange) string { return joinNonEmpty(" ", m.Name, m.Quantile) }

// measureCells are the old and the new value, the change, its interval and what is tolerated.
func measureCells(m conformance.MeasureChange) []string {
	value := func(s conformance.Sample) string {
		if math.IsNaN(float64(s)) {
			return "–"
		}
		return quantity(float64(s), m.Unit)
	}
	interval := "–"
	if !math.IsNaN(float64(m.Low)) {
		interval = signed(m.Low) + " to " + signed(m.High)
	}
	return []string{value(m.Old), value(m.New), signed(m.Change), interval, value(m.Limit)}
}

// signed writes a share with its sign: +12%, −3.4%.
func signed(s conformance.Sample) string {
	v := 100 * float64(s)
	size := math.Abs(v)
	sign := "+"
	if v < 0 {
		sign = "−"
	}
	switch {
	case math.IsNaN(v):
		return "–"
	case isInfinite(v):
		return "+∞"
	case size < 0.05:
		return "±0%"
	case size < 9.95:
		return sign + strconv.FormatFloat(size, 'f', 1, 64) + "%"
	case size < 999.5:
		return sign + strconv.FormatFloat(size, 'f', 0, 64) + "%"
	}
	return fmt.Sprintf("×%.3g", 1+float64(s))
}

// measureReason is why some measures are judged as they are.
type measureReason struct {
	trend conformance.Trend
	text  string
	names []string
}

func measureReasons(c *conformance.Comparison) []measureReason {
	var reasons []measureReason
	index := map[string]int{}
	for _, m := range c.Measures {
		if m.Text == "" {
			continue
		}
		key := string(m.Trend) + m.Text
		at, known := index[key]
		if !known {
			at = len(reasons)
			index[key] = at
			reasons = append(reasons, measureReason{trend: m.Trend, text: m.Text})
		}
		reasons[at].names = append(reasons[at].names, joinNonEmpty(" in ", measureName(m), m.Scenario))
	}
	return reasons
}

func measureLegend(c *conformance.Comparison) string {
	return fmt.Sprintf("A measure is worse when all of its interval lies beyond what is tolerated: %s more, or three times what the harness's own timers were late. "+
		"by_second is of a typical second, so that a pause in a few of them does no harm.", share(c.Tolerance))
}

// comparisonSummary is "2 regressions: delivery.complete in steady, latency.by_second p50 in steady; 1 unclear; 14 as before."
func comparisonSummary(c *conformance.Comparison) string {
	names := map[conformance.Trend][]string{}
	for _, v := range c.Verdicts {
		names[v.Trend] = append(names[v.Trend], joinNonEmpty(" in ", v.ID, v.Scenario))
	}
	for _, m := range c.Measures {
		names[m.Trend] = append(names[m.Trend], joinNonEmpty(" in ", measureName(m), m.Scenario))
	}
	var clauses []string
	worse, unclear := names[conformance.TrendWorse], names[conformance.TrendUnclear]
	if len(worse) > 0 {
		clauses = append(clauses, Plural(uint64(len(worse)), "regression")+": "+someOf(worse))
	}
	if len(unclear) > 0 {
		clauses = append(clauses, Count(uint64(len(unclear)))+" unclear: "+someOf(unclear))
	}
	if len(clauses) == 0 {
		clauses = append(clauses, "No regression")
	}
	if better := len(names[conformance.TrendBetter]); better > 0 {
		clauses = append(clauses, Count(uint64(better))+" better")
	}
	return strings.Join(append(clauses, Count(uint64(len(names[conformance.TrendSame])))+" as before"), "; ") + "."
}

func someOf(names []string) string {
	const most = 3
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// withoutEmpty leaves out columns that are empty in every row.
func (g grid) withoutEmpty() grid {
	kept := grid{rows: make([][]string, len(g.rows))}
	for i := range g.header {
		used := false
		for _, row := range g.rows {
			used = used || row[i] != ""
		}
		if !used {
			continue
		}
		kept.header, kept.right = append(kept.header, g.header[i]), append(kept.right, g.right[i])
		for n, row := range g.rows {
			kept.rows[n] = append(kept.rows[n], row[i])
		}
	}
	return kept
}

// comparisonExit is what a comparison ends with, and what it means.
func comparisonExit(o conformance.Outcome) (code int, meaning string) {
	code, _ = ExitCode(o)
	return code, [...]string{"no regression", "a regression", "whether something is worse could not be told"}[code]
}
