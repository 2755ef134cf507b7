package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// killMatrix has a line of each sort.
func killMatrix() *conformance.Result {
	r := base(conformance.Fail)
	r.Kind, r.Command = conformance.KindMutants, "streamgauge mutants --seed 42"
	r.Subject = conformance.Subject{Name: "mutants of the references", Kind: "reference", Protocol: "sse"}
	line := func(row conformance.MatrixRow, expected, actual string, findings ...conformance.Finding) {
		row.Duration = conformance.Duration(7 * time.Second)
		r.Matrix = append(r.Matrix, row)
		v := conformance.Verdict{
			ID: rowName(row), Scenario: row.Group, Title: "What it does wrong.", Level: conformance.Must, Outcome: row.Outcome,
			Checked: uint64(row.Kept + len(row.Kills)), Expected: expected, Actual: actual, Findings: findings,
		}
		if row.Outcome == conformance.Unknown {
			v.Reason = "this machine was too busy"
		}
		r.Verdicts = append(r.Verdicts, v)
	}
	line(conformance.MatrixRow{Name: "reference-broker", Group: "correct subjects", Outcome: conformance.Pass, Kept: 108, Unjudged: 8},
		"nothing is missed", "nothing missed, 108 kept")
	line(conformance.MatrixRow{
		Name: "reference-broker", Group: "correct subjects", Scenario: "steady", Outcome: conformance.Fail, Kept: 9, FalseAlarms: []string{"latency.p99"},
	}, "nothing is missed", "false alarm: latency.p99", conformance.Finding{
		Name: "false alarm", Count: 1, Text: "latency.p99 is fail", Expected: "≤ 1 s", Actual: "1.2 s",
	})
	line(conformance.MatrixRow{
		Name: "never-beats", Group: "server mutants", Outcome: conformance.Pass, Kept: 90, Kills: []string{"SSE-HBS-001", "SSE-HBS-003"},
		Allowed: []string{"SSE-HBS-004"},
	}, "SSE-HBS-001, SSE-HBS-003 missed, and nothing unrelated", "kill: SSE-HBS-001, SSE-HBS-003; allowed: SSE-HBS-004")
	line(conformance.MatrixRow{
		Name: "pads-ids", Group: "server mutants", Outcome: conformance.Fail, Kept: 90, Survivors: []string{"SSE-FORM-009"}, Unrelated: []string{"SSE-DELIV-001"},
	}, "SSE-FORM-009 missed, and nothing unrelated", "survivor: SSE-FORM-009; unrelated failure: SSE-DELIV-001",
		conformance.Finding{Name: "survivor", Count: 1, Text: "SSE-FORM-009 is pass", Expected: "ids as they are", Actual: "12 ids as they are"},
		conformance.Finding{Name: "unrelated failure", Count: 1, Text: "SSE-DELIV-001 is fail", Evidence: []string{"id: 7", "data: x"}})
	line(conformance.MatrixRow{
		Name: "gateway-holds-head", Group: "gateway mutants", Outcome: conformance.Unknown, Kept: 3, Undecided: []string{"SSE-PROXY-002"},
	}, "SSE-PROXY-002 missed, and nothing unrelated", "undecided: SSE-PROXY-002", conformance.Finding{
		Name: "undecided", Count: 1, Text: "SSE-PROXY-002 is unknown: this machine was too busy",
	})
	return r
}

func TestSummaryOfTheMatrixCountsWhatIsWrong(t *testing.T) {
	t.Parallel()
	r := killMatrix()
	const want = "1 of 3 mutants killed; 1 of 2 runs of correct subjects kept everything; 1 survivor; 1 false alarm; 1 unrelated failure; 1 undecided."
	if got := summary(r, sections(r, false)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Matrix = r.Matrix[2:3]
	if got := summary(r, sections(r, false)); !strings.HasPrefix(got, "1 of 1 mutant killed; 0 survivors; 0 false alarms; 0 unrelated failures.") {
		t.Error(got)
	}
}
