package reports

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// markdownLimit keeps a report below what a GitHub comment may hold, 65,536 characters, with room for what frames it.
const markdownLimit = 60_000

// Markdown writes a short report for a pull request's comment or a job summary: what came out, the scenarios in one table, and
// folded below it the promises of each and an explanation of whatever is not a pass.
func Markdown(w io.Writer, r *conformance.Result, opts Options) error {
	strict := isStrict(r, opts)
	r = MapText(r, Visible)
	parts := sections(r, strict)
	m := markdownReport{r: r, parts: parts}
	m.head()
	footer := m.footer()
	switch {
	case r.Comparison != nil:
		m.comparison(markdownLimit - len(footer))
	case len(r.Storms) > 0:
		m.storms()
	case r.Capacity != nil:
		m.capacity(markdownLimit - len(footer))
	case len(r.Matrix) > 0:
		m.matrix(markdownLimit - len(footer))
	case len(r.Runs) == 0:
		m.areas(markdownLimit - len(footer))
	default:
		m.overview()
		for _, s := range parts {
			m.section(s, markdownLimit-len(footer))
		}
	}
	if m.dropped > 0 {
		fmt.Fprintf(&m.b, "%s not shown here; see `%s`.\n\n", Plural(uint64(m.dropped), "more part"), ResultFile)
	}
	_, err := io.WriteString(w, m.b.String()+footer)
	return err
}

type markdownReport struct {
	r       *conformance.Result
	parts   []section
	b       strings.Builder
	dropped int // parts that found no room
}

func (m *markdownReport) head() {
	fmt.Fprintf(&m.b, "## %s Streamgauge %s: %s\n\n", markdownSign(m.r.Outcome), escape(string(m.r.Kind)), m.r.Outcome)
	fmt.Fprintf(&m.b, "%s\n\n", escape(summary(m.r, m.parts)))
	for _, problem := range m.r.Health.Problems {
		fmt.Fprintf(&m.b, "> **The harness was saturated.** %s\n\n", escape(problem))
	}
}

// overview has a line per scenario or area, cut off where there are too many.
func (m *markdownReport) overview() {
	if len(m.parts) == 0 {
		return
	}
	const most = 100
	m.b.WriteString("| | scenario | kept | delivered | latency p99 | took |\n|---|---|---:|---:|---:|---:|\n")
	for i, s := range m.parts {
		if i == most {
			m.dropped += len(m.parts) - most
			break
		}
		delivered, took := "–", "–"
		if s.run != nil {
			delivered, took = strings.Join(append([]string{percent(s.run.Delivered, s.run.Expected)}, undelivered(*s.run)...), ", "), elapsed(s.run.Duration)
		}
		fmt.Fprintf(&m.b, "| %s %s | %s | %d of %d | %s | %s | %s |\n", markdownSign(s.outcome), s.outcome, cell(s.name),
			s.count(conformance.Pass, conformance.Info, conformance.Warn), len(s.verdicts), delivered, m.latency(s.name), took)
	}
	m.b.WriteByte('\n')
}

func (m *markdownReport) latency(scenario string) string {
	for _, measure := range m.r.Measures {
		if measure.Scenario == scenario && measure.Name == "latency" {
			return quantile(measure, "p99")
		}
	}
	return "–"
}

// section writes the promises of a part, folded, and the explanations as far as there is room.
func (m *markdownReport) section(s section, room int) {
	m.fit(verdictDetails(s), room)
	for _, v := range s.verdicts {
		if v.Outcome == conformance.Fail || v.Outcome == conformance.Unknown || v.Outcome == conformance.Warn {
			m.fit(explanationDetails(s, v), room)
		}
	}
}

func (m *markdownReport) fit(text string, room int) {
	if m.b.Len()+len(text) > room {
		m.dropped++
		return
	}
	m.b.WriteString(text)
}

func verdictDetails(s section) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s <b>%s</b>: %s</summary>\n\n", markdownSign(s.outcome), escapeHTML(s.name), s.outcome)
	if s.run != nil {
		fmt.Fprintf(&b, "%s\n\n", escape(joinNonEmpty(" — ", s.run.About, strings.Join(runFigures(*s.run), " · "), s.run.Reason)))
		for _, e := range s.run.Effects {
			fmt.Fprintf(&b, "- %s\n", escape(effectLine(e)))
		}
		if len(s.run.Effects) > 0 {
			b.WriteByte('\n')
		}
	}
	if len(s.verdicts) > 0 {
		b.WriteString("| | promise | expected | actual | samples |\n|---|---|---|---|---:|\n")
	}
	for _, v := range s.verdicts {
		actual := actually(v)
		if actual == "" {
			actual = v.Reason
		}
		fmt.Fprintf(&b, "| %s %s | %s | %s | %s | %s |\n", markdownSign(v.Outcome), v.Outcome, cell(v.ID), cell(v.Expected),
			cell(actual), Count(v.Checked))
	}
	if len(s.verdicts) > 0 {
		fmt.Fprintf(&b, "\n<sub>%s</sub>\n", escape(legend(s.verdicts)))
	}
	b.WriteString("\n</details>\n\n")
	return b.String()
}

func explanationDetails(s section, v conformance.Verdict) string {
	var text strings.Builder
	writeNotes(&text, explain(v, detail{findings: 5, evidence: 12}))
	body := text.String()
	fence := fenceFor(body)
	return fmt.Sprintf("<details><summary>%s <b>%s</b> in %s: %s</summary>\n\n%stext\n%s%s\n\n</details>\n\n",
		markdownSign(v.Outcome), escapeHTML(v.ID), escapeHTML(s.name), escapeHTML(short(gist(v))),
		fence, body, fence)
}

func (m *markdownReport) footer() string {
	if m.r.Comparison != nil {
		return "<sub>" + escape(joinNonEmpty(" · ", m.r.Subject.Name, comparedRuns(m.r.Comparison), m.r.Tool)) + "</sub>\n"
	}
	facts := joinNonEmpty(" · ", m.r.Subject.Name, m.r.Subject.Version, fmt.Sprintf("seed %d", m.r.Seed), m.r.Tool,
		"harness: "+strings.Join(healthFigures(m.r.Health), " · "))
	footer := "<sub>" + escape(facts) + "</sub>\n"
	if m.r.Command == "" {
		return footer
	}
	fence := fenceFor(m.r.Command)
	return "Repeat it:\n\n" + fence + "sh\n" + m.r.Command + "\n" + fence + "\n\n" + footer
}

func markdownSign(o conformance.Outcome) string {
	switch o {
	case conformance.Pass:
		return "✅"
	case conformance.Fail:
		return "❌"
	case conformance.Warn:
		return "⚠️"
	case conformance.Skip:
		return "⏭️"
	case conformance.Info:
		return "ℹ️"
	default:
		return "❓"
	}
}

// gist says in a few words why a verdict came out as it did.
func gist(v conformance.Verdict) string {
	if v.Actual == "" {
		return joinNonEmpty(": ", v.Outcome.String(), v.Reason)
	}
	return "expected " + orNothing(v.Expected) + ", got " + v.Actual
}

// cell is text for a table's cell, cut where it would blow the table up.
func cell(text string) string { return escape(short(text)) }

func short(text string) string {
	const most = 160
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// escape makes text stand for itself in GitHub's Markdown, outside of code.
func escape(text string) string { return markdownSpecial.Replace(text) }

// escapeHTML makes text stand for itself inside of a line of HTML, where Markdown's own escapes do not count.
func escapeHTML(text string) string { return htmlSpecial.Replace(text) }

// A mention, a reference to an issue or an address is broken up by a zero-width space: what a server sent must not notify
// anyone, nor be clicked.
var (
	htmlSpecial = strings.NewReplacer(
		"<", "&lt;", ">", "&gt;", "&", "&amp;", `"`, "&#34;", "@", "@&#8203;", "#", "#&#8203;", "://", ":&#8203;//", "www.", "www&#8203;.",
	)
	markdownSpecial = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "|", `\|`, "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "$", `\$`,
		"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "@&#8203;", "#", "#&#8203;", "://", ":&#8203;//", "www.", "www&#8203;.",
	)
)

var backticks = regexp.MustCompile("`+")

// fenceFor is a code fence that text cannot close.
func fenceFor(text string) string {
	longest := 2
	for _, run := range backticks.FindAllString(text, -1) {
		longest = max(longest, len(run))
	}
	return strings.Repeat("`", longest+1)
}
