package mutant_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
)

func TestMutantsAreComplete(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	for _, m := range mutant.All {
		switch {
		case !name.MatchString(m.Name):
			t.Errorf("%q is not words with hyphens", m.Name)
		case m.Bug == "" || m.SeenIn == "" || m.Scenario == "":
			t.Errorf("%s lacks its bug, its origin or its scenario", m.Name)
		case len(m.Kills) == 0:
			t.Errorf("%s names no verdict that must fail", m.Name)
		case (m.Broker == nil) == (m.Client == nil):
			t.Errorf("%s must break either the broker or the client", m.Name)
		}
		for _, may := range m.May {
			if slices.Contains(m.Kills, may.ID) || may.Why == "" {
				t.Errorf("%s: %s is a kill too, or lacks its reason", m.Name, may.ID)
			}
		}
	}
}

func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range mutant.All {
		if seen[m.Name] {
			t.Errorf("%s is there twice", m.Name)
		}
		seen[m.Name] = true
		if found, ok := mutant.ByName(m.Name); !ok || found.Name != m.Name {
			t.Errorf("ByName(%q) = %q, %v", m.Name, found.Name, ok)
		}
	}
	if m, ok := mutant.ByName("well-behaved"); ok {
		t.Errorf("ByName found %q", m.Name)
	}
}

func TestScenariosAreValid(t *testing.T) {
	t.Parallel()
	for _, m := range mutant.All {
		text, err := mutant.Scenario(m.Scenario)
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := scenarios.ParseScenario(text, scenarios.Source{Name: m.Scenario + ".yaml"}); err != nil {
			t.Error(err)
		}
	}
}

// TestServerMutantsAreComplete: what is caught by cases names requirements and needs no scenario.
func TestServerMutantsAreComplete(t *testing.T) {
	t.Parallel()
	for _, m := range mutant.Server {
		switch {
		case m.Bug == "" || m.SeenIn == "":
			t.Errorf("%s lacks its bug or its origin", m.Name)
		case len(m.Kills) == 0:
			t.Errorf("%s names no verdict that must fail", m.Name)
		case m.Broker == nil || m.Client != nil:
			t.Errorf("%s must break the broker", m.Name)
		}
		for _, may := range m.May {
			if slices.Contains(m.Kills, may.ID) || may.Why == "" {
				t.Errorf("%s: %s is a kill too, or lacks its reason", m.Name, may.ID)
			}
		}
	}
}
