package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/selftest"
	"github.com/streamgauge/streamgauge/reports"
)

// test tries the adapter, and judges nothing.
func (s *clientSubject) test(c *cobra.Command) error {
	start, end, err := s.start(c.Context())
	if err != nil {
		return err
	}
	defer end()
	out := linesOf(c.OutOrStdout())
	defer out.flush()
	return selfTest(interruptible(c), start, out)
}

// selfTest shows each result. What only an adapter can break is the harness's error; what its client may have broken is a failure of either.
func selfTest(ctx context.Context, start subject.Starter, out io.Writer) error {
	failed, ambiguous := 0, 0
	results, err := selftest.Run(ctx, start, func(r selftest.Result) {
		switch {
		case r.Problem == "" && r.Detail == "":
			fmt.Fprintf(out, "ok    %s\n", r.Name)
		case r.Problem == "":
			fmt.Fprintf(out, "ok    %s: %s\n", r.Name, r.Detail)
		default:
			failed++
			fmt.Fprintf(out, "FAIL  %s: %s\n", r.Name, r.Problem)
			if r.Ambiguous {
				ambiguous++
				fmt.Fprintln(out, "      client or adapter: print in the client's own callback what comes, and compare")
			}
		}
	})
	switch {
	case err != nil:
		return err
	case failed > 0 && failed == ambiguous:
		return &exitError{exitFail, fmt.Errorf("%d of %s failed; the client can be to blame for each as well as its adapter", failed, reports.Plural(uint64(len(results)), "check"))}
	case failed > 0:
		return errors.Join(fmt.Errorf("%d of %s of the adapter failed: correct it before its client is judged", failed, reports.Plural(uint64(len(results)), "check")), toGreet(results))
	case len(results) == 0:
		return errors.New("the adapter was not tried")
	}
	return nil
}

// trusted refuses an adapter that fails what only an adapter can fail. What the client may be to blame for is judged.
func trusted(ctx context.Context, start subject.Starter) error {
	results, err := selftest.Adapter(ctx, start)
	if err != nil {
		return err
	}
	var problems []error
	for _, r := range results {
		if r.Problem != "" && !r.Ambiguous {
			problems = append(problems, fmt.Errorf("the adapter failed its self-test, so its client was not judged: %s: %s", r.Name, r.Problem))
		}
	}
	return errors.Join(append(problems, toGreet(results))...)
}

// toGreet says what an adapter has to do where nothing but the hello was tried, because there was none.
func toGreet(results []selftest.Result) error {
	if len(results) != 1 || results[0].Problem == "" {
		return nil
	}
	return fmt.Errorf(`an adapter writes {"ev":"hello","proto":1,"name":"my-client"} as its first line, within %v, and then does what it reads on its standard input until it is told to exit: docs/adapters.md`, subject.HelloWithin)
}
