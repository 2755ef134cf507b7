// Package mutant holds brokers and clients with exactly one promise broken each. A judge that lets one of them pass cannot
// be trusted with that promise, and one that turns red what the mutant did not touch accuses the innocent.
package mutant

import (
	"embed"
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/client"
)

// Mutant is the reference broker or the reference client with one deliberate defect. Exactly one of Broker and Client is set.
type Mutant struct {
	Name     string
	ID       string   // its number among the catalogue's mutants, as MS-01; "" for those beside them
	Bug      string   // what it does wrong, in one sentence
	SeenIn   string   // where this was found in the wild
	Kills    []string // ids of the verdicts that must fail
	May      []May    // verdicts that can fail as well, because they follow from the same defect
	Scenario string   // the scenario of this package in which the defect shows; "" for one that server cases catch
	Broker   func(*broker.Config)
	Client   func(*client.Config)
	Browser  bool // the client is one that follows HTML to the letter

	Claims     []string          // capabilities that it declares beside those of the reference
	Withholds  []string          // what the reference declares and it does not: see embedded.Withhold
	Parameters map[string]string // of requirements, as its target file would set them: SSE-HTTPS-017.stream → value
}

// May is a verdict that is allowed to fail.
type May struct {
	ID  string
	Why string
}

// because are verdicts that may fail for one reason.
func because(why string, ids ...string) []May {
	list := make([]May, 0, len(ids))
	for _, id := range ids {
		list = append(list, May{id, why})
	}
	return list
}

// All is every mutant: brokers first, then clients.
var All = slices.Concat(deliveryMutants, contentMutants, flowMutants, resumeMutants, returningMutants, agedMutants, patternMutants, timeMutants, serviceMutants, codingMutants, clientMutants)

// ByName returns the mutant of that name, also one of those that are Bounded.
func ByName(name string) (Mutant, bool) {
	for _, mutants := range [][]Mutant{All, Server, Clients} {
		if i := slices.IndexFunc(mutants, func(m Mutant) bool { return m.Name == name }); i >= 0 {
			return mutants[i], true
		}
	}
	return bounded(name)
}

//go:embed scenarios/*.yaml
var files embed.FS

// Scenario returns the text of one of this package's scenarios: short, with budgets so wide that only a mutant breaks them.
func Scenario(name string) ([]byte, error) {
	text, err := files.ReadFile("scenarios/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("reading scenario %q of the mutants: %w", name, err)
	}
	return text, nil
}
