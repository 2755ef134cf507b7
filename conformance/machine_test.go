package conformance_test

import (
	"os"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
)

func TestTheMachineIsNeverBusierThanItIs(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/stat"); err != nil {
		t.Skip("this system has no /proc")
	}
	busy, all, err := conformance.MachineTime()
	if err != nil || busy <= 0 || busy > all {
		t.Errorf("%v of %v: %v", busy, all, err)
	}
}

func TestALoadIsAShare(t *testing.T) {
	t.Parallel()
	l := conformance.LoadFromNow()
	for range 1_000_000 {
		_ = os.Getpid()
	}
	if share := l.Share(); share < 0 || share > 1 {
		t.Errorf("%v", share)
	}
	if share := (conformance.Load{}).Share(); share != 0 {
		t.Errorf("of a load that nobody measured: %v", share)
	}
}
