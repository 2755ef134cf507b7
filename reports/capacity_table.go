package reports

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// capacity is the report of a search at a terminal.
func (t tableReport) capacity(written string) error {
	c := t.r.Capacity
	t.blank()
	t.para(t.outcome(t.r.Outcome)+margin, t.text(capacitySummary(c)), t.bold)
	t.items(margin, t.texts(capacityFigures(t.r)), t.dim)
	t.beyond(c)
	for _, part := range []struct {
		title string
		grid  capacityGrid
	}{
		{"runs, by " + c.Key, capacitySteps(c)}, {"headroom at the line", capacityHeadroom(c)}, {"", capacityGrid{}},
		{"what more would take", capacityFuture(c)},
	} {
		if part.title == "" {
			t.capacityFacts(c)
		}
		if len(part.grid.rows) == 0 {
			continue
		}
		t.blank()
		t.para(margin, part.title, t.bold)
		if err := t.grid(t.spelled(grid{header: t.texts(part.grid.header), rows: part.grid.rows, right: part.grid.right})); err != nil {
			return err
		}
	}
	for _, assumption := range c.Assumptions {
		t.para(margin+t.text("· "), t.text(assumption), t.dim)
	}
	t.blank()
	t.rule()
	t.health()
	if written != "" {
		t.fact("written", written)
	}
	if t.r.Command != "" {
		t.line(margin + t.dim("repeat") + "   " + t.r.Command)
	}
	code, _ := ExitCode(t.r.Outcome)
	t.fact("exit", fmt.Sprintf("%d: %s", code, capacityExit(t.r)))
	return nil
}

// capacityFigures are the size of a search.
func capacityFigures(r *conformance.Result) []string {
	c := r.Capacity
	figures := []string{
		c.Scenario, c.Key + " from " + c.Number(c.From) + " to " + c.Number(c.To), Plural(uint64(len(c.Steps)), "run"),
		"to within " + share(c.Precision), elapsed(r.Duration),
	}
	if c.AtLeast > 0 {
		figures = append(figures, "asked for at least "+c.Amount(c.AtLeast))
	}
	return figures
}

// capacityExit says what the exit code of a search means.
func capacityExit(r *conformance.Result) string {
	asked := r.Capacity.AtLeast > 0
	switch code, _ := ExitCode(r.Outcome); {
	case code == 0 && asked:
		return "the target carries what was asked for"
	case code == 0:
		return "the line was found"
	case code == 1 && asked:
		return "the target does not carry what was asked for"
	case code == 1:
		return "the target does not carry the least that was tried"
	}
	return "where the line is could not be said"
}

// beyond explains the first promise that breaks.
func (t tableReport) beyond(c *conformance.Capacity) {
	if c.Beyond == nil {
		return
	}
	t.blank()
	v := *c.Beyond
	t.para(margin+t.outcome(v.Outcome)+margin, v.ID+" at "+c.Amount(c.High), t.bold)
	for _, n := range explain(v, detail{findings: 8, evidence: 12, values: true}) {
		t.note(n)
	}
}

func (t tableReport) capacityFacts(c *conformance.Capacity) {
	t.blank()
	if c.Observed != "" {
		t.para(margin, "cost and scaling, seen of "+c.Observed, t.bold)
	} else {
		t.para(margin, "cost and scaling", t.bold)
	}
	for _, fact := range capacityFacts(c) {
		t.para(margin+t.dim(fmt.Sprintf("%-8s", fact[0]))+margin, t.text(fact[1]), plain)
	}
}
