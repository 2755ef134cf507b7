package matrix_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/matrix"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

var update = flag.Bool("update", false, "rewrite docs/mutants.md")

func TestPageIsUpToDate(t *testing.T) {
	t.Parallel()
	const page = "../../docs/mutants.md"
	var got bytes.Buffer
	if err := matrix.Page(&got); err != nil {
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

// withoutMutant are the core requirements that have a case and no mutant, with the reason.
var withoutMutant = map[string]string{}

// serverAreas are those whose requirements a server, a hub or a gateway is asked.
var serverAreas = []string{"FORM", "HTTPS", "HBS", "RESUME", "DELIV", "ISO", "AUTH", "SLOW", "DRAIN", "LIMIT", "PROXY", "MERC"}

func TestEveryCoreRequirementHasAMutant(t *testing.T) {
	t.Parallel()
	requirements, err := conformance.Requirements()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := matrix.Rows(matrix.Selection{Short: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range requirements {
		r := &requirements[i]
		decided := slices.ContainsFunc(server.Cases, func(c server.Case) bool { return c.Requirement == r.ID })
		if !r.Core || !decided || !slices.Contains(serverAreas, r.Area()) {
			continue
		}
		killed := slices.ContainsFunc(rows, func(row matrix.Row) bool { return slices.Contains(row.Kills, r.ID) })
		_, excepted := withoutMutant[r.ID]
		switch {
		case !killed && !excepted:
			t.Errorf("no mutant breaks %s: %s", r.ID, r.Statement)
		case killed && excepted:
			t.Errorf("%s has a mutant: take it off the list of exceptions", r.ID)
		}
	}
}

// TestEveryKillIsJudged: what a mutant names is among its columns, so that it is not taken for a survivor by mistake.
func TestEveryKillIsJudged(t *testing.T) {
	t.Parallel()
	for _, short := range []bool{true, false} {
		rows, err := matrix.Rows(matrix.Selection{Short: short})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			for _, id := range r.Kills {
				if r.Scenario == "" && !slices.Contains(r.Columns, id) {
					t.Errorf("%s names %s, which no case decides", r.Name, id)
				}
			}
		}
	}
}

// TestEveryMutantHasItsRow: none is left out, and no name is there twice.
func TestEveryMutantHasItsRow(t *testing.T) {
	t.Parallel()
	rows, err := matrix.Rows(matrix.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range slices.Concat(mutant.All, mutant.Server, mutant.Clients) {
		names = append(names, m.Name)
	}
	for _, m := range mutant.Gateways {
		names = append(names, m.Name)
	}
	for _, m := range mutant.Hubs {
		names = append(names, m.Name)
	}
	for _, odd := range mutant.Unusual {
		names = append(names, odd.Name)
	}
	for _, odd := range mutant.UnusualClients {
		names = append(names, odd.Name)
	}
	words := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9.]+)+$`)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			t.Errorf("%s is there twice", name)
		}
		if !words.MatchString(name) {
			t.Errorf("%q is not words with hyphens", name)
		}
		if !slices.ContainsFunc(rows, func(r matrix.Row) bool { return r.Name == name && r.Group != matrix.MutantsUnderLoad }) {
			t.Errorf("%s has no row", name)
		}
	}
}
