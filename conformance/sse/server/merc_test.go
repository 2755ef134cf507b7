package server_test

import (
	"slices"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// TestHubsFailExactlyWhatTheyBreak has the reference hub, which breaks nothing, and its mutants.
func TestHubsFailExactlyWhatTheyBreak(t *testing.T) {
	t.Parallel()
	hubs := map[string]mutant.Hub{"right": {}, "right library": {Library: true}}
	for _, m := range mutant.Hubs {
		hubs[m.Name] = m
	}
	results := together(hubs, func(m mutant.Hub) checkup {
		h, err := embedded.StartHub(m.Break)
		if err != nil {
			t.Error(err)
			return checkup{}
		}
		defer h.Close()
		if m.Library {
			return judge(t, h.Subject(), server.Options{Profile: conformance.ProfileLibrary, Only: []string{"SSE-FORM-017"}})
		}
		return judge(t, h.Subject(), server.Options{Profile: conformance.ProfileMercure, Only: []string{"MERC", "SSE-AUTH-011"}})
	})
	for name, c := range results {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := hubs[name]
			if want := map[bool]int{false: 8, true: 1}[m.Library]; len(c.verdicts) != want {
				t.Errorf("%d verdicts, want %d", len(c.verdicts), want)
			}
			c.must(t, func(v conformance.Verdict) bool {
				if slices.ContainsFunc(m.May, func(may mutant.May) bool { return may.ID == v.ID }) {
					return true
				}
				return accused(v) == slices.Contains(m.Kills, v.ID) && v.Outcome != conformance.Skip && v.Outcome != conformance.Unknown
			})
		})
	}
}
