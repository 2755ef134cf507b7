package run

import (
	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/scenarios"
)

// Promises are the ids of the verdicts that a run of the plan reaches.
func Promises(p *scenarios.Plan) (ids []string) {
	for _, v := range unknown(p, "") {
		ids = append(ids, v.ID)
	}
	return ids
}

// unknown are those verdicts before anything is known.
func unknown(p *scenarios.Plan, reason string) []conformance.Verdict {
	target := p.Target
	if target == nil {
		target = new(scenarios.Target)
	}
	return check.Unjudged(checkConfig(p, target), conformance.Unknown, reason)
}
