package main

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// everyCheck is a scenario with all promises that can be asked of a connection that nothing happens to.
const everyCheck = `
name: bench
load:
  streams: %d
  subscribers: %d
  ramp: {over: 0s, arrivals: at-once}
  publish: {rate: %g/s, size: %dB}
  heartbeat_timeout: 60s
  connect_timeout: 60s
duration: %s
settle: 10s
expect:
  delivery: [ordered, unique, complete, isolated, intact, alive]
  latency: {p50: 10s, p99: 30s}
  connect: {p99: 60s, failed: 0}
  first_event: {p99: 60s}
  heartbeat: {every: 10s}
  fan_out: {spread_p99: 60s}
  sessions: {live: 1}
`

const brokerTarget = `
name: broker
protocol: sse
subscribe: {url: "%[1]s/events?stream={{.Stream}}"}
publish: {method: POST, url: "%[1]s/publish?stream={{.Stream}}", body: "{{.Data}}"}
capabilities: [publish, resume, heartbeat]
heartbeat: 15s
history: {events: 10000}
`

// newHarness is the engine itself, as a run uses it.
func newHarness(ctx context.Context, s setup) (*role, error) {
	text := fmt.Sprintf(everyCheck, s.Streams, s.Subscribers, s.Rate*float64(s.Streams), s.Payload, s.Duration)
	scenario, err := scenarios.ParseScenario([]byte(text), scenarios.Source{Name: "bench.yaml"})
	if err != nil {
		return nil, err
	}
	target, err := scenarios.ParseTarget(fmt.Appendf(nil, brokerTarget, s.URL), scenarios.Source{Name: "broker.yaml"})
	if err != nil {
		return nil, err
	}
	r := run.New(run.Options{Plan: scenarios.NewPlan(scenario, target, 1)})
	var running sync.WaitGroup
	var outcome *run.Outcome
	var failed error
	return &role{
		start: func() {
			running.Go(func() { outcome, failed = r.Do(ctx) })
		},
		count: func() (int, uint64) {
			status := r.Status()
			return int(status.Connected), status.Delivered
		},
		end: func() (verdict, error) {
			if running.Wait(); failed != nil {
				return verdict{}, failed
			}
			return verdictOf(outcome), nil
		},
	}, nil
}

// verdict is what a run was judged to be.
type verdict struct {
	Passed        bool
	Reason        string // why it did not pass
	Owed, Arrived uint64 // deliveries
}

func verdictOf(o *run.Outcome) verdict {
	v := verdict{Passed: o.Run.Outcome == conformance.Pass, Owed: o.Run.Expected, Arrived: o.Run.Delivered}
	var reasons []string
	for _, each := range o.Verdicts {
		if each.Outcome != conformance.Pass {
			reasons = append(reasons, fmt.Sprintf("%s is %s: %s %s", each.ID, each.Outcome, each.Actual, each.Reason))
		}
	}
	v.Reason = strings.Join(reasons, "; ")
	return v
}
