package server_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// turningAway is a broker that answers some requests with 503.
func turningAway(t *testing.T, these func(*http.Request) bool) *server.Subject {
	t.Helper()
	config := embedded.Config()
	config.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if these(r) {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}}
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b.Subject()
}

// TestPlacesThatDoNotComeBackAreOneFinding: of a subject that runs out of places the requirement tells that asks for them, whatever runs
// then, and all others are skipped for that reason.
func TestPlacesThatDoNotComeBackAreOneFinding(t *testing.T) {
	t.Parallel()
	const places = 30
	var taken atomic.Int64
	s := turningAway(t, func(r *http.Request) bool { return r.URL.Path == "/events" && taken.Add(1) > places })
	verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{Only: []string{"DELIV", "SSE-LIMIT-003"}, Arrival: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		switch {
		case v.ID == "SSE-LIMIT-003":
			if v.Outcome != conformance.Fail || !strings.Contains(v.Actual, "do not give their places back") {
				t.Errorf("%+v", v)
			}
		case v.Outcome == conformance.Fail, v.Outcome == conformance.Unknown:
			t.Errorf("%s is %v: %s %s", v.ID, v.Outcome, v.Actual, v.Reason)
		}
	}
}

// TestRoomThatOthersTakeForAWhileIsWaitedFor: who finds no room comes back, and is served when there is some.
func TestRoomThatOthersTakeForAWhileIsWaitedFor(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	s := turningAway(t, func(r *http.Request) bool {
		n := asked.Add(1)
		return r.URL.Path == "/events" && n > 20 && n < 40
	})
	verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{Only: []string{"SSE-DELIV-001", "SSE-LIMIT-003"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Outcome == conformance.Fail {
			t.Errorf("%s: %s", v.ID, v.Actual)
		}
	}
}
