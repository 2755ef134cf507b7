package reports

import (
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// section is a part of a report with its own verdicts: a scenario, or an area of requirements.
type section struct {
	name     string
	run      *conformance.ScenarioRun // nil without one
	area     bool                     // of requirements, not a scenario
	outcome  conformance.Outcome
	verdicts []conformance.Verdict
}

// sections are the parts of r: its scenarios in the order they ran, then what was judged outside of any, by area.
func sections(r *conformance.Result, strict bool) []section {
	var parts []section
	index := map[string]int{}
	for i := range r.Runs {
		index[r.Runs[i].Scenario] = len(parts)
		parts = append(parts, section{name: r.Runs[i].Scenario, run: &r.Runs[i]})
	}
	for _, v := range r.Verdicts {
		name := sectionName(v)
		at, known := index[name]
		if !known {
			at = len(parts)
			index[name] = at
			parts = append(parts, section{name: name, area: v.Scenario == ""})
		}
		parts[at].verdicts = append(parts[at].verdicts, v)
	}
	for i := range parts {
		parts[i].outcome = parts[i].overall(strict)
	}
	return parts
}

func (s section) overall(strict bool) conformance.Outcome {
	if s.run != nil {
		return s.run.Outcome
	}
	return conformance.Overall(s.verdicts, strict)
}

// sectionName is the verdict's scenario, or the area of its requirement: FORM of SSE-FORM-003.
func sectionName(v conformance.Verdict) string {
	if v.Scenario != "" {
		return v.Scenario
	}
	if parts := strings.Split(v.ID, "-"); len(parts) > 2 {
		return parts[1]
	}
	if area, _, found := strings.Cut(v.ID, "."); found {
		return area
	}
	return "general"
}

// count is how many of the section's verdicts have one of the outcomes.
func (s section) count(outcomes ...conformance.Outcome) (n int) {
	for _, v := range s.verdicts {
		for _, o := range outcomes {
			if v.Outcome == o {
				n++
			}
		}
	}
	return n
}

// isStrict says whether a warn counts as a failure: by option, or because a result without any failure was stored as failed.
func isStrict(r *conformance.Result, opts Options) bool {
	if opts.Strict || r.Outcome != conformance.Fail {
		return opts.Strict
	}
	warned := false
	for _, v := range r.Verdicts {
		if v.Outcome == conformance.Fail {
			return false
		}
		warned = warned || v.Outcome == conformance.Warn
	}
	return warned
}

// summary says in one sentence what came out.
func summary(r *conformance.Result, parts []section) string {
	if r.Comparison != nil {
		return comparisonSummary(r.Comparison)
	}
	if len(r.Storms) > 0 {
		return stormSummary(r.Storms)
	}
	if r.Capacity != nil {
		return capacitySummary(r.Capacity)
	}
	if len(r.Verdicts) == 0 && len(r.Runs) == 0 {
		return "Nothing was judged."
	}
	if len(r.Matrix) > 0 {
		return matrixSummary(r)
	}
	if len(r.Runs) == 0 {
		return requirementSummary(r)
	}
	clauses := []string{headClause(r)}
	for _, kind := range []struct {
		outcome conformance.Outcome
		said    string
	}{
		{conformance.Fail, "broken"}, {conformance.Unknown, "unknown"}, {conformance.Warn, "with a warning"}, {conformance.Skip, "skipped"},
	} {
		if clause := promiseClause(parts, kind.outcome, kind.said); clause != "" {
			clauses = append(clauses, clause)
		}
	}
	if interrupted(r) {
		clauses = append(clauses, "the run was interrupted")
	}
	return strings.Join(clauses, "; ") + "."
}

func headClause(r *conformance.Result) string {
	passed := 0
	for _, run := range r.Runs {
		if isGood(run.Outcome) {
			passed++
		}
	}
	return fmt.Sprintf("%d of %s passed", passed, Plural(uint64(len(r.Runs)), "scenario"))
}

// requirementSummary is the summary of a result without scenarios: "78 of 80 judged requirements met, 1 of them with a warning; 2 failed:
// SSE-FORM-003, SSE-SLOW-003; 36 skipped."
func requirementSummary(r *conformance.Result) string {
	ids := map[conformance.Outcome][]string{}
	for _, v := range byCause(r.Verdicts) {
		ids[v.Outcome] = append(ids[v.Outcome], v.ID)
	}
	failed := len(ids[conformance.Fail])
	met := len(ids[conformance.Pass]) + len(ids[conformance.Warn])
	clauses := []string{"no requirement was judged"}
	if judged := met + failed; judged > 0 {
		clauses[0] = fmt.Sprintf("%d of %s met", met, Plural(uint64(judged), "judged requirement"))
		if warned := len(ids[conformance.Warn]); warned > 0 {
			clauses[0] += fmt.Sprintf(", %d of them with a warning", warned)
		}
	}
	if seen := len(ids[conformance.Info]); seen > 0 {
		clauses = append(clauses, fmt.Sprintf("%d only observed, since the source leaves it open", seen))
	}
	for _, kind := range []struct {
		outcome conformance.Outcome
		said    string
		named   int
	}{
		{conformance.Fail, "failed", 3}, {conformance.Unknown, "unknown", 0}, {conformance.Skip, "skipped", 0},
	} {
		n := len(ids[kind.outcome])
		if n == 0 {
			continue
		}
		clause := fmt.Sprintf("%d %s", n, kind.said)
		if named := ids[kind.outcome][:min(n, kind.named)]; len(named) > 0 {
			clause += ": " + strings.Join(named, ", ")
			if n > len(named) {
				clause += fmt.Sprintf(", %d more", n-len(named))
			}
		}
		clauses = append(clauses, clause)
	}
	return strings.ToUpper(clauses[0][:1]) + strings.Join(clauses, "; ")[1:] + "."
}

// promiseClause is "2 promises broken in network-drops, room-isolation", or "" when there are none.
func promiseClause(parts []section, outcome conformance.Outcome, said string) string {
	var places []string
	total := 0
	for _, s := range parts {
		if n := s.count(outcome); n > 0 {
			total += n
			places = append(places, s.name)
		}
	}
	if total == 0 {
		return ""
	}
	const named = 3
	if len(places) > named {
		places = append(places[:named], fmt.Sprintf("%d more", len(places)-named))
	}
	return fmt.Sprintf("%s %s in %s", Plural(uint64(total), "promise"), said, strings.Join(places, ", "))
}

func interrupted(r *conformance.Result) bool {
	for _, run := range r.Runs {
		if run.Interrupted {
			return true
		}
	}
	return false
}

func isGood(o conformance.Outcome) bool {
	return o == conformance.Pass || o == conformance.Info || o == conformance.Warn
}

// ExitCode is what a command that judged ends with, and what it means. A result in which everything was skipped judged nothing,
// so it does not end with 0.
func ExitCode(o conformance.Outcome) (code int, meaning string) {
	switch o {
	case conformance.Pass:
		return 0, "every promise that was judged was kept"
	case conformance.Info:
		return 0, "what was asked is left open by its source"
	case conformance.Warn:
		return 0, "no promise that was judged was broken, but there are warnings"
	case conformance.Fail:
		return 1, "a promise was broken"
	case conformance.Skip:
		return 2, "nothing was judged: everything was skipped"
	default:
		return 2, "something that had to be judged is unknown, so this is not a pass"
	}
}
