package stats

import "math"

// Estimate is a value with its 95 % confidence interval.
type Estimate struct{ Value, Low, High float64 }

// Line is a straight line y = Base + Slope·x through points, fitted by least squares.
type Line struct {
	Base, Slope Estimate
	R2          float64 // share of the variance that the line explains; 1 where there is none to explain
	Points      int
}

// FitLine fits a line. It takes at least three points at two or more places, all of them finite: with fewer there is no interval.
func FitLine(x, y []float64) (Line, bool) {
	n := len(x)
	if n < 3 || len(y) != n || !allFinite(x) || !allFinite(y) {
		return Line{}, false
	}
	meanX, meanY := Mean(x), Mean(y)
	var sxx, sxy, syy float64
	for i := range x {
		dx, dy := x[i]-meanX, y[i]-meanY
		sxx, sxy, syy = sxx+dx*dx, sxy+dx*dy, syy+dy*dy
	}
	if sxx == 0 {
		return Line{}, false
	}
	slope := sxy / sxx
	base := meanY - slope*meanX
	var residual float64
	for i := range x {
		r := y[i] - base - slope*x[i]
		residual += r * r
	}
	s2, t := residual/float64(n-2), tQuantile(n-2)
	return Line{
		Base:  around(base, t*math.Sqrt(s2*(1/float64(n)+meanX*meanX/sxx))),
		Slope: around(slope, t*math.Sqrt(s2/sxx)),
		R2:    explained(residual, syy), Points: n,
	}, true
}

func around(value, half float64) Estimate { return Estimate{value, value - half, value + half} }

func explained(residual, total float64) float64 {
	if total == 0 {
		return 1
	}
	return 1 - residual/total
}

// tQuantile makes a standard error the half width of a 95 % confidence interval.
func tQuantile(freedom int) float64 { return StudentQuantile(0.975, float64(freedom)) }

func allFinite(values []float64) bool {
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
