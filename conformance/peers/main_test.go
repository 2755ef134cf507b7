package peers

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets all peers run at once, however few cores there are: most of the time, they wait.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
