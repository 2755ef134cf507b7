package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"
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
		return impatient(s, t)
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

// impatient says why a scenario in which a missing heartbeat tells cannot be tried on a target whose heartbeats are rarer than it waits.
func impatient(s *Scenario, t *Target) string {
	timeout := time.Duration(float64(s.Load.HeartbeatTimeout) * s.Load.TimeScale)
	if t == nil || timeout == 0 || timeout >= t.Patience() || !slices.Contains(s.Needs, CanHeartbeat) {
		return ""
	}
	patience := (2*t.Heartbeat + time.Second).Round(time.Second)
	sets := fmt.Sprintf("--set load.heartbeat_timeout=%v --set duration=%v", patience, s.Duration+4*patience)
	for i, step := range s.Timeline {
		if step.For > 0 {
			sets += fmt.Sprintf(" --set timeline.%d.for=%v", i, step.For+2*patience)
		}
	}
	return fmt.Sprintf("the target declares a heartbeat every %v, and the scenario takes a connection for dead after %v: it would wait long enough with %s", t.Heartbeat, timeout, sets)
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
