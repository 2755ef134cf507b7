package run

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/scenarios"
)

// checkConfig tells the judges what a plan expects of a target.
func checkConfig(p *scenarios.Plan, t *scenarios.Target) check.Config {
	s := p.Scenario
	c := check.Config{
		Scenario: s.Name, Run: p.Run, Streams: p.Streams, Duration: s.Duration + s.Settle,
		Publishers:  make([]int32, len(p.Streams)),
		Subscribers: make([]check.Subscriber, len(p.Subscribers)),
		Target: check.Target{
			Resume: t.Can(scenarios.CanResume), SlowPolicy: string(t.SlowPolicy),
			Blind:     !t.Can(scenarios.CanObserve),
			Announces: t.GapEvent != "", TotalOrder: t.Order != "per-publisher",
		},
		Expect: expectations(s),
	}
	if t.Heartbeat > 0 {
		c.Expect.Heartbeat, c.Expect.Declared = t.Heartbeat, true
	}
	if t.History != nil {
		c.Target.Events, c.Target.Age = t.History.Events, t.History.Age
	}
	for _, publisher := range p.Publishers {
		c.Publishers[publisher.Stream] = max(c.Publishers[publisher.Stream], publisher.Index+1)
	}
	for i := range p.Subscribers {
		planned := &p.Subscribers[i]
		c.Subscribers[i] = check.Subscriber{Name: subscriberName(p, planned), Streams: planned.Streams, Slow: planned.Slow}
	}
	for _, step := range p.Timeline {
		f, _ := scenarios.FaultByName(step.Fault)
		c.Steps = append(c.Steps, check.Step{
			Name: step.Fault, Text: s.StepText(step.Index), At: step.At, Subscribers: len(step.Subscribers), Lasting: f.Stays, Slows: f.Slows,
			Effect: f.Effect, Without: f.Without, Rests: restsOn(f),
		})
	}
	c.Steps = append(c.Steps, loadSteps(p)...)
	return c
}

// restsOn are the verdicts that rest on a fault: all of them, but of slow reading those about what it costs.
func restsOn(f scenarios.Fault) []string {
	if f.Slows {
		return []string{"bystanders.latency_p99", "memory.max", "memory.growth", "delivery.latest"}
	}
	return nil
}

// loadSteps are the parts of the load that have to take effect as a step of the timeline has. Slow reading is the first of them.
func loadSteps(p *scenarios.Plan) (steps []check.Step) {
	s := p.Scenario
	if s.Load.Slow.Share > 0 {
		slow := 0
		for i := range p.Subscribers {
			if p.Subscribers[i].Slow {
				slow++
			}
		}
		f, _ := scenarios.FaultByName(slowReading)
		steps = append(steps, check.Step{
			Name: slowReading, Load: slowReading, At: s.SlowFrom(), Subscribers: slow, Text: "load.slow", Effect: f.Effect, Without: f.Without, Rests: restsOn(f),
		})
	}
	if s.Load.TokenLife > 0 {
		steps = append(steps, check.Step{
			Name: "token_life", Load: "token_life", At: s.Load.TokenLife, Subscribers: len(p.Subscribers), Text: "load.token_life",
			Effect: "its token expired while its stream was open", Without: "no stream was open when its token expired",
		})
	}
	if s.Load.ReturnOn != "" {
		steps = append(steps, check.Step{
			Name: "return_on", Load: "return_on", Subscribers: len(p.Subscribers), Text: "load.return_on", Effect: "it was sent home, and came back",
			Without: "the target sent nobody home",
		})
	}
	return steps
}

// subscriberName is "" where the index says it all.
func subscriberName(p *scenarios.Plan, s *scenarios.Subscriber) string {
	name := ""
	groups := p.Scenario.Load.Groups
	if s.Group >= 0 && int(s.Group) < len(groups) {
		name = groups[s.Group] + "/" + strconv.Itoa(int(s.Index)/len(groups))
	}
	if s.Compressed {
		name = cmp.Or(name, strconv.Itoa(int(s.Index))) + " (accepts compression)"
	}
	return name
}

func expectations(s *scenarios.Scenario) check.Expect {
	x := s.Expect
	e := check.Expect{
		Delivery: x.Delivery, Stalled: x.Stalled, Greeting: x.Greeting,
		Latency: quantiles(x.Latency), FirstEvent: quantiles(x.FirstEvent),
	}
	if x.Connect != nil {
		e.Connect, e.Failed = quantiles(x.Connect.Latency), x.Connect.Failed
	}
	if x.Reconnect != nil {
		e.Within, e.Backoff, e.Peak = x.Reconnect.Within, x.Reconnect.Backoff, float64(x.Reconnect.Peak)
	}
	if x.Resume != nil {
		e.ResumeGap = quantiles(x.Resume.Gap)
	}
	if x.Heartbeat != nil {
		e.Heartbeat = x.Heartbeat.Every
	}
	if x.Calm != nil {
		e.Calm = quantiles(x.Calm.Latency)
	}
	if x.FanOut != nil {
		e.Spread = quantiles(x.FanOut.Spread)
	}
	if x.Bystanders != nil {
		e.Bystanders = x.Bystanders.LatencyP99
	}
	if x.Memory != nil {
		e.MemoryMax, e.Growth = int64(x.Memory.Max), float64(x.Memory.Growth)
	}
	if x.Sessions != nil {
		e.Sessions = x.Sessions.Live
	}
	if x.Expiry != nil {
		e.Expiry = x.Expiry.Within
	}
	for kind := range x.Schemas {
		if e.Schemas == nil {
			e.Schemas = map[string]bool{}
		}
		e.Schemas[kind] = true
	}
	return e
}

func quantiles(q map[float64]time.Duration) []check.Quantile {
	var list []check.Quantile
	for _, percent := range slices.Sorted(maps.Keys(q)) {
		list = append(list, check.Quantile{Percent: percent, AtMost: q[percent]})
	}
	return list
}
