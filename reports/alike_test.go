package reports

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestRequirementsOfOneReasonAreNamedInSpans(t *testing.T) {
	t.Parallel()
	for want, ids := range map[string]string{
		"SSE-FORM-003":                               "SSE-FORM-003",
		"SSE-FORM-003, 004":                          "SSE-FORM-003 SSE-FORM-004",
		"SSE-FORM-003 to 005":                        "SSE-FORM-003 SSE-FORM-004 SSE-FORM-005",
		"SSE-FORM-001, 003 to 005, 007; SSE-ISO-001": "SSE-FORM-001 SSE-FORM-003 SSE-FORM-004 SSE-FORM-005 SSE-FORM-007 SSE-ISO-001",
		"delivery.complete; SSE-FORM-1; a-b-c":       "delivery.complete SSE-FORM-1 a-b-c",
	} {
		var a alike
		for id := range strings.FieldsSeq(ids) {
			a.verdicts = append(a.verdicts, conformance.Verdict{ID: id})
		}
		if got := a.ids(); got != want {
			t.Errorf("%s: got %q, want %q", ids, got, want)
		}
	}
}

func TestNoVerdictIsLostAmongThoseThatWereNotJudged(t *testing.T) {
	t.Parallel()
	r := checked()
	for _, outcome := range []conformance.Outcome{conformance.Unknown, conformance.Skip} {
		grouped := 0
		for _, g := range byReason(r.Verdicts, outcome) {
			grouped += len(g.verdicts)
		}
		there := 0
		for _, v := range r.Verdicts {
			if v.Outcome == outcome {
				there++
			}
		}
		if grouped != there || there == 0 {
			t.Errorf("%v: %d of %d verdicts are in a group", outcome, grouped, there)
		}
	}
}

func TestAnEscapeIsNeverBroken(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat(`\r`, 40), strings.Repeat(`ab\xff`, 20), strings.Repeat(`\u202e`, 20), strings.Repeat(`\\`, 40), `\` + strings.Repeat("x", 30)} {
		for width := 12; width < 30; width++ {
			lines := chopEscaped(text, width)
			if got := strings.Join(lines, ""); got != text {
				t.Errorf("%q became %q", text, got)
			}
			for _, line := range lines[:len(lines)-1] {
				if at := unfinishedEscape(line); at > 0 || columns(line) > width || line == "" {
					t.Errorf("width %d: %q ends inside of an escape, or is too long", width, line)
				}
			}
		}
	}
}
