package reports

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// areas shows what was judged outside of a scenario: the areas with their counts, then each promise that was not kept with what
// that rests on, then those that were not judged, by the reason.
func (t tableReport) areas(areas []section) error {
	if err := t.areaGrid(areas); err != nil {
		return err
	}
	var all []conformance.Verdict
	for _, s := range areas {
		all = append(all, s.verdicts...)
	}
	all = byCause(all)
	t.missed(all, conformance.Fail)
	t.missed(all, conformance.Warn)
	t.unjudged(all, conformance.Unknown)
	t.unjudged(all, conformance.Info)
	t.unjudged(all, conformance.Skip)
	return nil
}

// counted are the outcomes that areas count, in the order of their columns.
var counted = []conformance.Outcome{
	conformance.Pass, conformance.Fail, conformance.Unknown, conformance.Warn, conformance.Skip, conformance.Info,
}

func (t tableReport) areaGrid(areas []section) error {
	g := grid{header: []string{"verdict", "area"}, right: []bool{false, false}}
	explained := t.width >= defaultWidth // a narrower page has no room for what an area is about
	if explained {
		g.header, g.right = append(g.header, ""), append(g.right, false)
	}
	for _, o := range counted {
		g.header, g.right = append(g.header, o.String()), append(g.right, true)
	}
	for _, s := range areas {
		row := []string{t.outcome(s.outcome), s.name}
		if explained {
			row = append(row, conformance.AreaAbout(s.name))
		}
		for _, o := range counted {
			row = append(row, tally(s.count(o)))
		}
		g.rows = append(g.rows, row)
	}
	return t.grid(g)
}

// tally leaves a count of none out, so that the others are seen.
func tally(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// missed shows each promise with the outcome: its sentence and source, what was expected and seen, the bytes around it, and how
// to see it again.
func (t tableReport) missed(verdicts []conformance.Verdict, outcome conformance.Outcome) {
	for _, v := range verdicts {
		if v.Outcome != outcome {
			continue
		}
		t.blank()
		t.para(margin+t.outcome(v.Outcome)+margin, joinNonEmpty(t.text(" · "), v.ID, string(v.Level)), t.bold)
		if v.Title != "" {
			t.para(margin+margin, v.Title, plain)
		}
		t.labelled(0, "source", v.Source)
		if several := len(v.Findings); several > 1 { // each tells what it should have been
			t.labelled(0, "actual", fmt.Sprintf("%d deviations", several))
		} else {
			t.labelled(0, "expected", orNothing(v.Expected))
			t.labelled(0, "actual", orNothing(v.Actual))
		}
		t.labelled(0, "why", v.Reason)
		t.findings(v)
		t.labelled(0, "next", v.Next)
		for _, command := range append(v.Repeat, byHand(v)...) {
			t.line(margin + margin + t.dim(fmt.Sprintf("%-8s", "repeat")) + margin + command) // not folded, so that it can be copied
		}
	}
}

// mostFindings and mostEvidence bound what the page shows; result.json has everything.
const (
	mostFindings = 4
	mostEvidence = 12
)

// findings shows the bytes of a single finding, which expected and actual tell of already, and of several ones each with its own.
func (t tableReport) findings(v conformance.Verdict) {
	if len(v.Findings) == 1 {
		f := v.Findings[0]
		if f.Text != v.Actual {
			t.labelled(0, "seen", f.Text)
		}
		t.labelled(0, "pattern", f.Pattern)
		t.evidence(f, 1)
		return
	}
	most, rest := shortFindings, shownBy
	if t.full {
		most, rest = mostFindings, " in "+ResultFile
	}
	for i, f := range v.Findings {
		if i == most {
			t.labelled(0, "and", Plural(uint64(len(v.Findings)-i), "more finding")+rest)
			return
		}
		t.labelled(0, fmt.Sprintf("seen %d", i+1), f.Text)
		if i == 0 || f.Expected != v.Findings[i-1].Expected {
			t.labelled(1, "expected", f.Expected)
		}
		t.labelled(1, "actual", f.Actual)
		if i == 0 || !sameEvidence(f, v.Findings[i-1]) {
			t.evidence(f, 1)
		}
	}
}

// sameEvidence says whether two findings show the same, but for the time of day.
func sameEvidence(a, b conformance.Finding) bool {
	return slices.EqualFunc(a.Evidence, b.Evidence, func(one, other string) bool {
		return one == other || strings.HasPrefix(one, "Date: ") && strings.HasPrefix(other, "Date: ")
	})
}

// evidence shows observations or bytes, a segment a line; what a line does not hold goes on further in.
func (t tableReport) evidence(f conformance.Finding, depth int) {
	if text := where(f); text != "" {
		t.labelled(depth, "where", text)
	}
	bar := t.text("│ ")
	if t.ascii {
		bar = "| "
	}
	lead := strings.Repeat(margin, 2+depth) + t.dim(bar)
	const indent = "        " // behind the time of a segment
	room := t.room(lead)
	lines := decisive(f, shortEvidence)
	if t.full {
		lines = bytesOf(f)
	}
	for i, line := range lines {
		if i == mostEvidence {
			t.line(lead + t.text(fmt.Sprintf("… %s more in %s", Plural(uint64(len(lines)-i), "line"), ResultFile)))
			return
		}
		if !t.full {
			line = elide(line, shortLines*room-len(indent))
		}
		first := chopEscaped(t.text(line), room)
		parts := first[:1]
		if rest := strings.Join(first[1:], ""); rest != "" {
			for _, part := range chopEscaped(rest, room-len(indent)) {
				parts = append(parts, indent+part)
			}
		}
		for _, part := range atMost(parts, room, evidenceLines, t.text("…")) {
			t.line(lead + part)
		}
	}
}

// byHand are the commands among the evidence that show the deviation without this program, each once.
func byHand(v conformance.Verdict) []string {
	var commands []string
	for _, f := range v.Findings {
		for _, line := range f.Evidence {
			if isCommand(line) && !slices.Contains(commands, line) {
				commands = append(commands, line)
			}
		}
	}
	return commands
}

func isCommand(evidence string) bool { return strings.HasPrefix(evidence, "curl ") }

// labelled is one fact with its label, left out when there is none.
func (t tableReport) labelled(depth int, label, text string) {
	if text == "" {
		return
	}
	t.para(strings.Repeat(margin, 2+depth)+t.dim(fmt.Sprintf("%-8s", label))+margin, t.text(text), plain)
}

// unjudged shows the promises with the outcome that were not judged, those with one reason together; and those that their source leaves open,
// with what was seen. What was skipped is told briefly.
func (t tableReport) unjudged(verdicts []conformance.Verdict, outcome conformance.Outcome) {
	brief := outcome == conformance.Skip && !t.full
	for i, g := range byReason(verdicts, outcome) {
		if !brief || i == 0 {
			t.blank()
		}
		style := t.bold
		if brief {
			style = plain
		}
		t.para(margin+t.outcome(outcome)+margin+t.bold(strconv.Itoa(len(g.verdicts)))+margin, g.reason, style)
		if brief {
			t.para(margin+margin, g.ids(), t.dim)
			continue
		}
		t.para(margin+margin, g.ids(), plain)
		if len(g.verdicts) == 1 && g.verdicts[0].Title != "" {
			t.para(margin+margin, g.verdicts[0].Title, t.dim)
		}
		t.labelled(0, "next", g.next)
	}
}
