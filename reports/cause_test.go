package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// TestACauseStandsBeforeItsConsequences also holds for the sentence that names the first.
func TestACauseStandsBeforeItsConsequences(t *testing.T) {
	t.Parallel()
	r := &conformance.Result{Version: 1, Kind: conformance.KindCheck, Outcome: conformance.Fail}
	for _, id := range []string{"SSE-FORM-007", "SSE-HTTPS-001", "SSE-HTTPS-010", "SSE-RESUME-001", "SSE-DELIV-001", "SSE-LIMIT-001"} {
		r.Verdicts = append(r.Verdicts, conformance.Verdict{ID: id, Title: "Title of " + id, Level: conformance.Must, Outcome: conformance.Fail, Checked: 1, Expected: "a", Actual: "b"})
	}
	want := []string{"SSE-HTTPS-001", "SSE-DELIV-001", "SSE-RESUME-001", "SSE-FORM-007", "SSE-HTTPS-010", "SSE-LIMIT-001"}
	for _, f := range []Renderer{Table, Markdown, HTML} {
		var out bytes.Buffer
		if err := f(&out, r, Options{Width: 120}); err != nil {
			t.Fatal(err)
		}
		text, at := out.String(), -1
		if _, missed, found := strings.Cut(text, `id="missed"`); found {
			text = missed
		}
		for _, id := range want {
			next := strings.Index(text, "Title of "+id)
			if next <= at {
				t.Errorf("%s stands too early:\n%s", id, text)
			}
			at = next
		}
	}
	if got := requirementSummary(r); !strings.Contains(got, "failed: SSE-HTTPS-001, SSE-DELIV-001, SSE-RESUME-001, 3 more") {
		t.Error(got)
	}
}
