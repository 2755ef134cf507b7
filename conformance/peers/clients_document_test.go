package peers

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// clientPage is where the findings about clients are written down.
const clientPage = "../../docs/clients.md"

// clientChapters are those of the page, with what was found.
func clientChapters() (all []chapter) {
	for _, f := range clients {
		repeat := strings.Join(append([]string{"streamgauge check-client"}, f.way.words...), " ")
		begin := ""
		if f.way.behind != nil {
			repeat += " -- " + strings.Join(f.way.behind, " ")
		}
		if slices.ContainsFunc(f.of, func(name string) bool { return strings.HasPrefix(name, "npm:") }) {
			begin = "(cd clients && npm ci)"
		}
		all = append(all, chapter{f.name, f.about, begin, repeat, f.of, f.known, f.unasked, found.of(f.name)})
	}
	return all
}

func TestTheClientPageListsWhatIsKnown(t *testing.T) {
	t.Parallel()
	if *update {
		t.Skip("this run writes it")
	}
	text, err := os.ReadFile(clientPage)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range clientChapters() {
		for _, id := range c.ids() {
			want = append(want, c.heading(id))
		}
		want = append(want, c.unaskedLines()...)
	}
	got := regexp.MustCompile(`(?m)^(#### .*|- SSE-[A-Z]+-\d+ .*)$`).FindAllString(string(text), -1)
	const advice = "go test -run TestClientsDepartOnlyAsIsKnown -update"
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("the page lacks %q: %s", line, advice)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the page lists %d departures, known are %d: %s", len(got), len(want), advice)
	}
}

// documentClients writes the page when that is asked for.
func documentClients(t *testing.T) {
	t.Helper()
	if !*update {
		return
	}
	if t.Failed() {
		t.Log("the page was not written, because this run found what is not known")
		return
	}
	var b strings.Builder
	all := clientChapters()
	b.WriteString(clientPreface)
	fmt.Fprintln(&b)
	matrix(&b, all)
	for _, c := range all {
		c.write(t, &b)
	}
	if err := os.WriteFile(clientPage, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

const clientPreface = `# Clients that others wrote

<!-- Written by the tests in conformance/peers: go test -run TestClientsDepartOnlyAsIsKnown -update -->

What ` + "`streamgauge check-client`" + ` says of them, in the versions named below and with their defaults. Every deviation was seen in the raw bytes of a
connection as well, or looked up in the client's source, and the tests fail when one of them is no longer seen, and when another one is. The adapters are in
[conformance/peers/clients](../conformance/peers/clients); the commands below are run in [conformance/peers](../conformance/peers). Where an option of the client
changes a result, the option is named.

An outcome says how far a client is from a requirement, not whether it is good: some of these are designs that are documented, and that suit many
applications. *fail*: a MUST is missed; *warn*: a SHOULD is missed, or a MUST in a way that is tolerated; *unknown*: it could not be judged; *info*: its source leaves it
open; *skip*: the client does not offer it, or its interface does not tell. An EventSource is held to the letter of HTML, a library that calls itself
something else to what every client needs.
`
