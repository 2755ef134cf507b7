package stats

import "math"

// StudentQuantile is the value that Student's t with so many degrees of freedom, above 0, does not exceed with probability p, 0 < p < 1.
func StudentQuantile(p, freedom float64) float64 {
	if p < 0.5 {
		return -StudentQuantile(1-p, freedom)
	}
	low, high := 0.0, 1.0
	for StudentShare(high, freedom) < p && high < 1e12 {
		high *= 2
	}
	for range 200 {
		middle := (low + high) / 2
		if StudentShare(middle, freedom) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// StudentShare is the probability that Student's t with so many degrees of freedom is at most t.
func StudentShare(t, freedom float64) float64 {
	tail := incompleteBeta(freedom/2, 0.5, freedom/(freedom+t*t)) / 2
	if t > 0 {
		return 1 - tail
	}
	return tail
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22) in Lentz's way.
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 || x >= 1 {
		return min(max(x, 0), 1)
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(b, a, 1-x)
	}
	lnA, _ := math.Lgamma(a)
	lnB, _ := math.Lgamma(b)
	lnAB, _ := math.Lgamma(a + b)
	front := math.Exp(lnAB-lnA-lnB+a*math.Log(x)+b*math.Log(1-x)) / a
	const tiny = 1e-300
	f, c, d := 1.0, 1.0, 0.0
	for i := range 400 {
		m := float64(i / 2)
		var numerator float64
		switch {
		case i == 0:
			numerator = 1
		case i%2 == 0:
			numerator = m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		default:
			numerator = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		d = 1 / orTiny(1+numerator*d, tiny)
		c = orTiny(1+numerator/c, tiny)
		f *= c * d
		if math.Abs(1-c*d) < 1e-14 {
			break
		}
	}
	return front * (f - 1)
}

func orTiny(v, tiny float64) float64 {
	if math.Abs(v) < tiny {
		return tiny
	}
	return v
}
