package check

import (
	"sync/atomic"
	"time"
)

// maxSeries bounds how much of a run is kept second by second; what comes later is counted in the last second.
const maxSeries = 4 * time.Hour

// stripes keeps subscribers on different processors from counting in the same cache line.
const stripes = 8

// series counts events by when they happened, in steps of equal length.
type series struct {
	step   time.Duration
	counts []atomic.Int32
}

func newSeries(step, length time.Duration) series {
	return series{step: step, counts: make([]atomic.Int32, int(min(length, maxSeries)/step)+2)}
}

func (s *series) add(at time.Duration, n int32) {
	s.counts[min(max(int(at/s.step), 0), len(s.counts)-1)].Add(n)
}

// sums are the counts per step, up to the step that end falls in.
func (s *series) sums(end time.Duration) []int64 {
	n := min(int(max(end, 0)/s.step)+1, len(s.counts))
	sums := make([]int64, n)
	for i := range s.counts {
		sums[min(i, n-1)] += int64(s.counts[i].Load())
	}
	return sums
}
