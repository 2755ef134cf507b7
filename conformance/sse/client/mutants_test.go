package client_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

func TestClientMutantsAreComplete(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)+$`)
	seen := map[string]bool{}
	for _, m := range slices.Concat(mutant.All, mutant.Server) {
		seen[m.Name] = true
	}
	numbered := map[string]bool{}
	for _, m := range mutant.Clients {
		switch {
		case !name.MatchString(m.Name):
			t.Errorf("%q is not words with hyphens", m.Name)
		case m.Bug == "" || m.SeenIn == "" || m.Client == nil:
			t.Errorf("%s lacks its bug, its origin or its defect", m.Name)
		case len(m.Kills) == 0 || seen[m.Name]:
			t.Errorf("%s names no requirement, or is there twice", m.Name)
		}
		seen[m.Name], numbered[m.ID] = true, true
		for _, id := range m.Kills {
			if conformance.RequirementByID(id) == nil {
				t.Errorf("%s: there is no requirement %s", m.Name, id)
			}
		}
		for _, may := range m.May {
			if slices.Contains(m.Kills, may.ID) || may.Why == "" {
				t.Errorf("%s: %s is a kill too, or lacks its reason", m.Name, may.ID)
			}
		}
	}
	for n := 1; n <= 31; n++ {
		if id := fmt.Sprintf("MC-%02d", n); !numbered[id] {
			t.Errorf("no mutant is %s", id)
		}
	}
}

// TestEveryCoreRequirementHasAMutant: a check that cannot fail proves nothing.
func TestEveryCoreRequirementHasAMutant(t *testing.T) {
	t.Parallel()
	requirements, err := conformance.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	for i := range requirements {
		r := &requirements[i]
		judged := slices.ContainsFunc(client.Cases, func(c client.Case) bool { return c.Requirement == r.ID })
		caught := slices.ContainsFunc(mutant.Clients, func(m mutant.Mutant) bool { return slices.Contains(m.Kills, r.ID) })
		if r.Core && judged && !caught {
			t.Errorf("no mutant fails %s: %s", r.ID, r.Statement)
		}
	}
}
