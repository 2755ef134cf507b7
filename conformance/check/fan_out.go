package check

import "github.com/streamgauge/streamgauge/conformance"

// fanOutBudget is over messages: from the first subscriber that received it to the last. A message that a subscriber lost is
// infinitely spread.
func fanOutBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	d := *t.distribution(timeSpread)
	for _, r := range t.LostMessages {
		d.Missing += r.Before - r.From
	}
	return bound{
		title: "A message reaches all subscribers of its stream at nearly the same time.",
		next:  "Compare with the median latency: where that is low and the spread is wide, see whether the same subscribers are always the last.",
		doubt: unsettledDoubt(t),
	}.quantiles("fan_out.spread_", &d, c.Expect.Spread, c, t, h)
}
