package server_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// TestWrongOpeningsAreCountedByKind has brokers that answer every tenth subscription with something else, each with its own.
func TestWrongOpeningsAreCountedByKind(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{
		"answers-a-page-now-and-then":       `status 200 with content type "text/html; charset=utf-8"`,
		"fails-now-and-then":                "status 500",
		"dismisses-now-and-then":            "status 204",
		"redirects-now-and-then":            "status 302 to /login",
		"ends-streams-at-once-now-and-then": "a stream that ended at once, empty",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(mutant.Server, func(m mutant.Mutant) bool { return m.Name == name })
			s := started(t, mutant.Server[i].Broker)
			judge(t, s, server.Options{Only: []string{"SSE-HTTPS-029"}}).must(t, func(v conformance.Verdict) bool {
				return v.Outcome == conformance.Fail && strings.HasPrefix(v.Actual, "3 of 30 openings were wrong: 3 × "+kind)
			})
		})
	}
}
