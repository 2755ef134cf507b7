package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

// runFlags are the flags of `streamgauge run`.
type runFlags struct {
	target  string
	out     string
	format  string
	live    string
	allowed []string
	seed    uint64
	set     []string
	history string
	most    sizeFlag // of the history
	only    []string
	strict  bool
	quiet   bool
	full    bool
	noColor bool
}

func newRunCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [SCENARIO...]",
		Short: "Run scenarios: shipped names or files; without a name, the shipped core set",
		Long: `Run drives each scenario's subscribers and publishers against a target, breaks the network as its timeline says,
and judges every promise the scenario expects. Without --target the embedded reference broker is the target.

A run takes the duration and settle time of each scenario, and some seconds more. Where a target holds it up, it ends after twice that
time, or two minutes more, and reports what was measured.

The first Ctrl-C ends the run and still reports what was measured; the second quits at once.`,
		Example: `  streamgauge run
  streamgauge run network-drops --set load.subscribers=500 --seed 7
  streamgauge run my-scenario.yaml --target my-gateway.yaml --out results
  streamgauge run network-drops --live 127.0.0.1:0`,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenarios.ShippedNames(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(c *cobra.Command, args []string) error {
			return runScenarios(c, args, f, c.Flags().Changed("seed"))
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.target, "target", "", "target file, preset name or URL (default: the embedded reference broker)")
	flags.StringVar(&f.out, "out", "", "folder for manifest.json, result.json, junit.xml, report.html, history.jsonl and histograms; must be new or empty")
	flags.StringVar(&f.format, "format", "table", "what stdout gets: "+strings.Join(reports.FormatNames(), ", "))
	flags.StringVar(&f.live, "live", "", "serve the report page at host:port while the run goes on, as in 127.0.0.1:0 (default: no)")
	flags.StringSliceVar(&f.allowed, "allow-host", nil, "`NAME` by which --live is called beside localhost and its own address, where the Host of a request has another; may be repeated")
	flags.Uint64Var(&f.seed, "seed", 0, "decides everything random (default: drawn, and printed)")
	flags.StringArrayVar(&f.set, "set", nil, "override a scenario key, as in load.subscribers=500; may be repeated")
	flags.StringVar(&f.history, "history", "anomalies", "what history.jsonl keeps: off, anomalies (all but deliveries, with what stands beside each anomaly) or full (can be judged again)")
	f.addHistoryLimit(flags)
	flags.StringSliceVar(&f.only, "only", nil, "judge only these verdicts, as in delivery.complete,latency.p99 or delivery")
	flags.BoolVar(&f.strict, "strict", false, "a warning fails the run")
	flags.BoolVar(&f.quiet, "quiet", false, "no progress on stderr")
	flags.BoolVar(&f.full, "full", false, "the table shows all findings and all evidence")
	flags.BoolVar(&f.noColor, "no-color", false, "no colours on stdout")
	return c
}
