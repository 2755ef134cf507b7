package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// session is one `streamgauge run`: its scenarios one after the other, and the result of them all.
type session struct {
	flags    runFlags
	args     []string
	seed     uint64
	target   *scenarios.Target // nil: the embedded broker
	plans    []*scenarios.Plan
	sources  []reports.Source
	seen     run.Seen
	dir      *reports.Dir
	recorder *history.Recorder
	hlogs    map[string]func(io.Writer) error
	stderr   io.Writer
	live     *live                                       // nil: nobody looks on in a browser
	watch    func(status func() run.Status) (end func()) // looks on while a scenario runs; nil: nobody does
}

func runScenarios(c *cobra.Command, args []string, f runFlags, seeded bool) error {
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	s := &session{flags: f, args: args, seed: f.seed, stderr: c.ErrOrStderr(), hlogs: map[string]func(io.Writer) error{}}
	if !seeded {
		s.seed = rand.Uint64N(1 << 32)
	}
	if err := s.plan(); err != nil {
		return err
	}
	if s.live, err = startLive(f.live, f.allowed, s.beginning(), s.shown); err != nil {
		return err
	}
	closeHistory, err := s.prepareOut(c)
	if err != nil {
		return errors.Join(err, s.live.close())
	}
	if s.live != nil {
		fmt.Fprintf(s.stderr, "streamgauge: live at %s\n", s.live.url)
	}
	result, failed := s.run(interruptible(c))
	failed = errors.Join(failed, closeHistory())
	if result == nil {
		return errors.Join(failed, s.live.close())
	}
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	opts.Strict, opts.Full = f.strict, f.full
	var written error
	if s.dir != nil {
		written = s.dir.WriteReports(result, reports.NewManifest(result, s.sources...), opts, s.hlogs)
		opts.Dir, opts.Files = s.dir.Path, s.dir.Files()
	}
	written = errors.Join(written, s.live.finish(result, opts))
	// Whatever the disk did, what was measured is shown.
	if err := format.Render(c.OutOrStdout(), result, opts); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := errors.Join(failed, written); err != nil {
		return err
	}
	return outcomeError(result.Outcome)
}

// plan loads what is to be run and decides all of it; every problem of every file is reported at once.
func (s *session) plan() error {
	names := s.args
	if len(names) == 0 {
		names = scenarios.Core()
	}
	if _, err := history.ParseMode(s.flags.history); err != nil {
		return inputError(err)
	}
	var problems []error
	if s.flags.target != "" {
		var err error
		if s.target, err = scenarios.LoadTarget(s.flags.target, os.LookupEnv); err != nil {
			problems = append(problems, err)
		} else {
			hide(s.stderr, s.target.Redact)
		}
		s.source("target", s.flags.target, scenarios.TargetText)
	}
	var loaded []*scenarios.Scenario
	for _, name := range names {
		scenario, err := scenarios.LoadScenario(name, os.LookupEnv, s.flags.set...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.source("scenario", name, scenarios.ScenarioText)
		loaded = append(loaded, scenario)
	}
	if err := errors.Join(problems...); err != nil {
		return inputError(err)
	}
	for _, scenario := range loaded {
		if err := run.Fits(scenario, s.target); err != nil {
			return fmt.Errorf("%s: %w", scenario.Name, err)
		}
		s.plans = append(s.plans, scenarios.NewPlan(scenario, s.target, s.seed))
	}
	return s.checkOnly()
}

// checkOnly refuses an --only that no verdict of the plans answers to.
func (s *session) checkOnly() error {
	var ids []string
	for _, plan := range s.plans {
		for _, id := range run.Promises(plan) {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	for _, only := range s.flags.only {
		if !slices.ContainsFunc(ids, func(id string) bool { return named(id, only) }) {
			return inputError(fmt.Errorf("--only %s matches no verdict of these scenarios: %s", only, scenarios.Suggest(only, ids)))
		}
	}
	return nil
}

// source notes a file that the run is made from; what cannot be read again, such as a URL, has no digest.
func (s *session) source(kind, name string, read func(string) ([]byte, error)) {
	if text, err := read(name); err == nil {
		s.sources = append(s.sources, reports.SourceOf(kind, name, text))
	}
}

// prepareOut makes the output directory and begins the history in it. The function it returns ends the history.
func (s *session) prepareOut(c *cobra.Command) (func() error, error) {
	nothing := func() error { return nil }
	var err error
	if s.dir, err = prepareDir(c, s.flags.out); err != nil || s.dir == nil {
		return nothing, err
	}
	if history.Mode(s.flags.history) == history.Off {
		return nothing, nil
	}
	f, err := os.Create(filepath.Join(s.dir.Path, historyFile))
	if err != nil {
		return nil, inputError(err)
	}
	s.recorder = history.NewRecorder(f, history.Mode(s.flags.history))
	if s.target != nil {
		s.recorder.Redact = s.target.Redact
	}
	s.recorder.Limit(s.flags.historyMost(s.dir.Path))
	return func() error { return errors.Join(s.recorder.Close(), f.Close()) }, nil
}

const historyFile = "history.jsonl"

// run carries out the plans. After an interrupt the scenarios that have not begun are unknown. What keeps one from being run ends them all; the
// result is then that of those before, and nil when there is none.
func (s *session) run(ctx context.Context) (*conformance.Result, error) {
	result := new(s.beginning())
	var failed error
	for _, plan := range s.plans {
		outcome, err := s.scenario(ctx, plan)
		if err != nil {
			failed = err
			if len(result.Runs) == 0 {
				return nil, failed
			}
			result.Runs = append(result.Runs, conformance.ScenarioRun{Scenario: plan.Scenario.Name, Source: plan.Scenario.Source, Reason: err.Error(), Health: conformance.Health{OK: true}})
			break
		}
		outcome.Verdicts = selected(outcome.Verdicts, s.flags.only)
		outcome.Run.Outcome = conformance.Overall(outcome.Verdicts, s.flags.strict)
		result.Subject = outcome.Subject
		result.Verdicts = append(result.Verdicts, outcome.Verdicts...)
		result.Measures = append(result.Measures, outcome.Measures...)
		result.Runs = append(result.Runs, outcome.Run)
		s.live.add(outcome.Run)
		if t := outcome.Tally; t != nil {
			s.hlogs[plan.Scenario.Name+".hlog"] = func(w io.Writer) error { return t.WriteHLog(w, outcome.Started) }
		}
	}
	result.Duration = conformance.Duration(time.Since(result.Started))
	result.Outcome = conformance.Overall(result.Verdicts, s.flags.strict)
	result.Health = worst(result.Runs)
	if failed != nil && result.Outcome != conformance.Fail {
		result.Outcome = conformance.Unknown
	}
	return s.shown(result), failed
}

// shown is a result as it may be read by others.
func (s *session) shown(r *conformance.Result) *conformance.Result {
	if s.target == nil {
		return r
	}
	return reports.MapText(r, s.target.Redact)
}

// beginning is the result before anything has run.
func (s *session) beginning() conformance.Result {
	return conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindRun, Seed: s.seed, Started: time.Now(),
		Command: s.repeat(), Tool: "streamgauge " + buildVersion(),
	}
}

func (s *session) scenario(ctx context.Context, plan *scenarios.Plan) (*run.Outcome, error) {
	var p *progress
	r := run.New(run.Options{
		Plan: plan, Recorder: s.recorder, Seen: &s.seen,
		Log: func(line string) { p.Println("streamgauge: " + line) },
	})
	p = newProgress(s.stderr, isTerminal(s.stderr), s.flags.quiet, r.Status)
	p.Start()
	defer p.Stop()
	defer s.live.begin(r)()
	if s.watch != nil {
		defer s.watch(r.Status)()
	}
	ctx, cancel := context.WithTimeout(ctx, longestRun(plan.Scenario))
	defer cancel()
	outcome, err := r.Do(ctx)
	if miswired := (*run.WiringError)(nil); errors.As(err, &miswired) {
		return nil, inputError(miswired)
	}
	return outcome, err
}

// longestRun is how long the run of a scenario takes at most: its own times, and as much again for what comes before and behind them,
// where a target holds everything up.
func longestRun(s *scenarios.Scenario) time.Duration {
	const least = 2 * time.Minute
	own := s.Load.Ramp.Over + s.Duration + s.Settle
	return own + max(least, own)
}

// repeat is the command line that does the same again. Values of --set and the target's name are as they were given: secrets
// come from the environment and are in neither.
func (s *session) repeat() string {
	words := append([]string{"streamgauge", "run"}, s.args...)
	if s.flags.target != "" {
		words = append(words, "--target", scenarios.RedactPlaces(s.flags.target))
	}
	for _, set := range s.flags.set {
		words = append(words, "--set", set)
	}
	if len(s.flags.only) > 0 {
		words = append(words, "--only", strings.Join(s.flags.only, ","))
	}
	return quotedWords(append(words, "--seed", fmt.Sprint(s.seed)))
}

// quotedWords is a command line of these words, for a shell; what is secret in them is left to its variables.
func quotedWords(words []string) string {
	for i, w := range words {
		words[i] = conformance.ShellWord(w)
	}
	return strings.Join(words, " ")
}

// selected keeps the verdicts that --only names, by their whole id or its area.
func selected(verdicts []conformance.Verdict, only []string) []conformance.Verdict {
	if len(only) == 0 {
		return verdicts
	}
	return slices.DeleteFunc(verdicts, func(v conformance.Verdict) bool {
		return v.ID != check.TargetAnswers && !slices.ContainsFunc(only, func(id string) bool { return named(v.ID, id) })
	})
}

// named says whether a verdict is asked for by its id or by its area.
func named(id, only string) bool { return id == only || strings.HasPrefix(id, only+".") }

// worst is the account of the harness over all runs.
func worst(runs []conformance.ScenarioRun) conformance.Health {
	all := conformance.Health{OK: true}
	for _, r := range runs {
		h := r.Health
		all.OK, all.Crash = all.OK && h.OK, cmp.Or(all.Crash, h.Crash)
		for _, p := range h.Problems {
			all.Problems = append(all.Problems, r.Scenario+": "+p)
		}
		all.PublishLateP99 = max(all.PublishLateP99, h.PublishLateP99)
		all.LagP50 = max(all.LagP50, h.LagP50)
		all.LagP99 = max(all.LagP99, h.LagP99)
		all.LagMax = max(all.LagMax, h.LagMax)
		all.CPU = max(all.CPU, h.CPU)
		all.GCPauseMax = max(all.GCPauseMax, h.GCPauseMax)
		all.MemoryBytes = max(all.MemoryBytes, h.MemoryBytes)
		all.SendFailures += h.SendFailures
		all.KernelDrops += h.KernelDrops
		all.ListenOverflow += h.ListenOverflow
		all.Contention = conformance.MostHeldUp(all.Contention, h.Contention)
		all.Drops += h.Drops
		all.Goroutines = max(all.Goroutines, h.Goroutines)
	}
	return all
}
