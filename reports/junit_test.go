package reports

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// element is any XML element, read without knowledge of the types that wrote it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) (string, bool) {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

func (e element) number(t *testing.T, name string) int {
	t.Helper()
	text, _ := e.attr(name)
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Errorf("%s %s is %q, want a whole number", e.XMLName.Local, name, text)
	}
	return n
}

func (e element) named(name string) (found []element) {
	for _, c := range e.Children {
		if c.XMLName.Local == name {
			found = append(found, c)
		}
	}
	return found
}

func parseJUnit(t *testing.T, text string) element {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(text))
	var root element
	if err := dec.Decode(&root); err != nil {
		t.Fatalf("not well-formed: %v\n%s", err, text)
	}
	if token, err := dec.Token(); err == nil && strings.TrimSpace(text[dec.InputOffset():]) != "" || err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("something follows the root: %v, %v", token, err)
	}
	return root
}

var (
	dateTime = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$`)
	decimal  = regexp.MustCompile(`^\d+\.\d+$`)
)

// The rules are those of the schemas of Jenkins's xUnit plugin (junit-10.xsd) and of Ant's JUnit task, as far as they agree.
func TestJUnitKeepsTheRulesOfItsReaders(t *testing.T) {
	t.Parallel()
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			root := parseJUnit(t, render(t, Formats[2], s.result, Options{}))
			if root.XMLName.Local != "testsuites" {
				t.Fatalf("root is %s", root.XMLName.Local)
			}
			sums := map[string]int{}
			for i, suite := range root.Children {
				checkSuite(t, i, suite)
				for _, name := range countNames {
					sums[name] += suite.number(t, name)
				}
			}
			if len(root.Children) == 0 {
				t.Error("a report without any suite would look like a pass")
			}
			checkCounts(t, root, sums)
		})
	}
}

var countNames = []string{"tests", "failures", "errors"}

func checkSuite(t *testing.T, i int, suite element) {
	t.Helper()
	if suite.XMLName.Local != "testsuite" || suite.number(t, "id") != i {
		t.Errorf("child %d is %s with %v", i, suite.XMLName.Local, suite.Attrs)
	}
	requireTokens(t, suite, "name", "hostname", "package")
	if stamp, _ := suite.attr("timestamp"); !dateTime.MatchString(stamp) {
		t.Errorf("timestamp %q", stamp)
	}
	requireTime(t, suite)
	order := []string{"properties", "testcase", "system-out", "system-err"}
	at := 0
	for _, c := range suite.Children {
		next := slices.Index(order, c.XMLName.Local)
		if next < at {
			t.Errorf("%s stands after %s", c.XMLName.Local, order[at])
		}
		at = next
	}
	counts := map[string]int{}
	for _, c := range suite.named("testcase") {
		requireTokens(t, c, "name", "classname")
		requireTime(t, c)
		counts["tests"]++
		counts[verdictCount(t, c)]++
	}
	checkCounts(t, suite, counts)
	if got := suite.number(t, "skipped"); got != counts["skipped"] {
		t.Errorf("the suite says skipped=%d, but holds %d", got, counts["skipped"])
	}
	if counts["tests"] == 0 {
		t.Error("a suite without any test would look like a pass")
	}
}

// verdictCount is the attribute that counts the testcase; it has at most one verdict.
func verdictCount(t *testing.T, c element) string {
	t.Helper()
	found := "passed"
	for name, counted := range map[string]string{"failure": "failures", "error": "errors", "skipped": "skipped"} {
		for _, e := range c.named(name) {
			if found != "passed" {
				t.Errorf("%v has two verdicts", c.Attrs)
			}
			found = counted
			if message, there := e.attr("message"); !there || message == "" {
				t.Errorf("%s of %v has no message", name, c.Attrs)
			}
			if kind, _ := e.attr("type"); name != "skipped" && kind == "" {
				t.Errorf("%s of %v has no type", name, c.Attrs)
			}
		}
	}
	return found
}

func checkCounts(t *testing.T, e element, want map[string]int) {
	t.Helper()
	for _, name := range countNames {
		if got := e.number(t, name); got != want[name] {
			t.Errorf("%s says %s=%d, but holds %d", e.XMLName.Local, name, got, want[name])
		}
	}
}

func requireTokens(t *testing.T, e element, names ...string) {
	t.Helper()
	for _, name := range names {
		text, _ := e.attr(name)
		if text == "" || text != strings.Join(strings.Fields(text), " ") {
			t.Errorf("%s %s is %q, want a token", e.XMLName.Local, name, text)
		}
	}
}

func requireTime(t *testing.T, e element) {
	t.Helper()
	if text, _ := e.attr("time"); !decimal.MatchString(text) {
		t.Errorf("%s time is %q, want seconds", e.XMLName.Local, text)
	}
}

func TestJUnitTellsOutcomesApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome conformance.Outcome
		strict  bool
		want    string
	}{
		{conformance.Pass, false, "passed"},
		{conformance.Info, false, "passed"},
		{conformance.Warn, false, "passed"},
		{conformance.Warn, true, "failures"},
		{conformance.Fail, false, "failures"},
		{conformance.Skip, true, "skipped"},
		{conformance.Unknown, false, "errors"},
		{conformance.Outcome(99), false, "errors"},
	} {
		v := conformance.Verdict{ID: "a.b", Scenario: "one", Outcome: c.outcome, Reason: "because"}
		r := base(c.outcome)
		r.Verdicts = []conformance.Verdict{v}
		if c.outcome > conformance.Fail {
			r.Outcome = conformance.Unknown
		}
		root := parseJUnit(t, render(t, Formats[2], r, Options{Strict: c.strict}))
		if got := verdictCount(t, root.Children[0].named("testcase")[0]); got != c.want {
			t.Errorf("%s (strict %v) is counted as %s, want %s", c.outcome, c.strict, got, c.want)
		}
	}
}

func TestAResultStoredAsStrictFailsItsWarningsAgain(t *testing.T) {
	t.Parallel()
	root := parseJUnit(t, render(t, Formats[2], strictWarned(), Options{}))
	if n := root.number(t, "failures"); n != 1 {
		t.Errorf("%d failures, want the warning", n)
	}
	root = parseJUnit(t, render(t, Formats[2], warned(), Options{}))
	if n := root.number(t, "failures"); n != 0 {
		t.Errorf("%d failures, want none", n)
	}
}

func TestAScenarioWithoutVerdictsIsNoPass(t *testing.T) {
	t.Parallel()
	r := base(conformance.Unknown)
	r.Runs = []conformance.ScenarioRun{{Scenario: "soak", Outcome: conformance.Pass}}
	root := parseJUnit(t, render(t, Formats[2], r, Options{}))
	if n := root.number(t, "errors"); n != 1 {
		t.Errorf("%d errors, want 1", n)
	}
}
