package capacity_test

import (
	"math"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios/capacity"
)

func healthy() conformance.Health { return conformance.Health{OK: true} }

func saturated() conformance.Health { return conformance.Health{Problems: []string{"too few ports"}} }

// held is a harness that was late once, by some milliseconds.
func held(ms float64) conformance.Health { return conformance.Health{OK: true, LagMax: ms} }

func outcomes(verdicts []conformance.Verdict) map[string]conformance.Outcome {
	all := map[string]conformance.Outcome{}
	for _, v := range verdicts {
		all[v.ID] = v.Outcome
	}
	return all
}

func TestATargetThatTurnsSomeAwayDoesNotCarryTheLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		load   capacity.Load
		health conformance.Health
		want   map[string]conformance.Outcome
	}{
		"all taken": {
			capacity.Load{Subscribers: 10, Ready: 10, Acknowledged: 5}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Pass},
		},
		"a subscriber refused": {
			capacity.Load{Subscribers: 10, Ready: 9, Acknowledged: 5}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Fail, "load.published": conformance.Pass},
		},
		"a message refused": {
			capacity.Load{Subscribers: 10, Ready: 10, Acknowledged: 5, Rejected: 1}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Fail},
		},
		"a message not answered": {
			capacity.Load{Subscribers: 10, Ready: 10, Indeterminate: 1}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Fail},
		},
		"a message not sent": {
			capacity.Load{Subscribers: 10, Ready: 10, Unsent: 1}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Fail},
		},
		"the harness was it": {
			capacity.Load{Subscribers: 10, Ready: 9, Acknowledged: 5, Rejected: 1}, saturated(),
			map[string]conformance.Outcome{"load.connected": conformance.Unknown, "load.published": conformance.Unknown},
		},
		"the scenario restarts the target": {
			capacity.Load{Subscribers: 10, Ready: 10, Acknowledged: 5, Rejected: 1, Disturbed: true}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Pass},
		},
		"refused what was sent in a bunch": {
			capacity.Load{Subscribers: 10, Ready: 10, Acknowledged: 5, Rejected: 20, Rate: 100}, held(100),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Unknown},
		},
		"refused more than that": {
			capacity.Load{Subscribers: 10, Ready: 10, Acknowledged: 5, Rejected: 21, Rate: 100}, held(100),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Fail},
		},
		"a bunch without an answer": {
			capacity.Load{Subscribers: 10, Ready: 10, Acknowledged: 5, Rejected: 1, Indeterminate: 1, Rate: 100}, held(100),
			map[string]conformance.Outcome{"load.connected": conformance.Pass, "load.published": conformance.Fail},
		},
		"nothing is published": {
			capacity.Load{Subscribers: 10, Ready: 10}, healthy(),
			map[string]conformance.Outcome{"load.connected": conformance.Pass},
		},
	} {
		got := outcomes(c.load.Verdicts(c.health))
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		for id, want := range c.want {
			if got[id] != want {
				t.Errorf("%s: %s is %s, want %s", name, id, got[id], want)
			}
		}
	}
}

func TestOnlyAMeasureMayBeMissedByChance(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"delivery.complete": true, "delivery.alive": true, "load.connected": true, "load.published": true, "connect.failed": true,
		"sessions.live": true, "greeting": true, "latency.p99": false, "latency.max": false, "connect.p99": false, "connect.max": false,
		"memory.max": false, "reconnect.peak": false, "fan_out.spread_p99": false, "heartbeat.every": false,
	} {
		if got := capacity.IsFinal(&conformance.Verdict{ID: id, Actual: "1.2s"}); got != want {
			t.Errorf("%s is final: %v", id, got)
		}
	}
	if !capacity.IsFinal(&conformance.Verdict{ID: "latency.p99", Actual: "∞ (3 of 100 never came)"}) {
		t.Error("what never came is noise")
	}
}

func verdict(id string, o conformance.Outcome, actual string) conformance.Verdict {
	return conformance.Verdict{ID: id, Outcome: o, Expected: "at most 1s", Actual: actual}
}

func TestAStepNamesTheGuaranteeBeforeTheBudget(t *testing.T) {
	t.Parallel()
	step := capacity.NewStep(conformance.ScenarioRun{Health: healthy()}, []conformance.Verdict{
		verdict("latency.p99", conformance.Fail, "2s"), verdict("delivery.complete", conformance.Fail, "1 lost"),
		verdict("connect.p99", conformance.Fail, "2s"),
	}, nil, false)
	if step.Outcome != conformance.Fail || !step.Final || step.Broken.ID != "delivery.complete" || len(step.Failed) != 3 {
		t.Errorf("%+v", step)
	}
}

func TestAStepSaysWhyNothingCouldBeSaid(t *testing.T) {
	t.Parallel()
	unknown := func(reason string) conformance.Verdict {
		return conformance.Verdict{ID: "latency.p99", Outcome: conformance.Unknown, Reason: reason}
	}
	for name, c := range map[string]struct {
		run      conformance.ScenarioRun
		verdicts []conformance.Verdict
		strict   bool
		outcome  conformance.Outcome
		reason   string
		harness  bool
	}{
		"held up": {
			conformance.ScenarioRun{Health: healthy()},
			[]conformance.Verdict{verdict("x", conformance.Pass, ""), unknown("the excess is no more than the harness itself was held up")},
			false, conformance.Unknown, "latency.p99: the excess is no more than the harness itself was held up", true,
		},
		"saturated": {
			conformance.ScenarioRun{Health: saturated()}, []conformance.Verdict{unknown("no samples")}, false,
			conformance.Unknown, "latency.p99: no samples", true,
		},
		"gone": {
			conformance.ScenarioRun{Health: healthy(), Reason: "connection refused"}, []conformance.Verdict{unknown("connection refused")}, false,
			conformance.Unknown, "connection refused", false,
		},
		"nothing": {conformance.ScenarioRun{Health: healthy()}, nil, false, conformance.Unknown, "nothing was judged", false},
		"warned":  {conformance.ScenarioRun{Health: healthy()}, []conformance.Verdict{verdict("x", conformance.Warn, "")}, false, conformance.Warn, "", false},
		"strict":  {conformance.ScenarioRun{Health: healthy()}, []conformance.Verdict{verdict("x", conformance.Warn, "")}, true, conformance.Fail, "", false},
	} {
		step := capacity.NewStep(c.run, c.verdicts, nil, c.strict)
		if step.Outcome != c.outcome || step.Reason != c.reason || step.Harness != c.harness {
			t.Errorf("%s: %s, %q, %v", name, step.Outcome, step.Reason, step.Harness)
		}
	}
}

func TestAPercentileAmongTheMissingIsInfinite(t *testing.T) {
	t.Parallel()
	step := capacity.NewStep(conformance.ScenarioRun{}, nil, []conformance.Measure{
		{Name: "latency", Samples: 90, Missing: 10, Quantile: map[string]float64{"p50": 3}},
	}, false)
	if *step.LatencyP50 != 3 || !math.IsInf(float64(*step.LatencyP99), 1) {
		t.Errorf("%v %v", *step.LatencyP50, *step.LatencyP99)
	}
	if step := capacity.NewStep(conformance.ScenarioRun{}, nil, []conformance.Measure{{Name: "latency"}}, false); step.LatencyP99 != nil {
		t.Errorf("p99 of nothing is %v", *step.LatencyP99)
	}
}

func TestATargetOnABusyMachineIsNotAccused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failed       []string
		others, idle float64
		slow         bool
		want         conformance.Outcome
	}{
		"starved":          {[]string{"latency.p99", "delivery.complete"}, 0.7, 0.02, false, conformance.Unknown},
		"refused, starved": {[]string{"load.published"}, 0.7, 0.02, false, conformance.Unknown},
		"turned away":      {[]string{"load.connected"}, 0.7, 0.02, false, conformance.Fail},
		"slow to connect":  {[]string{"load.connected"}, 0.7, 0.02, true, conformance.Unknown},
		"wrong":            {[]string{"latency.p99", "delivery.unique"}, 0.7, 0.02, false, conformance.Fail},
		"at its own limit": {[]string{"latency.p99"}, 0.05, 0, false, conformance.Fail},
		"room was left":    {[]string{"latency.p99"}, 0.5, 0.2, false, conformance.Fail},
		"not measured":     {[]string{"latency.p99"}, 0, 1, false, conformance.Fail},
	} {
		var verdicts []conformance.Verdict
		for _, id := range c.failed {
			verdicts = append(verdicts, verdict(id, conformance.Fail, "2s"))
		}
		step := capacity.NewStep(conformance.ScenarioRun{Health: healthy()}, verdicts, nil, false)
		capacity.Excuse(&step, c.others, c.idle, c.slow)
		if step.Outcome != c.want || step.Harness != (c.want == conformance.Unknown) || (step.Broken == nil) != step.Harness {
			t.Errorf("%s: %+v", name, step)
		}
	}
	held := capacity.NewStep(conformance.ScenarioRun{}, []conformance.Verdict{verdict("latency.p99", conformance.Pass, "1ms")}, nil, false)
	if capacity.Excuse(&held, 0.9, 0, true); held.Outcome != conformance.Pass {
		t.Errorf("a run that held is %s", held.Outcome)
	}
}
