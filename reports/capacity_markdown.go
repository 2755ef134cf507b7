package reports

import (
	"fmt"
	"strings"
)

// capacity is the report of a search as Markdown.
func (m *markdownReport) capacity(room int) {
	c := m.r.Capacity
	fmt.Fprintf(&m.b, "%s\n\n", escape(strings.Join(capacityFigures(m.r), " · ")))
	if c.Beyond != nil {
		var text strings.Builder
		writeNotes(&text, explain(*c.Beyond, detail{findings: 5, evidence: 12, values: true}))
		fence := fenceFor(text.String())
		m.fit(fmt.Sprintf("<details><summary>%s <b>%s</b> at %s: %s</summary>\n\n%stext\n%s%s\n\n</details>\n\n", markdownSign(c.Beyond.Outcome),
			escapeHTML(c.Beyond.ID), escapeHTML(c.Amount(c.High)), escapeHTML(short(gist(*c.Beyond))), fence, text.String(), fence), room)
	}
	m.fit(m.capacityGrid("Runs, by "+c.Key, capacitySteps(c)), room)
	m.fit(m.capacityGrid("Headroom at the line", capacityHeadroom(c)), room)
	var facts strings.Builder
	for _, fact := range capacityFacts(c) {
		fmt.Fprintf(&facts, "- **%s**: %s\n", escape(fact[0]), escape(fact[1]))
	}
	m.fit(facts.String()+"\n", room)
	m.fit(m.capacityGrid("What more would take", capacityFuture(c)), room)
	var assumptions strings.Builder
	for _, a := range c.Assumptions {
		fmt.Fprintf(&assumptions, "- %s\n", escape(a))
	}
	if assumptions.Len() > 0 {
		m.fit(assumptions.String()+"\n", room)
	}
}

// capacityGrid is a table with its title, or nothing where it has no rows.
func (m *markdownReport) capacityGrid(title string, g capacityGrid) string {
	if len(g.rows) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n|", escape(title))
	for _, h := range g.header {
		b.WriteString(" " + cell(h) + " |")
	}
	b.WriteString("\n|")
	for _, right := range g.right {
		b.WriteString(map[bool]string{true: "---:|", false: "---|"}[right])
	}
	for _, row := range g.rows {
		b.WriteString("\n|")
		for _, text := range row {
			b.WriteString(" " + cell(text) + " |")
		}
	}
	return b.String() + "\n\n"
}
