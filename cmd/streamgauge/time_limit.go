package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// limitsTime gives a command the flag that bounds its whole time, and ends it then as an interrupt does.
func limitsTime(c *cobra.Command, usual time.Duration) *cobra.Command {
	limit := c.Flags().Duration("timeout", usual, "end after this time, and report what is known by then")
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if *limit <= 0 {
			return inputError(fmt.Errorf("--timeout %v: want a duration such as %v", *limit, usual))
		}
		ctx, cancel := context.WithTimeoutCause(c.Context(), *limit, outOfTimeError(*limit))
		defer cancel()
		c.SetContext(ctx)
		return run(c, args)
	}
	return c
}

// outOfTimeError is why a command ended early.
type outOfTimeError time.Duration

func (e outOfTimeError) Error() string {
	return fmt.Sprintf("not judged within %v, see --timeout", time.Duration(e))
}
