package client_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

func describe(v conformance.Verdict) string {
	text := fmt.Sprintf("%s is %v: want %s, got %s; %s", v.ID, v.Outcome, v.Expected, v.Actual, v.Reason)
	for _, f := range v.Findings {
		text += "\n\t" + f.Text + "\n\t\t" + strings.Join(f.Evidence, "\n\t\t")
	}
	return text
}

// undecided says that a verdict is unknown because of this machine.
func undecided(v conformance.Verdict) bool {
	return v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "busy")
}

// TestReferenceClientMissesNothing is the false alarm's control: whatever is asked of it, the reference client does.
func TestReferenceClientMissesNothing(t *testing.T) {
	t.Parallel()
	innocent(t, "the reference client", new(embedded.Client), nil, nil)
}
