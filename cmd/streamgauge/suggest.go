package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/streamgauge/streamgauge/scenarios"
)

// explainCommand refuses the arguments of the root: they are commands that do not exist.
func explainCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return inputError(fmt.Errorf("unknown command %q: did you mean %s?", args[0], near[0]))
	}
	return inputError(fmt.Errorf("unknown command %q: see %s --help", args[0], root.CommandPath()))
}

// explainFlag says which command did not understand its flags and, where a flag is unknown, which one was probably meant.
func explainFlag(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(c, unknown.GetSpecifiedName()); near != "" {
			return inputError(fmt.Errorf("%w: did you mean --%s?", err, near))
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		err = fmt.Errorf("--%s %s: want %s", invalid.GetFlag().Name, invalid.GetValue(), kindOf(invalid.GetFlag().Value.Type()))
	}
	return inputError(fmt.Errorf("%w: see %s --help", err, c.CommandPath()))
}

// kindOf says in words what kind of value a flag takes.
func kindOf(kind string) string {
	switch kind {
	case "uint64", "uint":
		return "a whole number of 0 or more"
	case "int", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "duration":
		return "a duration such as 30s"
	case "SIZE":
		return "a size such as 256MiB or 2GiB"
	}
	return "a " + kind
}

// explained says of arguments that a command refuses how it is called.
func explained(args cobra.PositionalArgs) cobra.PositionalArgs {
	if args == nil {
		return nil
	}
	return func(c *cobra.Command, given []string) error {
		if err := args(c, given); err != nil {
			return fmt.Errorf("%w: the command is %s", err, c.UseLine())
		}
		return nil
	}
}

// nearestFlag borrows cobra's matching of mistyped commands: its flags are offered to it as if they were commands.
func nearestFlag(c *cobra.Command, name string) string {
	flags := &cobra.Command{SuggestionsMinimumDistance: 2}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	if near := flags.SuggestionsFor(name); len(near) > 0 {
		return near[0]
	}
	return ""
}

// hint names the one of the known words that was probably meant, or says something else when none is near.
func hint(word string, known []string, otherwise string) string {
	if text := scenarios.Suggest(word, known); strings.HasPrefix(text, "did you mean") {
		return text
	}
	return otherwise
}
