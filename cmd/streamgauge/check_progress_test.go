package main

import (
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// TestProgressCountsAsJudgedOnlyWhatIs: what was skipped or could not be told was not judged.
func TestProgressCountsAsJudgedOnlyWhatIs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		judged map[conformance.Outcome]int
		total  int
		want   string
	}{
		{nil, 0, "no requirement judged yet"},
		{map[conformance.Outcome]int{conformance.Skip: 3, conformance.Unknown: 1}, 0, "no requirement judged yet; 1 unknown; 3 skip"},
		{map[conformance.Outcome]int{conformance.Skip: 2}, 5, "no requirement judged yet; 2 skip; 3 of 5 to go"},
		{map[conformance.Outcome]int{conformance.Pass: 1}, 1, "1 requirement judged: 1 pass"},
		{map[conformance.Outcome]int{conformance.Pass: 4, conformance.Fail: 1, conformance.Skip: 2}, 9, "5 requirements judged: 4 pass, 1 fail; 2 skip; 2 of 9 to go"},
	} {
		k := &checkup{judged: test.judged, total: test.total}
		if got := k.progress(); got != test.want {
			t.Errorf("%v of %d: %q, want %q", test.judged, test.total, got, test.want)
		}
	}
}
