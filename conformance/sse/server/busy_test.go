package server_test

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// TestABusyServerIsNotCalledLossy: one process that takes its time for each message, one after the other for everybody, as a server does
// that has a single thread. It is asked for fewer messages than others.
func TestABusyServerIsNotCalledLossy(t *testing.T) {
	t.Parallel()
	var thread sync.Mutex
	var published atomic.Int64
	config := embedded.Config()
	config.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/publish" {
				published.Add(1)
				thread.Lock()
				busy := time.NewTimer(200 * time.Millisecond)
				<-busy.C
				thread.Unlock()
			}
			next.ServeHTTP(w, r)
		})
	}}
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	few := map[string]string{"subscribers": "2", "messages": "6"}
	only := []string{"SSE-FORM-002", "SSE-RESUME-009", "SSE-DELIV-001", "SSE-DELIV-002", "SSE-DELIV-008", "SSE-FORM-012"}
	verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{
		Only:      only,
		Parameter: func(_, name string) (string, bool) { value, ok := few[name]; return value, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Outcome == conformance.Fail || v.Outcome == conformance.Warn {
			t.Errorf("%s is %v: %s; %s", v.ID, v.Outcome, v.Actual, v.Reason)
		}
	}
	for _, id := range []string{"SSE-DELIV-001", "SSE-FORM-012"} {
		if !slices.ContainsFunc(verdicts, func(v conformance.Verdict) bool { return v.ID == id && v.Outcome == conformance.Pass }) {
			t.Errorf("nothing is said by %s", id)
		}
	}
	if n := published.Load(); n > 400 { // so many SSE-FORM-012 alone publishes to others
		t.Errorf("%d messages were published", n)
	}
}
