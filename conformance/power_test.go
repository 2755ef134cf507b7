package conformance

import (
	"math"
	"testing"
)

func TestAPassSaysWhatWouldHaveShown(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{
		1: "> 95% would show (95%)", 3: "> 63% would show (95%)", 60: "> 1 in 20 would show (95%)",
		35_878: "> 1 in 11,976 would show (95%)", 4_000_000: "> 1 in 1,335,233 would show (95%)",
	} {
		p := PowerOf(n, "delivery")
		if got := p.String(); got != want {
			t.Errorf("%d samples: %s, want %s", n, got, want)
		}
		if unseen := math.Pow(1-p.Rate, float64(n)); math.Abs(unseen-0.05) > 1e-6 {
			t.Errorf("%d samples: faults at the rate stated stay unseen with %g, want 0.05", n, unseen)
		}
	}
	if PowerOf(0, "delivery") != nil {
		t.Error("nothing was sampled, and something is said of it")
	}
}
