package conformance_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// TestAnEndedCheckIsOverAtOnce although a case hangs, and others have not begun.
func TestAnEndedCheckIsOverAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("not judged within 1m0s, see --timeout")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, why)
		defer cancel()
		released := make(chan struct{})
		hangs := func(*conformance.Trial) { <-released }
		s := conformance.Suite{Profile: conformance.ProfileBroker, Only: []string{"FORM"}, Parallel: 1, Cases: []conformance.Case{
			{Requirement: "SSE-FORM-001", Run: func(t *conformance.Trial) { t.Pass("as it should be") }},
			{Requirement: "SSE-FORM-002", Run: func(t *conformance.Trial) { t.Allow(5 * time.Minute); hangs(t) }},
			{Requirement: "SSE-FORM-003", Run: hangs},
			{Requirement: "SSE-FORM-004", Turn: conformance.Provoking, Run: hangs},
			{Requirement: "SSE-FORM-005", Turn: conformance.Waiting, Run: hangs},
		}}
		began := time.Now()
		verdicts, _, err := s.Run(ctx)
		if err != nil || len(verdicts) != len(s.Cases) {
			t.Fatal(err, verdicts)
		}
		if took := time.Since(began); took > time.Minute+2*time.Second {
			t.Errorf("it took %v", took)
		}
		for _, v := range verdicts[1:4] {
			if v.Outcome != conformance.Unknown || v.Reason != why.Error() {
				t.Errorf("%s: %v, %q: want that it is unknown, and why", v.ID, v.Outcome, v.Reason)
			}
		}
		if verdicts[0].Outcome != conformance.Pass {
			t.Errorf("what was judged before is %v", verdicts[0].Outcome)
		}
		close(released)
	})
}
