package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// Incomparable says why the new run cannot be compared with the old ones, each in one sentence; nothing when it can.
func Incomparable(old []Run, latest Run) []string {
	var reasons []string
	for _, r := range old {
		for _, why := range different(r, latest) {
			if !slices.Contains(reasons, why) {
				reasons = append(reasons, why)
			}
		}
	}
	return reasons
}

func different(old, latest Run) []string {
	var why []string
	a, b := old.Result, latest.Result
	differ := func(what, x, y string) {
		if x != y {
			why = append(why, fmt.Sprintf("%s has %s %s, %s has %s", old.Name, what, quoted(x), latest.Name, quoted(y)))
		}
	}
	if differ("the kind", string(a.Kind), string(b.Kind)); len(why) > 0 {
		return why
	}
	differ("the subject", a.Subject.Name, b.Subject.Name)
	differ("a subject of the kind", a.Subject.Kind, b.Subject.Kind)
	differ("the protocol", a.Subject.Protocol, b.Subject.Protocol)
	if old.Machine != (Machine{}) && latest.Machine != (Machine{}) {
		differ("the machine", old.Machine.String(), latest.Machine.String())
	}
	return append(why, otherScenarios(old, latest)...)
}

func (m Machine) String() string {
	cpus := "1 processor"
	if m.CPUs != 1 {
		cpus = conformance.Plural(m.CPUs, "processor")
	}
	return fmt.Sprintf("%s/%s with %s", m.OS, m.Arch, cpus)
}

func quoted(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// otherScenarios says which scenarios of both results are not the same one.
func otherScenarios(old, latest Run) []string {
	var why []string
	common := 0
	names := scenariosOf(latest.Result)
	for _, name := range names {
		a, there := viewOf(old.Result, name)
		if !there {
			continue
		}
		common++
		b, _ := viewOf(latest.Result, name)
		if reason := otherPlan(a.run, b.run, old.Result.Seed == latest.Result.Seed); reason != "" {
			why = append(why, fmt.Sprintf("%s is another scenario in %s than in %s: %s", name, old.Name, latest.Name, reason))
		}
	}
	if before := scenariosOf(old.Result); common == 0 && len(names)+len(before) > 0 {
		why = append(why, fmt.Sprintf("%s ran %s, %s ran %s", old.Name, quoted(strings.Join(before, ", ")), latest.Name, quoted(strings.Join(names, ", "))))
	}
	return why
}

// otherPlan says why two runs of a scenario of one name are not runs of the same scenario.
func otherPlan(a, b *conformance.ScenarioRun, sameSeed bool) string {
	switch {
	case a.Plan == b.Plan && a.Plan != "":
		return ""
	case a.Plan == "" || b.Plan == "":
		return "" // skipped before it was planned: its verdicts say so
	case a.Subscribers != b.Subscribers:
		return fmt.Sprintf("%s, and %d", conformance.Plural(a.Subscribers, "subscriber"), b.Subscribers)
	case a.Streams != b.Streams:
		return fmt.Sprintf("%s, and %d", conformance.Plural(a.Streams, "stream"), b.Streams)
	case a.Source != "" && b.Source != "" && a.Source != b.Source:
		return firstDifference(a.Source, b.Source)
	case sameSeed:
		return "with one seed its plans differ, so its keys or what its target declares do"
	}
	return ""
}

func firstDifference(a, b string) string {
	before, after := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(before), len(after)) {
		if x, y := line(before, i), line(after, i); x != y {
			return fmt.Sprintf("line %d is %q, and %q", i+1, x, y)
		}
	}
	return ""
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return strings.TrimSpace(lines[i])
	}
	return ""
}

// notes are differences that do not forbid a comparison, but that its reader must know of.
func notes(old []Run, latest Run) []string {
	var list []string
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for _, r := range append(slices.Clone(old), latest) {
		for i := range r.Result.Runs {
			run := &r.Result.Runs[i]
			if run.Interrupted {
				add("%s: %s was interrupted.", r.Name, run.Scenario)
			}
			for _, p := range run.Health.Problems {
				add("%s: %s: %s.", r.Name, run.Scenario, strings.TrimSuffix(p, "."))
			}
		}
		if r.Machine == (Machine{}) {
			add("%s has no manifest, so nothing says on which machine it was measured.", r.Name)
		}
	}
	for _, r := range old {
		if a, b := r.Result.Tool, latest.Result.Tool; a != b {
			add("%s was made by %s, %s by %s.", r.Name, quoted(a), latest.Name, quoted(b))
		}
		if a, b := r.Result.Subject.URL, latest.Result.Subject.URL; host(a) != host(b) {
			add("%s reached its subject at %s, %s at %s.", r.Name, quoted(host(a)), latest.Name, quoted(host(b)))
		}
		if r.Result.Seed != latest.Result.Seed {
			add("%s and %s have different seeds: arrivals and faults fall otherwise, and the difference includes that.", r.Name, latest.Name)
		}
		for _, name := range append(scenariosOf(r.Result), scenariosOf(latest.Result)...) {
			_, before := viewOf(r.Result, name)
			_, after := viewOf(latest.Result, name)
			switch {
			case before && !after:
				add("%s ran only in %s.", name, r.Name)
			case after && !before:
				add("%s ran only in %s.", name, latest.Name)
			}
		}
	}
	return list
}

// host is the host name of an address: embedded servers take another port each time.
func host(address string) string {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		rest = address
	}
	rest, _, _ = strings.Cut(rest, "/")
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		rest = rest[:i]
	}
	return rest
}
