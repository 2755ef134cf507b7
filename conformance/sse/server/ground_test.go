package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// TestWhatABrokenTargetCannotShowIsSkipped: the requirement that tells of the defect fails, and no other is unknown because of it.
func TestWhatABrokenTargetCannotShowIsSkipped(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tamper *broker.Tamper
		fails  string // what tells of it
		judged string // beside that
		why    string
	}{
		"delivers nothing": {
			&broker.Tamper{Deliver: func(*broker.Subscriber, broker.Event) []broker.Event { return nil }},
			"SSE-DELIV-001", "SSE-HTTPS-006", "no plain message arrives",
		},
		"opens nothing": {
			&broker.Tamper{Handler: func(http.Handler) http.Handler { return http.NotFoundHandler() }},
			"SSE-HTTPS-001", "SSE-HTTPS-003", "no stream could be opened: the answer was status 404",
		},
		"calls streams something else": {
			&broker.Tamper{Header: func(_ *http.Request, h http.Header) { h.Set("Content-Type", "text/plain") }},
			"SSE-HTTPS-002", "SSE-HTTPS-006", "no stream could be opened: the answer was status 200 with content type",
		},
		"loses every second message": {
			&broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				if strings.HasSuffix(ev.ID, "1") || strings.HasSuffix(ev.ID, "3") || strings.HasSuffix(ev.ID, "5") {
					return nil
				}
				return []broker.Event{ev}
			}},
			"SSE-DELIV-001", "SSE-DELIV-002", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := embedded.Config()
			config.Tamper = test.tamper
			b, err := embedded.Start(config)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			s := b.Subject()
			s.Restart = nil
			verdicts, health, err := server.Check(t.Context(), s, server.Cases, server.Options{
				Once: true, Arrival: time.Second,
				Only: []string{"SSE-HTTPS-001", "SSE-HTTPS-002", "SSE-HTTPS-003", "SSE-HTTPS-006", "SSE-DELIV-001", "SSE-DELIV-002", "SSE-RESUME-001", "SSE-ISO-001"},
			})
			if err != nil {
				t.Fatal(err)
			}
			if held := health.HeldUp(0, 0); held > 200*time.Millisecond {
				t.Skipf("other programs kept this one from its processors for up to %v, and a second is all that it waits", held)
			}
			for _, v := range verdicts {
				switch {
				case v.ID == test.fails && v.Outcome != conformance.Fail:
					t.Errorf("%s is %v: %s %s", v.ID, v.Outcome, v.Actual, v.Reason)
				case v.ID == test.judged && v.Outcome == conformance.Skip:
					t.Errorf("%s is skipped: %s", v.ID, v.Reason)
				case test.why != "" && v.Outcome == conformance.Unknown:
					t.Errorf("%s is unknown: %s", v.ID, v.Reason)
				case v.Outcome == conformance.Skip && (test.why == "" || !strings.Contains(v.Reason, test.why)):
					t.Errorf("%s is skipped: %s", v.ID, v.Reason)
				}
			}
		})
	}
}
