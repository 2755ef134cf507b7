package main

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Bounds of what a flag can be whatever it means: beyond them sums of times overflow, and no number is meant.
const (
	longestFlag = 366 * 24 * time.Hour
	largestFlag = math.MaxInt32
	mostOfFlag  = 1e12
)

// boundFlags says which of the flags that were given have values that cannot be meant.
func boundFlags(c *cobra.Command) error {
	var problems []error
	want := func(ok bool, f *pflag.Flag, what string) {
		if !ok {
			problems = append(problems, fmt.Errorf("--%s %s: want %s", f.Name, f.Value, what))
		}
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "duration":
			d, err := c.Flags().GetDuration(f.Name)
			want(err == nil && d.Abs() <= longestFlag, f, "a duration of at most a year, such as "+f.DefValue)
		case "int":
			n, err := c.Flags().GetInt(f.Name)
			want(err == nil && n >= -largestFlag && n <= largestFlag, f, fmt.Sprintf("a number up to %d", largestFlag))
		case "float64":
			v, err := c.Flags().GetFloat64(f.Name)
			want(err == nil && math.Abs(v) <= mostOfFlag, f, "a number such as "+f.DefValue) // no NaN either
		}
	})
	return errors.Join(problems...)
}
