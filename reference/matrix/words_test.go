package matrix_test

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// TestLossesAreToldByWhatTheyHaveInCommon runs brokers that lose by a rule, over real sockets.
func TestLossesAreToldByWhatTheyHaveInCommon(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"loses-by-replica":      "of its 10 subscribers",
		"loses-large":           "only messages of",
		"loses-every-seventh":   "every 7th message",
		"loses-on-one-stream":   "only on stream",
		"loses-after-return":    "only on connections after a subscriber's first",
		"loses-each-twentieth":  "every 20th message of each subscriber",
		"ignores-last-event-id": "between the position that was asked for on coming back and the first message after it",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, found := mutant.ByName(name)
			if !found {
				t.Fatal("there is no such mutant")
			}
			text, err := mutant.Scenario(m.Scenario)
			if err != nil {
				t.Fatal(err)
			}
			s, err := scenarios.ParseScenario(text, scenarios.Source{Name: m.Scenario + ".yaml"})
			if err != nil {
				t.Fatal(err)
			}
			outcome, err := run.New(run.Options{Plan: scenarios.NewPlan(s, nil, 1), Mutate: m.Broker}).Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range outcome.Verdicts {
				if v.ID != "delivery.complete" {
					continue
				}
				if v.Outcome != conformance.Fail || len(v.Findings) == 0 || !strings.Contains(v.Findings[0].Pattern, says) {
					t.Errorf("%s, %+v, want a failure that says %q", v.Outcome, v.Findings, says)
				}
				return
			}
			t.Error("completeness was not judged")
		})
	}
}
