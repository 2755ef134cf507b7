package check

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// greetingBudget is over all connections on which an event arrived.
func greetingBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if c.Expect.Greeting == "" {
		return nil
	}
	wrong := t.count(WrongHello)
	b := bound{
		id: "greeting", title: "Every connection begins with the greeting.",
		next:    "Send the greeting before the subscription goes live, and before anything is replayed.",
		checked: t.Greetings, unit: "connection", expected: c.Expect.Greeting, actual: fmt.Sprintf("%d of %d begin otherwise", wrong, t.Greetings),
		exceeded: wrong > 0, findings: t.finding(c, WrongHello),
	}
	if t.Greetings == 0 {
		b.doubt, b.actual = "no connection had a first event", "no samples"
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}

// greet judges the first event of a connection.
func (j *Judge) greet(s *subscriber, o *history.Observation) {
	s.atFirst = false
	want := j.cfg.Expect.Greeting
	if want == "" {
		return
	}
	j.counts.greetings.Add(1)
	if o.Kind == history.Other && sameData(o.Data, want) {
		return
	}
	j.report(WrongHello, o, func() Example {
		got := "a message"
		if o.Kind == history.Other {
			got = fmt.Sprintf("%.200q", o.Data)
		}
		return Example{
			Stream: -1, Text: fmt.Sprintf("connection %d began with %s", o.Connection, got),
			Expected: fmt.Sprintf("%q first", want), Actual: got,
		}
	})
}

// sameData compares payloads; JSON may differ in white space.
func sameData(got, want string) bool {
	if got == want {
		return true
	}
	var a, b bytes.Buffer
	if json.Compact(&a, []byte(got)) != nil || json.Compact(&b, []byte(want)) != nil {
		return false
	}
	return bytes.Equal(a.Bytes(), b.Bytes())
}
