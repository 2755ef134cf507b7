package run_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// TestADeadTargetIsOneFinding: it is told at once, and what follows from it is not told again.
func TestADeadTargetIsOneFinding(t *testing.T) {
	t.Parallel()
	h := &hub{streams: map[string]map[chan string]bool{}}
	var server *httptest.Server
	h.frame = func(n int, data string) string {
		if n == 30 {
			go func() { // as a process that ends: nobody is told, and nobody listens
				_ = server.Listener.Close()
				server.CloseClientConnections()
			}()
		}
		return "data: " + data + "\n\n"
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", h.subscribe)
	mux.HandleFunc("POST /publish", h.publish)
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	target := wired(t, server.URL, "{{.Stream}}", "{{.Stream}}", "{{.Data}}", ", payload: ascii")
	seen := new(run.Seen)
	s := scenario(t, tiny, "duration=120s", "expect.delivery=[complete, unique, alive]")
	o, err := run.New(run.Options{Plan: scenarios.NewPlan(s, target, 1), Seen: seen}).Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dead := verdict(t, o, "target.answers")
	if dead.Outcome != conformance.Fail || !strings.HasPrefix(dead.Actual, "the target stopped answering at +") || !strings.Contains(dead.Actual, ", while the phase ") {
		t.Errorf("%s: %s", dead.Outcome, dead.Actual)
	}
	for _, v := range o.Verdicts {
		if v.ID != dead.ID && (v.Outcome != conformance.Skip || v.Reason != dead.Actual) {
			t.Errorf("%s: %s (%s), want it skipped for the same reason", v.ID, v.Outcome, v.Reason)
		}
	}
	if !seen.Delivered || o.Run.Reason != dead.Actual || o.Run.Outcome != conformance.Fail {
		t.Errorf("delivered %t, %s: %s", seen.Delivered, o.Run.Outcome, o.Run.Reason)
	}
	o, err = run.New(run.Options{Plan: scenarios.NewPlan(s, target, 1), Seen: seen}).Do(context.Background())
	if err != nil || len(o.Verdicts) == 0 {
		t.Fatal(err)
	}
	for _, v := range o.Verdicts {
		if v.Outcome != conformance.Skip || !strings.Contains(v.Reason, dead.Actual) {
			t.Errorf("%s of the next scenario: %s (%s), want it skipped", v.ID, v.Outcome, v.Reason)
		}
	}
}
