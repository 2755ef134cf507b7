//go:build matrix

package server_test

import (
	"flag"
	"os"
	"testing"
)

var matrix = flag.Bool("matrix", os.Getenv("STREAMGAUGE_MATRIX") != "", "run the cases against brokers, hubs and gateways, right and wrong")

// matrixOnly keeps a test of minutes out of the short form.
func matrixOnly(t *testing.T) {
	t.Helper()
	if !*matrix {
		t.Skip("runs the cases over real sockets for minutes: ask for it with -matrix or STREAMGAUGE_MATRIX=1")
	}
}
