package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// matrixGroup is one group of the kill matrix: its subjects, and a column for each verdict that was missed by any of them.
type matrixGroup struct {
	Name, Anchor, Summary string
	Outcome               conformance.Outcome
	Columns               []string
	Rows                  []matrixRow
}

type matrixRow struct {
	Row         conformance.MatrixRow
	Name, About string
	Cells       []matrixCell
}

type matrixCell struct{ Sign, Class string }

// AlsoMissed are the verdicts that a mutant missed beside those that it must.
func (r matrixRow) AlsoMissed() []string { return append(slices.Clone(r.Row.Allowed), r.Row.Told...) }

// said are the lists of a row with what their ids look like in a cell; of two, the later one shows.
func said(row conformance.MatrixRow) []struct {
	ids  []string
	cell matrixCell
} {
	return []struct {
		ids  []string
		cell matrixCell
	}{
		{row.Allowed, matrixCell{"○", ""}}, {row.Told, matrixCell{"○", ""}}, {row.Kills, matrixCell{"●", "kill"}},
		{row.Undecided, matrixCell{"?", "unknown"}}, {row.Unrelated, matrixCell{"!", "fail"}}, {row.FalseAlarms, matrixCell{"!", "fail"}},
		{row.Survivors, matrixCell{"✕", "fail"}},
	}
}

// Groups are the groups of the kill matrix.
func (h *htmlReport) Groups() []matrixGroup {
	about := map[string]string{}
	for _, v := range h.R.Verdicts {
		about[v.ID] = v.Title
	}
	var groups []matrixGroup
	for i, s := range h.Parts {
		g := matrixGroup{Name: s.name, Anchor: groupAnchor(i), Outcome: s.outcome}
		rows := rowsOf(h.R, s.name)
		g.Columns = columnsOf(rows)
		for _, row := range rows {
			g.Rows = append(g.Rows, matrixRow{row, rowName(row), about[row.Name], cellsOf(row, g.Columns)})
		}
		g.Summary = fmt.Sprintf("%d of %s as they must be.", s.count(conformance.Pass), Plural(uint64(len(s.verdicts)), "subject"))
		groups = append(groups, g)
	}
	return groups
}

// matrixLine is the verdict on the judges in one sentence; the summary has the rest.
func matrixLine(r *conformance.Result) string {
	line, _, _ := strings.Cut(strings.TrimSuffix(matrixSummary(r), "."), ";")
	for _, o := range []struct {
		n    func(conformance.MatrixRow) int
		noun string
	}{
		{func(row conformance.MatrixRow) int { return len(row.Survivors) }, "survivor"},
		{func(row conformance.MatrixRow) int { return len(row.FalseAlarms) }, "false alarm"},
		{func(row conformance.MatrixRow) int { return len(row.Unrelated) }, "unrelated failure"},
		{func(row conformance.MatrixRow) int { return len(row.Undecided) }, "undecided verdict"},
	} {
		n := 0
		for _, row := range r.Matrix {
			n += o.n(row)
		}
		if n > 0 {
			line += ", " + Plural(uint64(n), o.noun)
		}
	}
	return line + "."
}

// columnsOf are the verdicts that some row says something of, in the order of the catalogue, names of guarantees first.
func columnsOf(rows []conformance.MatrixRow) []string {
	var columns []string
	for _, row := range rows {
		for _, list := range said(row) {
			columns = append(columns, list.ids...)
		}
	}
	slices.SortFunc(columns, compareIDs)
	return slices.Compact(columns)
}

func compareIDs(a, b string) int {
	if x, y := areaRank(a), areaRank(b); x != y {
		return x - y
	}
	return strings.Compare(a, b)
}

func areaRank(id string) int {
	area := conformance.AreaOf(id)
	return slices.IndexFunc(conformance.Areas, func(a conformance.Area) bool { return a.Name == area })
}

func cellsOf(row conformance.MatrixRow, columns []string) []matrixCell {
	cells := make([]matrixCell, len(columns))
	for _, list := range said(row) {
		for _, id := range list.ids {
			if at := slices.Index(columns, id); at >= 0 {
				cells[at] = list.cell
			}
		}
	}
	return cells
}

func groupAnchor(part int) string { return fmt.Sprintf("group%d", part) }
