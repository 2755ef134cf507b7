package check

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// connectBudget is over the planned subscribers' first connections. One that never got a connection took infinitely long.
func connectBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	d := *t.distribution(timeConnect)
	d.Missing = t.Planned - min(t.Planned, t.Opened)
	verdicts := bound{
		title: "A subscriber's first connection is open soon after it dials.",
		next:  "Look at the accept queue and at what each new connection does before its headers are sent.",
		doubt: unattempted(t),
	}.quantiles("connect.", &d, c.Expect.Connect, c, t, h)
	if c.Expect.Failed != nil {
		verdicts = append(verdicts, bound{
			id: "connect.failed", title: "Subscribers connect at the first attempt.",
			next:    "Look at the causes of the refused attempts in the history: a full accept queue, a connection limit, or an answer other than 200.",
			checked: t.Planned, expected: fmt.Sprintf("at most %d", *c.Expect.Failed), actual: fmt.Sprint(t.Failed),
			exceeded: t.Failed > uint64(*c.Expect.Failed), lag: true, doubt: unattempted(t),
		}.verdict(c, t, h))
	}
	return verdicts
}

// unattempted is why it is not known how connecting went.
func unattempted(t *Tally) string {
	switch {
	case t.Opened == 0 && t.Failed == 0:
		return "no subscriber tried to connect"
	case t.Interrupted && t.Opened < t.Planned:
		return "the run was interrupted before every subscriber had connected"
	}
	return ""
}
