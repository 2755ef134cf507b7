package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/limited"
)

// baseline is the set of failures that are known: they are still judged.
type baseline struct {
	path  string
	known map[string]string // id → why, "" when nothing was said
}

// readBaseline reads one id a line, with a comment behind # that says why.
func readBaseline(path string, s *side) (*baseline, error) {
	text, err := limited.ReadFile(path, limited.Text)
	if err != nil {
		return nil, fmt.Errorf("reading the baseline: %w", err)
	}
	return parseBaseline(path, text, s)
}

func parseBaseline(path string, text []byte, s *side) (*baseline, error) {
	b := &baseline{path: path, known: map[string]string{}}
	var problems []error
	first := map[string]int{} // id → line
	for i, line := range strings.Split(string(text), "\n") {
		id, why, _ := strings.Cut(line, "#")
		if id = strings.TrimSpace(id); id == "" {
			continue
		}
		wrong := s.wrongEntry(id)
		if first[id] > 0 {
			wrong = fmt.Sprintf("%s stands in line %d already", id, first[id])
		}
		if wrong != "" {
			problems = append(problems, fmt.Errorf("%s:%d: %s", path, i+1, wrong))
		}
		first[id] = i + 1
		b.known[id] = strings.TrimSpace(why)
	}
	return b, errors.Join(problems...)
}

// wrongEntry says why id cannot stand in a baseline, "" when it can.
func (s *side) wrongEntry(id string) string {
	switch {
	case conformance.RequirementByID(id) == nil:
		return fmt.Sprintf("there is no requirement %q: %s", id, hint(id, s.cases, "want one id a line, as in SSE-FORM-003 # why it is known"))
	case !s.judges(id):
		return id + " is not judged by " + s.command + ", so it can be no known failure: remove it"
	}
	return ""
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
