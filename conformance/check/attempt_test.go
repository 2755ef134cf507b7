package check_test

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestBeingTurnedAwayIsNoMatterOfTime lets first attempts fail in several ways beside a harness that was busy: a page, a status or a reset
// is not its doing, and what took too long may be.
func TestBeingTurnedAwayIsNoMatterOfTime(t *testing.T) {
	t.Parallel()
	page := history.Observation{Cause: history.CauseType, Status: 200, Text: `content type is not text/event-stream but "text/html"`}
	status := history.Observation{Cause: history.CauseStatus, Status: 500}
	late, own := history.Observation{Cause: history.CauseTimeout}, history.Observation{Cause: history.CauseHarness}
	for name, c := range map[string]struct {
		ends   []history.Observation
		most   int
		want   conformance.Outcome
		actual string
	}{
		"pages and errors":               {[]history.Observation{page, status, page}, 0, conformance.Fail, `3: 2 × status 200, and the content type is not text/event-stream but "text/html"; 1 × status 500`},
		"as many as are allowed":         {[]history.Observation{page, status}, 2, conformance.Pass, "2: 1 × status 200, and the"},
		"a reset":                        {[]history.Observation{{Cause: history.CauseReset}}, 0, conformance.Fail, "1: 1 × connection reset"},
		"not in time":                    {[]history.Observation{late, late}, 0, conformance.Unknown, "2: 2 × no connection, or no head, in time"},
		"more by answers than allowed":   {[]history.Observation{late, status, status}, 1, conformance.Fail, "3: 2 × status 500; 1 × no connection"},
		"fewer by answers than allowed":  {[]history.Observation{late, status}, 1, conformance.Unknown, "2: 1 × no connection"},
		"no files":                       {[]history.Observation{own}, 0, conformance.Unknown, "1: 1 × this machine was out of files or ports"},
		"no files, and more by answers":  {[]history.Observation{own, status}, 0, conformance.Fail, "2: 1 × status 500; 1 × this machine"},
		"no files, and fewer by answers": {[]history.Observation{own, status}, 1, conformance.Unknown, "2: 1 × status 500; 1 × this machine"},
	} {
		w, _ := one(expecting(func(c2 *check.Config) {
			c2.Expect.Failed = &c.most
			for range c.ends {
				c2.Subscribers = append(c2.Subscribers, c2.Subscribers[0])
			}
		}))
		for i, o := range c.ends {
			o.Kind, o.Subscriber, o.Connection, o.Attempt = history.Refused, int32(i+1), 1, 1
			w.observe(o)
		}
		tally, _ := w.judge()
		busy := conformance.Health{LagMax: 9000, LagP99: 900, Problems: []string{"its timers were late"}}
		v := verdict(t, tally.Report(&w.cfg, busy), "connect.failed")
		if v.Outcome != c.want || !strings.HasPrefix(v.Actual, c.actual) {
			t.Errorf("%s: %v with %q (%s), want %v with %q", name, v.Outcome, v.Actual, v.Reason, c.want, c.actual)
		}
	}
}
