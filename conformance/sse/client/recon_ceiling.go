package client

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

const (
	ceilingWindow = 10 * time.Second
	// shortestDelay is below what no client needs: nobody may declare a ceiling of more than one request in this time.
	shortestDelay = 50 * time.Millisecond
)

// ceiling is how many requests a client may send in ten seconds: the parameter, or what its declared delay amounts to.
func ceiling(p *subject.Delay, parameter float64) int {
	most := int(parameter)
	if p != nil && p.BaseMS > 0 {
		shortest := max(allowed(p, 0, 0).low, shortestDelay)
		most = max(most, int(ceilingWindow/shortest))
	}
	return most
}

// "Nothing that a server sends makes a client reconnect faster than its ceiling."
func keepsItsCeiling(t *Trial) {
	t.inRealTime()
	t.Allow(ceilingWindow * 2)
	most := ceiling(t.delay(), t.Number("per_10s"))
	type provocation struct {
		name   string
		answer func(c *sse.Conn) error
	}
	retry := func(value string) provocation {
		return provocation{"retry: " + value, func(c *sse.Conn) error { return stream(c, "retry: "+value+"\ndata: x\n\n") }}
	}
	refusal := func(status int) provocation {
		return provocation{fmt.Sprintf("status %d each time", status), func(c *sse.Conn) error {
			return c.Head(status, "Content-Length: 0", "Connection: close", allowOrigin)
		}}
	}
	provocations := []provocation{
		retry("0"), retry("2147483648"), retry("9223372036854775808"), retry("18446744073709551616"), retry("99999999999999999999999999999999"),
		{"streams that end at once", func(c *sse.Conn) error { return stream(c, "") }},
		{"connections that are reset at once", func(c *sse.Conn) error { return c.Reset() }},
		refusal(401), refusal(404), refusal(503),
	}
	if !t.Can(subject.Multi) {
		t.Allow(ceilingWindow * time.Duration(len(provocations)))
	}
	busiest := make([]int, len(provocations))
	t.each(len(provocations), func(i int) {
		p := provocations[i]
		s := t.play(subject.Open{}, func(c *sse.Conn, _ *visit) error { return p.answer(c) })
		t.comesFirst(s)
		visits, over := s.until(ceilingWindow, func(v []visit) bool { return len(v) > most+1 })
		s.leave()
		if over {
			took := visits[most+1].Accepted.Sub(visits[0].Accepted)
			want, evidence := fmt.Sprintf("at most %s in %v", conformance.Plural(most, "request"), ceilingWindow), []string{"delays: " + list(gaps(visits))}
			actual := fmt.Sprintf("%s: %s in %s", p.name, conformance.Plural(len(visits), "request"), brief(took))
			if p.name == "retry: 0" && t.profile == conformance.ProfileBrowser {
				t.Tolerated(want, actual+", as HTML has it", evidence) // "Wait a delay equal to the reconnection time", which may be 0
			} else {
				t.Deviation(want, actual, evidence)
			}
		}
		busiest[i] = len(visits)
	})
	t.Count(len(provocations))
	worst := 0
	for i, n := range busiest {
		if n > busiest[worst] {
			worst = i
		}
	}
	t.Conclude(fmt.Sprintf("at most %s in %v, at %s", conformance.Plural(busiest[worst], "request"), ceilingWindow, provocations[worst].name))
}
