package main

import (
	"context"
	"os"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// meter measures what a run yields, what the target spends on it, and what else this machine does, over the steady phase.
type meter struct {
	ctx         context.Context   // without an end: that of a run is the search's to see
	target, own run.ProcessorTime // nil: it cannot be seen

	throughput   float64 // deliveries a second; 0: not measured
	cores        float64 // processors that the target kept busy; 0: not measured
	others, idle float64 // shares of the machine: what neither the target nor the harness used, and what nobody did; 0 and 1: not measured
}

func newMeter(ctx context.Context, t *scenarios.Target, seen bool) (*meter, error) {
	m := &meter{ctx: context.WithoutCancel(ctx), idle: 1}
	var err error
	if m.own, err = run.ObserveProcessor(&scenarios.Target{Observe: scenarios.Observe{PID: os.Getpid()}}); err != nil {
		return nil, err
	}
	if t != nil && seen {
		m.target, err = run.ObserveProcessor(t)
	}
	return m, err
}

// meterEvery is how exactly the beginning and the end of the steady phase are met.
const meterEvery = 10 * time.Millisecond

// watch looks on until the function that it returns is called; then the figures are there.
func (m *meter) watch(status func() run.Status) func() {
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer crash.Catch()
		m.look(status, over)
	}()
	return func() {
		close(over)
		<-done
	}
}

func (m *meter) look(status func() run.Status, over <-chan struct{}) {
	ticker := time.NewTicker(meterEvery)
	defer ticker.Stop()
	var began, latest *mark
	for {
		ended := false
		select {
		case <-over:
			ended = true
		case <-ticker.C:
		}
		now := &mark{at: time.Now()}
		s := status()
		now.delivered = s.Delivered
		switch {
		case s.Phase == "steady" && began == nil:
			m.ask(now)
			began = now
		case s.Phase == "steady":
			latest = now
		case began != nil && latest != nil:
			m.between(began, latest)
			return
		}
		if ended {
			return
		}
	}
}

// mark is a moment of a run.
type mark struct {
	at                      time.Time
	delivered               uint64
	target, own, busy, all  time.Duration
	seenTarget, seenMachine bool
}

// ask notes how much processor time has been spent by then.
func (m *meter) ask(k *mark) {
	var err error
	if m.target != nil {
		k.target, err = m.target(m.ctx)
		k.seenTarget = err == nil
	}
	if k.busy, k.all, err = conformance.MachineTime(); err == nil {
		k.own, err = m.own(m.ctx)
		k.seenMachine = err == nil
	}
}

func (m *meter) between(from, to *mark) {
	m.throughput = float64(to.delivered-from.delivered) / to.at.Sub(from.at).Seconds()
	end := &mark{at: time.Now()}
	m.ask(end)
	target := time.Duration(0)
	if from.seenTarget && end.seenTarget {
		target = end.target - from.target
		m.cores = target.Seconds() / end.at.Sub(from.at).Seconds()
	}
	if all := (end.all - from.all).Seconds(); from.seenMachine && end.seenMachine && all > 0 {
		busy := end.busy - from.busy
		m.idle = max(0, 1-busy.Seconds()/all)
		m.others = max(0, (busy-target-(end.own-from.own)).Seconds()/all)
	}
}
