package stats_test

import (
	"math"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/stats"
)

func TestStudentQuantilesAreThoseOfTheTables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ p, freedom, want float64 }{
		{0.975, 1, 12.7062}, {0.975, 2, 4.3027}, {0.995, 1, 63.6567}, {0.995, 2, 9.9248}, {0.995, 5, 4.0321}, {0.995, 9, 3.2498},
		{0.95, 30, 1.6973}, {0.995, 60, 2.6603}, {0.995, 1e6, 2.5758}, {0.5, 3, 0}, {0.025, 10, -2.2281},
	} {
		if got := stats.StudentQuantile(c.p, c.freedom); math.Abs(got-c.want) > 6e-5 {
			t.Errorf("t(%g, %g) = %.4f, want %.4f", c.p, c.freedom, got, c.want)
		}
	}
}
