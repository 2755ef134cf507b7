package check

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

var resumable = Guarantee{
	Name:    "resumable",
	Promise: "A subscriber that comes back with its position goes on with the next message: nothing before it, nothing missing after it, unless the target says so.",
	Next:    "Check that replaying from history and going live happen in one step, and that a position which is too old is answered in a way the subscriber can see.",
	broken:  []Anomaly{EmptyReturn, Stale, LostAtSeam, Unannounced, Conflict},
	samples: func(t *Tally) uint64 { return t.Resumes },
	unit:    "resumed subscription",
	late:    EmptyReturn,
	doubt: func(_ *Config, t *Tally) string {
		if t.Missed == 0 {
			return "nothing was published while a subscriber was away, so that nothing had to be made up for"
		}
		return ""
	},
	tolerated: func(c *Config, a Anomaly) bool {
		return a == Unannounced && !c.Target.Announces
	},
	note: func(t *Tally) string {
		if t.Resumes == 0 {
			return ""
		}
		note := fmt.Sprintf("%d had missed something", t.Missed)
		if t.Beyond > 0 {
			note += fmt.Sprintf(", %s of it beyond the declared history", conformance.Plural(t.Beyond, "message"))
		}
		return note
	},
}
