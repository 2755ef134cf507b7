package check

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// heartbeatBudget is over all open connections: the longest time in which no byte arrived, while no fault of ours held bytes back.
func heartbeatBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	short := t.End < c.Expect.silence()
	if c.Expect.Heartbeat == 0 || c.Expect.Declared && short {
		return nil
	}
	whose := ""
	if c.Expect.Declared {
		whose = ", as declared,"
	}
	b := bound{
		id: "heartbeat.every", title: "An open connection is never silent for longer than the heartbeat interval.",
		next:    "Send a comment line at the interval whatever else is going on, and check the idle and buffering settings of every proxy on the way.",
		checked: t.Connections, unit: "connection", expected: "at most " + brief(c.Expect.silence()) + " (" + brief(c.Expect.Heartbeat) + whose + " and tolerance)",
		actual: brief(t.Silence), exceeded: t.count(Silence) > 0, lag: true, figure: t.Silence, excess: t.Silence - c.Expect.silence(), findings: t.finding(c, Silence),
	}
	switch {
	case t.Connections == 0:
		b.doubt = "no connection was open"
	case !b.exceeded && t.Idle > 0:
		b.doubt = fmt.Sprintf("%s given up as silent before the tolerance was over: a heartbeat timeout above %s would tell", connections(t.Idle), brief(c.Expect.silence()))
	case !b.exceeded && short:
		b.doubt = "the run was shorter than the interval"
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}

// silent judges a silence that is longer than any before, or than allowed.
func (j *Judge) silent(s *subscriber, o *history.Observation, silence time.Duration) {
	if s.disturbed() || j.clock.faults.Load() > 0 || time.Duration(j.clock.lifted.Load()) > s.heard {
		return
	}
	raise(&j.counts.silence, int64(silence))
	if j.quiet == 0 || silence <= j.quiet {
		return
	}
	from := s.heard
	j.reportBy(Silence, o, int64(silence-j.quiet), func() Example {
		return Example{
			Stream: -1, Text: fmt.Sprintf("nothing arrived on connection %d for %s", s.connection, brief(silence)),
			Expected: "at most " + brief(j.quiet), Actual: brief(silence),
			Evidence: []string{fmt.Sprintf("silent from %s to %s", seconds(from), seconds(o.At))},
		}
	})
}

func connections(n uint64) string {
	if n == 1 {
		return "1 connection was"
	}
	return fmt.Sprintf("%d connections were", n)
}
