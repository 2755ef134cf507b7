package mutant_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// atOnce is how many runs share the machine. They wait more than they work.
const atOnce = 8

// attempts is how often a run is repeated in which a busy machine left something unknown.
const attempts = 3

var only = flag.String("mutant", "", "run this mutant only")

// trial is one run of a scenario with one mutant, or with the correct broker and client.
type trial struct {
	mutant    mutant.Mutant // of which Name is "" for the correct ones
	scenario  *scenarios.Scenario
	verdicts  []conformance.Verdict
	health    conformance.Health
	published uint64
	err       error
}

// TestEachMutantIsKilledByWhatItNames drives every mutant, and the correct broker and client in each of the mutants'
// scenarios, over real sockets: the mutant fails all that it names and nothing unrelated, the correct ones fail nothing.
func TestEachMutantIsKilledByWhatItNames(t *testing.T) {
	alone, together := trials(t)
	for range attempts {
		carryOut(t.Context(), undecided(alone), 1)
	}
	for range attempts {
		carryOut(t.Context(), undecided(together), atOnce)
	}
	all := slices.Concat(alone, together)
	for _, tr := range all {
		for _, p := range tr.problems() {
			if !p.unknown || !tr.busy() {
				t.Errorf("%s in %s: %s", tr.name(), tr.scenario.Name, p.text)
			}
		}
	}
	left := undecided(all)
	if t.Failed() {
		t.Log("\n" + matrix(all))
	} else if len(left) > 0 {
		t.Skipf("this machine was too busy to judge %d of %d runs:\n%s", len(left), len(all), matrix(left))
	}
}

// undecided returns the runs that did not take place, or that went wrong on a machine too busy to be believed.
func undecided(all []*trial) []*trial {
	return slices.DeleteFunc(slices.Clone(all), func(tr *trial) bool {
		return tr.err != nil || tr.verdicts != nil && (!tr.busy() || len(tr.problems()) == 0)
	})
}

// busyLag is a timer's lateness, in milliseconds, beyond which waits of a few hundred cannot be judged.
const busyLag = 15

func (tr *trial) busy() bool { return len(tr.health.Problems) > 0 || tr.health.LagP99 > busyLag }

func carryOut(ctx context.Context, all []*trial, atOnce int) {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, atOnce)
	for _, tr := range all {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			tr.carryOut(ctx)
		})
	}
}

// trials returns the runs that must have the process to themselves, since its memory is what they are about, and the others.
func trials(t *testing.T) (alone, together []*trial) {
	controlled := map[string]bool{}
	for _, m := range mutant.All {
		if *only != "" && m.Name != *only {
			continue
		}
		s := parse(t, m.Scenario)
		runs := []*trial{{mutant: m, scenario: s}}
		if !controlled[m.Scenario] {
			controlled[m.Scenario] = true
			runs = slices.Insert(runs, 0, &trial{scenario: s})
		}
		if s.Expect.Memory != nil {
			alone = append(alone, runs...)
		} else {
			together = append(together, runs...)
		}
	}
	return alone, together
}

// resident is the memory of this process, 0 where it cannot be seen.
func resident() scenarios.Bytes {
	text, _ := os.ReadFile("/proc/self/statm")
	var total, pages int
	_, _ = fmt.Sscan(string(text), &total, &pages)
	return scenarios.Bytes(pages * os.Getpagesize())
}

func (tr *trial) carryOut(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if budget := tr.scenario.Expect.Memory; budget != nil {
		budget.Max = resident() + 200<<20
	}
	options := run.Options{Plan: scenarios.NewPlan(tr.scenario, nil, 1), Mutate: tr.mutant.Broker, MutateClient: tr.mutant.Client}
	outcome, err := run.New(options).Do(ctx)
	if err != nil {
		tr.err = err
		return
	}
	tr.verdicts, tr.health, tr.published = outcome.Verdicts, outcome.Run.Health, outcome.Run.Published
}

func (tr *trial) name() string {
	if tr.mutant.Name == "" {
		return "the correct broker and client"
	}
	return tr.mutant.Name
}

// problem is one difference between the verdicts and what the mutant announces.
type problem struct {
	text    string
	unknown bool // nothing was said, rather than something wrong
}

func (tr *trial) problems() []problem {
	if tr.err != nil {
		return []problem{{text: tr.err.Error()}}
	}
	var problems []problem
	for _, id := range tr.mutant.Kills {
		if !slices.ContainsFunc(tr.verdicts, func(v conformance.Verdict) bool { return v.ID == id }) {
			problems = append(problems, problem{text: "survives: " + id + " was not judged"})
		}
	}
	for _, v := range tr.verdicts {
		if wrong := tr.wrong(v); wrong != "" {
			problems = append(problems, problem{wrong + ": " + describe(v), v.Outcome == conformance.Unknown})
		}
	}
	return problems
}

// wrong names what is wrong with a verdict, "" when nothing is.
func (tr *trial) wrong(v conformance.Verdict) string {
	failed := v.Outcome == conformance.Fail
	switch {
	case tr.mutant.Name == "" && v.Outcome != conformance.Pass:
		return "false alarm"
	case !failed && slices.Contains(tr.mutant.Kills, v.ID):
		return "survives"
	case failed && !tr.expects(v.ID):
		return "unrelated"
	}
	return ""
}

func (tr *trial) expects(id string) bool {
	return slices.Contains(tr.mutant.Kills, id) || slices.ContainsFunc(tr.mutant.May, func(m mutant.May) bool { return m.ID == id })
}

func describe(v conformance.Verdict) string {
	text := fmt.Sprintf("%s is %v (%d checked, want %s, got %s) %s", v.ID, v.Outcome, v.Checked, v.Expected, v.Actual, v.Reason)
	for _, f := range v.Findings {
		text += fmt.Sprintf("\n\t%s ×%d: %s %s", f.Name, f.Count, f.Text, strings.Join(f.Evidence, "; "))
	}
	return text
}

// matrix shows who failed what: K a kill, m one that was allowed for, ? unknown, ! anything else that did not pass.
func matrix(all []*trial) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	for _, tr := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d published\t", tr.name(), tr.scenario.Name, tr.published)
		for _, v := range tr.verdicts {
			if v.Outcome != conformance.Pass {
				_, _ = fmt.Fprintf(w, " %s%s", tr.mark(v), v.ID)
			}
		}
		_, _ = fmt.Fprintln(w)
	}
	_ = w.Flush()
	return text.String()
}

func (tr *trial) mark(v conformance.Verdict) string {
	switch {
	case v.Outcome == conformance.Unknown:
		return "?"
	case v.Outcome != conformance.Fail || !tr.expects(v.ID):
		return "!"
	case slices.Contains(tr.mutant.Kills, v.ID):
		return "K:"
	}
	return "m:"
}
