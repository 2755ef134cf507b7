package scenarios

import (
	"slices"
	"strings"
)

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

// WhyMissing says what the target lacks for the scenario, and where its file says that it does not; "" when it lacks nothing.
func WhyMissing(s *Scenario, t *Target) string {
	missing := Missing(s, t)
	if len(missing) == 0 {
		return ""
	}
	var declared, ways []string
	for _, c := range missing {
		declared = append(declared, string(c))
		i := slices.IndexFunc(describedBy, func(d described) bool { return d.can == c })
		switch {
		case c == CanFollowMany:
			ways = append(ways, "several streams on one connection are followed where subscribe.url names them, as in {{range .Streams}}stream={{.}}&{{end}}")
		case i >= 0:
			ways = append(ways, "describe "+describedBy[i].key+" in the target file")
		case c == CanAuth:
			ways = append(ways, "describe auth in the target file")
		default:
			ways = append(ways, "add "+string(c)+" to capabilities if it can do that")
		}
	}
	return "the target does not declare " + strings.Join(declared, ", ") + ": " + strings.Join(ways, "; ")
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
