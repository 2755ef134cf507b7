package main

import (
	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/scenarios"
)

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema WHAT",
		Short: "Print the JSON Schema of the scenario or target format",
		Long: `Schema prints the JSON Schema of a file format, so that an editor completes and checks files while they are written.
Name it in the first line of a file:

  # yaml-language-server: $schema=scenario.json`,
		Example:   `  streamgauge schema scenario > scenario.json`,
		Args:      cobra.ExactArgs(1),
		ValidArgs: scenarios.SchemaNames(),
		RunE: func(c *cobra.Command, args []string) error {
			schema, err := scenarios.Schema(args[0])
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(schema)
			return err
		},
	}
}
