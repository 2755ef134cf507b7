package main

import (
	"github.com/spf13/cobra"
)

func newSimulateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate WHAT",
		Short: "Simulate what no single machine can run: storm",
		Long:  `Simulate computes what no single machine can run. It connects to nothing.`,
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	storm := reporting(newSimulateStormCommand(), whatWasJudged)
	storm.RunE = classified(storm.RunE)
	c.AddCommand(storm)
	return c
}
