package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// TestWhoRefusesOddNamesIsJudgedByPlainOnes: its names can be confused with one another as well.
func TestWhoRefusesOddNamesIsJudgedByPlainOnes(t *testing.T) {
	t.Parallel()
	judged(t, (&oddHub{plain: true}).subject(t), "", "SSE-ISO-003").must(t, be(conformance.Pass))
}

// TestNamesThatAreComparedLooselyAreFound, in whatever way.
func TestNamesThatAreComparedLooselyAreFound(t *testing.T) {
	t.Parallel()
	plain := strings.NewReplacer("é", "e", "e\u0301", "e")
	cut := func(name string) string { return name[:min(len(name), 255)] }
	for way, compares := range map[string]func(asked, name string) bool{
		"a wildcard":   func(asked, name string) bool { return asked == name || strings.ReplaceAll(asked, "_", "x") == name },
		"a prefix":     func(asked, name string) bool { return strings.HasPrefix(name, asked) },
		"a collation":  func(asked, name string) bool { return strings.EqualFold(plain.Replace(asked), plain.Replace(name)) },
		"cut at 255":   func(asked, name string) bool { return cut(asked) == cut(name) },
		"blanks apart": func(asked, name string) bool { return strings.TrimSpace(asked) == strings.TrimSpace(name) },
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			judged(t, (&oddHub{compares: compares}).subject(t), "", "SSE-ISO-003").must(t, be(conformance.Fail))
		})
	}
}

// TestAHistoryMayHaveForgottenTheOldest, of which nothing is declared: what it still holds is as it was.
func TestAHistoryMayHaveForgottenTheOldest(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]*oddHub{
		"goes on with the oldest": {keeps: 20},
		"welcomes with the id that it was told, and refuses what it does not know": {greeting: "id: welcome\ndata: {}\n\n", unknown: func(w http.ResponseWriter) bool {
			w.WriteHeader(http.StatusGone)
			return false
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judged(t, h.subject(t), "", "SSE-RESUME-017", "SSE-RESUME-023").must(t, func(v conformance.Verdict) bool {
				return v.Outcome == conformance.Pass || v.ID == "SSE-RESUME-017" && h.keeps > 0 // which owes 400, or a declaration
			})
		})
	}
}

// TestNothingOfAReplayIsJudgedWithoutResume, but live events are.
func TestNothingOfAReplayIsJudgedWithoutResume(t *testing.T) {
	t.Parallel()
	s := (&oddHub{forgets: true}).subject(t)
	s.Capabilities = []string{"publish"}
	judged(t, s, "", "SSE-RESUME-023").must(t, be(conformance.Skip))
	judged(t, s, "", "SSE-ISO-003").must(t, be(conformance.Pass))
}
