package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// baseline is the set of failures that are known: they are still judged.
type baseline struct {
	path  string
	known map[string]string // id → why, "" when nothing was said
}

// readBaseline reads one id a line, with a comment behind # that says why.
func readBaseline(path string) (*baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	b := &baseline{path: path, known: map[string]string{}}
	var problems []error
	for i, line := range strings.Split(string(text), "\n") {
		id, why, _ := strings.Cut(line, "#")
		if id = strings.TrimSpace(id); id == "" {
			continue
		}
		if conformance.RequirementByID(id) == nil {
			problems = append(problems, fmt.Errorf("%s:%d: there is no requirement %q", path, i+1, id))
		}
		b.known[id] = strings.TrimSpace(why)
	}
	return b, errors.Join(problems...)
}

// apply makes a known failure a warning, and a failure of an entry that passes by now.
func (b *baseline) apply(v *conformance.Verdict) {
	why, known := b.known[v.ID]
	switch {
	case !known:
	case v.Outcome == conformance.Fail || v.Outcome == conformance.Warn:
		v.Outcome = conformance.Warn
		v.Reason = join("known failure", why)
	case v.Outcome == conformance.Pass:
		v.Outcome = conformance.Fail
		v.Reason = fmt.Sprintf("%s lists it as a known failure, but it passes", b.path)
		v.Next = "remove " + v.ID + " from " + b.path
	}
}

func join(text, why string) string {
	if why == "" {
		return text
	}
	return text + ": " + why
}
