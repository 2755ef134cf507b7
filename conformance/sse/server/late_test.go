package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// TestWhatComesLateIsNotCalledMissing: a verdict says that something did not come only where it did not, and how long it was waited for.
func TestWhatComesLateIsNotCalledMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mutant, requirement, says string }{
		{"sends-large-behind", "SSE-DELIV-006", "received nothing, nor within 2s of a message that was published after it"},
		{"sends-large-behind", "SSE-SLOW-009", "had not come when nothing more came for 2s"},
		{"forgets-types-in-replay", "SSE-RESUME-023", "was replayed with the type \"message\""},
	} {
		t.Run(c.mutant+"/"+c.requirement, func(t *testing.T) {
			t.Parallel()
			m, ok := mutant.ByName(c.mutant)
			if !ok {
				t.Fatal("there is no such mutant")
			}
			config := embedded.Config()
			m.Broker(&config)
			b, err := embedded.Start(config)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{Only: []string{c.requirement}, Once: true, Arrival: 2 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				if v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "too busy") {
					t.Skip(v.Reason)
				}
				if !strings.Contains(v.Actual, c.says) {
					t.Errorf("%s is %v (%s): %q, want %q", v.ID, v.Outcome, v.Reason, v.Actual, c.says)
				}
			}
		})
	}
}
