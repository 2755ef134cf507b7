package matrix

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/reference/mutant"
)

// Page writes the page about all mutants, from their definitions.
func Page(w io.Writer) error {
	var b strings.Builder
	b.WriteString(pageHead)
	fmt.Fprintf(&b, "There are %d mutants and %d correct subjects that are unusual.\n", len(mutant.All)+len(mutant.Server)+len(mutant.Gateways)+len(mutant.Hubs)+len(mutant.Clients), len(mutant.Unusual)+len(mutant.UnusualClients))
	section(&b, "Mutants of the broker and the client, in scenarios",
		"Each is caught by a guarantee or a budget of the scenario that it names: one of the short ones beside the mutants.", described(mutant.All))
	section(&b, "Mutants of the broker, by server cases", "Each is caught by the cases of `streamgauge check`.", described(mutant.Server))
	var gateways, hubs []description
	for _, m := range mutant.Gateways {
		gateways = append(gateways, description{name: m.Name, id: m.ID, bug: m.Bug, seenIn: m.SeenIn, kills: m.Kills})
	}
	for _, m := range mutant.Hubs {
		hubs = append(hubs, description{name: m.Name, id: m.ID, bug: m.Bug, seenIn: m.SeenIn, kills: m.Kills, may: m.May})
	}
	section(&b, "Mutants of the gateway", "Each is caught by the cases of `streamgauge check --through`.", gateways)
	section(&b, "Mutants of the hub", "Each is caught by the cases of `streamgauge check --profile mercure-hub`.", hubs)
	section(&b, "Mutants of the client", "Each is caught by the cases of `streamgauge check-client`.", described(mutant.Clients))
	b.WriteString("\n## Correct but unusual\n\nServers that do what few do and every client must understand. A case that accuses one of them is wrong.\n\n| server | what is unusual |\n|---|---|\n")
	for _, odd := range mutant.Unusual {
		fmt.Fprintf(&b, "| `%s` | %s |\n", odd.Name, inCell(odd.About))
	}
	b.WriteString("\nClients that do what they may, and that few do:\n\n| client | what is unusual |\n|---|---|\n")
	for _, odd := range mutant.UnusualClients {
		fmt.Fprintf(&b, "| `%s` | %s |\n", odd.Name, inCell(odd.About))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const pageHead = `# Mutants

A check that cannot fail proves nothing. So each has been seen to fail on a subject that is wrong in exactly that way, and to pass on
subjects that are right in unusual ways. A **mutant** is the reference broker, client, gateway or hub with one deliberate defect.
` + "`streamgauge mutants`" + ` runs them all: a mutant that is not caught by what it names is a **survivor**, one that fails anything else an
**unrelated failure**, a correct subject that fails anything a **false alarm**. Each of these fails the build.

` + "`streamgauge serve --mutant NAME`" + ` serves one, for other tools to be tried against.

This page is written from the definitions in ` + "`reference/mutant`" + ` (` + "`go test ./reference/matrix -run Page -update`" + `). A catalogue id, such as MS-01,
is that of the catalogue of known bugs from which the requirements were taken; a mutant without one was made for a check that had none.

`

// description is what the page says of one mutant.
type description struct {
	name, id, bug, seenIn, scenario string
	kills                           []string
	may                             []mutant.May
}

func described(mutants []mutant.Mutant) []description {
	var list []description
	for _, m := range mutants {
		list = append(list, description{name: m.Name, id: m.ID, bug: m.Bug, seenIn: m.SeenIn, scenario: m.Scenario, kills: m.Kills, may: m.May})
	}
	return list
}

func section(b *strings.Builder, title, about string, list []description) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n| mutant | bug | seen in | must turn red | may as well |\n|---|---|---|---|---|\n", title, about)
	for _, d := range list {
		name := "`" + d.name + "`"
		if d.id != "" {
			name += " " + d.id
		}
		if d.scenario != "" {
			name += " in " + d.scenario
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, inCell(d.bug), inCell(d.seenIn), strings.Join(d.kills, ", "), inCell(reasons(d.may)))
	}
}

// reasons are the verdicts that may turn red, those with one reason together.
func reasons(list []mutant.May) string {
	var whys, parts []string
	ids := map[string][]string{}
	for _, m := range list {
		if !slices.Contains(whys, m.Why) {
			whys = append(whys, m.Why)
		}
		ids[m.Why] = append(ids[m.Why], m.ID)
	}
	for _, why := range whys {
		parts = append(parts, strings.Join(ids[why], ", ")+": "+why)
	}
	return strings.Join(parts, "; ")
}

// inCell makes text stand for itself in a cell of a Markdown table.
func inCell(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", ">", "&gt;", "\n", " ").Replace(text)
}
