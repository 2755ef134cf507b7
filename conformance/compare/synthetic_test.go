package compare_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/compare"
)

// target is one that delivers late, in a noisy machine: the level of its seconds wanders, and pauses hit everything in some of them.
type target struct {
	p50, p99 float64 // ms, of a quiet second
	wander   float64 // spread of a second's level
	memory   float64 // correlation of neighbouring seconds
	pauses   float64 // share of seconds with one
	between  float64 // spread of a run's level
	lost     uint64
}

var busy = target{p50: 50, p99: 62, wander: 0.03, memory: 0.5, pauses: 0.1, between: 0.01}

// run is a result of so many seconds with some hundred deliveries each.
func (tg target) run(seed uint64, seconds int) compare.Run {
	rnd := rand.New(rand.NewPCG(seed, 99))
	level := math.Exp(tg.between * rnd.NormFloat64())
	const perSecond = 300
	var all []float64
	values := map[string][]conformance.Sample{}
	common := rnd.NormFloat64()
	for range seconds {
		common = tg.memory*common + math.Sqrt(1-tg.memory*tg.memory)*rnd.NormFloat64()
		second := level * math.Exp(tg.wander*common)
		sigma := math.Log(tg.p99/tg.p50) / 2.326
		latencies := make([]float64, perSecond)
		pause := 0.0
		if rnd.Float64() < tg.pauses {
			pause = 20 + 150*rnd.Float64()
		}
		for i := range latencies {
			latencies[i] = tg.p50 * second * math.Exp(sigma*rnd.NormFloat64())
			if due := float64(i) * 1000 / perSecond; due < pause { // what was due in the pause comes at its end
				latencies[i] = max(latencies[i], pause-due+tg.p50)
			}
		}
		all = append(all, latencies...)
		slices.Sort(latencies)
		values["latency.p50"] = append(values["latency.p50"], conformance.Sample(latencies[perSecond/2-1]))
		values["latency.p99"] = append(values["latency.p99"], conformance.Sample(latencies[perSecond*99/100-1]))
		values["latency.max"] = append(values["latency.max"], conformance.Sample(latencies[perSecond-1]))
		values["deliveries"] = append(values["deliveries"], perSecond)
	}
	slices.Sort(all)
	n := len(all)
	outcome, actual := conformance.Pass, "0 lost"
	if tg.lost > 0 {
		outcome, actual = conformance.Fail, fmt.Sprintf("%d lost", tg.lost)
	}
	r := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindRun, Outcome: outcome, Seed: 7, Tool: "streamgauge 1",
		Subject: conformance.Subject{Name: "gateway", Kind: "target", Protocol: "sse"}, Started: time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC),
		Verdicts: []conformance.Verdict{
			{ID: "delivery.complete", Scenario: "steady", Outcome: outcome, Actual: actual, Checked: uint64(n)},
			{ID: "latency.p99", Scenario: "steady", Outcome: conformance.Pass, Actual: "fine", Checked: uint64(n)},
		},
		Measures: []conformance.Measure{{
			Name: "latency", Scenario: "steady", Unit: "ms", Samples: uint64(n), Missing: tg.lost,
			Quantile: map[string]float64{"p50": all[n/2-1], "p99": all[n*99/100-1]},
		}},
		Runs: []conformance.ScenarioRun{{
			Scenario: "steady", Outcome: outcome, Plan: "a1b2", Subscribers: 100, Streams: 4, Expected: uint64(n) + tg.lost, Delivered: uint64(n),
			Health: conformance.Health{OK: true, LagP50: 0.1, LagP99: 0.5},
		}},
	}
	for _, name := range []string{"latency.p50", "latency.p99", "latency.max", "deliveries"} {
		r.Runs[0].Series = append(r.Runs[0].Series, conformance.Series{Name: name, Unit: "ms", Values: values[name]})
	}
	return compare.Run{Name: fmt.Sprintf("run-%d", seed), Result: r, Machine: compare.Machine{OS: "linux", Arch: "amd64", CPUs: 2}}
}
