package compare

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// promise names a verdict across results.
type promise struct{ scenario, id string }

// verdicts are what became of every promise, in the order of the new run, and behind them those that are gone.
func verdicts(old []Run, latest Run, only []string) []conformance.VerdictChange {
	before := map[promise][]conformance.Verdict{}
	var order []promise
	for _, r := range old {
		for _, v := range r.Result.Verdicts {
			p := promise{v.Scenario, v.ID}
			if before[p] == nil {
				order = append(order, p)
			}
			before[p] = append(before[p], v)
		}
	}
	changes := []conformance.VerdictChange{}
	judged := map[promise]bool{}
	for _, v := range latest.Result.Verdicts {
		p := promise{v.Scenario, v.ID}
		judged[p] = true
		if wanted(only, v.ID) {
			changes = append(changes, change(before[p], v))
		}
	}
	for _, p := range order {
		if !judged[p] && wanted(only, p.id) {
			changes = append(changes, gone(before[p]))
		}
	}
	return changes
}

func change(before []conformance.Verdict, v conformance.Verdict) conformance.VerdictChange {
	c := conformance.VerdictChange{ID: v.ID, Scenario: v.Scenario, Title: v.Title, New: v.Outcome, NewActual: said(v)}
	if len(before) == 0 {
		c.Trend, c.Text = conformance.TrendShown, "the old runs did not judge it"
		return c
	}
	worst := worstOf(before)
	c.Old, c.OldActual = worst.Outcome, said(worst)
	c.Trend, c.Text = trendOf(worst.Outcome, v.Outcome)
	failed := 0
	for _, b := range before {
		if b.Outcome == conformance.Fail {
			failed++
		}
	}
	if failed > 0 && failed < len(before) {
		c.Text = fmt.Sprintf("%d of %d old runs failed it", failed, len(before))
	}
	return c
}

// gone is of a promise that the new run did not judge at all.
func gone(before []conformance.Verdict) conformance.VerdictChange {
	worst := worstOf(before)
	c := conformance.VerdictChange{
		ID: worst.ID, Scenario: worst.Scenario, Title: worst.Title, Old: worst.Outcome, OldActual: said(worst), New: conformance.Unknown,
		Trend: conformance.TrendUnclear, Text: "the new run did not judge it",
	}
	if worst.Outcome == conformance.Fail || worst.Outcome == conformance.Skip {
		c.Trend = conformance.TrendShown
	}
	return c
}

// said is what a verdict rests on, in a few words.
func said(v conformance.Verdict) string {
	if v.Actual != "" {
		return v.Actual
	}
	return v.Reason
}

// severity orders the outcomes of what was judged; 0 is of what was not.
func severity(o conformance.Outcome) int {
	switch o {
	case conformance.Pass, conformance.Info:
		return 1
	case conformance.Warn:
		return 2
	case conformance.Fail:
		return 3
	default:
		return 0
	}
}

func worstOf(list []conformance.Verdict) conformance.Verdict {
	worst := list[0]
	for _, v := range list[1:] {
		if severity(v.Outcome) > severity(worst.Outcome) {
			worst = v
		}
	}
	return worst
}

func trendOf(old, latest conformance.Outcome) (trend conformance.Trend, why string) {
	before, after := severity(old), severity(latest)
	switch {
	case old == conformance.Skip && latest == conformance.Skip:
		return conformance.TrendSame, ""
	case old == conformance.Fail && after == 0:
		return conformance.TrendShown, "it failed before, and now it was not judged"
	case after == 0:
		return conformance.TrendUnclear, "the new run could not judge it"
	case before == 0 && latest == conformance.Fail:
		return conformance.TrendWorse, "it fails, and no old run saw it fail"
	case before == 0:
		return conformance.TrendShown, "no old run could judge it"
	case after > before:
		return conformance.TrendWorse, ""
	case after < before:
		return conformance.TrendBetter, ""
	}
	return conformance.TrendSame, ""
}
