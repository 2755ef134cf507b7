package reports

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Of what comes from a subject the page shows this much; result.json has everything.
const (
	htmlText     = 2000 // characters of one text
	htmlLines    = 60   // lines of evidence of one finding
	htmlFindings = 12   // findings of one verdict
)

var htmlFuncs = template.FuncMap{
	"effect":   effectLine,
	"class":    func(o conformance.Outcome) string { return strings.ToLower(markOf(o).word) },
	"sign":     func(o conformance.Outcome) string { return markOf(o).sign },
	"word":     func(o conformance.Outcome) string { return markOf(o).word },
	"count":    htmlCount,
	"legend":   legend,
	"inc":      func(i int) int { return i + 1 },
	"span":     elapsed,
	"millis":   millis,
	"clock":    clock,
	"quantity": quantity,
	"quantile": quantile,
	"dash":     func(s string) string { return orElse(s, "–") },
	"nothing":  orNothing,
	"clip":     clip,
	"ids":      func(ids []string) string { return orElse(strings.Join(ids, ", "), "–") },
	"where":    where,
	"outside":  isOutside,
	"evidence": evidenceText,
	"bytesOf":  bytesOf,
	"compared": comparedFacts,
	"trend":    htmlTrend,
}

func htmlCount(n any) string {
	switch n := n.(type) {
	case int:
		return Count(uint64(max(n, 0)))
	case uint64:
		return Count(n)
	}
	return fmt.Sprint(n)
}

// clock writes a time of the run, given in milliseconds from its start: 7.24 s, 2m 05s.
func clock(ms float64) string {
	if ms < 100_000 {
		return strings.TrimSuffix(fmt.Sprintf("%.2f", ms/1000), ".00") + " s"
	}
	return Span(time.Duration(ms * float64(time.Millisecond)))
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// clip cuts off what no reader would read.
func clip(text string) string {
	if runes := []rune(text); len(runes) > htmlText {
		return string(runes[:htmlText]) + fmt.Sprintf("… %s characters more in %s", Count(uint64(len(runes)-htmlText)), ResultFile)
	}
	return text
}

// evidenceText is a finding's evidence, a line each.
func evidenceText(lines []string) string {
	shown := make([]string, 0, min(len(lines), htmlLines+1))
	for i, line := range lines {
		if i == htmlLines {
			shown = append(shown, fmt.Sprintf("… %s more in %s", Plural(uint64(len(lines)-i), "line"), ResultFile))
			break
		}
		shown = append(shown, clip(line))
	}
	return strings.Join(shown, "\n")
}

// bytesOf is a finding's evidence without the commands in it.
func bytesOf(f conformance.Finding) []string {
	var lines []string
	for _, line := range f.Evidence {
		if !isCommand(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// trendMark is how a trend looks in a page.
type trendMark struct{ Sign, Word, Class string }

func htmlTrend(t conformance.Trend) trendMark {
	m, known := trendMarks[t]
	if !known {
		t = conformance.TrendUnclear
		m = trendMarks[t]
	}
	class := strings.ToLower(markOf(t.Outcome()).word)
	if t == conformance.TrendSame {
		class = "skip"
	}
	return trendMark{m.sign, m.word, class}
}

// isOutside says whether a delay was shorter or longer than it was allowed to be.
func isOutside(d conformance.Delay) bool {
	return d.MS < d.LowMS || d.HighMS > 0 && d.MS > d.HighMS
}
