package matrix

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// Names of the correct subjects that have none of their own.
const (
	ReferenceBroker  = "reference-broker" // with the reference client
	ReferenceGateway = "reference-gateway"
	ReferenceHub     = "reference-hub"
)

// Selection says which rows are made.
type Selection struct {
	Only  []string // names of mutants and correct subjects; empty for all
	Short bool     // every mutant against what it names, and no more
	Heavy bool     // every subject against everything, the heavy cases too: half an hour
	Seed  uint64
}

// drawn says whether a mutant is judged by a requirement that it has nothing to do with: by a third of those, which the seed decides.
func (s Selection) drawn(mutant, id string) bool {
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %s %d", mutant, id, s.Seed)
	return h.Sum32()%3 == 0
}

// inAreaOf says whether a requirement is of an area that some verdict belongs to.
func inAreaOf(id string, verdicts []string) bool {
	return slices.ContainsFunc(verdicts, func(v string) bool { return conformance.AreaOf(v) == conformance.AreaOf(id) })
}

// Rows are all rows, in the order of the groups. The error is that of a definition which names what is not there.
func Rows(s Selection) ([]Row, error) {
	var rows []Row
	for _, made := range []func(Selection) ([]Row, error){scenarioRows, brokerRows, gatewayRows, hubRows, clientRows, loadRows} {
		more, err := made(s)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	if len(s.Only) > 0 {
		rows = slices.DeleteFunc(rows, func(r Row) bool { return !slices.Contains(s.Only, r.Name) })
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return slices.Index(Groups, a.Group) - slices.Index(Groups, b.Group) })
	return rows, nil
}

// Names are those of all subjects, each once.
func Names() ([]string, error) {
	rows, err := Rows(Selection{})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, r := range rows {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names, nil
}

// remembering are the cases that look at the memory or the files of this process, in which the subjects are.
var remembering = []string{"SSE-SLOW-003", "SSE-PROXY-016", "SSE-LIMIT-011", "SSE-LIMIT-012"}

func remembers(id string) bool { return slices.Contains(remembering, id) }

// heavy are the cases and areas that take more of a processor, or of time, than all others together. Unless [Selection] wants more, they
// are run against the reference broker and the mutants that name them.
var heavy = []string{
	"SSE-RESUME-005", "SSE-RESUME-007", "SSE-RESUME-008", "SSE-RESUME-016", "SSE-RESUME-020", "SSE-ISO-005", "SSE-HTTPS-024", "SSE-DRAIN-003",
	"SSE-LIMIT-004", "SSE-LIMIT-006", "SSE-LIMIT-008", "SSE-LIMIT-011", "SSE-LIMIT-012", "SSE-LIMIT-009", "SLOW",
}

func isHeavy(id string) bool {
	return slices.Contains(heavy, id) || slices.Contains(heavy, conformance.AreaOf(id))
}

// brokerRows are the reference broker, its unusual relatives and its mutants, judged by the cases of a server.
func brokerRows(s Selection) ([]Row, error) {
	all, err := columns(func(r *conformance.Requirement) bool { return r.AppliesTo(conformance.ProfileBroker) })
	if err != nil {
		return nil, err
	}
	var rows []Row
	add := func(r Row, start starter, wanted func(id string) bool, parameter parameterOf) {
		r.Columns = slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !r.names(id) && !wanted(id) })
		r.Alone = slices.DeleteFunc(slices.Clone(r.Columns), func(id string) bool { return !remembers(id) })
		r.Apart = slices.DeleteFunc(slices.Clone(r.Columns), func(id string) bool { return !isHeavy(id) || remembers(id) })
		r.Judge = judge(start, &r, conformance.ProfileBroker, s.Seed, parameter)
		rows = append(rows, r)
	}
	if !s.Short {
		add(Row{Name: ReferenceBroker, Group: Correct, About: "The reference broker as it is."}, brokerOf(nil, nil, nil), func(string) bool { return true }, shorter)
		for _, odd := range mutant.Unusual {
			r := Row{Name: odd.Name, Group: Correct, About: odd.About}
			parameter := setting(odd.Parameters, smaller(func(string) bool { return false }))
			wanted := func(id string) bool { return s.Heavy || !isHeavy(id) || slices.Contains(odd.Asked, id) }
			add(r, brokerOf(odd.Broker, nil, odd.Withholds), wanted, parameter)
		}
	}
	for _, m := range mutant.Server {
		r := Row{Name: m.Name, Group: ServerMutants, About: m.Bug, Kills: requirements(m.Kills), May: m.May}
		wanted := func(id string) bool {
			return (s.Heavy || !isHeavy(id) && (inAreaOf(id, m.Kills) || s.drawn(m.Name, id))) && !remembers(id)
		}
		if s.Short {
			wanted = func(string) bool { return false } // what it may miss proves nothing, whether it is missed or not
		}
		add(r, brokerOf(m.Broker, m.Claims, m.Withholds), wanted, setting(m.Parameters, smaller(r.names)))
	}
	return rows, nil
}

// gatewayRows are the reference gateway and its mutants.
func gatewayRows(s Selection) ([]Row, error) {
	all, err := columns(func(r *conformance.Requirement) bool { return r.AppliesTo(conformance.ProfileGateway) })
	if err != nil {
		return nil, err
	}
	add := func(r Row, o embedded.GatewayOptions, columns []string) Row {
		r.Columns = columns
		r.Alone = slices.DeleteFunc(slices.Clone(columns), func(id string) bool { return !remembers(id) })
		r.Judge = judge(gatewayOf(o), &r, conformance.ProfileGateway, s.Seed, shorter)
		return r
	}
	var rows []Row
	if !s.Short {
		rows = append(rows, add(Row{Name: ReferenceGateway, Group: Correct, About: "The reference gateway as it is."}, embedded.GatewayOptions{}, all))
	}
	for _, m := range mutant.Gateways {
		r := Row{Name: m.Name, Group: GatewayMutants, About: m.Bug, Kills: m.Kills}
		columns := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return !r.names(id) && (s.Short || remembers(id)) })
		rows = append(rows, add(r, embedded.GatewayOptions{Break: m.Break, Reload: m.Reload}, columns))
	}
	return rows, nil
}

// hubRows are the reference hub and its mutants, judged by what is asked of hubs beside what is asked of all brokers, and by what needs
// an access that only the hub grants.
func hubRows(s Selection) ([]Row, error) {
	named := func(id string) bool {
		return slices.ContainsFunc(mutant.Hubs, func(m mutant.Hub) bool { return slices.Contains(m.Kills, id) })
	}
	all, err := columns(func(r *conformance.Requirement) bool {
		return r.AppliesTo(conformance.ProfileMercure) && (!r.AppliesTo(conformance.ProfileBroker) || named(r.ID))
	})
	if err != nil {
		return nil, err
	}
	var rows []Row
	if !s.Short {
		r := Row{Name: ReferenceHub, Group: Correct, About: "The reference hub as it is.", Columns: all}
		r.Judge = judge(hubOf(nil), &r, conformance.ProfileMercure, s.Seed, shorter)
		rows = append(rows, r)
	}
	for _, m := range mutant.Hubs {
		r := Row{Name: m.Name, Group: HubMutants, About: m.Bug, Kills: m.Kills, May: m.May}
		r.Columns = slices.DeleteFunc(slices.Clone(all), func(id string) bool { return s.Short && !r.names(id) })
		r.Judge = judge(hubOf(m.Break), &r, conformance.ProfileMercure, s.Seed, shorter)
		if m.Library {
			r.Columns, r.Judge = m.Kills, judge(hubOf(m.Break), &r, conformance.ProfileLibrary, s.Seed, shorter)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// columns are the requirements that some case of a server decides.
func columns(applies func(*conformance.Requirement) bool) ([]string, error) {
	return columnsOf(func(id string) bool {
		return slices.ContainsFunc(server.Cases, func(c server.Case) bool { return c.Requirement == id })
	}, applies)
}

func columnsOf(decided func(id string) bool, applies func(*conformance.Requirement) bool) ([]string, error) {
	requirements, err := conformance.Requirements()
	if err != nil {
		return nil, fmt.Errorf("making the matrix: %w", err)
	}
	var ids []string
	for i := range requirements {
		r := &requirements[i]
		if decided(r.ID) && applies(r) {
			ids = append(ids, r.ID)
		}
	}
	return ids, nil
}

// isRequirement tells a requirement from a guarantee or a budget of a scenario.
func isRequirement(id string) bool { return strings.HasPrefix(id, "SSE-") }

func requirements(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !isRequirement(id) })
}

func promises(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), isRequirement)
}
