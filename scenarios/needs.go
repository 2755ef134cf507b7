package scenarios

import "slices"

// CanFollowMany is the ability to follow several streams on one connection. A target has it when its subscribe url uses
// {{.Streams}}; a scenario needs it when a subscriber follows more than one.
const CanFollowMany Capability = "follow-many"

// Missing returns what the scenario needs and the target cannot do, nil when it can do everything. A nil target is the
// embedded reference broker, which can do everything.
func Missing(s *Scenario, t *Target) []Capability {
	if t == nil {
		return nil
	}
	var missing []Capability
	for _, c := range s.Needs {
		if !t.Can(c) {
			missing = append(missing, c)
		}
	}
	if s.Load.TokenLife > 0 && t.Auth == nil && !slices.Contains(missing, CanAuth) {
		missing = append(missing, CanAuth)
	}
	if s.Load.Follow > 1 && !t.FollowsMany() {
		missing = append(missing, CanFollowMany)
	}
	return missing
}

// impliedNeeds are the capabilities without which nothing of the scenario could happen.
func impliedNeeds(s *Scenario) []Capability {
	var implied []Capability
	if s.Load.Publish.Rate > 0 {
		implied = append(implied, CanPublish)
	}
	for _, step := range s.Timeline {
		if !step.OnTarget() || len(step.Command) > 0 {
			continue
		}
		implied = append(implied, Capability(step.Fault))
	}
	return implied
}
