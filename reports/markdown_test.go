package reports

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
)

var unescapedPipe = regexp.MustCompile(`(^|[^\\])(\\\\)*\|`)

func TestMarkdownTablesKeepTheirColumns(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		pipes := 0
		for line := range strings.Lines(withoutCode(render(t, Formats[3], s.result, Options{}))) {
			if !strings.HasPrefix(line, "|") {
				pipes = 0
				continue
			}
			n := len(unescapedPipe.FindAllString(line, -1))
			if pipes != 0 && n != pipes {
				t.Errorf("%s: %d pipes after a row with %d: %s", s.name, n, pipes, line)
			}
			pipes = n
		}
	}
}

func TestMarkdownLetsNoTextOutOfItsPlace(t *testing.T) {
	t.Parallel()
	text := withoutCode(render(t, Formats[3], hostile(), Options{}))
	for _, forbidden := range []string{"<script>", "@everyone", "http://127"} {
		if strings.Contains(text, forbidden) {
			t.Errorf("%q stands in the text", forbidden)
		}
	}
	if opened, closed := strings.Count(text, "<details>"), strings.Count(text, "</details>"); opened != closed || opened == 0 {
		t.Errorf("%d details opened, %d closed", opened, closed)
	}
}

// withoutCode removes fenced code, in which everything stands for itself, by the rule for closing fences.
func withoutCode(text string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.Lines(text) {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && len(ticks) >= len(fence) && strings.TrimSpace(line) == ticks:
			fence = ""
		case fence == "":
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestMarkdownFitsIntoAComment(t *testing.T) {
	t.Parallel()
	r := requirements(3000)
	for i := range r.Verdicts {
		r.Verdicts[i].Outcome, r.Verdicts[i].Actual = conformance.Fail, strings.Repeat("wide", 100)
	}
	text := render(t, Formats[3], r, Options{})
	if n := utf8.RuneCountInString(text); n > 65_536 {
		t.Errorf("%d characters", n)
	}
	if !strings.Contains(text, "not shown here; see `result.json`") {
		t.Error("it does not say that something is missing")
	}
}
