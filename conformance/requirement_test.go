package conformance

import (
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
	if got, least := len(c.Requirements), 270; got < least { // none is ever taken out
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
