package check

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// arrivals counts deliveries by the second in which they came and by their latency: one addition for each delivery gives both its
// rate and its percentiles. Latencies of deliveries that were not expected, or that slow readers took, do not count, only the
// deliveries themselves.
type arrivals struct {
	seconds int
	striped [][]atomic.Pointer[minute]
}

// minute counts the deliveries of some seconds by second and bucket. It is made when the first of them comes.
type minute [minuteSeconds * latencyBuckets]atomic.Int32

const minuteSeconds = 64

// A latency's bucket is an eighth of the power of two it lies in, and below 2^(fineBits+3) ns one of equal steps. The last one is open.
const (
	unmeasured     = 0  // the bucket of deliveries whose latency does not count
	fineBits       = 13 // 8.2 µs
	octaveBits     = 3
	octaves        = 21 // up to 275 s
	latencyBuckets = (octaves+2)<<octaveBits + 1
)

// arrivalCounters bounds the memory of all stripes: 4 bytes each.
const arrivalCounters = 3 << 20

func newArrivals(length time.Duration) arrivals {
	a := arrivals{seconds: int(min(length, maxSeries)/time.Second) + 2}
	a.striped = make([][]atomic.Pointer[minute], max(1, min(stripes, arrivalCounters/(a.seconds*latencyBuckets))))
	for i := range a.striped {
		a.striped[i] = make([]atomic.Pointer[minute], a.seconds/minuteSeconds+1)
	}
	return a
}

// add counts one delivery.
func (a *arrivals) add(at time.Duration, subscriber int32, bucket int) {
	minutes := a.striped[uint32(subscriber)%uint32(len(a.striped))]
	second := uint(min(max(int(at/time.Second), 0), a.seconds-1))
	m := minutes[second/minuteSeconds].Load()
	if m == nil {
		minutes[second/minuteSeconds].CompareAndSwap(nil, new(minute))
		m = minutes[second/minuteSeconds].Load()
	}
	m[second%minuteSeconds*latencyBuckets+uint(bucket)].Add(1)
}

// bucketOf is the bucket of a latency.
func bucketOf(latency time.Duration) int {
	v := uint64(max(latency, 0)) >> fineBits
	octave := bits.Len64(v|1<<octaveBits) - octaveBits - 1
	return min(octave<<octaveBits+int(v>>octave)+1, latencyBuckets-1)
}

// bucketBounds are the least latency that a bucket counts, and the least that it does not count any more.
func bucketBounds(bucket int) (least, below time.Duration) {
	i := bucket - 1
	octave := max(i>>octaveBits-1, 0)
	sub := i - octave<<octaveBits
	return time.Duration(sub) << (octave + fineBits), time.Duration(sub+1) << (octave + fineBits)
}

// LatencyRow counts the measured deliveries of one step of time by the bucket of their latency. Counts[0] is of the bucket First.
type LatencyRow struct {
	First  int     `json:"first,omitempty"`
	Counts []int64 `json:"counts,omitempty"`
}

// counts are the deliveries of each second, and the latencies of each step, up to end. It may be called while deliveries go on.
func (a *arrivals) counts(end, step time.Duration) (bySecond []int64, byStep []LatencyRow) {
	n := min(int(max(end, 0)/time.Second)+1, a.seconds)
	width := int(step / time.Second)
	bySecond, byStep = make([]int64, n), make([]LatencyRow, (n+width-1)/width)
	sums := make([]int64, latencyBuckets)
	for from := 0; from < n; from += width {
		clear(sums)
		until := min(from+width, n)
		if until == n {
			until = a.seconds // what came later counts in the last one
		}
		for second := from; second < until; second++ {
			at := min(second, n-1)
			for _, minutes := range a.striped {
				bySecond[at] += minutes[second/minuteSeconds].Load().addTo(sums, second%minuteSeconds)
			}
		}
		byStep[from/width] = trimmed(sums)
	}
	return bySecond, byStep
}

// addTo adds the counts of a second to sums, and returns how many there were.
func (m *minute) addTo(sums []int64, second int) (all int64) {
	if m == nil {
		return 0
	}
	cells := m[second*latencyBuckets : (second+1)*latencyBuckets]
	for i := range cells {
		n := int64(cells[i].Load())
		sums[i] += n
		all += n
	}
	return all
}

// trimmed copies the counts of the measured latencies, from the first that is not zero to the last.
func trimmed(sums []int64) LatencyRow {
	first, last := unmeasured+1, len(sums)
	for first < last && sums[first] == 0 {
		first++
	}
	for last > first && sums[last-1] == 0 {
		last--
	}
	if first == last {
		return LatencyRow{}
	}
	return LatencyRow{First: first, Counts: append([]int64(nil), sums[first:last]...)}
}

func (r LatencyRow) plus(other LatencyRow) LatencyRow {
	sums := make([]int64, latencyBuckets)
	for _, row := range []LatencyRow{r, other} {
		for i, n := range row.Counts {
			if at := row.First + i; at > unmeasured && at < latencyBuckets {
				sums[at] += n
			}
		}
	}
	return trimmed(sums)
}

func addRows(a, b []LatencyRow) []LatencyRow {
	sum := make([]LatencyRow, max(len(a), len(b)))
	for i := range sum {
		switch {
		case i >= len(a):
			sum[i] = b[i]
		case i >= len(b):
			sum[i] = a[i]
		default:
			sum[i] = a[i].plus(b[i])
		}
	}
	return sum
}

func (r LatencyRow) samples() (n int64) {
	for _, count := range r.Counts {
		n += count
	}
	return n
}

// bucket is the one that the sample of that rank, from 1, lies in, and where in it, 0 to 1, if its samples are spread evenly.
func (r LatencyRow) bucket(rank int64) (bucket int, within float64) {
	for i, n := range r.Counts {
		if rank <= n {
			return r.First + i, (float64(rank) - 0.5) / float64(n)
		}
		rank -= n
	}
	return r.First + len(r.Counts) - 1, 1
}
