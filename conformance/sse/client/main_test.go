package client_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"

	reference "github.com/streamgauge/streamgauge/reference/client"
)

// crashVariable makes this test program an adapter of the reference client whose process ends at the bytes that it names.
const crashVariable = "STREAMGAUGE_TEST_CRASH"

func TestMain(m *testing.M) {
	if at := os.Getenv(crashVariable); at != "" {
		crash([]byte(at))
		return
	}
	m.Run()
}

func crash(at []byte) {
	c := &embedded.Client{Mutate: func(c *reference.Config) {
		c.Tamper = &reference.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			d.Reset()
			return s.Body(func(p []byte) error {
				if bytes.Contains(p, at) {
					fmt.Fprintln(os.Stderr, "bad input")
					os.Exit(3) //nolint:forbidigo // it is a program of its own
				}
				return d.Feed(p, h)
			})
		}}
	}}
	_ = subject.Serve(context.Background(), os.Stdin, os.Stdout, c) // whoever started it sees its end
}
