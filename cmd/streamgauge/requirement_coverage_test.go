package main

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

func TestTheRequirementsPageIsUpToDate(t *testing.T) {
	t.Parallel()
	const page = "../../docs/requirements.md"
	var got bytes.Buffer
	if err := writeCoverage(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs (-want +got), -update writes it:\n%s", page, diff)
	}
}

func TestEveryRequirementBelongsToAnAreaThatIsNamed(t *testing.T) {
	t.Parallel()
	requirements, err := conformance.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, r := range requirements {
		if conformance.AreaAbout(r.Area()) == "" {
			t.Errorf("%s: the area is not named", r.ID)
		}
		if !slices.Contains(seen, r.Area()) {
			seen = append(seen, r.Area())
		}
	}
	var named []string
	for _, a := range conformance.Areas {
		named = append(named, a.Name)
	}
	if diff := cmp.Diff(named, seen); diff != "" {
		t.Errorf("the areas are not those of the catalogue, in its order (-named +there):\n%s", diff)
	}
}

func TestWhatIsCheckedIsWhatHasACaseAndItsAccess(t *testing.T) {
	t.Parallel()
	for _, c := range server.Cases {
		r := conformance.RequirementByID(c.Requirement)
		if r == nil {
			t.Errorf("a case decides %s, which is not in the catalogue", c.Requirement)
			continue
		}
		if got := coverageOf(r); (got.by == "") == (got.why == "") {
			t.Errorf("%s is checked by %q, and not checked because %q", r.ID, got.by, got.why)
		}
	}
	for id, want := range map[string]string{
		"SSE-FORM-003": "`check`", "SSE-PROXY-001": "`check --through`", "SSE-PARSE-001": "`check-client`",
		"SSE-MERC-001": "`check --profile mercure-hub`", "SSE-SLO-001": "not by check: a scenario's budgets measure it",
	} {
		if got := coverageOf(conformance.RequirementByID(id)).checked(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}

func TestAMutantOfARequirementIsListedThere(t *testing.T) {
	t.Parallel()
	for _, m := range mutant.Server {
		for _, id := range m.Kills {
			if !slices.Contains(killersOf(id), m.Name) {
				t.Errorf("%s does not list %s", id, m.Name)
			}
		}
	}
	if names := killersOf("SSE-PROXY-002"); !slices.Contains(names, "gateway-holds-head") {
		t.Errorf("SSE-PROXY-002 lists %v", names)
	}
}
