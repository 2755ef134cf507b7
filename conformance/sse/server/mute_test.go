package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// TestNothingArrivedPassesNothing has every requirement that speaks of what a resumed subscriber gets judged on brokers that bring it
// nothing. Each row may fail, or be unknown, and pass only for the reason it gives.
func TestNothingArrivedPassesNothing(t *testing.T) {
	t.Parallel()
	type row struct{ id, passes string }
	rows := []row{
		{"SSE-RESUME-001", ""}, {"SSE-RESUME-002", ""}, {"SSE-RESUME-003", ""}, {"SSE-RESUME-004", ""}, {"SSE-RESUME-005", ""},
		{"SSE-RESUME-006", ""}, {"SSE-RESUME-007", ""}, {"SSE-RESUME-008", ""}, {"SSE-RESUME-009", ""},
		{"SSE-RESUME-010", "who comes without a position is served"},
		{"SSE-RESUME-011", ""}, {"SSE-RESUME-012", ""}, {"SSE-RESUME-013", ""}, {"SSE-RESUME-014", ""}, {"SSE-RESUME-015", ""},
		{"SSE-RESUME-016", ""}, {"SSE-RESUME-017", ""}, {"SSE-RESUME-018", ""}, {"SSE-RESUME-019", ""}, {"SSE-RESUME-020", ""},
		{"SSE-RESUME-021", ""}, {"SSE-RESUME-022", ""}, {"SSE-RESUME-023", ""}, {"SSE-RESUME-024", ""}, {"SSE-ISO-004", ""},
	}
	var only []string
	for _, row := range rows {
		only = append(only, row.id)
	}
	for _, c := range server.Cases {
		if id := c.Requirement; len(id) > 11 && id[:11] == "SSE-RESUME-" && !slices.Contains(only, id) {
			t.Errorf("%s has no row", id)
		}
	}
	for name, only := range map[string][]string{
		"ends-returning-streams": only,
		"mute-after-resume":      {"SSE-RESUME-003", "SSE-RESUME-013", "SSE-RESUME-016", "SSE-RESUME-018", "SSE-RESUME-023"}, // waiting for nothing takes time
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, ok := mutant.ByName(name)
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
			verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{
				Only: only, Once: true, Arrival: 300 * time.Millisecond,
				Parameter: func(_, name string) (string, bool) {
					value, ok := small[name]
					return value, ok
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				passes := slices.ContainsFunc(rows, func(r row) bool { return r.id == v.ID && r.passes != "" })
				if v.Outcome == conformance.Pass && !passes {
					t.Errorf("%s passes where nothing arrived: %s", v.ID, v.Actual)
				}
			}
		})
	}
}
