package check

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// sessionsBudget is over all subscribers at all times, also while they reconnect.
func sessionsBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if c.Expect.Sessions == 0 {
		return nil
	}
	b := bound{
		id: "sessions.live", title: "One subscriber never has more live connections than allowed.",
		next:    "Close the old connection before the new one is dialled, and let only one reconnect be under way.",
		checked: t.Connections, unit: "connection", expected: fmt.Sprintf("at most %d", c.Expect.Sessions), actual: fmt.Sprint(t.Sessions),
		exceeded: t.Sessions > uint64(c.Expect.Sessions), findings: t.finding(c, SecondLife),
	}
	if t.Connections == 0 {
		b.doubt = "no connection was open"
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}
