package reports

import (
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

func compared() *conformance.Result {
	r := base(conformance.Fail)
	r.Kind, r.Runs, r.Command = conformance.KindCompare, nil, "streamgauge compare monday tuesday wednesday --tolerance 10%"
	none := conformance.Sample(math.NaN())
	day := func(name string, days int, o conformance.Outcome) conformance.ComparedRun {
		return conformance.ComparedRun{Name: name, Tool: r.Tool, Seed: 42, Started: r.Started.Add(time.Duration(days) * 24 * time.Hour), Outcome: o}
	}
	r.Comparison = &conformance.Comparison{
		Old: []conformance.ComparedRun{day("monday", 0, conformance.Pass), day("tuesday", 1, conformance.Pass)}, New: day("wednesday", 2, conformance.Fail),
		Tolerance: 0.1, Confidence: 0.95,
		Forced: []string{"tuesday has the machine linux/amd64 with 4 processors, wednesday has linux/amd64 with 8 processors"},
		Notes:  []string{"monday and wednesday have different seeds: arrivals and faults fall otherwise, and the difference includes that."},
		Verdicts: []conformance.VerdictChange{
			{ID: "delivery.complete", Scenario: "network-drops", Old: conformance.Pass, New: conformance.Fail, OldActual: "0 lost", NewActual: "2 lost", Trend: conformance.TrendWorse},
			{ID: "resume.gap_p99", Scenario: "network-drops", Old: conformance.Pass, New: conformance.Unknown, OldActual: "230 ms", Trend: conformance.TrendUnclear, Text: "the new run could not judge it"},
			{ID: "connect.p99", Scenario: "mass-connect", Old: conformance.Fail, New: conformance.Pass, OldActual: "812 ms", NewActual: "41 ms", Trend: conformance.TrendBetter},
			{ID: "delivery.ordered", Scenario: "network-drops", Old: conformance.Pass, New: conformance.Pass, Trend: conformance.TrendSame},
			{ID: "delivery.unique", Scenario: "network-drops", Old: conformance.Pass, New: conformance.Pass, Trend: conformance.TrendSame},
		},
		Measures: []conformance.MeasureChange{
			{Name: "lost", Scenario: "network-drops", Old: 0, New: 2, Change: none, Low: none, High: none, Limit: 0, Trend: conformance.TrendWorse},
			{Name: "latency.by_second", Quantile: "p50", Scenario: "network-drops", Unit: "ms", Old: 50, New: 61, Change: 0.22, Low: 0.19, High: 0.25, Limit: 55, Basis: "seconds", Trend: conformance.TrendWorse},
			{Name: "latency.by_second", Quantile: "p99", Scenario: "network-drops", Unit: "ms", Old: 80, New: 99, Change: 0.2375, Low: 0.02, High: 0.5, Limit: 88, Basis: "seconds", Trend: conformance.TrendUnclear,
				Text: "it is worse, but chance could explain that it is by more than is tolerated: run longer, or give several old runs"},
			{Name: "latency", Quantile: "p99", Scenario: "network-drops", Unit: "ms", Old: 90, New: conformance.Sample(math.Inf(1)), Change: none, Low: none, High: none, Limit: none, Trend: conformance.TrendWorse,
				Text: "it lies among the deliveries that never came"},
			{Name: "connect", Quantile: "p99", Scenario: "mass-connect", Unit: "ms", Old: 812, New: 41, Change: -0.9495, Low: none, High: none, Limit: 893, Trend: conformance.TrendShown,
				Text: "two old runs cannot say how much it varies: give three old runs or more"},
			{Name: "memory", Scenario: "mass-connect", Unit: "bytes", Old: 80 << 20, New: 81 << 20, Change: 0.0125, Low: -0.2, High: 30, Limit: 88 << 20, Trend: conformance.TrendSame},
		},
	}
	r.Verdicts = []conformance.Verdict{
		{
			ID: "delivery.complete", Scenario: "network-drops", Title: "Every owed message arrives.", Level: conformance.Must, Outcome: conformance.Fail, Checked: 600000,
			Expected: "no worse than pass (0 lost)", Actual: "fail (2 lost)",
			Findings: []conformance.Finding{{Name: "lost", Count: 2, Text: "message 17 of stream-03 never reached subscriber 812, which had resumed from 16", Subscriber: "812", Stream: "stream-03", Number: 17}},
		},
		{ID: "resume.gap_p99", Scenario: "network-drops", Level: conformance.Must, Reason: "the new run could not judge it", Expected: "no worse than pass (230 ms)", Actual: "unknown"},
		{ID: "connect.p99", Scenario: "mass-connect", Level: conformance.Must, Outcome: conformance.Pass, Expected: "no worse than fail (812 ms)", Actual: "pass (41 ms)"},
		{ID: "measure.latency.by_second.p50", Scenario: "network-drops", Level: conformance.Must, Outcome: conformance.Fail, Expected: "≤ 55ms (was 50ms)", Actual: "61ms, +22% (+19% to +25%)"},
	}
	return r
}

func nothingChanged() *conformance.Result {
	r := compared()
	r.Outcome = conformance.Pass
	c := r.Comparison
	c.Forced, c.Notes, c.Verdicts, c.Measures = nil, nil, c.Verdicts[3:], c.Measures[5:]
	r.Verdicts = nil
	return r
}

func stormy() *conformance.Result {
	r := base(conformance.Unknown)
	r.Kind, r.Subject = conformance.KindSimulate, conformance.Subject{Name: "simulated server", Kind: "simulation", Protocol: "sse"}
	r.Command = "streamgauge simulate storm --clients 1M --seed 42"
	never := conformance.Sample(math.Inf(1))
	storm := func(policy string, ms ...conformance.Sample) conformance.Storm {
		s := conformance.Storm{
			Policy: policy, Clients: 1_000_000, Down: conformance.Duration(10 * time.Second), Accept: 5000, Queue: 4096, Timeout: conformance.Duration(10 * time.Second),
			Trip: conformance.Duration(20 * time.Millisecond), RetryAfter: conformance.Duration(5 * time.Second),
			Recovered: 1_000_000, Attempts: 10_240_696, Refused: 9_240_000, TimedOut: 696, Wasted: 696, Most: 16, Peak: 1_000_000, PeakAt: conformance.Duration(time.Second),
		}
		for i, share := range []float64{0.5, 0.9, 0.99, 1} {
			s.Recovery = append(s.Recovery, conformance.StormRecovery{Share: share, MS: ms[i]})
		}
		return s
	}
	calm, wild := storm("jittered-500ms-30s", 184_000, 315_000, 353_000, 390_000), storm("immediate", 184_000, never, never, never)
	wild.Recovered, wild.Stopped = 700_000, "watched for 1000000000 attempts, until 3m20s"
	r.Storms = []conformance.Storm{calm, wild}
	attempts, connected := []conformance.Sample{1_000_000}, []conformance.Sample{0}
	for i := range 199 {
		attempts = append(attempts, conformance.Sample(400_000/(1+i/8%7)))
		connected = append(connected, conformance.Sample(5000*(i+1)))
	}
	for i, s := range r.Storms {
		run := conformance.ScenarioRun{Scenario: s.Policy, Outcome: conformance.Info, Subscribers: s.Clients, Duration: conformance.Duration(200 * time.Second), Health: conformance.Health{OK: true}}
		if i == 0 {
			run.Series = []conformance.Series{
				{Name: "reconnects", Unit: "1/s", StepMS: 1000, Values: attempts}, {Name: "connected", Unit: "1", StepMS: 1000, Values: connected},
			}
		}
		r.Runs = append(r.Runs, run)
		r.Verdicts = append(r.Verdicts, conformance.Verdict{ID: "storm.recovery", Scenario: s.Policy, Level: conformance.Must, Outcome: conformance.Info, Expected: "all back", Actual: "all back after 6m 30s"})
	}
	r.Verdicts[1].Outcome, r.Verdicts[1].Reason, r.Verdicts[1].Actual = conformance.Unknown, wild.Stopped, "700,000 of 1,000,000 back"
	return r
}
