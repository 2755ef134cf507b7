package check

import "github.com/streamgauge/streamgauge/conformance"

// firstEventBudget is over all connections on which an event arrived, from the dial.
func firstEventBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	return bound{
		title: "The first event of a connection arrives soon after it was dialled.",
		next:  "Check that response headers and the first event are flushed at once, also by every proxy on the way.",
	}.quantiles("first_event.", t.distribution(timeFirstEvent), c.Expect.FirstEvent, c, t, h)
}
