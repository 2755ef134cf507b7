package peers

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

// page is where the findings are written down.
const page = "../../docs/peers.md"

var update = flag.Bool("update", false, "write "+page+" from this run")

// chapter is what the page says of one peer.
type chapter struct {
	name     string
	about    string
	begin    string // how to start it by hand
	repeat   string // the command that judges it then
	of       []string
	known    map[string]deviation
	unasked  map[string]string // why, by requirement
	verdicts []conformance.Verdict
}

// findings are the verdicts of this run by the name of the peer.
type findings struct {
	sync.Mutex
	verdicts map[string][]conformance.Verdict
}

var found = findings{verdicts: map[string][]conformance.Verdict{}}

func (f *findings) add(name string, verdicts []conformance.Verdict) {
	f.Lock()
	defer f.Unlock()
	f.verdicts[name] = verdicts
}

func (f *findings) of(name string) []conformance.Verdict {
	f.Lock()
	defer f.Unlock()
	return f.verdicts[name]
}

// chapters are those of the page, with what was found.
func chapters() (ofServers, ofProxies []chapter) {
	for _, j := range servers {
		ofServers = append(ofServers, chapter{j.name, j.about, j.begin, "streamgauge check " + j.preset, j.of, j.known, j.unasked, found.of(j.name)})
	}
	for _, i := range intermediaries {
		ofProxies = append(ofProxies, chapter{i.name, i.about, "# its configuration is testdata/" + i.file, "streamgauge check --through http://127.0.0.1:8080/events --origin 127.0.0.1:9000", i.of, i.known, nil, found.of(i.name)})
	}
	return ofServers, ofProxies
}

func TestThePageListsWhatIsKnown(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("this run writes it")
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	ofServers, ofProxies := chapters()
	var want []string
	for _, c := range slices.Concat(ofServers, ofProxies) {
		for _, id := range c.ids() {
			want = append(want, c.heading(id))
		}
		want = append(want, c.unaskedLines()...)
	}
	got := regexp.MustCompile(`(?m)^(#### .*|- SSE-[A-Z]+-\d+ .*)$`).FindAllString(string(text), -1)
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("the page lacks %q: go test -run TestPeersDepartOnlyAsIsKnown -update", line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the page lists %d departures, known are %d: go test -run TestPeersDepartOnlyAsIsKnown -update", len(got), len(want))
	}
}

// ids are the requirements that the peer departs from, by the order of the catalogue: first the deviations, then what was not judged or is
// left open.
func (c *chapter) ids() (ids []string) {
	for id := range c.known {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if x, y := c.known[a].minor(), c.known[b].minor(); x != y {
			return map[bool]int{false: -1, true: 1}[x]
		}
		return slices.Index(catalogue(), a) - slices.Index(catalogue(), b)
	})
	return ids
}

// catalogue are all ids in their order.
var catalogue = sync.OnceValue(func() (ids []string) {
	requirements, err := conformance.Requirements()
	if err != nil {
		panic(err)
	}
	for _, r := range requirements {
		ids = append(ids, r.ID)
	}
	return ids
})

// minor says that it is no deviation.
func (d deviation) minor() bool {
	return !slices.ContainsFunc(d.outcomes, func(o conformance.Outcome) bool {
		return o == fail || o == unknown || o == conformance.Warn
	})
}

// heading begins what the page says of a departure.
func (c *chapter) heading(id string) string {
	d := c.known[id]
	words := make([]string, len(d.outcomes))
	for i, o := range d.outcomes {
		words[i] = o.String()
	}
	outcome := strings.Join(words, " or ")
	if d.minor() {
		return fmt.Sprintf("- %s %s of %s: %s", id, outcome, c.name, d.why)
	}
	return fmt.Sprintf("#### %s: %s, %s", c.name, id, outcome)
}

// unaskedLines say what was not asked of a peer.
func (c *chapter) unaskedLines() (lines []string) {
	for _, id := range slices.Sorted(maps.Keys(c.unasked)) {
		lines = append(lines, fmt.Sprintf("- %s not asked of %s: %s", id, c.name, c.unasked[id]))
	}
	return lines
}

// document writes the page when that is asked for.
func document(t *testing.T) {
	t.Helper()
	if !*update {
		return
	}
	if t.Failed() {
		t.Log("the page was not written, because this run found what is not known")
		return
	}
	var b strings.Builder
	b.WriteString(preface)
	fmt.Fprintf(&b, "\nSo that all of it takes minutes, these parameters differ from their defaults: `%s`.\n", strings.Join(quickly, "`, `"))
	ofServers, ofProxies := chapters()
	b.WriteString("\n## Servers\n\n")
	matrix(&b, ofServers)
	b.WriteString(proxyPreface)
	matrix(&b, ofProxies)
	for _, c := range slices.Concat(ofServers, ofProxies) {
		c.write(t, &b)
	}
	if err := os.WriteFile(page, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

const preface = `# Servers and proxies that others wrote

<!-- Written by the tests in conformance/peers: go test -run TestPeersDepartOnlyAsIsKnown -update -->

What ` + "`streamgauge check`" + ` says of them. Every deviation below was seen with raw sockets as well, and looked up in the peer's
source or documentation; the tests fail when one of them is no longer seen, and when another one is. [conformance/peers](../conformance/peers)
holds the servers, their configurations and the list; the commands below are run there. What the core scenarios find is in its README. The
evidence holds the bytes as they came, read by read, with the time since the connection was opened.

An outcome says how far a peer is from a requirement, not whether it is good: many of these are defaults that an application or a
configuration changes. *fail*: a MUST is missed; *warn*: a SHOULD is missed, or a MUST in a way that is tolerated; *unknown*: it could not be judged; *info*: its
source leaves it open; *skip*: it was not offered. A SHOULD is a MUST for a server whose preset declares it. Nobody granted tokens, a restart or a drain, so the areas AUTH and DRAIN are left out.
`

const proxyPreface = `
## Proxies

The harness is on both sides: it is the client, and the origin behind the proxy.

`

// matrix is a table of peers × areas.
func matrix(b *strings.Builder, all []chapter) {
	var areas []string
	for _, id := range catalogue() {
		area := strings.Split(id, "-")[1]
		judged := func(c chapter) bool {
			return slices.ContainsFunc(c.verdicts, func(v conformance.Verdict) bool {
				return v.Outcome != conformance.Skip && strings.Contains(v.ID, "-"+area+"-")
			})
		}
		if !slices.Contains(areas, area) && slices.ContainsFunc(all, judged) {
			areas = append(areas, area)
		}
	}
	fmt.Fprintf(b, "| peer | %s |\n|---|%s\n", strings.Join(areas, " | "), strings.Repeat("---|", len(areas)))
	for _, c := range all {
		fmt.Fprintf(b, "| %s |", c.name)
		for _, area := range areas {
			fmt.Fprintf(b, " %s |", c.count(area))
		}
		b.WriteString("\n")
	}
}

// count is a cell: how many of an area have which outcome.
func (c *chapter) count(area string) string {
	var parts []string
	for _, o := range []conformance.Outcome{fail, conformance.Warn, unknown, pass, conformance.Info, conformance.Skip} {
		n := 0
		for _, v := range c.verdicts {
			if v.Outcome == o && strings.Contains(v.ID, "-"+area+"-") {
				n++
			}
		}
		switch {
		case n == 0:
		case o == fail:
			parts = append(parts, fmt.Sprintf("**%d fail**", n))
		default:
			parts = append(parts, fmt.Sprintf("%d %v", n, o))
		}
	}
	return strings.Join(parts, ", ")
}

func (c *chapter) write(t *testing.T, b *strings.Builder) {
	t.Helper()
	versions := make([]string, len(c.of))
	for i, name := range c.of {
		versions[i] = version(t, name)
	}
	fmt.Fprintf(b, "\n### %s\n\n%s: %s.\n\n", c.name, strings.Join(versions, ", "), c.about)
	if c.begin != "" {
		fmt.Fprintf(b, "    %s\n", c.begin)
	}
	fmt.Fprintf(b, "    %s\n", c.repeat)
	list := false
	for _, id := range c.ids() {
		if c.known[id].minor() && !list {
			b.WriteString("\nLeft open, or not judged:\n\n")
			list = true
		}
		fmt.Fprintf(b, "%s%s\n", map[bool]string{false: "\n"}[list], c.heading(id))
		if !list {
			c.tell(b, id)
		}
	}
	for _, line := range c.unaskedLines() {
		b.WriteString(line + "\n")
	}
}

// repeatOnly is the command that judges one requirement.
func (c *chapter) repeatOnly(id string) string {
	words, adapter, foreign := strings.Cut(c.repeat, " -- ")
	words += " --only " + id
	if foreign {
		words += " -- " + adapter
	}
	return words
}

// tell writes what a deviation is.
func (c *chapter) tell(b *strings.Builder, id string) {
	r := conformance.RequirementByID(id)
	fmt.Fprintf(b, "\n> %s (%s, %s)\n\n%s By hand: `%s`.\n", r.Statement, r.Level, strings.Join(r.Sources, ", "), c.known[id].why, c.repeatOnly(id))
	at := slices.IndexFunc(c.verdicts, func(v conformance.Verdict) bool { return v.ID == id })
	if at < 0 || c.verdicts[at].Outcome == pass {
		b.WriteString("\nNot seen in this run.\n")
		return
	}
	v := c.verdicts[at]
	fmt.Fprintf(b, "\n    expected  %s\n    actual    %s\n", cut(v.Expected), cut(strings.Join(slices.DeleteFunc([]string{v.Actual, v.Reason}, func(s string) bool { return s == "" }), "; ")))
	const most = 12
	for _, f := range v.Findings[:min(1, len(v.Findings))] {
		lines := f.Evidence
		if len(lines) > most {
			lines = append(slices.Clone(lines[:most/2]), append([]string{"…"}, lines[len(lines)-most/2:]...)...)
		}
		for _, line := range lines {
			fmt.Fprintf(b, "    | %s\n", cut(line))
		}
	}
}

// cut keeps a line readable.
func cut(line string) string {
	const most = 200
	line = strings.ReplaceAll(line, "\n", " ")
	if runes := []rune(line); len(runes) > most {
		return string(runes[:most]) + " …"
	}
	return line
}

// version is a package of Debian, a module or a package of npm, with the version that was judged.
func version(t *testing.T, name string) string {
	t.Helper()
	switch {
	case strings.HasPrefix(name, "npm:"):
		var lock struct {
			Packages map[string]struct{ Version string }
		}
		name = strings.TrimPrefix(name, "npm:")
		folder := "clients"
		if _, err := os.Stat("servers/" + name); err == nil {
			folder = "servers/" + name
		}
		text, err := os.ReadFile(folder + "/package-lock.json")
		if err != nil || json.Unmarshal(text, &lock) != nil {
			t.Fatalf("reading the version of %s: %v", name, err)
		}
		node, err := exec.Command("node", "--version").Output()
		if err != nil {
			t.Fatal(err)
		}
		return name + " " + lock.Packages["node_modules/"+name].Version + " on Node " + strings.TrimSpace(string(node))
	case strings.Contains(name, "/"):
		text, err := os.ReadFile("go.mod")
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(regexp.QuoteMeta(name) + ` (v\S+)`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("go.mod names no %s", name)
		}
		return name + " " + string(found[1])
	default:
		out, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
		if err != nil {
			t.Fatalf("the version of %s: %v", name, err)
		}
		return name + " " + string(out)
	}
}
