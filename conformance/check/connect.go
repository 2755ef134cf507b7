package check

import (
	"github.com/streamgauge/streamgauge/conformance"
)

// connectBudget is over the planned subscribers' first connections. One that never got a connection took infinitely long.
func connectBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	d := *t.distribution(timeConnect)
	d.Missing = t.Planned - min(t.Planned, t.Opened)
	verdicts := bound{
		title: "A subscriber's first connection is open soon after it dials.",
		next:  "Time one connection apart from the head of its response, as with curl -w '%{time_connect} %{time_starttransfer}': the run has seen both together.",
		doubt: unattempted(t),
	}.quantiles("connect.", &d, c.Expect.Connect, c, t, h)
	if c.Expect.Failed != nil {
		verdicts = append(verdicts, failedBudget(c, t, h))
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
