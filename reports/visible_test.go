package reports

import (
	"bytes"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestVisibleEscapesWhatDoesNotPrint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                      "",
		"plain":                 "plain",
		"größer ≥ 日本 🎉":         "größer ≥ 日本 🎉",
		"a\tb\r\nc":             `a\tb\r\nc`,
		"\x1b[2J":               `\x1b[2J`,
		"\x00\x7f":              `\x00\x7f`,
		"\x9b31m":               `\x9b31m`,
		"\u009b31m":             `\u009b31m`,
		"\u202etxt.exe":         `\u202etxt.exe`,
		"\u200b\u00a0":          `\u200b\u00a0`,
		"\U000e0041":            `\U000e0041`,
		"\xff\xfe":              `\xff\xfe`,
		"kept \\n as it is":     `kept \n as it is`,
		"a replacement � is ok": "a replacement � is ok",
	} {
		if got := Visible(text); got != want {
			t.Errorf("Visible(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVisibleTextPrintsWhateverItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		got := Visible(text)
		if !isVisible(got) || !utf8.ValidString(got) {
			t.Fatalf("Visible(%q) = %q, which does not print", text, got)
		}
		if again := Visible(got); again != got {
			t.Fatalf("visible is not stable: %q became %q", got, again)
		}
		if ascii := visibleASCII(text); strings.IndexFunc(ascii, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
			t.Fatalf("visibleASCII(%q) = %q", text, ascii)
		}
	})
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]+m")

// With colours switched off a report must not hold a single control character; with them it must be the same text, so that
// every escape sequence in it is one of ours.
func TestNoControlCharacterOfASubjectReachesTheTerminal(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		for _, f := range Formats {
			plain := render(t, f, s.result, Options{})
			for _, r := range plain {
				if r != '\n' && !unicode.IsPrint(r) {
					t.Errorf("%s as %s holds a raw %q", s.name, f.Name, r)
					break
				}
			}
			coloured := render(t, f, s.result, Options{Color: true})
			if diff := cmp.Diff(plain, colour.ReplaceAllString(coloured, "")); diff != "" {
				t.Errorf("%s as %s says something by colour alone:\n%s", s.name, f.Name, diff)
			}
		}
	}
}

func TestRenderingChangesNothingInTheResult(t *testing.T) {
	t.Parallel()
	untouched := samples()
	for i, s := range samples() {
		for _, f := range Formats {
			render(t, f, s.result, Options{ASCII: true, Color: true, Strict: true})
		}
		if diff := cmp.Diff(untouched[i].result, s.result, sameSamples); diff != "" {
			t.Errorf("%s was changed:\n%s", s.name, diff)
		}
	}
}

// sameSamples takes two gaps of a chart for the same.
var sameSamples = cmp.Comparer(func(a, b conformance.Sample) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) })

func TestMapTextReachesEveryString(t *testing.T) {
	t.Parallel()
	r := MapText(failed(), func(string) string { return "x" })
	text := strings.ReplaceAll(render(t, Formats[1], r, Options{}), `"lost":`, "") // a field is called like an anomaly
	for _, left := range []string{"mass-connect", "lost", "p50", "run", "message 17", "streamgauge", "MUST"} {
		if strings.Contains(text, `"`+left+`"`) {
			t.Errorf("%q was not mapped", left)
		}
	}
}

func render(t *testing.T, f Format, r *conformance.Result, opts Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := f.Render(&out, r, opts); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
