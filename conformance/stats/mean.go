package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Mean is the arithmetic mean, NaN of nothing.
func Mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// Deviation is the standard deviation that a sample suggests for what it was taken from, NaN of fewer than two values.
func Deviation(values []float64) float64 {
	mean := Mean(values)
	var squares float64
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	if len(values) < 2 {
		return math.NaN()
	}
	return math.Sqrt(squares / float64(len(values)-1))
}

// PredictionError is how far one more value may lie from the mean of those seen, when all vary alike.
func PredictionError(values []float64) Error {
	n := float64(len(values))
	if n < 2 {
		return Error{}
	}
	return Error{Standard: Deviation(values) * math.Sqrt(1+1/n), Freedom: n - 1}
}

// trimmed is the share that a trimmed mean leaves out at either end.
const trimmed = 0.25

// TrimmedMean is the mean of the middle half: a quarter of the values may be anything. NaN of nothing.
func TrimmedMean(values []float64) float64 {
	return trimmedMean(slices.Clone(values))
}

// trimmedMean sorts values.
func trimmedMean(values []float64) float64 {
	slices.Sort(values)
	out := int(trimmed * float64(len(values)))
	return Mean(values[out : len(values)-out])
}

// TrimmedMeanError is how far the trimmed mean of values, in the order they were measured, may be off by chance. It is found by a bootstrap that
// draws neighbours together, the more of them the more alike they are. It has no degree of freedom with fewer than three values.
func TrimmedMeanError(values []float64, draws int, rnd *rand.Rand) Error {
	n := len(values)
	if n < leastBlocks || draws < 2 {
		return Error{}
	}
	length := BlockLength(values)
	drawn := make([]float64, 0, n)
	return spread(draws, float64(n)/float64(length), func() float64 {
		drawn = drawn[:0]
		drawNeighbours(n, length, rnd, func(i int) { drawn = append(drawn, values[i]) })
		return trimmedMean(drawn)
	})
}
