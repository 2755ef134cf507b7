package check

import (
	"math"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// curvePoints is about how many points a curve has.
const curvePoints = 100

// namedQuantiles are on every curve, as far as there are samples enough to tell them apart.
var namedQuantiles = []float64{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999, 0.999999}

// Curves are the distributions of latency: over all that was expected, from when it was due, and over what came, from when it was
// sent.
func (t *Tally) Curves() []conformance.Curve {
	var curves []conformance.Curve
	for _, c := range []struct {
		name string
		d    *Distribution
	}{{"latency", t.latency()}, {latencyUncorrected, t.distribution(latencyUncorrected)}} {
		if c.d.Samples+c.d.Missing > 0 {
			curves = append(curves, conformance.Curve{
				Name: c.name, Unit: "ms", Samples: c.d.Samples, Missing: c.d.Missing, Points: c.d.curve(),
			})
		}
	}
	return curves
}

// curve has points at equal distances on an axis of 1/(1−q), and one on either side of where the missing begin.
func (d *Distribution) curve() []conformance.CurvePoint {
	total := float64(d.Samples + d.Missing)
	ranks := []uint64{1, d.Samples + d.Missing}
	rankOf := func(q float64) uint64 { return min(max(uint64(math.Ceil(q*total)), 1), d.Samples+d.Missing) }
	for i := range curvePoints {
		ranks = append(ranks, rankOf(1-math.Pow(total, -float64(i)/(curvePoints-1))))
	}
	for _, q := range namedQuantiles {
		ranks = append(ranks, rankOf(q))
	}
	if d.Missing > 0 {
		ranks = append(ranks, max(d.Samples, 1), d.Samples+1)
	}
	slices.Sort(ranks)
	ranks = slices.Compact(ranks)
	points := make([]conformance.CurvePoint, 0, len(ranks))
	seen, at := uint64(0), -1
	for _, rank := range ranks {
		if rank > d.Samples {
			points = append(points, conformance.CurvePoint{Quantile: float64(rank) / total, Value: conformance.Sample(math.Inf(1))})
			continue
		}
		for seen < rank {
			at++
			seen += uint64(d.counts[at])
		}
		value := min(max(valueOf(max(at, 0)), d.Min), d.Max)
		switch rank {
		case d.Samples:
			value = d.Max
		case 1:
			value = d.Min
		}
		points = append(points, conformance.CurvePoint{Quantile: float64(rank) / total, Value: conformance.Sample(milliseconds(value))})
	}
	return points
}
