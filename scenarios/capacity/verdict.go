package capacity

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// VerdictID names the one verdict of a search.
const VerdictID = "capacity.line"

// Verdict says whether the line was found, or whether it lies where it was asked to: the one verdict of a search. What is known of the line
// is in Actual in any case.
func Verdict(c *conformance.Capacity) conformance.Verdict {
	v := conformance.Verdict{
		ID: VerdictID, Scenario: c.Scenario, Level: conformance.Must, Checked: uint64(len(c.Steps)),
		Title:    fmt.Sprintf("The most of %s that is carried while every expectation holds.", c.Key),
		Expected: fmt.Sprintf("a line from %s to %s", c.Amount(c.From), c.Amount(c.To)), Actual: c.Answer(),
	}
	asked := c.From
	if c.AtLeast > 0 {
		v.Expected, asked = "at least "+c.Amount(c.AtLeast), c.AtLeast
	}
	switch {
	case c.Line < asked && (c.Limit == conformance.LimitTarget || brokenUpTo(c, asked)):
		v.Outcome, v.Reason = conformance.Fail, c.Reason
		if c.Beyond != nil {
			v.Next = c.Beyond.Next
		}
	case c.AtLeast > 0 && c.Line >= asked && confirmed(c), c.AtLeast == 0 && c.Limit == conformance.LimitTarget:
		v.Outcome = conformance.Pass
	default:
		v.Reason, v.Next = c.Reason, nexts[c.Limit]
	}
	return v
}

// brokenUpTo says that a guarantee failed at a value or below: then it is not carried, however the search ended.
func brokenUpTo(c *conformance.Capacity, value float64) bool {
	for i := range c.Steps {
		if step := &c.Steps[i]; step.Final && step.Outcome == conformance.Fail && step.Value <= value {
			return true
		}
	}
	return false
}

// confirmed says that most of the repeats that were to be at the line were run, and held.
func confirmed(c *conformance.Capacity) bool {
	held := 0
	for i := range c.Steps {
		if step := &c.Steps[i]; step.Value == c.Line && passed(step.Outcome) {
			held++
		}
	}
	return held > c.Repeat/2
}

func passed(o conformance.Outcome) bool {
	return o == conformance.Pass || o == conformance.Warn || o == conformance.Info
}

var nexts = map[conformance.CapacityLimit]string{
	conformance.LimitRange:       "Raise --to: the line is beyond it.",
	conformance.LimitHarness:     "Give the harness more: a machine of its own, more processors, a higher limit of open files (ulimit -n).",
	conformance.LimitUnknown:     "See whether the target still answers, and start it again before the next search.",
	conformance.LimitInterrupted: "Let the search run to its end, or narrow it down with --from and --to.",
}
