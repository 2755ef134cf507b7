package main

import (
	"github.com/streamgauge/streamgauge/conformance"
)

func listRequirements(only []string) ([]entry, error) {
	return requirementEntries(func(r *conformance.Requirement) bool { return r.Selected(only) })
}

// requirementEntries are those requirements that are kept, in the order of the catalogue.
func requirementEntries(keep func(r *conformance.Requirement) bool) ([]entry, error) {
	requirements, err := conformance.Requirements()
	if err != nil {
		return nil, err
	}
	entries := []entry{}
	for i := range requirements {
		r := &requirements[i]
		if !keep(r) {
			continue
		}
		e := entry{
			"id": r.ID, "side": r.Side, "level": string(r.Level), "core": r.Core, "security": r.Security, "needs": words(r.Needs),
			"profiles": words(r.Profiles), "statement": r.Statement, "sources": r.Sources, "verdict": r.Verdict,
		}
		for key, text := range map[string]string{"notes": r.Notes, "corrected": r.Corrected} {
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
