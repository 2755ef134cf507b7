package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reports"
)

func newReportCommand() *cobra.Command {
	var format string
	var full, noColor bool
	c := &cobra.Command{
		Use:   "report DIR",
		Short: "Render a stored result",
		Long: `Report renders the result that --out stored: DIR is that directory, or a result.json.

It judges nothing, so its exit code is 0 whatever the result says; the table names the exit code of the run itself.`,
		Example: `  streamgauge report out
  streamgauge report out --format markdown >> "$GITHUB_STEP_SUMMARY"
  streamgauge report out --format html > report.html`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			chosen, err := reports.FormatNamed(format)
			if err != nil {
				return inputError(err)
			}
			result, err := reports.Load(args[0])
			if err != nil {
				return inputError(err)
			}
			opts := reportOptions(c.OutOrStdout(), noColor)
			opts.Full = full
			return chosen.Render(c.OutOrStdout(), result, opts)
		},
	}
	names := reports.FormatNames()
	c.Flags().StringVar(&format, "format", names[0], strings.Join(names, ", "))
	c.Flags().BoolVar(&full, "full", false, "the table shows all findings and all evidence")
	c.Flags().BoolVar(&noColor, "no-color", false, "no colours, also on a terminal (so does NO_COLOR)")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	return c
}
