package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios/storm"
)

// stormResult is a result in the making.
type stormResult struct {
	r conformance.Result
}

func newStormResult(f stormFlags) *stormResult {
	return &stormResult{conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindSimulate, Seed: f.config.Seed, Started: time.Now(), Measures: []conformance.Measure{},
		Subject: conformance.Subject{Name: "simulated server", Kind: "simulation", Protocol: "sse"}, Health: conformance.Health{OK: true},
		Tool: "streamgauge " + buildVersion(), Command: f.repeat(),
	}}
}

// recoveryShares are the shares of clients whose recovery is told.
var recoveryShares = []float64{0.5, 0.9, 0.99, 1}

// add takes one storm in.
func (s *stormResult) add(c storm.Config, r *storm.Result, within time.Duration) {
	second, peak := r.Peak()
	told := conformance.Storm{
		Policy: c.Policy.Name, Clients: c.Clients, Over: conformance.Duration(c.Over), Down: conformance.Duration(c.Down), Accept: c.Accept, Queue: c.Queue,
		Timeout: conformance.Duration(c.Timeout), Trip: conformance.Duration(c.Trip), Retry: conformance.Duration(c.Retry),
		RetryAfter: conformance.Duration(c.RetryAfter), Recovered: r.Recovered, Attempts: r.Attempts, Refused: r.Refused, TimedOut: r.TimedOut,
		Wasted: r.Wasted, Most: r.Most, Peak: float64(peak), PeakAt: conformance.Duration(time.Duration(second) * time.Second), Stopped: r.Stopped,
	}
	for _, share := range recoveryShares {
		back := math.Inf(1)
		if at, there := r.Recovery(share); there {
			back = float64(at) / float64(time.Millisecond)
		}
		told.Recovery = append(told.Recovery, conformance.StormRecovery{Share: share, MS: conformance.Sample(back)})
	}
	s.r.Storms = append(s.r.Storms, told)
	v := recoveryVerdict(c, r, within)
	s.r.Verdicts = append(s.r.Verdicts, v)
	s.r.Runs = append(s.r.Runs, conformance.ScenarioRun{
		Scenario: c.Policy.Name, About: "A reconnection storm, simulated.", Outcome: v.Outcome, Subscribers: c.Clients,
		Duration: conformance.Duration(r.Watched), Health: conformance.Health{OK: true}, Series: stormSeries(r),
	})
}

// recoveryVerdict says whether all clients were back in time, where a time was asked for.
func recoveryVerdict(c storm.Config, r *storm.Result, within time.Duration) conformance.Verdict {
	v := conformance.Verdict{
		ID: "storm.recovery", Scenario: c.Policy.Name, Title: "All clients are connected again.", Level: conformance.Must, Checked: uint64(c.Clients),
		Expected: "all back", Actual: fmt.Sprintf("%s of %s back", reports.Count(uint64(r.Recovered)), reports.Count(uint64(c.Clients))),
	}
	if r.Stopped == "" {
		v.Actual = "all back after " + reports.Span(r.End)
	}
	if within > 0 {
		v.Expected = "all back within " + reports.Span(within)
	}
	switch {
	case within > 0 && (r.End > within || r.Stopped != "" && r.Watched >= within):
		v.Outcome = conformance.Fail
	case r.Cut:
		v.Reason = r.Stopped
	case r.Stopped != "":
		v.Reason = r.Stopped + ": --until and --attempts bound that"
	case within > 0:
		v.Outcome = conformance.Pass
	default:
		v.Outcome = conformance.Info
	}
	return v
}

// mostSteps bounds the samples of a series.
const mostSteps = 1200

// stormSeries are the lines of a storm's timeline. What is given per second is the largest of a step's seconds.
func stormSeries(r *storm.Result) []conformance.Series {
	step := (len(r.Seconds) + mostSteps - 1) / mostSteps
	line := func(name, unit string) *conformance.Series {
		return &conformance.Series{Name: name, Unit: unit, StepMS: float64(step) * 1000}
	}
	attempts, refused, given, connected := line("reconnects", "1/s"), line("refused", "1/s"), line("timed_out", "1/s"), line("connected", "1")
	back := 0.0
	for from := 0; from < len(r.Seconds); from += step {
		var most storm.Second
		for _, s := range r.Seconds[from:min(from+step, len(r.Seconds))] {
			most.Attempts, most.Refused, most.TimedOut = max(most.Attempts, s.Attempts), max(most.Refused, s.Refused), max(most.TimedOut, s.TimedOut)
			back += float64(s.Connected)
		}
		attempts.Values = append(attempts.Values, conformance.Sample(most.Attempts))
		refused.Values = append(refused.Values, conformance.Sample(most.Refused))
		given.Values = append(given.Values, conformance.Sample(most.TimedOut))
		connected.Values = append(connected.Values, conformance.Sample(back))
	}
	return []conformance.Series{*attempts, *refused, *given, *connected}
}

// done ends the result; asked says whether anything was expected of the storms.
func (s *stormResult) done(asked bool) *conformance.Result {
	s.r.Duration = conformance.Duration(time.Since(s.r.Started))
	s.r.Outcome = conformance.Overall(s.r.Verdicts, false)
	if s.r.Outcome == conformance.Pass && !asked {
		s.r.Outcome = conformance.Info // nothing was asked for, so nothing was kept
	}
	return &s.r
}

// repeat is the command line that simulates the same again.
func (f stormFlags) repeat() string {
	c := f.config
	words := []string{
		"streamgauge", "simulate", "storm", "--clients", f.clients, "--policy", strings.Join(f.policies, ","), "--accept", f.accept,
		"--queue", strconv.Itoa(c.Queue), "--timeout", c.Timeout.String(), "--trip", c.Trip.String(),
	}
	for _, d := range []struct {
		flag string
		is   time.Duration
	}{{"--over", c.Over}, {"--down", c.Down}, {"--retry", c.Retry}, {"--retry-after", c.RetryAfter}, {"--within", f.within}} {
		if d.is > 0 {
			words = append(words, d.flag, d.is.String())
		}
	}
	return quotedWords(append(words, "--until", c.Until.String(), "--attempts", fmt.Sprint(c.Attempts), "--seed", fmt.Sprint(c.Seed)))
}
