package matrix

import (
	"context"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// Names of the reference client as a correct subject: as an SDK, and by the rules of HTML.
const (
	ReferenceClient  = "reference-client"
	ReferenceBrowser = "reference-client-as-a-browser"
)

// guards are cheap cases of each area that most mutants have nothing to do with.
var guards = []string{
	"SSE-PARSE-001", "SSE-PARSE-009", "SSE-PARSE-022", "SSE-API-001", "SSE-API-003", "SSE-HTTPC-001", "SSE-HTTPC-012", "SSE-HTTPC-013",
	"SSE-RECON-001", "SSE-RECON-015", "SSE-HBC-005",
}

// asABrowser is what the rules of HTML can change about a verdict.
var asABrowser = []string{"SSE-API", "SSE-HTTPC", "SSE-RECON", "SSE-PARSE-007", "SSE-PARSE-008", "SSE-PARSE-033"}

// costly is the area in which each case serves dozens of vectors in dozens of cuts: to it mutants show only its guards and what they name.
const costly = "PARSE"

// crowded is the case that has hundreds of subscriptions come back at once, again and again on a machine that is busy.
const crowded = "SSE-RECON-012"

// clientRows are the reference client, its unusual relatives and its mutants, judged by the cases of a client. In short each mutant meets
// what it names and the guards of those areas; else all cases of the areas that it breaks, and the guards of all others.
func clientRows(s Selection) ([]Row, error) {
	judgedAs := func(r Row, c *embedded.Client, wanted func(id string) bool) (Row, error) {
		profile := conformance.ProfileSDK
		if c.Browser {
			profile = conformance.ProfileBrowser
		}
		all, err := clientColumns(profile)
		if err != nil {
			return Row{}, err
		}
		r.Columns = slices.DeleteFunc(all, func(id string) bool { return !r.names(id) && !wanted(id) })
		r.Judge = judgeClient(c, s.Seed)
		return r, nil
	}
	var rows []Row
	add := func(r Row, c *embedded.Client, wanted func(id string) bool) error {
		row, err := judgedAs(r, c, wanted)
		rows = append(rows, row)
		return err
	}
	among := func(ids []string) func(string) bool {
		return func(id string) bool { return len(ids) == 0 || inAny(id, ids) }
	}
	if !s.Short {
		if err := add(Row{Name: ReferenceClient, Group: Correct, About: "The reference client as it is."}, &embedded.Client{}, among(nil)); err != nil {
			return nil, err
		}
		browser := Row{Name: ReferenceBrowser, Group: Correct, About: "The reference client, by the rules of HTML."}
		if err := add(browser, &embedded.Client{Browser: true}, among(asABrowser)); err != nil {
			return nil, err
		}
		for _, odd := range mutant.UnusualClients {
			c := &embedded.Client{Mutate: odd.Client, Policy: odd.Policy}
			for _, capability := range odd.Without {
				c.Without = append(c.Without, subject.Capability(capability))
			}
			if err := add(Row{Name: odd.Name, Group: Correct, About: odd.About, May: odd.May}, c, among(odd.Concerns)); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range mutant.Clients {
		r := Row{Name: m.Name, Group: ClientMutants, About: m.Bug, Kills: m.Kills, May: m.May}
		own := func(id string) bool { return inAreaOf(id, m.Kills) }
		wanted := func(id string) bool {
			isCostly := conformance.AreaOf(id) == costly
			return own(id) && !isCostly && id != crowded || slices.Contains(guards, id) && (s.Heavy || !isCostly || s.drawn(m.Name, id))
		}
		if s.Short {
			wanted = func(id string) bool { return own(id) && slices.Contains(guards, id) }
		}
		if err := add(r, &embedded.Client{Mutate: m.Client, Browser: m.Browser}, wanted); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// clientColumns are the requirements of a profile that some case of a client decides.
func clientColumns(profile conformance.Profile) ([]string, error) {
	decided := func(id string) bool {
		return slices.ContainsFunc(client.Cases, func(c client.Case) bool { return c.Requirement == id })
	}
	return columnsOf(decided, func(r *conformance.Requirement) bool { return r.AppliesTo(profile) })
}

// judgeClient is a judging of a client in this process by client cases.
func judgeClient(c *embedded.Client, seed uint64) func(context.Context, []string) (Judged, error) {
	return func(ctx context.Context, columns []string) (Judged, error) {
		verdicts, _, health, err := client.Check(ctx, subject.Local(c), client.Cases, client.Options{Only: columns, Seed: seed, Parameter: shorter})
		return judgedBy(verdicts, health), err
	}
}
