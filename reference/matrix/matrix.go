package matrix

import (
	"fmt"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Matrix is what came out.
type Matrix struct {
	Lines  []Line
	Health conformance.Health // the worst of all judgings
}

// Line is a row with its cells, in the order of the columns.
type Line struct {
	Row   *Row
	Cells []Cell
	Took  time.Duration // how long it was judged, beside others
}

func (r *runner) matrix() *Matrix {
	m := &Matrix{Health: r.health}
	for _, s := range r.states {
		cells := s.cells
		if r.ctx.Err() != nil {
			cells = s.interrupted
		}
		m.Lines = append(m.Lines, Line{Row: s.row, Cells: cells(), Took: s.took})
	}
	return m
}

// With returns the cells that have one of the marks.
func (l Line) With(marks ...Mark) []Cell {
	var cells []Cell
	for _, c := range l.Cells {
		for _, m := range marks {
			if c.Mark == m {
				cells = append(cells, c)
			}
		}
	}
	return cells
}

// Outcome is fail when the judge is wrong about the subject, unknown when something could not be decided, and else pass.
func (l Line) Outcome() conformance.Outcome {
	switch {
	case len(l.With(Survivor, FalseAlarm, Unrelated)) > 0:
		return conformance.Fail
	case len(l.With(Undecided)) > 0 || len(l.Cells) == 0:
		return conformance.Unknown
	}
	return conformance.Pass
}

// Problem is one thing that keeps a line from passing.
type Problem struct {
	Row   *Row
	Cell  Cell
	Doubt bool // nobody is to blame but this machine, or whoever interrupted
}

func (p Problem) String() string {
	v := p.Cell.Verdict
	text := fmt.Sprintf("%s: %v: %s is %v (%d checked, want %s, got %s) %s", p.Row.ID(), p.Cell.Mark, v.ID, v.Outcome, v.Checked, v.Expected, v.Actual, v.Reason)
	for _, f := range v.Findings {
		text += fmt.Sprintf("\n\t%s ×%d: %s\n\t\t%s", f.Name, f.Count, f.Text, strings.Join(f.Evidence, "\n\t\t"))
	}
	return text
}

// Problems are all things that keep the matrix from passing.
func (m *Matrix) Problems() []Problem {
	var problems []Problem
	for _, l := range m.Lines {
		for _, c := range l.With(Survivor, FalseAlarm, Unrelated, Undecided) {
			problems = append(problems, Problem{Row: l.Row, Cell: c, Doubt: c.Doubt != ""})
		}
	}
	return problems
}
