package matrix

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// Fill puts the matrix into a result: a verdict and a row for each line, and the outcome over all.
func (m *Matrix) Fill(r *conformance.Result) {
	r.Kind, r.Health = conformance.KindMutants, m.Health
	for _, l := range m.Lines {
		r.Verdicts = append(r.Verdicts, l.verdict())
		r.Matrix = append(r.Matrix, l.row())
	}
	r.Outcome = conformance.Overall(r.Verdicts, false)
}

func (l Line) row() conformance.MatrixRow {
	return conformance.MatrixRow{
		Name: l.Row.Name, Group: string(l.Row.Group), Scenario: l.Row.Scenario, Outcome: l.Outcome(), Duration: conformance.Duration(l.Took),
		Kept: len(l.With(Kept)), Unjudged: len(l.With(Unjudged)),
		Kills: l.ids(Kill), Allowed: l.ids(Allowed), Told: l.ids(Told), Survivors: l.ids(Survivor), FalseAlarms: l.ids(FalseAlarm),
		Unrelated: l.ids(Unrelated), Undecided: l.ids(Undecided), Again: l.again(),
	}
}

// again are the verdicts that contradicted beside others and were judged again.
func (l Line) again() []string {
	var ids []string
	for _, c := range l.Cells {
		if c.Before != "" {
			ids = append(ids, c.Verdict.ID)
		}
	}
	return ids
}

func (l Line) ids(m Mark) []string {
	var ids []string
	for _, c := range l.With(m) {
		ids = append(ids, c.Verdict.ID)
	}
	return ids
}

// verdict says of the judges what came out about one subject.
func (l Line) verdict() conformance.Verdict {
	v := conformance.Verdict{
		ID: l.Row.ID(), Scenario: string(l.Row.Group), Title: l.Row.About, Level: conformance.Must, Outcome: l.Outcome(),
		Checked: uint64(len(l.Cells) - len(l.With(Unjudged, Undecided))), Expected: l.Row.expected(), Actual: l.actual(),
		Repeat: []string{"streamgauge mutants --only " + l.Row.Name},
	}
	for _, c := range l.Cells {
		if c.Mark.Wrong() || c.Mark == Undecided || c.Before != "" {
			v.Findings = append(v.Findings, c.finding())
		}
	}
	if v.Outcome == conformance.Unknown {
		v.Reason = l.doubt()
	}
	if v.Outcome == conformance.Pass {
		v.Repeat = nil
	}
	return v
}

func (r *Row) expected() string {
	switch {
	case r.right():
		return "nothing is missed"
	case len(r.Kills) > 0:
		return strings.Join(r.Kills, ", ") + " missed, and nothing unrelated"
	}
	return "whatever is missed is told"
}

// actual is what was missed, in words.
func (l Line) actual() string {
	var parts []string
	for _, m := range []Mark{Survivor, FalseAlarm, Unrelated, Undecided, Kill, Allowed, Told} {
		if ids := l.ids(m); len(ids) > 0 {
			parts = append(parts, m.String()+": "+strings.Join(ids, ", "))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("nothing missed, %d kept", len(l.With(Kept)))
	}
	return strings.Join(parts, "; ")
}

// doubt is why a line is undecided.
func (l Line) doubt() string {
	undecided := l.With(Undecided)
	switch {
	case len(undecided) == 0:
		return "nothing was judged"
	case undecided[0].Doubt != "":
		return undecided[0].Doubt
	}
	return undecided[0].Verdict.ID + " could not be judged: " + undecided[0].Verdict.Reason
}

func (c Cell) finding() conformance.Finding {
	v := c.Verdict
	f := conformance.Finding{Name: c.Mark.String(), Count: 1, Text: fmt.Sprintf("%s is %v", v.ID, v.Outcome), Expected: v.Expected, Actual: v.Actual}
	if v.Reason != "" {
		f.Text += ": " + v.Reason
	}
	if c.Before != "" {
		f.Text += "; judged again by itself, because beside others it was " + c.Before
	}
	for _, seen := range v.Findings {
		f.Evidence = append(append(f.Evidence, seen.Text), seen.Evidence...)
	}
	return f
}
