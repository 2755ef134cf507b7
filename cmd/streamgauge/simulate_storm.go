package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/storm"
)

// stormFlags are the flags of `streamgauge simulate storm`.
type stormFlags struct {
	clients  string
	policies []string
	accept   string
	config   storm.Config // what is common to all policies
	within   time.Duration
	format   string
	out      string
	noColor  bool
}

func newSimulateStormCommand() *cobra.Command {
	var f stormFlags
	c := &cobra.Command{
		Use:   "storm",
		Short: "Reconnection storms of up to 100 million clients",
		Long: `Storm simulates what follows when all clients of a server lose their connections: event by event, in virtual time, with the very reconnection
policies that scenarios use. The server takes --accept connections a second, in their order; --queue more can wait, and who finds the queue full
is refused. A client gives an attempt up after --timeout, but the server finds that out only when its turn comes.

It tells how long it takes until 50, 90, 99 and 100% of the clients are back, how many attempts a second the server sees at worst, and how many
were for nothing. With --within it fails when not all are back in time.`,
		Example: `  streamgauge simulate storm --clients 1M --accept 5000/s
  streamgauge simulate storm --clients 10M --accept 50000/s --policy exponential-1s-30s,jittered-500ms-30s
  streamgauge simulate storm --clients 200k --down 30s --policy my-policy.yaml --within 5m --out storm`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !c.Flags().Changed("seed") {
				f.config.Seed = rand.Uint64N(1 << 32)
			}
			return simulateStorm(c, f)
		},
	}
	names := reports.FormatNames()
	flags := c.Flags()
	flags.StringVar(&f.clients, "clients", "100k", "`NUMBER` of clients, as in 20000, 500k or 10M")
	flags.StringSliceVar(&f.policies, "policy", []string{"jittered-500ms-30s"}, "`NAME` of streamgauge list policies, or a YAML file; several are simulated one after the other")
	flags.StringVar(&f.accept, "accept", "5000/s", "`RATE` at which the server takes connections")
	flags.IntVar(&f.config.Queue, "queue", 4096, "connections that can wait for that")
	flags.DurationVar(&f.config.Timeout, "timeout", 10*time.Second, "after which a client gives an attempt up")
	flags.DurationVar(&f.config.Trip, "trip", 20*time.Millisecond, "round trip between client and server")
	flags.DurationVar(&f.config.Over, "over", 0, "time in which the clients lose their connections (default: all at once)")
	flags.DurationVar(&f.config.Down, "down", 0, "time from the first loss in which the server refuses everybody")
	flags.DurationVar(&f.config.Retry, "retry", 0, "retry: that the stream said before, for policies that honour it")
	flags.DurationVar(&f.config.RetryAfter, "retry-after", 0, "how long a client that is refused is told to stay away")
	flags.DurationVar(&f.config.Until, "until", 24*time.Hour, "virtual time to watch at most")
	flags.Uint64Var(&f.config.Attempts, "attempts", 1_000_000_000, "attempts to watch at most, some 10 million of which are simulated per second")
	flags.DurationVar(&f.within, "within", 0, "fail when not all clients are back after this time")
	flags.Uint64Var(&f.config.Seed, "seed", 0, "decides all jitter (default: drawn, and printed)")
	flags.StringVar(&f.format, "format", names[0], "what stdout gets: "+strings.Join(names, ", "))
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json and the report; must be new or empty")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func simulateStorm(c *cobra.Command, f stormFlags) error {
	format, err := reports.FormatNamed(f.format)
	if err != nil {
		return inputError(err)
	}
	configs, err := f.configs()
	if err != nil {
		return inputError(err)
	}
	dir, err := prepareDir(c, f.out)
	if err != nil {
		return err
	}
	result := newStormResult(f)
	interrupted := interruptible(c)
	for i := range configs {
		configs[i].Interrupted = func() bool { return interrupted.Err() != nil }
		result.add(configs[i], storm.Run(configs[i]), f.within)
	}
	r := result.done(f.within > 0)
	opts := reportOptions(c.OutOrStdout(), f.noColor)
	var written error
	if dir != nil {
		written = dir.WriteReports(r, reports.NewManifest(r), opts, nil)
		opts.Dir, opts.Files = dir.Path, dir.Files()
	}
	if err := format.Render(c.OutOrStdout(), r, opts); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return errors.Join(written, outcomeError(r.Outcome))
}

// configs are what the flags amount to, one for each policy; every problem is reported at once.
func (f *stormFlags) configs() ([]storm.Config, error) {
	common := f.config
	var problems []error
	var err error
	if common.Clients, err = parseCount(f.clients); err != nil {
		problems = append(problems, fmt.Errorf("--clients %s: %w", f.clients, err))
	}
	if common.Accept, err = parseRate(f.accept); err != nil {
		problems = append(problems, fmt.Errorf("--accept %s: %w", f.accept, err))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	var configs []storm.Config
	for _, name := range f.policies {
		one := common
		if one.Policy, err = scenarios.LoadPolicy(name, os.LookupEnv); err != nil {
			problems = append(problems, err)
			continue
		}
		if err := one.Check(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
		configs = append(configs, one)
	}
	if len(configs)+len(problems) == 0 {
		problems = append(problems, errors.New("--policy names none: "+strings.Join(policyNamesOf(), ", ")))
	}
	return configs, errors.Join(problems...)
}
