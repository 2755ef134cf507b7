package compare_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
	"github.com/streamgauge/streamgauge/reports"
)

// FuzzCompare: two stored results, whatever was edited in them, are compared, and what comes of it is shown.
func FuzzCompare(f *testing.F) {
	for _, name := range []string{"failed", "charted", "passed", "infinite", "check", "matrix", "unknown"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "reports", "testdata", "golden", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		if len(text) <= 24<<10 {
			f.Add(text, text, 0.1)
		}
	}
	f.Fuzz(func(t *testing.T, before, after []byte, tolerance float64) {
		var old, latest conformance.Result
		if json.Unmarshal(before, &old) != nil || json.Unmarshal(after, &latest) != nil {
			return
		}
		runs := []compare.Run{{Name: "a", Result: &old, Machine: compare.Machine{CPUs: len(before)}}, {Name: "b", Result: &old}}
		newest := compare.Run{Name: "c", Result: &latest, Machine: compare.Machine{CPUs: len(after)}}
		for _, n := range []int{1, 2} {
			why := compare.Incomparable(runs[:n], newest)
			comparison := compare.Do(runs[:n], newest, compare.Options{Tolerance: tolerance, Forced: why})
			result := compare.Result(comparison, newest)
			for _, format := range reports.Formats {
				if err := format.Render(io.Discard, result, reports.Options{Full: true}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
