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
	// Of 1 MiB that is published: without and with stalled consumers in turn.
	for name, test := range map[string]struct {
		alone, with float64
		further     [][2]float64 // growths, in MiB; then there are none
		want        conformance.Outcome
	}{
		"never more than buffers":               {10, 20, [][2]float64{{0, 9}}, conformance.Pass},
		"large buffers that are full":           {10, 240, [][2]float64{{0, 2}}, conformance.Pass},
		"a heap that goes up and down":          {10, 240, [][2]float64{{-2, 2}, {-2, 2}, {-2, 2}, {-2, 2}, {-1, 2}}, conformance.Pass},
		"a history without a bound":             {64, 110, [][2]float64{{2, 2}, {2, 2}, {2, 2}, {2, 2}, {2, 2}}, conformance.Pass},
		"queues that grow with each byte":       {10, 240, [][2]float64{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}}, conformance.Fail},
		"queues, and a heap that shrinks once":  {10, 240, [][2]float64{{0, 4}, {1, 4}, {-1, -6}, {0, 4}, {0, 4}}, conformance.Fail},
		"a history, and queues that grow alike": {64, 130, [][2]float64{{1, 2.2}, {1, 2.2}, {1, 2.2}, {1, 2.2}, {1, 2.2}}, conformance.Fail},
	} {
		sizes := []float64{50}
		for _, grown := range append([][2]float64{{test.alone, test.with - 20}, {0, 10}, {0, 10}}, test.further...) {
			for _, by := range grown {
				last := sizes[len(sizes)-1]
				sizes = append(sizes, last+by, last+by) // behind one growth, and before the next
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := started(t, func(c *broker.Config) { c.PublishRate = 0 })
			looked := 0
			s.Memory = func(context.Context) (uint64, error) {
				at := min(looked, len(sizes)-1)
				looked++
				return uint64(sizes[at] * (1 << 20)), nil
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
