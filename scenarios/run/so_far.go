package run

import (
	"cmp"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// SoFar tells a run that goes on, and of whom it is. It may be asked at any time from any goroutine; before the load has begun it knows
// little. What is lost is not known before the end: Expected is what was owed by now to the subscriptions that go on, Delivered what of
// it has arrived.
func (r *Run) SoFar() (conformance.ScenarioRun, conformance.Subject) {
	plan := r.plan
	so := conformance.ScenarioRun{
		Scenario: plan.Scenario.Name, About: plan.Scenario.About, Plan: r.fingerprint, Source: plan.Scenario.Source,
		Subscribers: len(plan.Subscribers), Streams: len(plan.Streams), Health: conformance.Health{OK: true},
	}
	began := r.status.began.Load() // what the run is made of does not change any more once it has begun
	if began == nil {
		name := "reference broker"
		if plan.Target != nil {
			name = cmp.Or(plan.Target.Name, "target")
		}
		return so, conformance.Subject{Name: name, Protocol: "sse"}
	}
	now := time.Since(*began)
	so.Duration, so.Published = conformance.Duration(now), r.status.published.Load()
	so.Series, so.Faults = r.judge.Chart(now)
	so.Expected, so.Delivered = r.judge.Outstanding()
	so.Outstanding = so.Expected - so.Delivered
	return so, r.subject.describe()
}
