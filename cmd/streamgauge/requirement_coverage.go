package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// coverage says of a requirement whether it is checked, and which mutants prove that a miss is seen.
type coverage struct {
	requirement *conformance.Requirement
	by          string   // the command that checks it, "" for none
	why         string   // why none does
	killedBy    []string // names of mutants
}

func coverageOf(r *conformance.Requirement) coverage {
	c := coverage{requirement: r, killedBy: killersOf(r.ID)}
	switch {
	case clientSide.judges(r.ID):
		c.by = "check-client"
	case r.Area() == "SLO":
		c.why = "not by check: a scenario's budgets measure it"
	case !serverSide.judges(r.ID):
		c.why = "not yet: there is no case"
	case slices.Contains(r.Needs, conformance.AccessProxy):
		c.by = "check --through"
	case !r.AppliesTo(conformance.ProfileBroker):
		c.by = "check --profile " + string(r.Profiles[0])
	default:
		c.by = "check"
	}
	return c
}

// killersOf are the mutants that must not pass the requirement.
func killersOf(id string) []string {
	names := []string{}
	for _, m := range slices.Concat(mutant.All, mutant.Server, mutant.Clients) {
		if slices.Contains(m.Kills, id) {
			names = append(names, m.Name)
		}
	}
	for _, m := range mutant.Gateways {
		if slices.Contains(m.Kills, id) {
			names = append(names, m.Name)
		}
	}
	for _, m := range mutant.Hubs {
		if slices.Contains(m.Kills, id) {
			names = append(names, m.Name)
		}
	}
	return names
}

// checked is the command that checks it, or why none does.
func (c coverage) checked() string {
	if c.by == "" {
		return c.why
	}
	return "`" + c.by + "`"
}

// tallied counts requirements.
type tallied struct{ all, core, checked, coreChecked, killed, coreKilled int }

func (t *tallied) add(c coverage) {
	core := c.requirement.Core
	t.all++
	count(&t.core, core)
	if c.by == "" {
		return
	}
	t.checked++
	count(&t.coreChecked, core)
	count(&t.killed, len(c.killedBy) > 0)
	count(&t.coreKilled, core && len(c.killedBy) > 0)
}

func count(n *int, is bool) {
	if is {
		*n++
	}
}

// writeCoverage writes docs/requirements.md.
func writeCoverage(w io.Writer) error {
	requirements, err := conformance.Requirements()
	if err != nil {
		return err
	}
	var whole tallied
	areas := map[string]*tallied{}
	rows := map[string][]coverage{}
	for i := range requirements {
		c := coverageOf(&requirements[i])
		area := c.requirement.Area()
		if areas[area] == nil {
			areas[area] = &tallied{}
		}
		whole.add(c)
		areas[area].add(c)
		rows[area] = append(rows[area], c)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# Requirements

<!-- Written by: go test ./cmd/streamgauge -run TestTheRequirementsPage -update. Do not edit. -->

Revision %s of the catalogue: %d requirements, %d of them core. %d are checked, %d of these core; for %d of the %d that are checked, and %d
of the %d core ones, there is a mutant: a broker, hub, gateway or client that is wrong in exactly that way, and must be caught.

Statements, sources and how each is judged are in `+"`conformance/requirements.yaml`, and `streamgauge list requirements --format json`"+` prints them.
"Needs" is the access without which a requirement is skipped. A SHOULD that is missed is a warning, and a failure with `+"`--strict`."+`

A MUST rests on the section of a standard, or concerns security. Practice alone makes a SHOULD, and **what a subject declares it must keep**: a SHOULD
with "MUST for" is a MUST for a subject of such a profile, for one that declares such a thing, and once such a parameter was set.

%s
Below the requirements of each area stands what a verdict rests on: what is done, what is looked at and what that amounts to; the parameters with
their defaults, which `+"`--set ID.NAME=VALUE`"+` changes, and how long is held or waited, where that is long. `+"`--hold 130s`"+` lengthens what is called
hold or lifetime, and has waited for what takes more than the 40 s that a check takes anyway. Whatever must come is waited for up to 10 s; of a
client, several times the longest delay that it declares.

| area | about | requirements | core | checked | core, checked | with a mutant | core, with a mutant |
|---|---|---:|---:|---:|---:|---:|---:|
`, conformance.Revision(), whole.all, whole.core, whole.checked, whole.coreChecked, whole.killed, whole.checked, whole.coreKilled, whole.coreChecked, declarationTable())
	for _, a := range conformance.Areas {
		if t := areas[a.Name]; t != nil {
			fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", a.Name, strings.ToLower(a.Name), a.About, t)
		}
	}
	fmt.Fprintf(&b, "| **all** | | %s |\n", &whole)
	for _, a := range conformance.Areas {
		if len(rows[a.Name]) > 0 {
			writeArea(&b, a, rows[a.Name])
		}
	}
	_, err = io.WriteString(w, b.String())
	return err
}

func (t *tallied) String() string {
	return fmt.Sprintf("%d | %d | %d | %d | %d | %d", t.all, t.core, t.checked, t.coreChecked, t.killed, t.coreKilled)
}

func writeArea(b *strings.Builder, area conformance.Area, rows []coverage) {
	title := strings.ToUpper(area.About[:1]) + area.About[1:]
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n| id | level | core | statement | sources | needs | checked by | killed by |\n|---|---|---|---|---|---|---|---|\n", area.Name, title)
	for _, c := range rows {
		r := c.requirement
		core, level := "", string(r.Level)
		if r.Core {
			core = "yes"
		}
		if r.Security {
			level += ", security"
		}
		if len(r.MustFor) > 0 {
			level += "; MUST for " + strings.Join(r.MustFor, ", ")
		}
		mutants := "–"
		if len(c.killedBy) > 0 {
			mutants = "`" + strings.Join(c.killedBy, "`, `") + "`"
		}
		cells := []string{r.ID, level, core, escapeCell(r.Statement), escapeCell(strings.Join(r.Sources, ", ")), strings.Join(words(r.Needs), ", "), c.checked(), mutants}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	writeJudging(b, rows)
}

// writeJudging is what the verdicts of an area rest on.
func writeJudging(b *strings.Builder, rows []coverage) {
	fmt.Fprintf(b, "\n| id | what is done | what is looked at | verdict | parameters | lasts |\n|---|---|---|---|---|---|\n")
	for _, c := range rows {
		r := c.requirement
		if c.by == "" {
			continue
		}
		var parameters []string
		for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
			value := r.Parameters[name]
			if value == "" {
				value = "not set"
			}
			parameters = append(parameters, "`"+name+"`: "+value)
		}
		cells := []string{r.ID, escapeCell(r.Stimulus), escapeCell(r.Observe), escapeCell(r.Verdict), escapeCell(strings.Join(parameters, ", ")), escapeCell(r.Lasts)}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
}

// declarationTable says what can be declared.
func declarationTable() string {
	declarations := conformance.Declarations()
	var b strings.Builder
	b.WriteString("| MUST for | declared by |\n|---|---|\n")
	for _, word := range slices.Sorted(maps.Keys(declarations)) {
		fmt.Fprintf(&b, "| %s | %s |\n", escapeCell(word), escapeCell(declarations[word]))
	}
	return b.String()
}

// escapeCell makes a text stand for itself in a cell of a Markdown table.
func escapeCell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`, "\n", " ").Replace(text)
}
