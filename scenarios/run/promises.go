package run

import (
	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/scenarios"
)

// Promises are the ids of the verdicts that a run of the plan reaches.
func Promises(p *scenarios.Plan) (ids []string) {
	target := p.Target
	if target == nil {
		target = new(scenarios.Target)
	}
	for _, v := range check.Unjudged(checkConfig(p, target), conformance.Unknown, "") {
		ids = append(ids, v.ID)
	}
	return ids
}
