package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/offspring"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// clientFlags are the flags of `streamgauge check-client` beside those it shares with check.
type clientFlags struct {
	client   string
	contract string
	browser  bool
	selfTest bool
	policy   string
	scale    float64
}

func newCheckClientCommand() *cobra.Command {
	f := checkFlags{}
	var cf clientFlags
	c := &cobra.Command{
		Use:   "check-client [flags] [-- CMD...]",
		Short: "Client conformance: one verdict per requirement",
		Long: `Check-client judges a client of event streams, requirement by requirement. CMD is its adapter, a program that speaks JSON lines on its
standard input and output: docs/adapters.md says how, and a shim has some thirty lines. A service that speaks the contract of
launchdarkly/sse-contract-tests (--contract), the EventSource of Chromium (--browser) and some clients that are built in (--client) need
none. Without any of these the reference client is judged.

An adapter can be wrong as well as a client: --self-test tries it before its client is blamed.

A baseline lists known failures, one id a line. They still run; one that passes makes the check fail, so that the list stays true.`,
		Example: `  streamgauge check-client --self-test -- node adapter.js
  streamgauge check-client -- node adapter.js
  streamgauge check-client --client go-sse --only PARSE,SSE-RECON-008
  streamgauge check-client --contract http://127.0.0.1:8000 --baseline known.txt
  streamgauge check-client --policy exponential-1s-30s --time-scale 0.02 -- ./adapter`,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("seed") {
				f.seed = rand.Uint64N(1 << 32)
			}
			if len(args) > 0 && c.ArgsLenAtDash() != 0 {
				return inputError(fmt.Errorf("%q: the command line of an adapter stands behind --, as in streamgauge check-client -- node adapter.js", args[0]))
			}
			return checkClient(c, args, f, cf)
		},
	}
	addCheckFlags(c, &f, clientSide)
	names := make([]string, len(builtinClients))
	for i, b := range builtinClients {
		names[i] = b.name
	}
	flags := c.Flags()
	flags.StringVar(&cf.client, "client", "", "judge a client that is built in: "+strings.Join(names, ", "))
	flags.StringVar(&cf.contract, "contract", "", "judge the client of the contract-test service at this `URL`")
	flags.BoolVar(&cf.browser, "browser", false, "judge the EventSource of Chromium, which must be on PATH")
	flags.BoolVar(&cf.selfTest, "self-test", false, "test the adapter, and judge nothing")
	flags.StringVar(&cf.policy, "policy", "", "the reconnection policy that it must keep, whatever its adapter declares: a `NAME` of streamgauge list policies, or a YAML file")
	flags.Float64Var(&cf.scale, "time-scale", 1, "what the times of that policy are multiplied by, where the client lets them be set")
	_ = c.RegisterFlagCompletionFunc("client", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func checkClient(c *cobra.Command, command []string, f checkFlags, cf clientFlags) error {
	redact := scenarios.Redacting(slices.Concat(command, []string{cf.contract})...)
	hide(c.ErrOrStderr(), redact)
	subject, err := cf.chosen(command)
	if err != nil {
		return inputError(err)
	}
	asked, err := cf.asked()
	if err != nil {
		return inputError(err)
	}
	k := &checkup{side: clientSide, flags: f, stderr: c.ErrOrStderr(), judged: map[conformance.Outcome]int{}}
	k.words = func() (words, last []string) { return append(slices.Clone(subject.words), cf.words()...), subject.last }
	k.sources = func() []reports.Source { return nil }
	defer offspring.EndStrays()
	k.redact = redact
	if cf.selfTest {
		return subject.test(c)
	}
	if subject.named {
		k.levels = func(ctx context.Context) (levels, error) { return k.clientLevels(ctx, subject, asked) }
	}
	return k.carryOut(c, func() (judging, func(), error) {
		start, end, err := subject.start(c.Context())
		return func(ctx context.Context) (*conformance.Result, error) {
			return k.judgeClient(ctx, start, subject, asked)
		}, end, err
	})
}

// asked are the options that the flags amount to.
func (f *clientFlags) asked() (client.Options, error) {
	var o client.Options
	if f.scale <= 0 || f.scale > 1 {
		return o, fmt.Errorf("--time-scale %g: want more than 0, and at most 1", f.scale)
	}
	if f.scale != 1 {
		o.TimeScale = f.scale
	}
	if f.policy != "" {
		p, err := scenarios.LoadPolicy(f.policy, os.LookupEnv)
		if err != nil {
			return o, err
		}
		o.Backoff = declaredDelay(p)
	}
	return o, nil
}

// declaredDelay is a policy as an adapter would declare it.
func declaredDelay(p *policy.Policy) *subject.Delay {
	milliseconds := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return &subject.Delay{
		BaseMS: milliseconds(p.Base), Factor: p.Factor, CapMS: milliseconds(p.Cap), Jitter: p.Jitter, SilenceMS: milliseconds(p.Silence),
		Spread: string(cmp.Or(p.Spread, policy.Up)), Reset: string(cmp.Or(p.Reset, policy.OnOpen)), OwnTime: !p.HonorRetry, ComeBackOn: p.ComeBackOn,
	}
}

// words are the flags that repeat the check.
func (f *clientFlags) words() (words []string) {
	if f.policy != "" {
		words = append(words, "--policy", f.policy)
	}
	if f.scale != 1 {
		words = append(words, "--time-scale", fmt.Sprint(f.scale))
	}
	return words
}

// judgeClient runs the cases and makes the result.
func (k *checkup) judgeClient(ctx context.Context, start subject.Starter, s *clientSubject, o client.Options) (*conformance.Result, error) {
	began := time.Now()
	stop := k.tell(ctx)
	profile := k.flags.profile
	if s.foreign {
		if err := trusted(ctx, start); err != nil && ctx.Err() == nil {
			stop()
			return nil, err
		}
	}
	o.Foreign = s.foreign
	o.Profile, o.Only, o.Seed, o.Parameter, o.Report = conformance.Profile(profile), k.flags.only, k.flags.seed, k.parameters.of, k.count
	asked := o
	o.Greeted = func(h subject.Hello) {
		if profile == "" {
			profile = h.Profile
		}
		if expected := asked.Takes(client.Cases, h); expected > worthSaying && !k.flags.quiet {
			fmt.Fprintf(k.stderr, "streamgauge: this takes about %v: %s keeps its own times\n", expected.Round(time.Second), h.Name)
		}
	}
	verdicts, hello, health, err := client.Check(ctx, start, client.Cases, o)
	stop()
	if err != nil {
		return nil, err
	}
	return k.result(began, profile, verdicts, health, conformance.Subject{
		Name: hello.Name, Kind: s.kind, Protocol: "sse", URL: s.url, Version: hello.Version,
	})
}

// clientLevels are those of the client that is named, which its adapter's hello decides.
func (k *checkup) clientLevels(ctx context.Context, s *clientSubject, o client.Options) (levels, error) {
	start, end, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	session, err := subject.Begin(ctx, start)
	if err != nil {
		return nil, err
	}
	hello := session.Hello()
	_ = session.End() // what it said is all that is asked
	o.Profile, o.Parameter = conformance.Profile(k.flags.profile), k.parameters.of
	if o.Profile == "" {
		if o.Profile, err = client.ProfileOf(hello); err != nil {
			return nil, err
		}
		k.flags.profile = string(o.Profile)
	}
	return client.Levels(hello, o), nil
}

// worthSaying is how long a check may take without a word about it.
const worthSaying = time.Minute

// clientSubject is a client under test as the command line names it.
type clientSubject struct {
	named       bool
	foreign     bool   // its adapter is somebody else's, so it is tried first
	kind        string // client | reference
	url         string
	words, last []string // of the command line, that name it again
	start       func(ctx context.Context) (start subject.Starter, end func(), err error)
}

// chosen is the client that the command line names; the reference client when it names none.
func (f *clientFlags) chosen(command []string) (s *clientSubject, err error) {
	var named []string
	for _, way := range []struct {
		word string
		is   bool
	}{
		{"--client " + f.client, f.client != ""}, {"--contract " + f.contract, f.contract != ""}, {"--browser", f.browser},
		{"-- " + strings.Join(command, " "), len(command) > 0},
	} {
		if way.is {
			named = append(named, way.word)
		}
	}
	if len(named) > 1 {
		return nil, fmt.Errorf("%s: check one client at a time", strings.Join(named, ", "))
	}
	defer func() {
		if err == nil {
			s.named = len(named) > 0
		}
	}()
	switch {
	case len(command) > 0:
		if _, err := exec.LookPath(command[0]); err != nil {
			return nil, fmt.Errorf("the adapter %s: %w", command[0], errors.Unwrap(err))
		}
		return &clientSubject{foreign: true, kind: "client", last: append([]string{"--"}, command...), start: always(subject.Program(command...))}, nil
	case f.contract != "":
		return f.service()
	case f.browser:
		return f.chromium()
	}
	return f.builtin()
}

func always(start subject.Starter) func(context.Context) (subject.Starter, func(), error) {
	return func(context.Context) (subject.Starter, func(), error) { return start, func() {}, nil }
}
