package capacity_test

import (
	"math"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios/capacity"
)

func TestHeadroomIsThatOfTheClosestRun(t *testing.T) {
	t.Parallel()
	got := capacity.Headroom([]conformance.Verdict{
		{ID: "latency.p99", Expected: "at most 1s", Actual: "250ms"}, {ID: "latency.p99", Expected: "at most 1s", Actual: "400ms"},
		{ID: "memory.max", Expected: "at most 128 MiB", Actual: "96 MiB"}, {ID: "reconnect.peak", Expected: "at most 25%/s", Actual: "5%/s (1 of 20 from 3 s on)"},
		{ID: "connect.failed", Expected: "at most 0", Actual: "0"}, {ID: "delivery.complete", Expected: "no violation", Actual: "none in 3 deliveries"},
		{ID: "latency.p50", Expected: "at most 1s", Actual: "no samples"},
	})
	want := []struct {
		id   string
		left float64
	}{{"memory.max", 0.25}, {"latency.p99", 0.6}, {"reconnect.peak", 0.8}}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i, w := range want {
		if got[i].ID != w.id || math.Abs(got[i].Left-w.left) > 1e-9 {
			t.Errorf("%+v, want %s %g", got[i], w.id, w.left)
		}
	}
}

func step(value float64, o conformance.Outcome, memory uint64) conformance.CapacityStep {
	return conformance.CapacityStep{Value: value, Outcome: o, MemoryBytes: memory, CPU: 0.1 + value/1000, Throughput: 4 * value, HarnessCPU: 0.25}
}

func TestCostsRestOnRunsThatWereTakenWhole(t *testing.T) {
	t.Parallel()
	refused := step(800, conformance.Fail, 1<<40)
	refused.Final = true
	c := &conformance.Capacity{Key: "load.subscribers", Steps: []conformance.CapacityStep{
		step(100, conformance.Pass, 40e6), step(200, conformance.Pass, 41e6), step(400, conformance.Fail, 43e6), refused,
		step(300, conformance.Unknown, 1<<40), step(300, conformance.Pass, 42e6),
	}}
	costs := capacity.Costs(c, false)
	if len(costs) != 2 || costs[0].Of != "memory" || costs[1].Of != "cpu" || costs[0].Per != "subscriber" {
		t.Fatalf("%+v", costs)
	}
	if m := costs[0]; math.Abs(m.Slope-1e4) > 1 || math.Abs(m.Base-39e6) > 1 || m.Points != 4 {
		t.Errorf("%+v", m)
	}
	if p := costs[1]; math.Abs(p.Slope-0.001) > 1e-9 || math.Abs(p.Base-0.1) > 1e-9 {
		t.Errorf("%+v", p)
	}
}

// A process that lives on keeps the memory of its highest load for a while.
func TestMemoryThatWasNotGivenBackIsNoCost(t *testing.T) {
	t.Parallel()
	c := &conformance.Capacity{Steps: []conformance.CapacityStep{
		step(100, conformance.Pass, 40e6), step(200, conformance.Pass, 41e6), step(400, conformance.Pass, 43e6), step(300, conformance.Pass, 43e6),
		step(100, conformance.Pass, 43e6),
	}}
	if m := capacity.Costs(c, true)[0]; math.Abs(m.Slope-1e4) > 1 || m.Points != 3 {
		t.Errorf("%+v", m)
	}
}

func TestALoadThatWasTurnedAwayIsNoScaling(t *testing.T) {
	t.Parallel()
	c := &conformance.Capacity{}
	for _, value := range []float64{100, 160, 256, 410} {
		c.Steps = append(c.Steps, step(value, conformance.Pass, 0))
	}
	refused := step(656, conformance.Fail, 0)
	refused.Throughput, refused.Failed, refused.Final = 1640, []string{"load.connected"}, true
	c.Steps = append(c.Steps, refused)
	s := capacity.Scaling(c)
	if s == nil || s.Points != 4 || s.Saturating || math.Abs(s.Lambda-4) > 1e-6 {
		t.Errorf("%+v", s)
	}
	c.Steps[4].Failed = []string{"latency.p99"}
	if s := capacity.Scaling(c); s == nil || s.Points != 5 {
		t.Errorf("%+v", s)
	}
	if s := capacity.Scaling(&conformance.Capacity{}); s != nil {
		t.Errorf("a law of nothing: %+v", s)
	}
}

func found() *conformance.Capacity {
	return &conformance.Capacity{
		Key: "load.subscribers", Reserve: 0.3, Line: 100, Low: 90, High: 105, Limit: conformance.LimitTarget,
		Steps: []conformance.CapacityStep{step(100, conformance.Pass, 0)},
		Costs: []conformance.CapacityCost{{
			Of: "memory", Unit: "bytes", Base: 10, BaseLow: 8, BaseHigh: 12, Slope: 2, SlopeLow: 1, SlopeHigh: 3,
		}},
	}
}

func TestTheExtrapolationCarriesItsBounds(t *testing.T) {
	t.Parallel()
	rows, assumptions := capacity.Extrapolate(found(), capacity.Setting{PayloadBytes: 256, Processors: 2, Shared: true})
	if len(rows) != 3 {
		t.Fatalf("%+v", rows)
	}
	r := rows[0] // 1,000 subscribers at 70, 63 and 73.5 a node
	if r.Factor != 10 || r.Value != 1000 || r.Nodes != 15 || r.NodesHigh != 16 || r.NodesLow != 14 {
		t.Errorf("%+v", r)
	}
	if r.Memory != 15*10+2000 || r.MemoryLow != 14*8+1000 || r.MemoryHigh != 16*12+3000 {
		t.Errorf("memory %g, %g to %g", r.Memory, r.MemoryLow, r.MemoryHigh)
	}
	if r.DeliveriesPerS != 4000 || r.BandwidthPerS != 4000*256 || r.CPU != 0 {
		t.Errorf("%+v", r)
	}
	text := strings.Join(assumptions, "\n")
	for _, want := range []string{"30% kept free", "not measured", "payloads", "25% of them"} {
		if !strings.Contains(text, want) {
			t.Errorf("no assumption says %q:\n%s", want, text)
		}
	}
}

func TestALowerBoundIsNoUpperOne(t *testing.T) {
	t.Parallel()
	c := found()
	c.Limit = conformance.LimitHarness
	rows, assumptions := capacity.Extrapolate(c, capacity.Setting{})
	if rows[0].NodesLow != 0 || !strings.Contains(strings.Join(assumptions, "\n"), "lower bound") {
		t.Errorf("%+v %q", rows[0], assumptions)
	}
	c.Line = 0
	if rows, assumptions := capacity.Extrapolate(c, capacity.Setting{}); rows != nil || assumptions != nil {
		t.Errorf("an extrapolation of no line: %+v %q", rows, assumptions)
	}
}

func TestTheVerdictIsOfWhatWasAsked(t *testing.T) {
	t.Parallel()
	held := func(value float64, times int) (steps []conformance.CapacityStep) {
		for range times {
			steps = append(steps, step(value, conformance.Pass, 0))
		}
		return steps
	}
	broken := conformance.CapacityStep{Value: 150, Outcome: conformance.Fail, Final: true}
	for name, c := range map[string]struct {
		c    conformance.Capacity
		want conformance.Outcome
		said string
	}{
		"found": {conformance.Capacity{Line: 100, Low: 90, High: 105, Limit: conformance.LimitTarget}, conformance.Pass, "100 subscribers (90 to 105)"},
		"found, low unknown": {
			conformance.Capacity{From: 80, Line: 100, High: 105, Limit: conformance.LimitTarget}, conformance.Pass, "100 subscribers (below 80 to 105)",
		},
		"not even the least": {conformance.Capacity{From: 50, High: 50, Limit: conformance.LimitTarget}, conformance.Fail, "not even 50 subscribers"},
		"the harness":        {conformance.Capacity{Line: 1000, High: 2000, Limit: conformance.LimitHarness}, conformance.Unknown, "at least 1,000 subscribers"},
		"the range":          {conformance.Capacity{Line: 1000, Limit: conformance.LimitRange}, conformance.Unknown, "at least 1,000 subscribers"},
		"nothing":            {conformance.Capacity{Limit: conformance.LimitInterrupted}, conformance.Unknown, "not known"},
		"asked and reached":  {conformance.Capacity{AtLeast: 100, Line: 100, High: 105, Limit: conformance.LimitTarget, Repeat: 3, Steps: held(100, 2)}, conformance.Pass, "(below 0 to 105)"},
		"asked, reached by the end of the range": {
			conformance.Capacity{AtLeast: 100, Line: 100, Limit: conformance.LimitRange, Repeat: 3, Steps: held(100, 3)}, conformance.Pass, "at least 100",
		},
		"asked, reached once": {
			conformance.Capacity{AtLeast: 100, Line: 100, Limit: conformance.LimitInterrupted, Repeat: 3, Steps: held(100, 1)}, conformance.Unknown, "at least 100",
		},
		"asked and missed": {conformance.Capacity{AtLeast: 200, Line: 100, High: 105, Limit: conformance.LimitTarget}, conformance.Fail, "100"},
		"asked, and the harness was it": {
			conformance.Capacity{AtLeast: 200, Line: 100, High: 160, Limit: conformance.LimitHarness}, conformance.Unknown, "at least 100",
		},
		"asked, broken and interrupted": {
			conformance.Capacity{AtLeast: 200, Line: 100, High: 150, Limit: conformance.LimitInterrupted, Steps: []conformance.CapacityStep{broken}},
			conformance.Fail, "at least 100",
		},
	} {
		c.c.Key = "load.subscribers"
		v := capacity.Verdict(&c.c)
		if v.Outcome != c.want || !strings.Contains(v.Actual, c.said) {
			t.Errorf("%s: %s, %q", name, v.Outcome, v.Actual)
		}
	}
}
