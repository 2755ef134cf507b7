package check

import "github.com/streamgauge/streamgauge/conformance"

// resumeGapBudget is over the losses during which something was published: from the loss to the arrival of the last message
// that was missed.
func resumeGapBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	d := *t.distribution(timeResumeGap)
	d.Missing = t.count(NeverBack) + t.LostBy.Seam // the gap of what is lost never closes
	return bound{
		title:   "What was missed during a loss of connection has arrived soon after the loss.",
		next:    "Split the gap in two: reconnect says how long the way back took, the rest is the replay.",
		missing: NeverBack,
	}.quantiles("resume.gap_", &d, c.Expect.ResumeGap, c, t, h)
}
