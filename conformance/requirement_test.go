package conformance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	if got, least := len(c.Requirements), 287; got < least { // none is ever taken out
		t.Errorf("%d requirements, want at least %d", got, least)
	}
	if c.Revision == "" || Revision() != c.Revision {
		t.Errorf("revision %q", c.Revision)
	}
}

func TestEverySourceIsOfAKnownKind(t *testing.T) {
	t.Parallel()
	c, err := loaded()
	if err != nil {
		t.Fatal(err)
	}
	rfc := regexp.MustCompile(`^rfc\d+$`)
	for _, r := range c.Requirements {
		for _, source := range r.Sources {
			kind, _, _ := strings.Cut(source, "#")
			kind, _, _ = strings.Cut(kind, ":")
			if c.Sources[kind] == "" && !rfc.MatchString(kind) {
				t.Errorf("%s: source %q is of no known kind", r.ID, source)
			}
		}
	}
}

func TestABrokenCatalogueIsRefusedWithAllItsProblems(t *testing.T) {
	t.Parallel()
	const text = `
version: 1
revision: test
sources: {html: x}
profiles: {sse-server: x}
needs: {subscribe: x}
requirements:
  - {id: SSE-FORM-1, side: server, level: MUST, statement: "No full stop", sources: [html], profiles: [sse-server], needs: [subscribe], stimulus: a, observe: b, verdict: c}
  - {id: SSE-FORM-002, side: cloud, level: OUGHT, statement: "A sentence.", sources: [], profiles: [fridge], needs: [luck], stimulus: a, observe: b}
  - {id: SSE-FORM-002, side: server, level: MUST, statement: "A sentence.", sources: [html], profiles: [sse-server], needs: [subscribe], stimulus: a, observe: b, verdict: c}
`
	_, err := parseCatalogue([]byte(text))
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, want := range []string{
		"want an id such as", "is no sentence", `side is "cloud"`, `level is "OUGHT"`, "no source", "how it is judged",
		`profile "fridge"`, `access "luck"`, "used twice",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not reported:\n%v", want, err)
		}
	}
	if _, err := parseCatalogue([]byte("version: 1\nrules: []\n")); err == nil {
		t.Error("an unknown key was accepted")
	}
}

// TestAMustRestsOnWhatBinds: practice, an issue, the contract of another suite or the protocol of others make no MUST. A section of a
// standard does, and whatever concerns security.
func TestAMustRestsOnWhatBinds(t *testing.T) {
	t.Parallel()
	const text = `
version: 1
revision: test
normative: [html, wpt, rfcNNNN, mercure]
declarations: {resume: x}
profiles: {sse-broker: x, mercure-hub: x}
needs: {publish: x}
requirements:
  - {id: SSE-FORM-001, side: server, level: %s, statement: "A sentence.", sources: [%s], profiles: [%s], needs: [publish], stimulus: a, observe: b, verdict: c%s}
`
	for _, test := range []struct {
		level, sources, profile, more string
		want                          string // "" when it is right
	}{
		{"MUST", "practice", "sse-broker", "", "normative source"},
		{"MUST", "practice, 'issue:a/b#1', 'ld:basic parsing', 'jepsen:duplicate'", "sse-broker", "", "normative source"},
		{"MUST", "html", "sse-broker", "", "normative source"},
		{"MUST", "rfc9110", "sse-broker", "", "normative source"},
		{"MUST", "'mercure#publication'", "sse-broker", "", "normative source"},
		{"MUST", "'mercure#publication'", "mercure-hub", "", ""},
		{"MUST", "practice, 'html#dispatchMessage'", "sse-broker", "", ""},
		{"MUST", "'rfc9110#15.5.2'", "sse-broker", "", ""},
		{"MUST", "'wpt:format-bom'", "sse-broker", "", ""},
		{"MUST", "practice", "sse-broker", ", security: true", ""},
		{"SHOULD", "practice", "sse-broker", "", ""},
		{"SHOULD", "practice", "sse-broker", ", must_for: [resume, mercure-hub]", ""},
		{"SHOULD", "practice", "sse-broker", ", must_for: [luck]", `must_for "luck"`},
		{"SHOULD", "practice", "sse-broker", ", must_for: [limit], params: {limit: ''}", ""},
	} {
		_, err := parseCatalogue(fmt.Appendf(nil, text, test.level, test.sources, test.profile, test.more))
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%v is refused: %v", test, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%v: got %v", test, err)
		}
	}
}

func TestWhatIsDeclaredIsAMust(t *testing.T) {
	t.Parallel()
	r := RequirementByID("SSE-SLOW-007") // practice alone, unless a deadline is documented
	for name, test := range map[string]struct {
		suite Suite
		want  Level
	}{
		"nothing is declared":    {Suite{}, Should},
		"something else is":      {Suite{Holds: func(word string) bool { return word == "resume" }}, Should},
		"its parameter is set":   {Suite{Parameter: func(id, name string) (string, bool) { return "10s", id == r.ID && name == "deadline" }}, Must},
		"another parameter is":   {Suite{Parameter: func(_, name string) (string, bool) { return "10s", name == "write_deadline" }}, Should},
		"its parameter is empty": {Suite{Parameter: func(string, string) (string, bool) { return "", true }}, Should},
	} {
		test.suite.Profile = ProfileBroker
		if got := test.suite.LevelOf(r); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestRequirementsAreSelectedByIDAndArea(t *testing.T) {
	t.Parallel()
	r := &Requirement{ID: "SSE-FORM-003"}
	for _, test := range []struct {
		words []string
		want  bool
	}{
		{nil, true},
		{[]string{"SSE-FORM-003"}, true},
		{[]string{"form-003"}, true},
		{[]string{"FORM"}, true},
		{[]string{"HTTPS", "FORM"}, true},
		{[]string{"SSE-FORM-00"}, false},
		{[]string{"FOR"}, false},
		{[]string{"SSE-FORM-004"}, false},
	} {
		if got := r.Selected(test.words); got != test.want {
			t.Errorf("Selected(%v) = %v", test.words, got)
		}
	}
}

func TestWhatAMissIsFollowsFromLevelAndSecurity(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		level    Level
		security bool
		want     Outcome
	}{
		{Must, false, Fail}, {Should, false, Warn}, {May, false, Info}, {Should, true, Fail}, {May, true, Fail},
	} {
		r := &Requirement{Level: test.level, Security: test.security}
		if got := r.Missed(test.level); got != test.want {
			t.Errorf("%s, security %v: %v, want %v", test.level, test.security, got, test.want)
		}
	}
}

func TestAHubIsABrokerIsAServer(t *testing.T) {
	t.Parallel()
	broker := &Requirement{Profiles: []Profile{ProfileBroker}, Level: Should, MustFor: []string{"mercure-hub", "resume"}}
	for profile, want := range map[Profile]bool{ProfileMercure: true, ProfileBroker: true, ProfileServer: false, ProfileGateway: false} {
		if got := broker.AppliesTo(profile); got != want {
			t.Errorf("a broker's requirement applies to %s: %v", profile, got)
		}
	}
	if got := broker.LevelFor(func(word string) bool { return word == "resume" }); got != Must {
		t.Errorf("level %s for who claims resume", got)
	}
	if got := broker.LevelFor(func(string) bool { return false }); got != Should {
		t.Errorf("level %s for who claims nothing", got)
	}
}
