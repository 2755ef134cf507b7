package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/capacity"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// try is one step of the search: a run like any other, on a target that is new when it is ours.
func (s *capacitySearch) try(ctx context.Context, t capacity.Trial) (conformance.CapacityStep, error) {
	scenario, err := s.load(t.Value)
	if err != nil {
		return conformance.CapacityStep{}, inputError(err)
	}
	number, seed := len(s.runs)+1, s.seed+uint64(t.Number-1)
	s.say("run %d of about %s: %s (%s)", number, s.estimate, s.setting(t.Value), t.Phase)
	target, end, err := s.serve(ctx, scenario)
	if err != nil {
		return conformance.CapacityStep{}, err
	}
	defer end()
	m, err := newMeter(ctx, target, s.observed() != "")
	if err != nil {
		return conformance.CapacityStep{}, err
	}
	s.watch = m.watch
	if err := run.Fits(scenario, target); err != nil {
		noRoom, ok := errors.AsType[*run.NoRoomError](err)
		if !ok {
			return conformance.CapacityStep{}, err
		}
		return s.keep(number, stepRun{value: t.Value, step: conformance.CapacityStep{Seed: seed, Harness: true, Reason: noRoom.Error(), Subscribers: scenario.Load.Subscribers}}), nil
	}
	plan := scenarios.NewPlan(scenario, target, seed)
	outcome, err := s.session.scenario(ctx, plan)
	if err != nil {
		return conformance.CapacityStep{}, err
	}
	s.subject = s.described(outcome)
	verdicts := selected(outcome.Verdicts, s.only)
	if !outcome.Interrupted && !outcome.Died() { // what a dead target did not take says nothing more
		verdicts = append(loadVerdicts(outcome, plan), verdicts...)
	}
	step := capacity.NewStep(outcome.Run, verdicts, outcome.Measures, s.strict)
	step.Seed = seed
	if outcome.Interrupted && !step.Final {
		step.Outcome, step.Reason = conformance.Unknown, "the run was interrupted"
	}
	step.Throughput, step.CPU = m.throughput, m.cores
	if s.shared() {
		capacity.Excuse(&step, m.others, m.idle, slowToConnect(outcome))
	}
	if s.observed() != "" {
		step.MemoryBytes = steadyMemory(outcome)
	}
	if step.File, err = s.store(number, t.Value, seed, outcome, verdicts); err != nil {
		return conformance.CapacityStep{}, err
	}
	step = s.keep(number, stepRun{t.Value, step, verdicts, outcome.Measures, outcome.Run.Health})
	if s.target != nil && s.seen.Died != "" {
		return step, capacity.ErrOver // nobody starts it again
	}
	return step, nil
}

// serve is the target of one run, and what ends it.
func (s *capacitySearch) serve(ctx context.Context, scenario *scenarios.Scenario) (*scenarios.Target, func(), error) {
	if s.target != nil || s.inside != "" {
		return s.target, func() {}, nil
	}
	flags, err := serveFlags(scenario, s.broker)
	if err != nil {
		return nil, nil, inputError(err)
	}
	b, err := startOwnBroker(ctx, flags)
	if err != nil {
		return nil, nil, err
	}
	return b.target, b.close, nil
}

// described names the reference broker as itself: where it was served changes from run to run.
func (s *capacitySearch) described(o *run.Outcome) conformance.Subject {
	if s.target == nil && s.inside == "" {
		return conformance.Subject{Name: "reference broker", Kind: "reference", Protocol: o.Subject.Protocol, Version: o.Subject.Version}
	}
	return o.Subject
}

// loadVerdicts say whether the target took the load; none for a run that did not begin.
func loadVerdicts(o *run.Outcome, plan *scenarios.Plan) []conformance.Verdict {
	if o.Tally == nil {
		return nil
	}
	l := capacity.Load{
		Subscribers: o.Tally.Planned, Ready: o.Tally.Ready, Acknowledged: o.Tally.Published, Rejected: o.Tally.Rejected,
		Indeterminate: o.Tally.Indeterminate, Rate: plan.Scenario.Load.Publish.Rate,
	}
	for i := range o.Measures {
		if o.Measures[i].Name == "publish.unsent" {
			l.Unsent = o.Measures[i].Samples
		}
	}
	for _, step := range plan.Timeline {
		l.Disturbed = l.Disturbed || step.OnTarget()
	}
	verdicts := l.Verdicts(o.Run.Health)
	for i := range verdicts {
		verdicts[i].Scenario = plan.Scenario.Name
	}
	return verdicts
}

// slowToConnect says that some connection took so long that others may not have been made for want of time.
func slowToConnect(o *run.Outcome) bool {
	for i := range o.Measures {
		if m := &o.Measures[i]; m.Name == "connect" {
			return time.Duration(m.Max*float64(time.Millisecond)) > time.Duration(o.Run.Duration)/5
		}
	}
	return true
}

// steadyMemory is the median of what the target held in the steady phase; where that was too short to look, the last of the run.
func steadyMemory(o *run.Outcome) uint64 {
	if o.Tally == nil {
		return 0
	}
	var steady []float64
	last := 0.0
	for _, sample := range o.Tally.Memory {
		last = float64(sample.Bytes)
		if sample.At >= o.Tally.SteadyAt && (o.Tally.SettleAt == 0 || sample.At <= o.Tally.SettleAt) {
			steady = append(steady, last)
		}
	}
	if len(steady) == 0 {
		return uint64(last)
	}
	return uint64(capacity.Median(steady))
}

// store writes the whole result of a run into the directory, if there is one, where `streamgauge report` reads it.
func (s *capacitySearch) store(number int, value float64, seed uint64, o *run.Outcome, verdicts []conformance.Verdict) (string, error) {
	if s.dir == nil {
		return "", nil
	}
	again := s.again(value, seed)
	outcome := o.Run
	outcome.Outcome = conformance.Overall(verdicts, s.strict)
	r := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindRun, Outcome: outcome.Outcome, Subject: s.subject, Seed: seed,
		Started: o.Started, Duration: conformance.Duration(o.Duration), Verdicts: verdicts, Measures: o.Measures,
		Health: outcome.Health, Runs: []conformance.ScenarioRun{outcome}, Command: again[len(again)-1], Tool: "streamgauge " + buildVersion(),
	}
	name := fmt.Sprintf("run-%02d.json", number)
	return name, s.dir.WriteFile(name, func(w io.Writer) error { return reports.JSON(w, s.shown(r), reports.Options{}) })
}

// keep notes a run and says what came out.
func (s *capacitySearch) keep(number int, r stepRun) conformance.CapacityStep {
	s.runs = append(s.runs, r)
	text := r.step.Outcome.String()
	switch {
	case r.step.Broken != nil:
		text += fmt.Sprintf(", %s: expected %s, got %s", r.step.Broken.ID, r.step.Broken.Expected, r.step.Broken.Actual)
	case r.step.Reason != "":
		text += ", " + r.step.Reason
	}
	if r.step.Throughput > 0 {
		text += fmt.Sprintf("; %s deliveries/s", reports.Count(uint64(r.step.Throughput)))
	}
	s.say("run %d: %s: %s", number, s.setting(r.value), text)
	return r.step
}
