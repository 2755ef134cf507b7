package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
)

func newValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check scenario and target files",
		Long: `Validate reads scenario and target files and reports everything that is wrong with them: where it is, what would be right
and what was probably meant. A file with subscribe: is a target. Shipped scenarios and presets can be given by their names.`,
		Example: `  streamgauge validate my-scenario.yaml my-gateway.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var all []error
			for _, file := range args {
				kind, err := scenarios.Validate(file, os.LookupEnv)
				if err != nil {
					all = append(all, err)
					continue
				}
				if _, err := fmt.Fprintf(c.OutOrStdout(), "%s: a valid %s\n", reports.Visible(file), kind); err != nil {
					return err
				}
			}
			return errors.Join(all...)
		},
	}
}
