package conformance

import (
	"context"
	"strings"
	"testing"
)

func TestWhatStandsOnAMissingGroundIsSkippedWithItsReason(t *testing.T) {
	t.Parallel()
	fails := func(c *Trial) { c.Fail("a", "b") }
	passes := func(c *Trial) { c.Pass("") }
	tried := ""
	ground := func(name, missing string) Ground {
		return Ground{Name: name, Try: func(context.Context) string { tried += name; return missing }}
	}
	for _, test := range []struct {
		first func(*Trial)
		want  Outcome // of what is not carried out
	}{
		{fails, Skip},
		{passes, Unknown}, // nothing else tells of it
	} {
		tried = ""
		s := Suite{Profile: ProfileBroker, Grounds: []Ground{ground("x", ""), ground("y", "nobody opens"), ground("z", "")}, Cases: []Case{
			{Requirement: "SSE-FORM-001", On: "x", Run: test.first},
			{Requirement: "SSE-FORM-002", On: "y", Run: fails},
			{Requirement: "SSE-FORM-003", On: "z", Run: fails},
		}}
		verdicts, _, err := s.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range verdicts[1:] {
			if v.Outcome != test.want || !strings.Contains(v.Reason, "nobody opens") {
				t.Errorf("%+v", v)
			}
		}
		if tried != "xy" {
			t.Errorf("tried %s: what stands on a missing ground is missing", tried)
		}
	}
}
