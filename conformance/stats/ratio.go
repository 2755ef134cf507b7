package stats

import (
	"math"
	"math/rand/v2"
)

// Error is how far an estimate may be off by chance: a standard error, and the degrees of freedom that it rests on.
type Error struct {
	Standard, Freedom float64
}

// Within is the half width of the interval that holds the truth with that confidence, 0 to 1: infinite without a degree of freedom.
func (e Error) Within(confidence float64) float64 {
	if e.Freedom <= 0 {
		return math.Inf(1)
	}
	return e.Standard * StudentQuantile((1+confidence)/2, e.Freedom)
}

// RatioError is how far the logarithm of the ratio of two quantiles, that of latest to that of old, may be off by chance, found by a bootstrap
// over blocks.
//
// Both runs went through the same timeline, so the same blocks are drawn from both: what differs between the blocks of one run, such as a
// fault half-way, does not widen the error. Neighbouring blocks are drawn together, the more of them the more alike neighbours are.
// It has no degree of freedom where nothing can be said: with fewer than three common blocks, or where a quantile is infinite in some draws.
func RatioError(old, latest []Block, q float64, draws int, rnd *rand.Rand) Error {
	n := min(len(old), len(latest))
	old, latest = old[:n], latest[:n]
	common := commonBlocks(old, latest)
	if common < leastBlocks || draws < 2 {
		return Error{}
	}
	a, b := newMixture(old), newMixture(latest)
	length := BlockLength(differences(old, latest, q))
	counts := make([]int, n)
	return spread(draws, float64(common)/float64(length), func() float64 {
		clear(counts)
		drawNeighbours(n, length, rnd, func(i int) { counts[i]++ })
		return b.quantile(q, counts) - a.quantile(q, counts)
	})
}

// drawNeighbours draws n of n places, each time a stretch of that length; behind the last place comes the first one.
func drawNeighbours(n, length int, rnd *rand.Rand, take func(i int)) {
	for drawn := 0; drawn < n; {
		start := rnd.IntN(n)
		for i := 0; i < length && drawn < n; i++ {
			take((start + i) % n)
			drawn++
		}
	}
}

// spread is the error that draws of an estimate show, which rests on so many independent pieces.
func spread(draws int, pieces float64, draw func() float64) Error {
	if pieces <= 1 {
		return Error{}
	}
	values := make([]float64, draws)
	for i := range values {
		values[i] = draw()
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return Error{}
		}
	}
	// The bootstrap of k independent pieces finds a variance that is too small by (k−1)/k, as that of a sample is.
	return Error{Standard: Deviation(values) * math.Sqrt(pieces/(pieces-1)), Freedom: pieces - 1}
}

const leastBlocks = 3

func commonBlocks(old, latest []Block) (n int) {
	for i := range old {
		if old[i].Samples > 0 && latest[i].Samples > 0 {
			n++
		}
	}
	return n
}

// differences are the logarithms of the ratios block by block, where both runs have one.
func differences(old, latest []Block, q float64) []float64 {
	var d []float64
	for i := range old {
		if before, after := old[i].at(q), latest[i].at(q); before > 0 && after > 0 {
			d = append(d, math.Log(after/before))
		}
	}
	return d
}

// at is the value of the knot nearest to the quantile q, 0 without any.
func (b *Block) at(q float64) float64 {
	best, distance := 0.0, math.Inf(1)
	for _, k := range b.Knots {
		if d := math.Abs(k.Share - q); d < distance {
			best, distance = k.Value, d
		}
	}
	return best
}

// BlockLength is how many neighbours are drawn together, so that a bootstrap of the mean of values that depend on those before them, as in
// an autoregression of the first order, errs least: (6ρ²/(1−ρ²)²)^⅓·n^⅓ with ρ the correlation of neighbours (Carlstein 1986).
// It is at most an eighth of the values, so that some pieces are left to compare.
func BlockLength(values []float64) int {
	n := float64(len(values))
	rho := min(max(neighbours(values), 0), 0.9)
	length := math.Cbrt(6 * rho * rho / ((1 - rho*rho) * (1 - rho*rho)) * n)
	return int(max(1, min(math.Round(length), math.Floor(n/8))))
}

// neighbours is the correlation of values with the ones behind them; 0 where it could only be chance.
func neighbours(values []float64) float64 {
	n := len(values)
	if n < 8 {
		return 0
	}
	mean := Mean(values)
	var together, alone float64
	for i, v := range values {
		alone += (v - mean) * (v - mean)
		if i > 0 {
			together += (v - mean) * (values[i-1] - mean)
		}
	}
	if alone == 0 || together/alone < 1/math.Sqrt(float64(n)) {
		return 0
	}
	return together / alone
}
