package check

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

var alive = Guarantee{
	Name:    "alive",
	Promise: "An open connection delivers: no owed message stays away for longer than the bound, and a subscriber that lost its connection is taken back.",
	Next:    "Compare a stalled connection with its neighbours at that moment: see whether it stalled alone, or many did at once. Of connections that end one after the other, look at what comes before the first event.",
	broken:  []Anomaly{Stalled, NeverBack},
	samples: func(t *Tally) uint64 { return t.Connections },
	unit:    "connection",
	late:    Stalled,
	doubt: func(_ *Config, t *Tally) string {
		if t.Expected == 0 {
			return "nothing was owed on any connection"
		}
		return ""
	},
}

// stall names a message that came too late on a connection that was open all the time. The messages that waited behind it
// are the same stall.
func (j *Judge) stall(s *subscriber, o *history.Observation) {
	since := max(o.Sent, s.steady, time.Duration(j.clock.lifted.Load()))
	if s.disturbed() || j.clock.faults.Load() > 0 || o.At-since <= j.stalled || s.behindBySlowness(o.At, j.stalled) {
		return
	}
	t := s.troubled()
	if t.stalledTo != 0 && o.Sent < t.stalledTo {
		return
	}
	t.stalledTo = o.At
	j.reportBy(Stalled, o, int64(o.At-since-j.stalled), func() Example {
		return Example{
			Text:     fmt.Sprintf("message %d arrived %s after it could have, on an open connection", o.Number, brief(o.At-since)),
			Expected: "at most " + brief(j.stalled), Actual: brief(o.At - since),
			Evidence: []string{fmt.Sprintf("sent at %s, connection open and undisturbed since %s, arrived at %s",
				seconds(o.Sent), seconds(s.steady), seconds(o.At))},
		}
	})
}
