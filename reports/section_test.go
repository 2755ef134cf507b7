package reports

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// TestWhatCouldNotBeJudgedIsNotPraised: an unknown or a skip must not read as if something had been kept.
func TestWhatCouldNotBeJudgedIsNotPraised(t *testing.T) {
	t.Parallel()
	for outcome, said := range map[conformance.Outcome]string{
		conformance.Unknown: "something that had to be judged is unknown, so this is not a pass",
		conformance.Skip:    "nothing was judged: everything was skipped",
		conformance.Info:    "what was asked is left open by its source",
		conformance.Pass:    "every promise that was judged was kept",
	} {
		if _, meaning := ExitCode(outcome); meaning != said {
			t.Errorf("%v: %q, want %q", outcome, meaning, said)
		}
	}
	verdict := conformance.Verdict{ID: "delivery.complete", Scenario: "steady-flow", Reason: "connection refused"}
	r := &conformance.Result{
		Kind: conformance.KindRun, Verdicts: []conformance.Verdict{verdict}, Runs: []conformance.ScenarioRun{{Scenario: "steady-flow"}},
	}
	var page strings.Builder
	if err := HTML(&page, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "Nothing could be judged: connection refused.") {
		t.Error("the page does not say that nothing could be judged")
	}
	unclear := &conformance.Comparison{Verdicts: []conformance.VerdictChange{{ID: "delivery.complete", Trend: conformance.TrendUnclear}}}
	if text := comparisonSummary(unclear); strings.Contains(text, "No regression") {
		t.Errorf("%q", text)
	}
}
