package reports

import (
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestTheTableFitsTheTerminal(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		for _, width := range []int{60, 80, 100, 140} {
			for line := range strings.Lines(render(t, Formats[0], s.result, Options{Width: width})) {
				line = strings.TrimRight(line, "\n")
				if columns(line) > width && !strings.HasPrefix(strings.TrimSpace(line), "repeat") {
					t.Errorf("%s at %d columns has a line of %d: %q", s.name, width, columns(line), line)
				}
			}
		}
	}
}

func TestTheTableCanDoWithASCII(t *testing.T) {
	t.Parallel()
	for _, s := range append(samples(), sample{"endless", endless()}) {
		text := render(t, Formats[0], s.result, Options{ASCII: true, Dir: "Ergebnisse/für", Files: []string{"ü"}})
		if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%s holds %q", s.name, text[i:min(i+20, len(text))])
		}
	}
}

func TestEveryOutcomeIsToldByAWord(t *testing.T) {
	t.Parallel()
	for o := conformance.Unknown; o <= conformance.Fail; o++ {
		r := base(o)
		r.Verdicts = []conformance.Verdict{{ID: "delivery.complete", Scenario: "one", Outcome: o}}
		text := render(t, Formats[0], r, Options{})
		if word := markOf(o).word; strings.Count(text, " "+word) < 2 {
			t.Errorf("%s is told nowhere as %q:\n%s", o, word, text)
		}
	}
}

func TestAnOutcomeOfTheFutureIsUnknown(t *testing.T) {
	t.Parallel()
	if got := (style{}).outcome(conformance.Outcome(99)); got != "? unknown" {
		t.Errorf("got %q", got)
	}
	if code, _ := ExitCode(conformance.Outcome(99)); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
}

func TestNothingJudgedNeverExitsWithZero(t *testing.T) {
	t.Parallel()
	for o, want := range map[conformance.Outcome]int{
		conformance.Pass: 0, conformance.Info: 0, conformance.Warn: 0, conformance.Fail: 1, conformance.Unknown: 2, conformance.Skip: 2,
	} {
		if code, _ := ExitCode(o); code != want {
			t.Errorf("exit code of %s is %d, want %d", o, code, want)
		}
	}
}

func TestTheTableNamesWhatWasWritten(t *testing.T) {
	t.Parallel()
	text := render(t, Formats[0], passed(), Options{Dir: "out", Files: []string{"junit.xml", "result.json"}})
	if !strings.Contains(text, "out: junit.xml, result.json") {
		t.Errorf("no word of the files in\n%s", text)
	}
}

func TestAnEndlessExplanationIsCutShort(t *testing.T) {
	t.Parallel()
	r := endless()
	for _, f := range Formats {
		if f.Name == "json" {
			continue
		}
		text := render(t, f, r, Options{Full: true})
		if lines := strings.Count(text, "\n"); lines > 1000 {
			t.Errorf("%s has %d lines", f.Name, lines)
		}
		if !strings.Contains(text, "more in result.json") {
			t.Errorf("%s does not say where the rest is", f.Name)
		}
	}
}

func endless() *conformance.Result {
	r := base(conformance.Fail)
	v := conformance.Verdict{ID: "delivery.complete", Scenario: "one", Outcome: conformance.Fail}
	for range 500 {
		v.Findings = append(v.Findings, conformance.Finding{Name: "lost", Count: 1, Evidence: make([]string, 500)})
	}
	r.Verdicts = []conformance.Verdict{v}
	return r
}
