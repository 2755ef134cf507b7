package server_test

import (
	"net/http"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
)

// TestALimitOfConnectionsIsNoFault: who is turned away because others hold all places can say little, and blames nobody for it.
func TestALimitOfConnectionsIsNoFault(t *testing.T) {
	t.Parallel()
	s := started(t, func(c *broker.Config) { c.MaxConnections = 10 })
	only := []string{"FORM", "HTTPS", "AUTH", "SSE-RESUME-001", "SSE-RESUME-006"}
	verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{Only: only, Once: true})
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, v := range verdicts {
		if accused(v) {
			t.Error(words(v))
		}
		if v.Outcome == conformance.Pass {
			told++
		}
	}
	if told == 0 {
		t.Error("nothing was judged")
	}
}

// TestA503ForOneKindOfRequestIsAnAnswer: where plain subscriptions are admitted, it is not for want of room.
func TestA503ForOneKindOfRequestIsAnAnswer(t *testing.T) {
	t.Parallel()
	s := started(t, func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Last-Event-ID") != "" {
					http.Error(w, "not now", http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})
		}}
	})
	judge(t, s, server.Options{Only: []string{"SSE-RESUME-001"}}).must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Fail })
}
