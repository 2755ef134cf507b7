package conformance_test

import (
	"context"
	"errors"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// What fails because the check was ended is no finding.
func TestWhatFailsAfterTheCheckWasEndedIsUnknown(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancelCause(t.Context())
	why := errors.New("not judged within 1h, see --timeout")
	s := conformance.Suite{Profile: conformance.ProfileBroker, Only: []string{"SSE-FORM-001"}, Cases: []conformance.Case{{
		Requirement: "SSE-FORM-001",
		Run: func(t *conformance.Trial) {
			end(why)
			t.Fail("an answer", "context canceled")
		},
	}}}
	verdicts, _, err := s.Run(ctx)
	if err != nil || len(verdicts) != 1 {
		t.Fatal(err, verdicts)
	}
	if v := verdicts[0]; v.Outcome != conformance.Unknown || v.Reason != why.Error() {
		t.Errorf("%v, %q: want that it is unknown, and why", v.Outcome, v.Reason)
	}
}
