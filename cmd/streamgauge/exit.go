package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
)

// Exit codes. They are a contract with scripts and CI.
const (
	exitPass    = 0 // everything that was judged passed
	exitFail    = 1 // a requirement or an expectation failed
	exitUnknown = 2 // nothing failed, but something that had to be judged is unknown
	exitInput   = 3 // the input is wrong: a flag, a scenario or a target file
	exitHarness = 4 // the harness could not do its job
)

// exitError ends the process with code. A nil err says nothing more: the report on stdout already told why.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// inputError marks err as the caller's: a flag, an argument or a file that is wrong.
func inputError(err error) error { return &exitError{exitInput, err} }

// outcomeError is nil unless o calls for an exit code other than 0. A run in which everything was skipped judged nothing,
// and what was not judged has not passed.
func outcomeError(o conformance.Outcome) error {
	switch o {
	case conformance.Pass, conformance.Info, conformance.Warn:
		return nil
	case conformance.Fail:
		return &exitError{code: exitFail}
	default:
		return &exitError{code: exitUnknown}
	}
}

// classified gives every error that a command's own code returns an exit code: the harness's, unless it carries one already
// or lists the problems of a file.
// What cobra refuses before run is reached (flags, arguments, unknown commands) passes by, and conclude takes it for wrong input.
func classified(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if err := boundFlags(c); err != nil {
			return inputError(err)
		}
		err := run(c, args)
		var exit *exitError
		var problems *scenarios.Problems
		switch {
		case err == nil || errors.As(err, &exit):
			return err
		case errors.As(err, &problems):
			return inputError(err)
		}
		return &exitError{exitHarness, err}
	}
}

// conclude prints err, if there is anything to say, one problem a line, and returns the exit code.
func conclude(err error, stderr io.Writer) int {
	if err == nil {
		return exitPass
	}
	exit := &exitError{exitInput, err}
	errors.As(err, &exit)
	if exit.err != nil {
		for _, problem := range brief(err.Error()) {
			fmt.Fprintln(stderr, "streamgauge: "+problem)
		}
	}
	return exit.code
}
