package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// comparisons are results that are no runs: comparisons and simulations.
func comparisons() []sample {
	return []sample{
		{"compared", compared()}, {"nothing-changed", nothingChanged()}, {"storm", stormy()},
		{"compared-hostile", MapText(compared(), func(s string) string { return s + poison })},
	}
}

func TestComparisonsLookAsAgreed(t *testing.T) {
	t.Parallel()
	for _, s := range comparisons() {
		for _, f := range Formats {
			if f.Name == "html" {
				continue // shown like any other result; what is on that page is tested there
			}
			t.Run(s.name+"/"+f.Name, func(t *testing.T) {
				t.Parallel()
				var got bytes.Buffer
				if err := f.Render(&got, s.result, Options{Width: 100}); err != nil {
					t.Fatal(err)
				}
				golden(t, s.name+f.Extension, got.Bytes())
			})
		}
	}
}

func TestComparisonsFitTheTerminal(t *testing.T) {
	t.Parallel()
	for _, s := range comparisons() {
		for _, width := range []int{80, 100, 140} {
			for line := range strings.Lines(render(t, Formats[0], s.result, Options{Width: width})) {
				line = strings.TrimRight(line, "\n")
				if columns(line) > width && !strings.HasPrefix(strings.TrimSpace(line), "repeat") {
					t.Errorf("%s at %d columns has a line of %d: %q", s.name, width, columns(line), line)
				}
			}
		}
		text := render(t, Formats[0], s.result, Options{ASCII: true})
		if i := strings.IndexFunc(text, func(r rune) bool { return r > '~' }); i >= 0 {
			t.Errorf("%s in ASCII holds %q", s.name, text[i:min(i+20, len(text))])
		}
	}
}

func TestAStoredComparisonIsReadAgain(t *testing.T) {
	t.Parallel()
	for _, s := range comparisons()[:3] {
		var text bytes.Buffer
		if err := JSON(&text, s.result, Options{}); err != nil {
			t.Fatal(err)
		}
		read, err := parseResult("result.json", text.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := render(t, Formats[0], read, Options{}), render(t, Formats[0], s.result, Options{}); got != want {
			t.Errorf("%s is read again as\n%s\nwant\n%s", s.name, got, want)
		}
	}
}

func TestTheExitOfAComparisonIsToldInItsOwnWords(t *testing.T) {
	t.Parallel()
	for o, want := range map[conformance.Outcome]string{
		conformance.Pass: "exit     0: no regression", conformance.Fail: "exit     1: a regression", conformance.Unknown: "exit     2: whether something is worse could not be told",
	} {
		r := compared()
		r.Outcome = o
		if text := render(t, Formats[0], r, Options{}); !strings.Contains(text, want) {
			t.Errorf("%s: no word of %q in\n%s", o, want, text)
		}
	}
}
