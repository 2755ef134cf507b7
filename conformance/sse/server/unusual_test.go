//go:build matrix

package server_test

import (
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// TestUnusualServersAreNotAccused: what is right stays right, however rarely it is seen.
func TestUnusualServersAreNotAccused(t *testing.T) {
	t.Parallel()
	for _, odd := range mutant.Unusual {
		if *onlyMutant != "" && odd.Name != *onlyMutant {
			continue
		}
		t.Run(odd.Name, func(t *testing.T) {
			t.Parallel()
			only := chosenAreas()
			if only == nil {
				only = []string{"FORM", "HTTPS", "HBS"} // load over single bytes takes minutes
			}
			for _, v := range checked(t, odd.Broker, only...) {
				undecided := v.Outcome == conformance.Unknown && !busy(v) && !odd.Ends
				if missed(v) || undecided {
					t.Error(describe(v))
				}
			}
		})
	}
}
