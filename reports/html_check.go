package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// htmlArea is one area of requirements.
type htmlArea struct {
	Name, About string
	Outcome     conformance.Outcome
	Counts      []outcomeCount
	Verdicts    []conformance.Verdict
}

type outcomeCount struct {
	Outcome conformance.Outcome
	N       int
}

// Counted are the outcomes that areas count, in the order of their columns.
func (h *htmlReport) Counted() []conformance.Outcome { return counted }

// Areas are what was judged outside of scenarios.
func (h *htmlReport) Areas() []htmlArea {
	if len(h.R.Matrix) > 0 {
		return nil
	}
	var areas []htmlArea
	for _, s := range h.Parts {
		if !s.area {
			continue
		}
		a := htmlArea{Name: s.name, About: conformance.AreaAbout(s.name), Outcome: s.outcome, Verdicts: s.verdicts}
		for _, o := range counted {
			a.Counts = append(a.Counts, outcomeCount{o, s.count(o)})
		}
		areas = append(areas, a)
	}
	return areas
}

// requirementLine is the verdict of a check in one sentence.
func requirementLine(r *conformance.Result) string {
	failed, unknown := countOutcome(r.Verdicts, conformance.Fail), countOutcome(r.Verdicts, conformance.Unknown)
	observed := countOutcome(r.Verdicts, conformance.Info)
	judged := len(r.Verdicts) - unknown - countOutcome(r.Verdicts, conformance.Skip) - observed
	switch {
	case judged == 0 && observed > 0:
		return fmt.Sprintf("No requirement was judged; %d only observed, since the source leaves it open.", observed)
	case judged == 0:
		return "No requirement was judged."
	case failed > 0:
		ordered := byCause(r.Verdicts)
		first := ordered[slices.IndexFunc(ordered, func(v conformance.Verdict) bool { return v.Outcome == conformance.Fail })]
		line := fmt.Sprintf("%d of %s not met", failed, Plural(uint64(judged), "judged requirement"))
		what := strings.TrimSuffix(first.Title, ".")
		if what == "" || len(what) > longText {
			what = clip(first.ID)
		}
		if failed > 1 {
			return line + ", the first: " + what + "."
		}
		return line + ": " + what + "."
	case unknown > 0:
		return fmt.Sprintf("%s could not be judged; of the %s that could none was missed.", Plural(uint64(unknown), "requirement"), Count(uint64(judged)))
	}
	line := fmt.Sprintf("%d of %s met", judged, Plural(uint64(judged), "judged requirement"))
	if warned := countOutcome(r.Verdicts, conformance.Warn); warned > 0 {
		line += fmt.Sprintf(", %d of them with a warning", warned)
	}
	return line + "."
}

// missedRequirement is a requirement that was not kept.
type missedRequirement struct {
	conformance.Verdict

	Anchor   string
	Open     bool
	Shown    []conformance.Finding
	Commands []string
	More     string
	Measured string // anchor of its measured delays
}

// Missed are the requirements that were not kept, failures first.
func (h *htmlReport) Missed() []missedRequirement {
	var missed []missedRequirement
	for _, o := range []conformance.Outcome{conformance.Fail, conformance.Warn} {
		for i, v := range h.R.Verdicts {
			if v.Outcome != o || v.Scenario != "" {
				continue
			}
			m := missedRequirement{Verdict: v, Anchor: verdictAnchor(i), Shown: v.Findings}
			m.Expected, m.Actual, m.Reason = clip(v.Expected), clip(v.Actual), clip(v.Reason)
			if len(v.Delays) > 0 {
				m.Measured = delaysAnchor(i)
			}
			m.Commands = append(append(m.Commands, v.Repeat...), byHand(v)...)
			if more := len(v.Findings) - htmlFindings; more > 0 {
				m.Shown, m.More = v.Findings[:htmlFindings], fmt.Sprintf("%s more in %s.", Plural(uint64(more), "finding"), ResultFile)
			}
			missed = append(missed, m)
		}
	}
	slices.SortStableFunc(missed, func(a, b missedRequirement) int {
		return cmp.Or(int(b.Outcome)-int(a.Outcome), causeRank(a.ID)-causeRank(b.ID))
	})
	for i := range missed {
		missed[i].Open = i == 0
	}
	return missed
}

// NotJudged are the requirements without a verdict, by the reason, and those that their source leaves open, by what was seen.
func (h *htmlReport) NotJudged() []unjudgedGroup {
	var all []conformance.Verdict
	for _, a := range h.Areas() {
		all = append(all, a.Verdicts...)
	}
	return unjudgedOf(all, conformance.Unknown, conformance.Info, conformance.Skip)
}

// clientDelays are the measured delays of one verdict.
type clientDelays struct {
	Index   int
	Anchor  string
	Verdict conformance.Verdict
	Several bool // clients
	Outside int  // of their bounds
}

// Delays are the verdicts that rest on measured delays.
func (h *htmlReport) Delays() []clientDelays {
	var all []clientDelays
	for i, v := range h.R.Verdicts {
		if len(v.Delays) == 0 {
			continue
		}
		d := clientDelays{Index: i, Anchor: delaysAnchor(i), Verdict: v}
		for _, one := range v.Delays {
			d.Several = d.Several || one.Client > 0
			if isOutside(one) {
				d.Outside++
			}
		}
		all = append(all, d)
	}
	return all
}

func delaysAnchor(index int) string { return fmt.Sprintf("delays%d", index) }
