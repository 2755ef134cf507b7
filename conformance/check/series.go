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
	step    time.Duration
	striped [][]atomic.Int32
}

func newSeries(step, length time.Duration, width int) series {
	n := int(min(length, maxSeries)/step) + 2
	s := series{step: step, striped: make([][]atomic.Int32, width)}
	for i := range s.striped {
		s.striped[i] = make([]atomic.Int32, n)
	}
	return s
}

func (s *series) add(at time.Duration, subscriber, n int32) {
	row := s.striped[uint32(subscriber)%uint32(len(s.striped))]
	i := min(max(int(at/s.step), 0), len(row)-1)
	row[i].Add(n)
}

// counts are the sums per step, up to the step that end falls in.
func (s *series) counts(end time.Duration) []int64 {
	n := min(int(end/s.step)+1, len(s.striped[0]))
	sums := make([]int64, n)
	for _, row := range s.striped {
		for i := range row {
			sums[min(i, n-1)] += int64(row[i].Load())
		}
	}
	return sums
}
