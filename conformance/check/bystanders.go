package check

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

const (
	// bystanderFloor keeps a factor meaningful when the undisturbed p99 is next to nothing.
	bystanderFloor   = 5 * time.Millisecond
	bystanderSamples = 100 // a p99 of fewer is a maximum
)

// bystandersBudget compares subscribers that no fault touched and that never read slowly with themselves: their p99 from the
// first disturbance of the run to the end of its steady phase, against the steady phase before it.
func bystandersBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if c.Expect.Bystanders == 0 {
		return nil
	}
	calm, storm := t.distribution(latencyCalm), *t.distribution(latencyStorm)
	storm.Missing = t.LostBy.Bystander
	b := bound{
		id: "bystanders.latency_p99", title: "Slow and disturbed subscribers cost the others nothing.",
		next:    "See in the series whether the others waited while the slow ones were slow; a bounded queue for each subscriber and a write deadline keep them apart.",
		checked: storm.Samples + storm.Missing, lag: true, doubt: unsettledDoubt(t),
	}
	before, _ := calm.Quantile(99)
	base := max(before, bystanderFloor)
	limit := time.Duration(float64(base) * c.Expect.Bystanders)
	b.expected = fmt.Sprintf("at most %s (%.3g× the undisturbed %s)", brief(limit), c.Expect.Bystanders, brief(base))
	after, finite := storm.Quantile(99)
	switch {
	case calm.Samples < bystanderSamples:
		b.doubt = fmt.Sprintf("the undisturbed steady phase had %s of bystanders, at least %d are needed", conformance.Plural(calm.Samples, "delivery"), bystanderSamples)
		b.actual = "no comparison"
	case b.checked < bystanderSamples:
		b.doubt = fmt.Sprintf("the disturbed phase had %s of bystanders, at least %d are needed", conformance.Plural(b.checked, "delivery"), bystanderSamples)
		b.actual = "no comparison"
	case finite:
		b.exceeded, b.actual, b.figure, b.excess = after > limit, brief(after), after, after-limit
	default:
		b.exceeded, b.lag, b.actual = true, false, fmt.Sprintf("∞ (%d of %d never came)", storm.Missing, b.checked)
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}
