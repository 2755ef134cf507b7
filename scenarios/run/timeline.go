package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// stage is one thing that the timeline does at one time.
type stage struct {
	at time.Duration
	do func(ctx context.Context)
}

// runTimeline carries out the plan's faults at their times and, when the run is cut short, lifts those that still last.
func (e *engine) runTimeline(ctx context.Context) {
	var onTarget sync.WaitGroup
	defer onTarget.Wait()
	for _, s := range e.stages(&onTarget) {
		if !e.clock.sleep(s.at, ctx.Done()) {
			break
		}
		s.do(ctx)
	}
	for _, step := range e.plan.Timeline {
		e.lift(step) // harmless where it was lifted already
	}
}

// stages orders the beginnings and ends of all faults, and the beginning of slow reading, by time.
func (e *engine) stages(onTarget *sync.WaitGroup) []stage {
	var stages []stage
	for _, step := range e.plan.Timeline {
		f, ok := fault.ByName(step.Fault)
		if !ok {
			continue // validation has refused it
		}
		if f.OnTarget != nil {
			stages = append(stages, stage{step.At, func(ctx context.Context) {
				crash.Go(onTarget, func() { e.faultOnTarget(ctx, f, step) })
			}})
			continue
		}
		stages = append(stages, stage{step.At, func(context.Context) { e.begin(f, step) }})
		if f.Lasting && step.For > 0 {
			stages = append(stages, stage{step.At + step.For, func(context.Context) { e.lift(step) }})
		}
	}
	if e.plan.Scenario.Load.Slow.Share > 0 {
		stages = append(stages, stage{e.slowFrom(), func(context.Context) { e.beginSlow() }})
	}
	slices.SortStableFunc(stages, func(a, b stage) int { return int(a.at - b.at) })
	return stages
}

func (e *engine) begin(f fault.Fault, step scenarios.PlannedStep) {
	e.status.fault.Store(&step.Fault)
	e.observe(&history.Observation{At: e.clock.now(), Kind: history.FaultBegin, Subscriber: -1, Step: step.Index, Text: step.Fault})
	for _, index := range step.Subscribers {
		s := e.subscriber(index)
		s.mark(history.Observation{Kind: history.FaultBegin, Step: step.Index, Text: step.Fault})
		f.Begin(&s.line, params(step, index))
		if step.Fault == slowReading {
			e.slow.add(s, step.Index)
		}
	}
}

func params(step scenarios.PlannedStep, subscriber int32) fault.Params {
	return fault.Params{
		Step: step.Index, For: step.For, Delay: step.Delay, Jitter: step.Jitter, Read: int64(step.Read), Least: scenarios.MinPayload / 2,
		Seed: step.Seed + uint64(subscriber),
	}
}

func (e *engine) lift(step scenarios.PlannedStep) {
	f, ok := fault.ByName(step.Fault)
	if !ok || f.End == nil || !e.lifted.add(step.Index) {
		return
	}
	for _, index := range step.Subscribers {
		s := e.subscriber(index)
		e.slow.remove(s, step.Index)
		f.End(&s.line, params(step, index))
		s.mark(history.Observation{Kind: history.FaultEnd, Step: step.Index, Text: step.Fault})
	}
	e.observe(&history.Observation{At: e.clock.now(), Kind: history.FaultEnd, Subscriber: -1, Step: step.Index, Text: step.Fault})
	none := ""
	e.status.fault.Store(&none)
}

// bite is told by a line that a fault took effect on it.
func (e *engine) bite(subscriber, step int32) {
	planned := slices.IndexFunc(e.plan.Timeline, func(s scenarios.PlannedStep) bool { return s.Index == step })
	if planned < 0 || e.plan.Timeline[planned].Fault == slowReading {
		return // what slow reading does to the target is measured where it is known what is owed
	}
	e.subscriber(subscriber).mark(history.Observation{Kind: history.FaultBite, Step: step, Text: e.plan.Timeline[planned].Fault})
}

func (e *engine) faultOnTarget(ctx context.Context, f fault.Fault, step scenarios.PlannedStep) {
	o := history.Observation{At: e.clock.now(), Kind: history.FaultBegin, Subscriber: -1, Step: step.Index, Text: step.Fault}
	e.status.fault.Store(&step.Fault)
	e.observe(&o)
	err := errors.New("the target cannot be controlled: its file has no admin commands")
	if control := e.control(step.Step); control != nil {
		e.away.Add(1)
		err = f.OnTarget(ctx, control, params(step, 0))
		e.away.Add(-1)
	}
	o.At = e.clock.now()
	if err != nil {
		e.log(fmt.Sprintf("fault %s at %v did not happen: %v", step.Fault, step.At, err))
	} else {
		o.Kind = history.FaultBite
		e.observe(&o)
	}
	o.Kind, o.Text = history.FaultEnd, step.Fault
	if err != nil {
		o.Data = err.Error()
	}
	e.observe(&o)
	none := ""
	e.status.fault.Store(&none)
}

// control is who carries out a step on the target, nil when nobody can.
func (e *engine) control(step scenarios.Step) fault.Target {
	if len(step.Command) > 0 {
		return fault.Command{OnRestart: step.Command, OnDrain: step.Command}
	}
	if e.subject.control == nil {
		return nil
	}
	return e.subject.control(step)
}

// steps is a set of timeline steps.
type steps struct {
	mu  sync.Mutex
	set map[int32]bool
}

// add says whether the step was new.
func (s *steps) add(step int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set[step] {
		return false
	}
	if s.set == nil {
		s.set = map[int32]bool{}
	}
	s.set[step] = true
	return true
}
