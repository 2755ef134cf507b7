package scenarios

import (
	"slices"
	"time"

	"gopkg.in/yaml.v3"
)

// ParseScenario reads a scenario, applies overrides of the form key=value and fills in defaults. Its error is a *Problems.
func ParseScenario(data []byte, source Source, overrides ...string) (*Scenario, error) {
	r := newReader(source)
	root := r.parse(data)
	if root == nil {
		return nil, asError(r.problems)
	}
	for _, argument := range overrides {
		r.override(root, argument)
	}
	return readScenario(r, root)
}

func readScenario(r *reader, root *yaml.Node) (*Scenario, error) {
	source := sourceOf(root)
	r.expand(root)
	s := new(Scenario)
	if n := r.enter("", root); n != nil {
		scenarioKeys.read(r, "", n, s)
		s.complete(r)
	}
	combine(r, s, scenarioCombinations)
	s.About = r.filled(s.About)
	if err := asError(r.problems); err != nil {
		return nil, err
	}
	s.Source = source
	return s, nil
}

// complete fills in the defaults that depend on other keys.
func (s *Scenario) complete(r *reader) {
	load := &s.Load
	if load.Ramp.Arrivals != AtOnce && !r.given("load.ramp.over") {
		load.Ramp.Over = defaultRamp(s.Duration)
	}
	if load.Follow == everything {
		load.Follow = load.Streams
	}
	if len(s.Expect.Schemas) > 0 && !slices.Contains(s.Expect.Delivery, wellFormed) {
		s.Expect.Delivery = append(s.Expect.Delivery, wellFormed)
	}
	for _, c := range impliedNeeds(s) {
		if !slices.Contains(s.Needs, c) {
			s.Needs = append(s.Needs, c)
		}
	}
}

// defaultRamp is how long subscribers take to arrive when a scenario does not say.
func defaultRamp(duration time.Duration) time.Duration { return min(5*time.Second, duration/4) }

// ParseTarget reads a target and fills in defaults. Its error is a *Problems.
func ParseTarget(data []byte, source Source) (*Target, error) {
	r := newReader(source)
	root := r.parse(data)
	if root == nil {
		return nil, asError(r.problems)
	}
	return readTarget(r, root)
}

func readTarget(r *reader, root *yaml.Node) (*Target, error) {
	r.expand(root)
	t := new(Target)
	if n := r.enter("", root); n != nil {
		targetKeys.read(r, "", n, t)
	}
	combine(r, t, targetCombinations)
	if err := asError(r.problems); err != nil {
		return nil, err
	}
	implyCapabilities(t)
	t.secrets = findSecrets(r, root)
	return t, t.Prepare()
}
