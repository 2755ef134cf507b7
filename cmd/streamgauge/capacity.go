package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// capacityFlags are the flags of `streamgauge capacity`: those of a run, and where and how the line is looked for.
type capacityFlags struct {
	runFlags

	vary, from, to, atLeast string
	step                    float64
	precision, reserve      string
	repeats                 int
	broker                  []string
}

func newCapacityCommand() *cobra.Command {
	var f capacityFlags
	c := &cobra.Command{
		Use:   "capacity SCENARIO",
		Short: "Find the most that a target carries while every expectation holds",
		Long: `Capacity runs a scenario again and again with more and more load, until the target no longer keeps every promise that the
scenario expects, closes in on the line between, and repeats the runs next to it. Each step is a whole judged run.

A guarantee that fails (a lost message, a refused subscriber) fails for good: the line is below it. A budget of time or memory that is
missed in one run of three may be noise, and what most runs say counts. When the harness itself is the limit, the answer is "at least".

Without --target the reference broker is the target, started anew for each run in a process of its own, so that its memory and
processor time can be seen; --broker gives it a flag of streamgauge serve. A target is seen through observe in its file.

Exit code 0: the line was found, or is at least --at-least. 1: it is not. 2: nothing failed, but where the line is could not be said.

The first Ctrl-C ends the current run and reports what is known; the second quits at once.`,
		Example: `  streamgauge capacity fan-out-latency --vary load.subscribers --from 200 --to 20000
  streamgauge capacity live-ticker --vary load.publish.rate --from 10/s --to 5000/s --target my-gateway.yaml --out capacity
  streamgauge capacity mass-connect --vary load.subscribers --from 50 --to 1000 --broker max-connections=137 --set duration=5s`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarios.ShippedNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			return findCapacity(c, args[0], f, c.Flags().Changed("seed"))
		},
	}
	f.add(c)
	return c
}

func (f *capacityFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.vary, "vary", "load.subscribers", "the scenario `KEY` whose value is raised; any with a number")
	flags.StringVar(&f.from, "from", "", "the lowest `VALUE` that is tried, as the scenario file has it: 500 or 100/s")
	flags.StringVar(&f.to, "to", "", "the highest")
	flags.StringVar(&f.atLeast, "at-least", "", "fail unless this `VALUE` is carried")
	flags.Float64Var(&f.step, "step", 1.6, "`FACTOR` by which the load is raised")
	flags.StringVar(&f.precision, "precision", "5%", "how close to close in, as a share of the line")
	flags.IntVar(&f.repeats, "repeat", 3, "`RUNS` at each value next to the line")
	flags.StringVar(&f.reserve, "reserve", "30%", "share of each node that the extrapolation keeps free")
	flags.StringArrayVar(&f.broker, "broker", nil, "a flag of streamgauge serve for the reference broker, as in max-connections=137; may be repeated")
	flags.StringVar(&f.target, "target", "", "target file, preset name or URL (default: the reference broker, in a process of its own)")
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json, junit.xml and the result of each run; must be new or empty")
	flags.StringVar(&f.format, "format", "table", "what stdout gets: "+strings.Join(reports.FormatNames(), ", "))
	flags.Uint64Var(&f.seed, "seed", 0, "decides everything random (default: drawn, and printed); repeats take the seeds after it")
	flags.StringArrayVar(&f.set, "set", nil, "override another scenario key, as in duration=10s; may be repeated")
	flags.StringVar(&f.history, "history", "off", "what history.jsonl keeps of all runs: off, anomalies or full")
	f.addHistoryLimit(flags)
	flags.StringSliceVar(&f.only, "only", nil, "judge only these verdicts, as in delivery,latency.p99, and whether the load was taken")
	flags.BoolVar(&f.strict, "strict", false, "a warning fails a run")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on stderr")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
}

// amounts are the flags that name values of the varied key.
func (f *capacityFlags) amounts() (a amounts, err error) {
	for _, given := range []struct {
		flag, text string
		into       *float64
		needed     bool
	}{
		{"--from", f.from, &a.from, true}, {"--to", f.to, &a.to, true}, {"--at-least", f.atLeast, &a.atLeast, false},
	} {
		if given.text == "" && !given.needed {
			continue
		}
		if err := a.read(given.text, given.into); err != nil {
			return a, fmt.Errorf("%s: %w", given.flag, err)
		}
	}
	switch {
	case a.from > a.to:
		return a, fmt.Errorf("--from %s is above --to %s", f.from, f.to)
	case a.atLeast != 0 && (a.atLeast < a.from || a.atLeast > a.to):
		return a, fmt.Errorf("--at-least %s is not from %s to %s", f.atLeast, f.from, f.to)
	case f.step <= 1 || f.step > 1e6:
		return a, fmt.Errorf("--step %v: want a factor above 1", f.step)
	case f.repeats < 1 || f.repeats > 1000:
		return a, fmt.Errorf("--repeat %d: want 1 or more", f.repeats)
	}
	if a.precision, err = percentage(f.precision); err != nil || a.precision <= 0 || a.precision > 1 {
		return a, fmt.Errorf("--precision %s: want a share above 0, such as 5%%", f.precision)
	}
	if a.reserve, err = percentage(f.reserve); err != nil || a.reserve < 0 || a.reserve >= 1 {
		return a, fmt.Errorf("--reserve %s: want a share below 100%%, such as 30%%", f.reserve)
	}
	return a, nil
}
