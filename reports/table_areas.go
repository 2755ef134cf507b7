package reports

import (
	"strconv"

	"github.com/streamgauge/streamgauge/conformance"
)

// areas shows what was judged outside of a scenario: the areas with their counts, then each verdict that is not a pass.
func (t tableReport) areas(areas []section) error {
	shown := []conformance.Outcome{
		conformance.Pass, conformance.Fail, conformance.Unknown, conformance.Warn, conformance.Skip, conformance.Info,
	}
	g := grid{header: []string{"verdict", "area"}, right: []bool{false, false}}
	for _, o := range shown {
		g.header, g.right = append(g.header, o.String()), append(g.right, true)
	}
	var notable []conformance.Verdict
	for _, s := range areas {
		row := []string{t.outcome(s.outcome), s.name}
		for _, o := range shown {
			row = append(row, tally(s.count(o)))
		}
		g.rows = append(g.rows, row)
		for _, v := range s.verdicts {
			if v.Outcome != conformance.Pass && v.Outcome != conformance.Info {
				notable = append(notable, v)
			}
		}
	}
	if err := t.grid(g); err != nil || len(notable) == 0 {
		return err
	}
	t.blank()
	if err := t.verdicts(notable); err != nil {
		return err
	}
	t.explanations(notable)
	return nil
}

// tally leaves a count of none out, so that the others are seen.
func tally(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
