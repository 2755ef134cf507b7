package reports

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestFoldBreaksBetweenWordsWhereItCan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 10, []string{""}},
		{"short", 10, []string{"short"}},
		{"every owed message arrives", 12, []string{"every owed", "message", "arrives"}},
		{"exactly ten", 7, []string{"exactly", "ten"}},
		{"delivery.complete", 12, []string{"delivery.", "complete"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"日本語日本語", 5, []string{"日本", "語日", "本語"}},
	} {
		if diff := cmp.Diff(c.want, fold(c.text, c.width)); diff != "" {
			t.Errorf("fold(%q, %d):\n%s", c.text, c.width, diff)
		}
	}
}

func TestFoldLosesNothingButSpaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := Visible(rapid.String().Draw(t, "text"))
		width := rapid.IntRange(2, 30).Draw(t, "width")
		checkLines(t, fold(text, width), width)
		if got, want := squeeze(strings.Join(fold(text, width), "")), squeeze(text); got != want {
			t.Fatalf("fold lost something: %q became %q", want, got)
		}
		checkLines(t, chop(text, width), width)
		if got := strings.Join(chop(text, width), ""); got != text {
			t.Fatalf("chop lost something: %q became %q", text, got)
		}
	})
}

func TestFlowBreaksBetweenItems(t *testing.T) {
	t.Parallel()
	items := []string{"2,000 subscribers", "", "23.4 s", "a very long item indeed"}
	want := []string{"2,000 subscribers ·", "23.4 s ·", "a very long item", "indeed"}
	if diff := cmp.Diff(want, flow(items, " · ", 20)); diff != "" {
		t.Error(diff)
	}
}

func checkLines(t *rapid.T, lines []string, width int) {
	for _, line := range lines {
		if columns(line) > width {
			t.Fatalf("%q is wider than %d", line, width)
		}
	}
}

func squeeze(s string) string { return strings.ReplaceAll(s, " ", "") }

// TestALongTextIsFoldedAtOnce: each line is found without a look at all that follows it.
func TestALongTextIsFoldedAtOnce(t *testing.T) {
	t.Parallel()
	const width, n = 80, 2 << 20
	for name, text := range map[string]string{"one word": strings.Repeat("x", n), "words": strings.Repeat("word ", n/5), "wide": strings.Repeat("界", n/3)} {
		for _, line := range fold(text, width) {
			if columns(line) > width {
				t.Fatalf("%s: a line of %d columns", name, columns(line))
			}
		}
		if whole := strings.Join(chop(text, width), ""); whole != text {
			t.Errorf("%s: %d bytes of %d are left", name, len(whole), len(text))
		}
	}
}
