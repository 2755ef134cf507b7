package check

import "github.com/streamgauge/streamgauge/conformance"

// latencyBudget is over expected deliveries, from when each message was due: one that never came is infinitely late. What slow
// readers receive says how slowly they read, and is left out.
func latencyBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	return bound{
		title: "Expected deliveries arrive soon after their message was due.",
		next:  "Compare with latency.uncorrected and the series: late all along, late in bursts, or infinite, which is loss.",
		doubt: unsettledDoubt(t),
	}.quantiles("latency.", t.latency(), c.Expect.Latency, c, t, h)
}

// unsettledDoubt is why the missing cannot be counted, where there are any.
func unsettledDoubt(t *Tally) string {
	if t.missing() == 0 {
		return ""
	}
	return unsettled(t)
}
