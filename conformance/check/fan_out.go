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
		next:  "A wide spread with a low median latency means that subscribers are served one after the other: look for one writer, or a lock around all of them.",
		doubt: unsettledDoubt(t),
	}.quantiles("fan_out.spread_", &d, c.Expect.Spread, c, t, h)
}
