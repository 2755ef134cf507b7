package check

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// expiryBudget is over the connections that were opened with a token whose end is known and that were still open when it came.
func expiryBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if c.Expect.Expiry == 0 {
		return nil
	}
	b := bound{
		id: "expiry.within", title: "A stream ends soon after the token that it was opened with expires.",
		next:    "Keep the token's expiry with the connection and end the stream then; a check at connect alone lets a stream outlive every token.",
		checked: t.Expiries, unit: "connection", expected: "ended within " + brief(c.Expect.Expiry) + " of the expiry",
		actual: fmt.Sprintf("%d of %d lived on", t.count(Outlived), t.Expiries), exceeded: t.count(Outlived) > 0, lag: true, excess: t.worst(Outlived),
		findings: t.finding(c, Outlived),
	}
	if t.Expiries == 0 {
		b.doubt = "no connection was open when its token expired"
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}

// outlives notes that a connection was alive at o.At, however long its token had expired by then.
func (j *Judge) outlives(s *subscriber, o *history.Observation) {
	expired := s.expires
	if expired == 0 || o.At <= expired+j.cfg.Expect.Expiry {
		return
	}
	s.expires = 0
	j.counts.expiries.Add(1)
	j.reach(s, j.expiring)
	if s.disturbed() {
		return // a fault of ours may have kept the end from it
	}
	j.reportBy(Outlived, o, int64(o.At-expired-j.cfg.Expect.Expiry), func() Example {
		return Example{
			Stream: -1, Text: fmt.Sprintf("connection %d was alive %s after its token had expired", s.connection, brief(o.At-expired)),
			Expected: "ended within " + brief(j.cfg.Expect.Expiry), Actual: brief(o.At - expired),
			Evidence: []string{fmt.Sprintf("the token expired at %s; the connection was alive at %s", seconds(expired), seconds(o.At))},
		}
	})
}

// expiryEarly is how much earlier than meant a token may expire: most libraries keep its end in whole seconds.
const expiryEarly = time.Second

// expired notes that a connection ended: in time, if its token had expired and the run did not end it.
func (j *Judge) expired(s *subscriber, o *history.Observation) {
	if s.expires != 0 && o.At >= s.expires-expiryEarly && o.Cause != history.CauseEnd {
		j.counts.expiries.Add(1)
		j.reach(s, j.expiring)
	}
	s.expires = 0
}
