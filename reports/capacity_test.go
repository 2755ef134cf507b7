package reports

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// searched is what a search for a line of subscribers found, with a run spoilt by noise on its way.
func searched() *conformance.Result {
	r := base(conformance.Pass)
	r.Kind, r.Command = conformance.KindCapacity, "streamgauge capacity fan-out --vary load.subscribers --from 500 --to 20000 --seed 7"
	c := &conformance.Capacity{
		Scenario: "fan-out", Key: "load.subscribers", From: 500, To: 20000, Precision: 0.05, Repeat: 3, Reserve: 0.3,
		Line: 1250, Low: 1250, High: 1300, Limit: conformance.LimitTarget, Reason: "beyond it a guarantee fails", Observed: "process 4711",
		Headroom: []conformance.CapacityHeadroom{{ID: "latency.p99", Expected: "at most 250ms", Actual: "212ms", Left: 0.152}},
		Costs: []conformance.CapacityCost{
			{Of: "memory", Unit: "bytes", Per: "subscriber", Base: 40e6, BaseLow: 39e6, BaseHigh: 41e6, Slope: 5200, SlopeLow: 5100, SlopeHigh: 5300, R2: 0.998, Points: 6},
			{Of: "cpu", Unit: "cores", Per: "subscriber", Base: 0.01, BaseLow: -0.005, BaseHigh: 0.025, Slope: 0.0004, SlopeLow: 0.00035, SlopeHigh: 0.00045, R2: 0.97, Points: 6},
		},
		Scaling: &conformance.CapacityScaling{
			Lambda: 4.2, Sigma: 0.0001, SigmaLow: 0.00005, SigmaHigh: 0.0002, Kappa: 2e-8, KappaLow: 1e-8, KappaHigh: 3e-8, Peak: 7070, PeakX: 9500,
			R2: 0.99, Points: 7, Saturating: true,
		},
		Extrapolation: []conformance.CapacityExtrapolation{
			{
				Factor: 10, Value: 12500, NodesLow: 14, Nodes: 15, NodesHigh: 15, MemoryLow: 6.1e8, Memory: 6.65e8, MemoryHigh: 6.8e8,
				CPULow: 4.3, CPU: 5.15, CPUHigh: 6, DeliveriesPerS: 50000, BandwidthPerS: 12.8e6,
			},
			{Factor: 100, Value: 125000, Nodes: 143, NodesHigh: 150, DeliveriesPerS: 500000, BandwidthPerS: 128e6},
		},
		Assumptions: []string{"Nodes share the load evenly and nothing else."},
	}
	sample := func(v float64) *conformance.Sample { s := conformance.Sample(v); return &s }
	add := func(value float64, trial int, o conformance.Outcome, broken *conformance.Verdict, final bool) {
		s := conformance.CapacityStep{
			Value: value, Trial: trial, Phase: "raise", Seed: 7, Outcome: o, Broken: broken, Final: final, Subscribers: int(value), Throughput: 4 * value,
			LatencyP50: sample(3), LatencyP99: sample(value / 6), MemoryBytes: 40e6 + uint64(5200*value), CPU: 0.0004 * value,
			HarnessCPU: 0.2, Duration: conformance.Duration(20 * time.Second),
		}
		if broken != nil {
			s.Failed = []string{broken.ID}
		}
		if final {
			s.LatencyP99 = sample(math.Inf(1))
		}
		c.Steps = append(c.Steps, s)
	}
	lost := guarantee("fan-out", "complete", "Every acknowledged message arrives.")
	lost.Outcome, lost.Actual, lost.Next = conformance.Fail, "3 lost", "Look at the first lost message's evidence."
	lost.Findings = []conformance.Finding{{Name: "lost", Count: 3, Text: "message 17 never arrived", Subscriber: "4", Evidence: []string{"nothing came after it"}}}
	c.Beyond = &lost
	late := budget("fan-out", "latency.p99", "at most 250ms", "301ms", 1000)
	late.Outcome = conformance.Fail
	add(500, 1, conformance.Pass, nil, false)
	add(800, 1, conformance.Fail, &late, false)
	add(800, 2, conformance.Pass, nil, false)
	add(800, 3, conformance.Pass, nil, false)
	add(1250, 1, conformance.Pass, nil, false)
	add(1250, 2, conformance.Pass, nil, false)
	add(1250, 3, conformance.Pass, nil, false)
	add(1300, 1, conformance.Fail, &lost, true)
	c.Steps = append(c.Steps, conformance.CapacityStep{Value: 2000, Trial: 1, Phase: "raise", Harness: true, Reason: "this run needs 30000 open files"})
	r.Capacity = c
	r.Verdicts = []conformance.Verdict{{
		ID: "capacity.line", Scenario: "fan-out", Title: "The most of load.subscribers that is carried while every expectation holds.", Level: conformance.Must,
		Outcome: conformance.Pass, Checked: 9, Expected: "a line from 500 subscribers to 20,000 subscribers", Actual: c.Answer(),
	}}
	return r
}

func TestASearchLooksAsAgreed(t *testing.T) {
	t.Parallel()
	for _, f := range Formats {
		if f.Name == "html" {
			continue // it has a sample of its own
		}
		golden(t, "capacity"+f.Extension, []byte(render(t, f, searched(), Options{Width: 100})))
	}
}

func TestASearchIsOneTestOfJUnit(t *testing.T) {
	t.Parallel()
	if text := render(t, formatNamed(t, "junit"), searched(), Options{}); strings.Count(text, "<testcase ") != 1 {
		t.Errorf("not one test case:\n%s", text)
	}
}

func TestASearchIsReadBackAsItWasStored(t *testing.T) {
	t.Parallel()
	first := render(t, formatNamed(t, "json"), searched(), Options{})
	var r conformance.Result
	if err := json.Unmarshal([]byte(first), &r); err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(float64(*r.Capacity.Steps[7].LatencyP99), 1) {
		t.Errorf("p99 with losses is %v", *r.Capacity.Steps[7].LatencyP99)
	}
	if again := render(t, formatNamed(t, "json"), &r, Options{}); again != first {
		t.Error("stored again it differs")
	}
}

func TestNoTextOfASearchMovesTheCursor(t *testing.T) {
	t.Parallel()
	r := searched()
	r.Capacity.Reason, r.Capacity.Limit = "the target said \x1b[2J", conformance.LimitUnknown
	r.Capacity.Beyond.Actual, r.Capacity.Steps[8].Reason = "\x1b[1m", "\x07"
	for _, f := range Formats {
		if text := render(t, f, r, Options{}); strings.ContainsAny(text, "\x1b\x07") {
			t.Errorf("%s holds a control character", f.Name)
		}
	}
	if r.Capacity.Beyond.Actual != "\x1b[1m" {
		t.Error("rendering changed the result")
	}
}

func TestTheSummaryOfASearchSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	beyond := &conformance.Verdict{ID: "latency.p99", Expected: "at most 1s", Actual: "2s"}
	for want, c := range map[string]conformance.Capacity{
		"The target carries 100/s (90/s to 105/s); at 105/s latency.p99 breaks: expected at most 1s, got 2s.": {
			Line: 100, Low: 90, High: 105, Limit: conformance.LimitTarget, Beyond: beyond,
		},
		"The target carries at least 100/s; the harness itself was the limit: no files.": {
			Line: 100, High: 160, Limit: conformance.LimitHarness, Reason: "the harness itself was the limit: no files",
		},
		"The target does not carry 10/s, the least that was tried; at 10/s latency.p99 breaks: expected at most 1s, got 2s.": {
			From: 10, High: 10, Limit: conformance.LimitTarget, Beyond: beyond,
		},
		"How much the target carries is not known; beyond it nothing could be judged: is it running.": {
			High: 10, Limit: conformance.LimitUnknown, Reason: "beyond it nothing could be judged: is it running?",
		},
		"How much the target carries is not known; the search was interrupted.": {
			Limit: conformance.LimitInterrupted, Reason: "the search was interrupted",
		},
	} {
		c.Key, c.Unit = "load.publish.rate", "/s"
		if got := capacitySummary(&c); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestTheRunsAtAValueAmountToWhatTheSearchTookThemFor(t *testing.T) {
	t.Parallel()
	want := map[float64]conformance.Outcome{
		500: conformance.Pass, 800: conformance.Pass, 1250: conformance.Pass, 1300: conformance.Fail, 2000: conformance.Unknown,
	}
	for _, row := range capacityRows(searched().Capacity) {
		if row.outcome != want[row.value] {
			t.Errorf("%g is %s, want %s", row.value, row.outcome, want[row.value])
		}
	}
}

func formatNamed(t *testing.T, name string) Format {
	t.Helper()
	f, err := FormatNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestBoundsAreLeftOutWhereThereAreNone(t *testing.T) {
	t.Parallel()
	text := func(v float64) string { return strings.Repeat("x", int(v)) }
	var got bytes.Buffer
	for _, c := range [][3]float64{{1, 2, 3}, {2, 2, 2}, {0, 2, 3}, {0, 2, 2}, {0, 0, 0}} {
		got.WriteString(bounded(c[0], c[1], c[2], text) + "|")
	}
	if want := "xx (x to xxx)|xx|xx (at most xxx)|xx|–|"; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}
