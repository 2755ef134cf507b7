package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
)

// TestMemoryMustGoOnGrowingToBeUnbounded: what a garbage collector lets a process keep goes up by itself, and stays there.
func TestMemoryMustGoOnGrowingToBeUnbounded(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mib  []float64 // what is seen each time, the last for ever
		want conformance.Outcome
	}{
		"never more than buffers":              {[]float64{50, 60, 60, 80}, conformance.Pass},
		"large buffers that are full":          {[]float64{50, 60, 60, 300, 300, 300, 300, 302}, conformance.Pass},
		"a heap that doubles twice":            {[]float64{50, 60, 60, 300, 300, 300, 300, 500, 500, 505, 505, 510}, conformance.Pass},
		"a history without a bound":            {[]float64{50, 114, 114, 220, 220, 284, 284, 350, 350, 414, 414, 480}, conformance.Pass},
		"queues that grow with each byte":      {[]float64{50, 60, 60, 300, 300, 302, 302, 600, 600, 601, 601, 900, 900, 905, 905, 1200}, conformance.Fail},
		"a history and queues that grow alike": {[]float64{50, 114, 114, 250, 250, 314, 314, 440, 440, 504, 504, 630, 630, 694, 694, 820}, conformance.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := started(t, func(c *broker.Config) { c.PublishRate = 0 })
			looked := 0
			s.Memory = func(context.Context) (uint64, error) {
				at := min(looked, len(test.mib)-1)
				looked++
				return uint64(test.mib[at] * (1 << 20)), nil
			}
			few := func(_, name string) (string, bool) {
				value, ok := map[string]string{"published_mib": "1", "consumers": "4", "each_mib": "4"}[name]
				return value, ok
			}
			judge(t, s, server.Options{Only: []string{"SSE-SLOW-003"}, Parameter: few}).must(t, func(v conformance.Verdict) bool { return v.Outcome == test.want })
		})
	}
}

// TestWithoutAStreamNoAcceptIsBlamed: what answers the same to every Accept was not asked for a stream.
func TestWithoutAStreamNoAcceptIsBlamed(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"404":        http.NotFound,
		"401":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "who are you?", http.StatusUnauthorized) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<!doctype html><title>Hello</title>"))
		},
		"a JSON text": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/json") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := httptest.NewServer(answer)
			t.Cleanup(site.Close)
			s := addressed(t, site.URL)
			judge(t, s, server.Options{Profile: conformance.ProfileServer, Only: []string{"SSE-HTTPS-012"}}).must(t, func(v conformance.Verdict) bool {
				return v.Outcome == conformance.Unknown
			})
		})
	}
}
