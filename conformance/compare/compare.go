package compare

import (
	"cmp"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// Run is one of the results to compare.
type Run struct {
	Name    string // what to call it: its directory or file
	Result  *conformance.Result
	Machine Machine
}

// Machine is where a run's harness ran. The zero value says that nobody knows.
type Machine struct {
	OS, Arch string
	CPUs     int
}

// Options say what is tolerated.
type Options struct {
	Tolerance float64  // by which share a measure may grow; 0.1 is a tenth
	Only      []string // measures and verdicts to compare, by name or area; nil for all
	Forced    []string // why the runs are not comparable, when that does not matter
}

// Confidence of every interval.
const Confidence = 0.95

// Do compares a new run with old ones, at least one.
func Do(old []Run, latest Run, o Options) *conformance.Comparison {
	c := &conformance.Comparison{
		New: named(latest), Tolerance: o.Tolerance, Confidence: Confidence, Forced: o.Forced, Notes: notes(old, latest),
		Verdicts: verdicts(old, latest, o.Only), Measures: measures(old, latest, o),
	}
	for _, r := range old {
		c.Old = append(c.Old, named(r))
	}
	slices.SortStableFunc(c.Verdicts, func(a, b conformance.VerdictChange) int { return cmp.Compare(rank(a.Trend), rank(b.Trend)) })
	slices.SortStableFunc(c.Measures, func(a, b conformance.MeasureChange) int { return cmp.Compare(rank(a.Trend), rank(b.Trend)) })
	return c
}

func named(r Run) conformance.ComparedRun {
	return conformance.ComparedRun{
		Name: r.Name, Tool: r.Result.Tool, Version: r.Result.Subject.Version, Seed: r.Result.Seed, Started: r.Result.Started, Outcome: r.Result.Outcome,
	}
}

var ranks = []conformance.Trend{
	conformance.TrendWorse, conformance.TrendUnclear, conformance.TrendBetter, conformance.TrendSame, conformance.TrendShown,
}

func rank(t conformance.Trend) int { return slices.Index(ranks, t) }

// wanted says whether only, a list of names and areas, has the name or is empty.
func wanted(only []string, name string) bool {
	return len(only) == 0 || slices.ContainsFunc(only, func(o string) bool {
		return name == o || len(name) > len(o) && name[:len(o)] == o && (name[len(o)] == '.' || name[len(o)] == '-')
	})
}
