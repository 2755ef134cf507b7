package peers

import (
	"flag"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets all peers run at once, however few cores there are: most of the time, they wait.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	dir, err := os.MkdirTemp("", "streamgauge-peers-")
	if err != nil {
		panic(err)
	}
	programs.dir, programs.built = dir, map[string]error{}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code) //nolint:forbidigo // goleak leaves it to its cleanup
	}))
}
