package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

func listRequirements(only []string) ([]entry, error) {
	if err := checkOnly(only); err != nil {
		return nil, inputError(err)
	}
	return requirementEntries(func(r *conformance.Requirement) bool { return r.Selected(only) }, nil)
}

// checkOnly refuses words that name neither a requirement nor an area.
func checkOnly(only []string) error {
	requirements, err := conformance.Requirements()
	if err != nil {
		return err
	}
	var known []string
	for _, a := range conformance.Areas {
		known = append(known, a.Name)
	}
	for i := range requirements {
		known = append(known, requirements[i].ID)
	}
	var problems []error
	for _, word := range only {
		if !slices.ContainsFunc(requirements, func(r conformance.Requirement) bool { return r.Selected([]string{word}) }) {
			problems = append(problems, fmt.Errorf("--only %s names no requirement and no area: %s", word, hint(word, known, "see streamgauge list requirements")))
		}
	}
	return errors.Join(problems...)
}

// levels are those that the requirements have for a subject; nil: none is known, and they are those of the catalogue.
type levels func(r *conformance.Requirement) conformance.Level

// requirementEntries are those requirements that are kept, in the order of the catalogue.
func requirementEntries(keep func(r *conformance.Requirement) bool, level levels) ([]entry, error) {
	requirements, err := conformance.Requirements()
	if err != nil {
		return nil, err
	}
	if level == nil {
		level = func(r *conformance.Requirement) conformance.Level { return r.Level }
	}
	entries := []entry{}
	for i := range requirements {
		r := &requirements[i]
		if !keep(r) {
			continue
		}
		e := entry{
			"id": r.ID, "side": r.Side, "level": string(level(r)), "core": r.Core, "security": r.Security, "needs": words(r.Needs),
			"area": r.Area(), "profiles": words(r.Profiles), "statement": r.Statement, "sources": r.Sources, "verdict": r.Verdict,
		}
		c := coverageOf(r)
		e["checked"], e["killed_by"], e["mutants"] = c.by != "", c.killedBy, len(c.killedBy)
		if c.why != "" {
			e["unchecked"] = c.why
		} else {
			e["checked_by"] = c.by
		}
		if len(r.MustFor) > 0 {
			e["must_for"] = r.MustFor
		}
		for key, text := range map[string]string{"lasts": r.Lasts, "notes": r.Notes, "corrected": r.Corrected} {
			if text != "" {
				e[key] = text
			}
		}
		if len(r.Parameters) > 0 {
			e["parameters"] = r.Parameters
		}
		entries = append(entries, e)
	}
	return entries, nil
}

func words[T ~string](of []T) []string {
	texts := make([]string, len(of))
	for i, text := range of {
		texts[i] = string(text)
	}
	return texts
}
