package server_test

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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
		sizes := []float64{50, 50}
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
				value, ok := map[string]string{"published_mib": "1", "consumers": "4", "each_mib": "4", "most_mib": "0"}[name]
				return value, ok
			}
			judge(t, s, server.Options{Only: []string{"SSE-SLOW-003"}, Parameter: few}).must(t, func(v conformance.Verdict) bool { return v.Outcome == test.want })
		})
	}
}

// TestMemoryIsJudgedWithinReason: a growth without end is not gone on with, and what a process had free from earlier hides none.
func TestMemoryIsJudgedWithinReason(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before  float64                             // MiB
		kept    func(calm, stalled float64) float64 // MiB, of MiB that were published
		want    conformance.Outcome
		says    string
		stalled float64 // MiB that were published at most
	}{
		"a copy for each consumer": {20, func(_, stalled float64) float64 { return 200 * stalled }, conformance.Fail, "16 times", 3},
		"room from earlier":        {300, func(_, stalled float64) float64 { return max(0, stalled-200) }, conformance.Unknown, "free", 7},
		"room that is filled":      {2, func(_, stalled float64) float64 { return max(0, 9*(stalled-2)) }, conformance.Fail, "", 60},
		"a small process":          {0.5, func(float64, float64) float64 { return 0 }, conformance.Pass, "", 60},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := started(t, func(c *broker.Config) { c.PublishRate = 0 })
			var mu sync.Mutex
			var calm string
			published := map[bool]float64{} // by whether the stream is the calm one, which comes first
			publish := s.Publish
			s.Publish = func(ctx context.Context, m server.Message) server.Receipt {
				mu.Lock()
				defer mu.Unlock()
				if len(m.Data) > 1<<10 {
					calm = cmp.Or(calm, m.Stream)
					published[m.Stream == calm] += float64(len(m.Data)) / (1 << 20)
				}
				return publish(ctx, m)
			}
			s.Memory = func(context.Context) (uint64, error) {
				mu.Lock()
				defer mu.Unlock()
				return uint64((test.before + test.kept(published[true], published[false])) * (1 << 20)), nil
			}
			set := func(_, name string) (string, bool) {
				value, ok := map[string]string{"published_mib": "1", "consumers": "4", "each_mib": "1", "constant_mib": "1", "most_mib": "6"}[name]
				return value, ok
			}
			verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{Only: []string{"SSE-SLOW-003"}, Parameter: set, Once: true})
			if err != nil || len(verdicts) != 1 {
				t.Fatalf("%v, %v", verdicts, err)
			}
			if v := verdicts[0]; v.Outcome != test.want || !strings.Contains(v.Actual+v.Reason, test.says) || published[false] > test.stalled {
				t.Errorf("%.0f MiB were published: %s", published[false], words(v))
			}
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
