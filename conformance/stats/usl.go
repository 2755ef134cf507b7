package stats

import "math"

// USL is Gunther's Universal Scalability Law, X(N) = λN / (1 + σ(N−1) + κN(N−1)): what a load of N units yields, when each alone would
// yield λ. Sigma is the share of work that waits for others, Kappa what keeping everybody consistent costs each pair.
type USL struct {
	Lambda, Sigma, Kappa Estimate // the interval of a coefficient that the fit holds at zero is zero wide
	R2                   float64  // share of the variance of X that the law explains
	Points               int
}

// FitUSL fits the law to the yields x of loads n, in closed form: N/X(N) is a quadratic in N, whose coefficients come from linear least
// squares, weighted so that equal relative errors of x count alike. Negative coefficients have no meaning: of the fits that hold some of
// σ and κ at zero and have the others positive, the best is taken. It takes three or more different loads of at least one unit, all
// yields above zero, and one point more than there are coefficients.
func FitUSL(n, x []float64) (USL, bool) {
	if len(n) != len(x) || !allFinite(n) || !allFinite(x) || distinct(n) < 3 || len(n) < 4 {
		return USL{}, false
	}
	rows := make([][3]float64, len(n))
	var scale [3]float64
	for i := range n {
		if n[i] < 1 || x[i] <= 0 {
			return USL{}, false
		}
		w := x[i] / n[i]
		rows[i] = [3]float64{w, w * (n[i] - 1), w * n[i] * (n[i] - 1)}
		for c, v := range rows[i] {
			scale[c] = math.Hypot(scale[c], v)
		}
	}
	// Each column is made of length one: N² of a million loads would drown everything else.
	for i := range rows {
		for c := range scale {
			rows[i][c] /= scale[c]
		}
	}
	best, found := fit{residual: math.Inf(1)}, false
	for _, free := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}, {0}} {
		f, ok := leastSquares(rows, free)
		if ok && f.feasible() && f.residual < best.residual {
			best, found = f, true
		}
	}
	if !found {
		return USL{}, false
	}
	return best.law(scale, n, x), true
}

// At is the yield of a load.
func (u USL) At(n float64) float64 {
	return u.Lambda.Value * n / (1 + u.Sigma.Value*(n-1) + u.Kappa.Value*n*(n-1))
}

// Peak is the load beyond which more load yields less; there is none without a cost of consistency.
func (u USL) Peak() (n, x float64, ok bool) {
	if u.Kappa.Value <= 0 || u.Sigma.Value >= 1 {
		return 0, 0, false
	}
	n = math.Sqrt((1 - u.Sigma.Value) / u.Kappa.Value)
	return n, u.At(n), true
}

// Efficiency is what a load yields as a share of what as many loads would yield alone, 0 to 1.
func (u USL) Efficiency(n float64) float64 {
	return 1 / (1 + u.Sigma.Value*(n-1) + u.Kappa.Value*n*(n-1))
}

// fit is a solution of the weighted problem, whose right side is one everywhere.
type fit struct {
	coefficient [3]float64
	covariance  [3][3]float64 // without the variance of the residuals
	free        int
	points      int
	residual    float64 // sum of squares
}

func (f *fit) feasible() bool {
	return f.coefficient[0] > 0 && f.coefficient[1] >= 0 && f.coefficient[2] >= 0
}

// leastSquares solves the normal equations for the coefficients named by free; the others are zero.
func leastSquares(rows [][3]float64, free []int) (fit, bool) {
	p := len(free)
	// The matrix, the right side and the identity that becomes the inverse stand side by side.
	var a [3][7]float64
	for i, ci := range free {
		a[i][4+i] = 1
		for _, row := range rows {
			for j, cj := range free {
				a[i][j] += row[ci] * row[cj]
			}
			a[i][3] += row[ci]
		}
	}
	for i := range p {
		pivot := i
		for k := i + 1; k < p; k++ {
			if math.Abs(a[k][i]) > math.Abs(a[pivot][i]) {
				pivot = k
			}
		}
		a[i], a[pivot] = a[pivot], a[i]
		if math.Abs(a[i][i]) < 1e-14*float64(len(rows)) {
			return fit{}, false
		}
		for k := range p {
			if k == i {
				continue
			}
			factor := a[k][i] / a[i][i]
			for j := range a[k] {
				a[k][j] -= factor * a[i][j]
			}
		}
	}
	f := fit{free: p, points: len(rows)}
	for i, ci := range free {
		f.coefficient[ci] = a[i][3] / a[i][i]
		for j, cj := range free {
			f.covariance[ci][cj] = a[i][4+j] / a[i][i]
		}
	}
	for _, row := range rows {
		r := 1 - row[0]*f.coefficient[0] - row[1]*f.coefficient[1] - row[2]*f.coefficient[2]
		f.residual += r * r
	}
	return f, true
}

// law turns a + b(N−1) + cN(N−1) into λ = 1/a, σ = b/a and κ = c/a, with intervals by the delta method. The coefficients are those of
// columns divided by scale.
func (f *fit) law(scale [3]float64, n, x []float64) USL {
	for i := range f.coefficient {
		f.coefficient[i] /= scale[i]
		for j := range f.covariance[i] {
			f.covariance[i][j] /= scale[i] * scale[j]
		}
	}
	a := f.coefficient[0]
	freedom := f.points - f.free
	s2, t := f.residual/float64(freedom), tQuantile(freedom)
	ratio := func(i int) Estimate {
		value := f.coefficient[i] / a
		if f.coefficient[i] == 0 {
			return Estimate{}
		}
		variance := s2 * (f.covariance[i][i] - 2*value*f.covariance[0][i] + value*value*f.covariance[0][0]) / (a * a)
		e := around(value, t*math.Sqrt(max(variance, 0)))
		return Estimate{e.Value, max(e.Low, 0), e.High}
	}
	u := USL{
		Lambda: around(1/a, t*math.Sqrt(max(s2*f.covariance[0][0], 0))/(a*a)),
		Sigma:  ratio(1), Kappa: ratio(2), Points: f.points,
	}
	var residual, total float64
	average := Mean(x)
	for i := range n {
		r, d := x[i]-u.At(n[i]), x[i]-average
		residual, total = residual+r*r, total+d*d
	}
	u.R2 = explained(residual, total)
	return u
}

func distinct(values []float64) int {
	seen := map[float64]bool{}
	for _, v := range values {
		seen[v] = true
	}
	return len(seen)
}
