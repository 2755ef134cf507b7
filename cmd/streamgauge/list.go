package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
)

// listing is one thing that can be listed. Columns are names of fields of its entries, in the order of the table.
type listing struct {
	name    string
	columns []string
	entries func(only []string) ([]entry, error)
}

// entry is one row: column → value. A column that is absent has none.
type entry map[string]any

var listings = []listing{
	{"scenarios", []string{"name", "core", "duration", "needs", "about"}, whole(listScenarios)},
	{"targets", []string{"name", "capabilities", "about"}, whole(listTargets)},
	{"requirements", []string{"id", "side", "level", "must_for", "core", "needs", "checked", "mutants", "statement"}, listRequirements},
	{"guarantees", []string{"name", "about"}, whole(listGuarantees)},
	{"faults", []string{"name", "on", "needs", "takes", "about"}, whole(listFaults)},
	{"mutants", []string{"name", "kind", "kills", "bug"}, whole(listMutants)},
	{"policies", []string{"name", "base", "factor", "cap", "jitter", "reset", "silence"}, whole(listPolicies)},
}

// whole is a list of which no part can be asked for.
func whole(entries func() ([]entry, error)) func([]string) ([]entry, error) {
	return func(only []string) ([]entry, error) {
		if len(only) > 0 {
			return nil, inputError(errors.New("--only is for requirements: this list is short"))
		}
		return entries()
	}
}

func newListCommand() *cobra.Command {
	var format string
	var only []string
	names := make([]string, len(listings))
	for i, l := range listings {
		names[i] = l.name
	}
	c := &cobra.Command{
		Use:       "list WHAT",
		Short:     "List " + strings.Join(names, ", "),
		Example:   "  streamgauge list scenarios\n  streamgauge list requirements --only FORM\n  streamgauge list faults --format json",
		Args:      cobra.ExactArgs(1),
		ValidArgs: names,
		RunE: func(c *cobra.Command, args []string) error {
			for _, l := range listings {
				if l.name == args[0] {
					return l.write(c.OutOrStdout(), format, only)
				}
			}
			return inputError(fmt.Errorf("there is no list of %q: %s", args[0], scenarios.Suggest(args[0], names)))
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table or json")
	c.Flags().StringSliceVar(&only, "only", nil, "only these areas or ids of requirements, as in FORM,SSE-HTTPS-003")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (l listing) write(w io.Writer, format string, only []string) error {
	if format != "table" && format != "json" {
		return inputError(fmt.Errorf("the format %q is neither table nor json", format))
	}
	entries, err := l.entries(only)
	if err != nil {
		return err
	}
	if format == "json" {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(entries)
	}
	return l.table(w, entries)
}

func (l listing) table(w io.Writer, entries []entry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, strings.ReplaceAll(strings.ToUpper(strings.Join(l.columns, "\t")), "_", " ")) // an error stays until Flush
	for _, e := range entries {
		cells := make([]string, len(l.columns))
		for i, column := range l.columns {
			cells[i] = cell(e[column])
		}
		_, _ = fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	return t.Flush()
}

func cell(value any) string {
	switch v := value.(type) {
	case nil:
	case []string:
		if len(v) > 0 {
			return strings.Join(v, ",")
		}
	case bool:
		if v {
			return "yes"
		}
	case string:
		if v != "" {
			return v
		}
	default:
		return fmt.Sprint(v)
	}
	return "-"
}

func listScenarios() ([]entry, error) {
	core := scenarios.Core()
	var entries []entry
	for i, name := range scenarios.ShippedNames() {
		s, err := scenarios.LoadScenario(name, nil)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{
			"name": name, "core": i < len(core), "duration": s.Duration.String(), "needs": capabilityNames(s.Needs), "about": s.About,
		})
	}
	return entries, nil
}

// listTargets reads the presets as if no variable had a value: the environment does not change what they are.
func listTargets() ([]entry, error) {
	empty := func(string) (string, bool) { return "", true }
	var entries []entry
	for _, name := range scenarios.PresetNames() {
		t, err := scenarios.LoadTarget(name, empty)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{"name": name, "capabilities": capabilityNames(t.Capabilities), "about": t.About})
	}
	return entries, nil
}

func capabilityNames(capabilities []scenarios.Capability) []string {
	names := make([]string, len(capabilities))
	for i, c := range capabilities {
		names[i] = string(c)
	}
	return names
}

func listGuarantees() ([]entry, error) {
	var entries []entry
	for _, g := range scenarios.Guarantees {
		entries = append(entries, entry{"name": g.Name, "about": g.About})
	}
	return entries, nil
}

func listFaults() ([]entry, error) {
	var entries []entry
	for _, f := range scenarios.Faults {
		on := "connections"
		if f.OnTarget {
			on = "target"
		}
		entries = append(entries, entry{"name": f.Name, "on": on, "needs": listed(f.Needs), "takes": listed(f.Takes), "about": f.About})
	}
	return entries, nil
}

// Kinds of mutants: what is broken, and what catches it.
const (
	kindBroker  = "broker"      // a broker that scenarios catch
	kindClient  = "client"      // a client that scenarios catch
	kindCaller  = "client case" // a client that check-client catches
	kindServer  = "server case" // a broker that a check catches
	kindGateway = "gateway"     // a gateway that a check catches
	kindHub     = "hub"         // a Mercure hub that a check catches
)

func listMutants() ([]entry, error) {
	var entries []entry
	add := func(side, kind, name, id, bug, seenIn, scenario string, kills []string) {
		e := entry{"name": name, "side": side, "kind": kind, "kills": kills, "bug": bug, "seen_in": seenIn, "serve": side != kindClient}
		for key, text := range map[string]string{"id": id, "scenario": scenario} {
			if text != "" {
				e[key] = text
			}
		}
		entries = append(entries, e)
	}
	for _, m := range slices.Concat(mutant.All, mutant.Server, mutant.Clients) {
		side, kind := kindBroker, kindBroker
		switch {
		case m.Client != nil && m.Scenario == "":
			side, kind = kindClient, kindCaller
		case m.Client != nil:
			side, kind = kindClient, kindClient
		case m.Scenario == "":
			kind = kindServer
		}
		add(side, kind, m.Name, m.ID, m.Bug, m.SeenIn, m.Scenario, m.Kills)
	}
	for _, m := range mutant.Gateways {
		add(kindGateway, kindGateway, m.Name, m.ID, m.Bug, m.SeenIn, "", m.Kills)
	}
	for _, m := range mutant.Hubs {
		add(kindHub, kindHub, m.Name, "", m.Bug, m.SeenIn, "", m.Kills)
	}
	return entries, nil
}

// listed makes an empty list of nil, so that JSON has [] and not null.
func listed(names []string) []string { return append([]string{}, names...) }

func listPolicies() ([]entry, error) {
	var entries []entry
	for _, p := range policy.Named {
		e := entry{"name": p.Name, "base": p.Base.String(), "factor": p.Factor, "reset": string(cmp.Or(p.Reset, policy.OnOpen))}
		if p.Cap > 0 {
			e["cap"] = p.Cap.String()
		}
		if p.Jitter > 0 {
			e["jitter"] = fmt.Sprintf("%g%%", 100*p.Jitter)
		}
		if p.Silence > 0 {
			e["silence"] = p.Silence.String()
		}
		entries = append(entries, e)
	}
	return entries, nil
}
