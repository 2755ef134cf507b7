package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// areas writes a result without scenarios: the areas with their counts, each promise that was not kept with what that rests on,
// those that were not judged by the reason, and folded below them every promise.
func (m *markdownReport) areas(room int) {
	m.areaOverview()
	for _, outcome := range []conformance.Outcome{conformance.Fail, conformance.Warn} {
		for _, v := range byCause(m.r.Verdicts) {
			if v.Outcome == outcome {
				m.fit(missedDetails(v), room)
			}
		}
	}
	for _, outcome := range []conformance.Outcome{conformance.Unknown, conformance.Info, conformance.Skip} {
		if groups := byReason(m.r.Verdicts, outcome); len(groups) > 0 {
			m.fit(unjudgedTable(outcome, groups), room)
		}
	}
	for _, s := range m.parts {
		m.fit(verdictDetails(s), room)
	}
}

func (m *markdownReport) areaOverview() {
	if len(m.parts) == 0 {
		return
	}
	m.b.WriteString("| | area | about |")
	for _, o := range counted {
		m.b.WriteString(" " + o.String() + " |")
	}
	m.b.WriteString("\n|---|---|---|" + strings.Repeat("---:|", len(counted)) + "\n")
	const most = 100
	for i, s := range m.parts {
		if i == most {
			m.dropped += len(m.parts) - most
			break
		}
		fmt.Fprintf(&m.b, "| %s %s | %s | %s |", markdownSign(s.outcome), s.outcome, cell(s.name), cell(conformance.AreaAbout(s.name)))
		for _, o := range counted {
			m.b.WriteString(" " + tally(s.count(o)) + " |")
		}
		m.b.WriteByte('\n')
	}
	m.b.WriteByte('\n')
}

func missedDetails(v conformance.Verdict) string {
	var text strings.Builder
	writeNotes(&text, explain(v, detail{findings: 5, evidence: 12, values: true}))
	body := text.String()
	fence := fenceFor(body)
	return fmt.Sprintf("<details><summary>%s <b>%s</b> (%s): %s</summary>\n\n%stext\n%s%s\n\n</details>\n\n",
		markdownSign(v.Outcome), escapeHTML(v.ID), escapeHTML(string(v.Level)), escapeHTML(short(v.Title)), fence, body, fence)
}

func unjudgedTable(outcome conformance.Outcome, groups []alike) string {
	var b strings.Builder
	why := "why"
	if outcome == conformance.Info {
		why = "seen"
	}
	fmt.Fprintf(&b, "| %s %s | %s | requirements |\n|---:|---|---|\n", markdownSign(outcome), outcome, why)
	for _, g := range groups {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", len(g.verdicts), cell(g.reason), escape(g.ids()))
	}
	b.WriteByte('\n')
	return b.String()
}
