package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TargetAnswers is the verdict on a target that died or stopped answering in the course of a run. There is none on one that did not.
const TargetAnswers = "target.answers"

// Death is when a target gave its last sign of life, what was going on, and how it showed.
type Death struct {
	At    time.Duration `json:"at"`
	While string        `json:"while"`
	Seen  string        `json:"seen"`
	Never string        `json:"never,omitempty"` // what it did that never gave an answer; "": it did, before
}

// String is the sentence that stands wherever the target's death is the reason.
func (d *Death) String() string {
	if d.Never != "" {
		return d.Never
	}
	return fmt.Sprintf("the target stopped answering at +%v, while %s", d.At.Round(100*time.Millisecond), d.While)
}

func deathOf(o *history.Observation) *Death { return &Death{At: o.At, While: o.Text, Seen: o.Data} }

// Verdict is the one finding of a death.
func (d *Death) Verdict(scenario string) conformance.Verdict {
	return conformance.Verdict{
		ID: TargetAnswers, Scenario: scenario, Title: "The target answers for as long as it is used.", Level: conformance.Must,
		Outcome: conformance.Fail, Checked: 1, Expected: "an answer until the end", Actual: d.String(),
		Next: "Look into the target's log and at its memory at that time.",
		Findings: []conformance.Finding{{
			Name: "stopped", Text: d.String(), Count: 1, AtMS: milliseconds(d.At), Evidence: strings.Split(d.Seen, "\n"),
		}},
	}
}

// seenAlive are the promises of which a violation was seen to happen, so that it holds whatever became of the target.
var seenAlive = map[string]bool{"delivery." + unique.Name: true, "delivery." + ordered.Name: true, "delivery." + isolated.Name: true, "delivery." + intact.Name: true}

// apply makes the death the one finding: what was seen to be broken before stays so, and the rest cannot be judged.
func (d *Death) apply(scenario string, verdicts []conformance.Verdict) []conformance.Verdict {
	if d == nil {
		return verdicts
	}
	all := []conformance.Verdict{d.Verdict(scenario)}
	for _, v := range verdicts {
		if v.Outcome != conformance.Fail || !seenAlive[v.ID] {
			v.Outcome, v.Reason, v.Findings, v.Next = conformance.Skip, d.String(), nil, ""
		}
		all = append(all, v)
	}
	return all
}
