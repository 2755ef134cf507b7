package client_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

func describe(v conformance.Verdict) string {
	text := fmt.Sprintf("%s is %v: want %s, got %s; %s", v.ID, v.Outcome, v.Expected, v.Actual, v.Reason)
	for _, f := range v.Findings {
		text += "\n\t" + f.Text + "\n\t\t" + strings.Join(f.Evidence, "\n\t\t")
	}
	return text
}

func TestReferenceClientMissesNothing(t *testing.T) {
	t.Parallel()
	verdicts, _, _, err := client.Check(t.Context(), subject.Local(new(embedded.Client)), client.Cases, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Outcome != conformance.Pass && v.Outcome != conformance.Info && v.Outcome != conformance.Skip {
			t.Error(describe(v))
		}
	}
}
