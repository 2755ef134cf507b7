package matrix_test

import (
	"context"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/reference/matrix"
)

var only = flag.String("mutant", "", "run these mutants only, as in never-beats,swaps-two")

// patience is several times what the rows take on two idle cores. What is not judged by then is left open, and said.
const patience = 5 * time.Minute

// TestEachMutantIsKilledByWhatItNames drives every mutant over real sockets: it fails all that it names and nothing unrelated. So does the
// correct broker with the correct client in each of the mutants' scenarios: it fails nothing.
func TestEachMutantIsKilledByWhatItNames(t *testing.T) {
	selection := matrix.Selection{Short: true, Seed: 1}
	if *only != "" {
		selection.Only = strings.Split(*only, ",")
	}
	rows, err := matrix.Rows(selection)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var busy []string
	for _, p := range judgedTwice(ctx, t, rows) {
		if p.Doubt {
			busy = append(busy, p.String())
		} else {
			t.Error(p)
		}
	}
	if len(busy) > 0 && !t.Failed() {
		t.Skipf("%d verdicts about %d subjects could not be reached:\n%s", len(busy), len(rows), strings.Join(busy, "\n"))
	}
}

// judgedTwice judges the rows, and once more, by themselves, those with a problem: beside two hundred others on a busy machine even a
// kernel can be late. What the first judging said is logged.
func judgedTwice(ctx context.Context, t *testing.T, rows []matrix.Row) []matrix.Problem {
	t.Helper()
	wrong := map[string]bool{}
	for _, p := range matrix.Run(ctx, rows, matrix.Options{}).Problems() {
		if !p.Doubt {
			t.Logf("once more: %s", p)
		}
		wrong[p.Row.Name] = true
	}
	if len(wrong) == 0 {
		return nil
	}
	again := slices.DeleteFunc(slices.Clone(rows), func(r matrix.Row) bool { return !wrong[r.Name] })
	return matrix.Run(ctx, again, matrix.Options{Parallel: 1}).Problems()
}
