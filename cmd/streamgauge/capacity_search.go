package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/capacity"
)

// capacitySearch is one `streamgauge capacity`. Its steps are runs of a session.
type capacitySearch struct {
	session

	capacityFlags
	amounts  amounts
	scenario string
	target   *scenarios.Target // nil: the reference broker
	first    *scenarios.Scenario
	inside   string // why the reference broker runs within this process; "" when it does not
	estimate string

	runs    []stepRun
	subject conformance.Subject
}

// stepRun is what a search keeps of each run beside its step.
type stepRun struct {
	value    float64
	step     conformance.CapacityStep
	verdicts []conformance.Verdict
	measures []conformance.Measure
	health   conformance.Health
}

func findCapacity(c *cobra.Command, scenario string, f capacityFlags, seeded bool) error {
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	s := &capacitySearch{capacityFlags: f, scenario: scenario}
	s.session = session{flags: f.runFlags, args: []string{scenario}, seed: f.seed, stderr: c.ErrOrStderr(), hlogs: map[string]func(io.Writer) error{}}
	if !seeded {
		s.seed = rand.Uint64N(1 << 32)
	}
	if err := s.prepare(); err != nil {
		return err
	}
	closeHistory, err := s.prepareOut(c)
	if err != nil {
		return err
	}
	result, err := s.find(interruptible(c))
	if historyErr := closeHistory(); err != nil || historyErr != nil {
		return errors.Join(err, historyErr)
	}
	result = s.shown(result)
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	opts.Strict = f.strict
	var written error
	if s.dir != nil {
		written = s.dir.WriteReports(result, reports.NewManifest(result, s.sources...), opts, nil)
		opts.Dir, opts.Files = s.dir.Path, s.dir.Files()
	}
	if err := format.Render(c.OutOrStdout(), result, opts); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if written != nil {
		return written
	}
	return outcomeError(result.Outcome)
}

// prepare reads what is to be searched, and tries both ends of the range on the scenario's format.
func (s *capacitySearch) prepare() (err error) {
	if s.amounts, err = s.capacityFlags.amounts(); err != nil {
		return inputError(err)
	}
	if err := s.session.plan(); err != nil {
		return err
	}
	s.target = s.plans[0].Target
	if s.target != nil && len(s.broker) > 0 {
		return inputError(errors.New("--broker is for the reference broker, and --target names another one"))
	}
	if s.first, err = s.load(s.amounts.from); err != nil {
		return inputError(err)
	}
	if _, err := s.load(s.amounts.to); err != nil {
		return inputError(err)
	}
	if s.target == nil {
		s.inside = embeddedOnly(s.first)
		if s.inside != "" && len(s.broker) > 0 {
			return inputError(fmt.Errorf("--broker cannot be used with this scenario: the broker runs within the harness, because %s", s.inside))
		}
	}
	_, err = serveFlags(s.first, s.broker)
	return inputErrorOrNil(err)
}

func inputErrorOrNil(err error) error {
	if err != nil {
		return inputError(err)
	}
	return nil
}

// load is the scenario at a value.
func (s *capacitySearch) load(value float64) (*scenarios.Scenario, error) {
	return scenarios.LoadScenario(s.scenario, os.LookupEnv, slices.Concat(s.set, []string{s.setting(value)})...)
}

func (s *capacitySearch) setting(value float64) string { return s.vary + "=" + s.amounts.text(value) }

func (s *capacitySearch) find(ctx context.Context) (*conformance.Result, error) {
	search := &capacity.Search{
		From: s.amounts.from, To: s.amounts.to, AtLeast: s.amounts.atLeast, Factor: s.capacityFlags.step, Precision: s.amounts.precision,
		Repeat: s.repeats, Quantum: s.amounts.quantum(s.vary, s.first), Step: s.try,
	}
	s.announce(search)
	result := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindCapacity, Seed: s.seed, Started: time.Now(),
		Command: s.command(), Tool: "streamgauge " + buildVersion(),
	}
	found, err := search.Find(ctx)
	if err != nil {
		return nil, err
	}
	s.complete(found)
	result.Capacity = found
	result.Verdicts = []conformance.Verdict{capacity.Verdict(found)}
	result.Subject, result.Measures = s.subject, s.measures(found)
	result.Duration = conformance.Duration(time.Since(result.Started))
	result.Outcome = conformance.Overall(result.Verdicts, s.strict)
	result.Health = s.health(found)
	return result, nil
}

// complete adds to what was found what it is called, what it rests on and what follows from it.
func (s *capacitySearch) complete(found *conformance.Capacity) {
	found.Scenario, found.Key, found.Unit, found.Reserve = s.first.Name, s.vary, s.amounts.unit, s.amounts.reserve
	found.Observed = s.observed()
	found.Costs = capacity.Costs(found, s.target != nil)
	found.Scaling = capacity.Scaling(found)
	var held []conformance.Verdict
	for i := range s.runs {
		if r := &s.runs[i]; r.value == found.Line && r.step.Outcome != conformance.Fail && r.step.Outcome != conformance.Unknown {
			held = append(held, r.verdicts...)
		}
	}
	found.Headroom = capacity.Headroom(held)
	payload := float64(s.first.MeanPayload())
	if at, err := s.load(found.Line); err == nil && found.Line > 0 {
		payload = float64(at.MeanPayload())
	}
	found.Extrapolation, found.Assumptions = capacity.Extrapolate(found, capacity.Setting{
		PayloadBytes: payload, Processors: runtime.NumCPU(), Shared: s.shared(),
	})
	if b := found.Beyond; b != nil {
		for i := range found.Steps {
			if step := &found.Steps[i]; step.Value == found.High && step.Broken != nil && step.Broken.ID == b.ID {
				b.Repeat = s.again(step.Value, step.Seed)
				break
			}
		}
	}
}

// shared says that the target runs on this machine.
func (s *capacitySearch) shared() bool { return s.target == nil || s.target.Observe.Process() }

// observed is how the target's memory and processor time were seen.
func (s *capacitySearch) observed() string {
	switch {
	case s.target == nil && s.inside == "":
		return "the process of the reference broker"
	case s.target == nil:
		return ""
	case s.target.Observe.PID > 0:
		return fmt.Sprintf("process %d", s.target.Observe.PID)
	case s.target.Observe.Process():
		return "its process"
	case s.target.Observe.Metrics != "":
		return "its metrics"
	}
	return ""
}

// measures are those of the first run at the line that held.
func (s *capacitySearch) measures(found *conformance.Capacity) []conformance.Measure {
	for i := range s.runs {
		if r := &s.runs[i]; r.value == found.Line && r.step.Outcome != conformance.Fail {
			return r.measures
		}
	}
	return nil
}

// health is the harness's account of the runs that decided: those at the line, and those above it if the harness was the limit.
func (s *capacitySearch) health(found *conformance.Capacity) conformance.Health {
	var deciding []conformance.ScenarioRun
	for i := range s.runs {
		r := &s.runs[i]
		if r.value == found.Line || r.value == found.High && (found.Line == 0 || found.Limit == conformance.LimitHarness) {
			deciding = append(deciding, conformance.ScenarioRun{Scenario: found.Amount(r.value), Health: r.health})
		}
	}
	return worst(deciding)
}

// command is the command line that searches again.
func (s *capacitySearch) command() string {
	words := []string{"streamgauge", "capacity", s.scenario, "--vary", s.vary, "--from", s.from, "--to", s.to}
	for _, flag := range []struct{ name, value, usual string }{
		{"--at-least", s.atLeast, ""}, {"--step", fmt.Sprint(s.capacityFlags.step), "1.6"}, {"--precision", s.precision, "5%"},
		{"--repeat", fmt.Sprint(s.repeats), "3"}, {"--reserve", s.reserve, "30%"},
	} {
		if flag.value != flag.usual {
			words = append(words, flag.name, flag.value)
		}
	}
	for _, set := range s.set {
		words = append(words, "--set", set)
	}
	for _, b := range s.broker {
		words = append(words, "--broker", b)
	}
	return quotedWords(append(words, s.common(s.seed)...))
}

// common are the flags that a search and each of its runs share.
func (s *capacitySearch) common(seed uint64) (words []string) {
	if s.capacityFlags.target != "" {
		words = append(words, "--target", scenarios.RedactPlaces(s.capacityFlags.target))
	}
	for _, id := range s.only {
		words = append(words, "--only", id)
	}
	if s.strict {
		words = append(words, "--strict")
	}
	return append(words, "--seed", fmt.Sprint(seed))
}

// again are the command lines that repeat one run.
func (s *capacitySearch) again(value float64, seed uint64) []string {
	words := []string{"streamgauge", "run", s.scenario}
	for _, set := range append(slices.Clone(s.set), s.setting(value)) {
		words = append(words, "--set", set)
	}
	var lines []string
	if len(s.broker) > 0 {
		serve := []string{"streamgauge", "serve", "--target-file", "broker.yaml"}
		flags, _ := serveFlags(s.first, s.broker) // they were tried before the search
		lines = append(lines, quotedWords(append(serve, flags...))+" &")
		words = append(words, "--target", "broker.yaml")
	}
	return append(lines, quotedWords(append(words, s.common(seed)...)))
}

// announce says what is to come, and how long it takes.
func (s *capacitySearch) announce(search *capacity.Search) {
	least, most := search.Estimate()
	run, settle := s.first.Duration, s.first.Settle
	s.estimate = fmt.Sprintf("%d to %d", least, most)
	s.say("capacity of %s: %s from %s to %s; about %s runs of %s and up to %s of settling, %s to %s in all",
		s.first.Name, s.vary, s.amounts.text(search.From), s.amounts.text(search.To), s.estimate, reports.Span(run), reports.Span(settle),
		reports.Span(time.Duration(least)*run), reports.Span(time.Duration(most)*(run+settle)))
	if s.inside != "" {
		s.say("the reference broker runs within the harness, because %s: its memory and processor time cannot be told from the harness's own", s.inside)
	}
}

func (s *capacitySearch) say(format string, args ...any) {
	if !s.quiet {
		fmt.Fprintf(s.stderr, "streamgauge: "+format+"\n", args...)
	}
}
