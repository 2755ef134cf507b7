package main

import (
	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance/memory"
	"github.com/streamgauge/streamgauge/scenarios"
)

// sizeFlag is a flag whose value is a number of bytes, as in 2GiB; 0 when it was not given.
type sizeFlag struct {
	bytes scenarios.Bytes
	text  string
}

func (f *sizeFlag) String() string { return f.text }

func (f *sizeFlag) Type() string { return "SIZE" }

// Set reads a value.
func (f *sizeFlag) Set(text string) (err error) {
	f.text = text
	f.bytes, err = scenarios.ParseBytes(text)
	return err
}

// limitsMemory gives a command the flag that bounds its memory, and bounds it.
func limitsMemory(c *cobra.Command) *cobra.Command {
	var size sizeFlag
	c.Flags().Var(&size, "memory", "memory to use, as in 2GiB: beyond it nothing more is kept of what is sent, and what needs that is unknown (default: GOMEMLIMIT, or a quarter of what there is)")
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		limit := int64(size.bytes)
		if limit == 0 {
			limit = memory.Given()
		}
		if limit == 0 {
			limit = memory.Usual()
		}
		memory.Limit(limit)
		return run(c, args)
	}
	return c
}
