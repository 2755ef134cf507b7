// Package matrix is the proof that the judges of this project can fail: every mutant against what must catch it, and every correct
// subject against all that could accuse it.
//
// A row is a subject, a column a verdict. [Rows] are made of the definitions in reference/mutant, [Run] carries them out over real
// sockets, and the [Matrix] says which mutants were killed, which survive, who was accused wrongly and what could not be told.
package matrix

import (
	"context"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// Group is what a row is judged by.
type Group string

// The groups, in the order in which they are reported.
const (
	Correct          Group = "correct subjects"
	ScenarioMutants  Group = "mutants in scenarios"
	ServerMutants    Group = "server mutants"
	GatewayMutants   Group = "gateway mutants"
	HubMutants       Group = "hub mutants"
	ClientMutants    Group = "client mutants"
	MutantsUnderLoad Group = "server mutants under load"
)

// Groups are all of them.
var Groups = []Group{Correct, ScenarioMutants, ServerMutants, GatewayMutants, HubMutants, ClientMutants, MutantsUnderLoad}

// Row is one subject and all that it is judged by.
type Row struct {
	Name     string // the mutant's or the correct subject's
	Group    Group
	Scenario string // in which it is judged; "" for cases
	About    string // the bug, or what is unusual

	Kills []string     // verdicts that must be missed
	May   []mutant.May // verdicts that may be missed as well
	Told  bool         // whatever else is missed is worth knowing, and no fault of the judge

	Columns []string // ids of the requirements to be judged; of a scenario, whatever it expects
	Apart   []string // those of them that are judged with a subject of their own, because they ask so much of one
	Alone   []string // those of them that need the process to themselves
	Solo    bool     // the whole row does

	// Judge judges the subject by these columns, or by all of its scenario. It is called again for what a busy machine left open.
	Judge func(ctx context.Context, columns []string) (Judged, error)
}

// Judged is what one judging of a subject came to.
type Judged struct {
	Verdicts []conformance.Verdict
	Health   conformance.Health
	Doubt    string // why nothing of it can be believed that is not as it must be; "" when all can
}

// ID names the row among all others.
func (r *Row) ID() string {
	if r.Scenario == "" {
		return r.Name
	}
	return r.Name + " in " + r.Scenario
}

// right says whether the subject is correct.
func (r *Row) right() bool { return r.Group == Correct }

// secludes says whether a judging by these columns needs a process to itself.
func (r *Row) secludes(columns []string) bool {
	return r.Solo || slices.ContainsFunc(columns, func(id string) bool { return slices.Contains(r.Alone, id) })
}

func (r *Row) names(id string) bool { return slices.Contains(r.Kills, id) }

func (r *Row) allows(id string) bool {
	return slices.ContainsFunc(r.May, func(m mutant.May) bool { return inAny(id, []string{m.ID}) })
}

// inAny says whether a verdict is one of those, or in an area that is.
func inAny(id string, those []string) bool {
	return slices.ContainsFunc(those, func(one string) bool { return id == one || strings.HasPrefix(id, one+"-") })
}
