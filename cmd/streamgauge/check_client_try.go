package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/selftest"
)

// test tries the adapter, and judges nothing.
func (s *clientSubject) test(c *cobra.Command) error {
	start, end, err := s.start(c.Context())
	if err != nil {
		return err
	}
	defer end()
	ctx, stop := interruptible(c.Context(), c.ErrOrStderr())
	defer stop()
	return selfTest(ctx, start, c.OutOrStdout())
}

// selfTest shows each result. What is wrong with an adapter is the harness's error, never the client's failure.
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
				fmt.Fprintln(out, "      either the adapter or the client loses it: print in the client's own callback what comes, and compare")
			}
		}
	})
	switch {
	case err != nil:
		return err
	case failed > 0 && failed == ambiguous:
		return fmt.Errorf("%d of %d checks of the adapter failed; the client itself may be the reason of each", failed, len(results))
	case failed > 0:
		return fmt.Errorf("%d of %d checks of the adapter failed: correct it before its client is judged", failed, len(results))
	case len(results) == 0:
		return errors.New("the adapter was not tried")
	}
	return nil
}

// trusted refuses an adapter that fails what only an adapter can fail. What the client may be to blame for is judged, and said beforehand.
func trusted(ctx context.Context, start subject.Starter, stderr io.Writer) error {
	results, err := selftest.Run(ctx, start, nil)
	if err != nil {
		return err
	}
	var problems []error
	for _, r := range results {
		switch {
		case r.Problem == "":
		case r.Ambiguous:
			fmt.Fprintf(stderr, "streamgauge: the adapter or its client failed the self-test's %s: %s\n", r.Name, r.Problem)
		default:
			problems = append(problems, fmt.Errorf("the adapter failed its self-test, so its client was not judged: %s: %s", r.Name, r.Problem))
		}
	}
	return errors.Join(problems...)
}
