package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// matrix shows the kill matrix: each subject with what it missed, then whatever is not as it must be.
func (t tableReport) matrix() error {
	for _, s := range t.parts {
		t.blank()
		t.para(t.outcome(s.outcome)+margin, s.name, t.bold)
		t.blank()
		g := grid{header: []string{"verdict", "subject", "killed by", "also missed", "kept"}, right: []bool{false, false, false, false, true}}
		for _, row := range rowsOf(t.r, s.name) {
			g.rows = append(g.rows, []string{
				t.outcome(row.Outcome), rowName(row), t.listed(row.Kills), t.listed(append(append([]string{}, row.Allowed...), row.Told...)), tally(row.Kept),
			})
		}
		if err := t.grid(g); err != nil {
			return err
		}
		t.explanations(s.verdicts)
	}
	return nil
}

func rowsOf(r *conformance.Result, group string) []conformance.MatrixRow {
	var rows []conformance.MatrixRow
	for _, row := range r.Matrix {
		if row.Group == group {
			rows = append(rows, row)
		}
	}
	return rows
}

func rowName(row conformance.MatrixRow) string {
	if row.Scenario == "" {
		return row.Name
	}
	return row.Name + " in " + row.Scenario
}

func (t tableReport) listed(ids []string) string {
	if len(ids) == 0 {
		return t.text("–")
	}
	return strings.Join(ids, ", ")
}

// correctSubjects is the group whose rows must miss nothing.
const correctSubjects = "correct subjects"

// matrixSummary is "180 of 180 mutants killed; 35 of 36 correct subjects not accused; 1 false alarm."
func matrixSummary(r *conformance.Result) string {
	var mutants, killed, right, spared, survivors, alarms, unrelated, undecided int
	for _, row := range r.Matrix {
		survivors += len(row.Survivors)
		alarms += len(row.FalseAlarms)
		unrelated += len(row.Unrelated)
		undecided += len(row.Undecided)
		switch {
		case row.Group == correctSubjects:
			right++
			if row.Outcome == conformance.Pass {
				spared++
			}
		case len(row.Kills)+len(row.Survivors)+len(row.Undecided) > 0:
			mutants++
			if len(row.Kills) > 0 && len(row.Survivors)+len(row.Undecided) == 0 {
				killed++
			}
		}
	}
	var clauses []string
	if mutants > 0 {
		clauses = append(clauses, fmt.Sprintf("%d of %s killed", killed, Plural(uint64(mutants), "mutant")))
	}
	if right > 0 {
		clauses = append(clauses, fmt.Sprintf("%d of %s kept everything", spared, Plural(uint64(right), "run")+" of correct subjects"))
	}
	for _, kind := range []struct {
		n    int
		noun string
	}{{survivors, "survivor"}, {alarms, "false alarm"}, {unrelated, "unrelated failure"}} {
		clauses = append(clauses, Plural(uint64(kind.n), kind.noun))
	}
	if undecided > 0 {
		clauses = append(clauses, fmt.Sprintf("%d undecided", undecided))
	}
	return strings.Join(clauses, "; ") + "."
}

// matrix writes the kill matrix: what is not as it must be, and folded below it every subject.
func (m *markdownReport) matrix(room int) {
	m.b.WriteString("| | subjects | as they must be |\n|---|---|---:|\n")
	for _, s := range m.parts {
		fmt.Fprintf(&m.b, "| %s %s | %s | %d of %d |\n", markdownSign(s.outcome), s.outcome, cell(s.name), s.count(conformance.Pass), len(s.verdicts))
	}
	m.b.WriteByte('\n')
	for _, s := range m.parts {
		for _, v := range s.verdicts {
			if v.Outcome != conformance.Pass {
				m.fit(explanationDetails(s, v), room)
			}
		}
	}
	for _, s := range m.parts {
		var b strings.Builder
		fmt.Fprintf(&b, "<details><summary>%s <b>%s</b></summary>\n\n| | subject | killed by | also missed | kept |\n|---|---|---|---|---:|\n",
			markdownSign(s.outcome), escapeHTML(s.name))
		for _, row := range rowsOf(m.r, s.name) {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %d |\n", markdownSign(row.Outcome), cell(rowName(row)), escape(strings.Join(row.Kills, ", ")),
				escape(strings.Join(append(append([]string{}, row.Allowed...), row.Told...), ", ")), row.Kept)
		}
		b.WriteString("\n</details>\n\n")
		m.fit(b.String(), room)
	}
}
