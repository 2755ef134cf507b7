package check

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/streamgauge/streamgauge/conformance"
)

// The one geometry of all histograms, that of hdrhistogram.New(lowest, highest, 3): three significant digits from a microsecond
// up. Counters lie as the library lays them out, so that a snapshot converts without counting anew.
const (
	lowest        = int64(time.Microsecond)
	highest       = int64(24 * time.Hour)
	unitMagnitude = 9  // log2 of lowest, rounded down
	halfMagnitude = 10 // log2 of half the sub-buckets that three digits need
	subBucketMask = (1<<(halfMagnitude+1) - 1) << unitMagnitude
	counters      = (28 + 1) << halfMagnitude
)

// histogram counts durations. It may be recorded into concurrently, without a lock: the library's own type may not. Its counters
// are allocated with the first sample.
type histogram struct {
	counts   atomic.Pointer[[counters]atomic.Int64]
	min, max atomic.Int64 // exact; min is stored as its complement, so that the zero value means none
}

func (h *histogram) record(d time.Duration) {
	v := min(max(int64(d), 0), highest)
	counts := h.counts.Load()
	if counts == nil {
		h.counts.CompareAndSwap(nil, new([counters]atomic.Int64))
		counts = h.counts.Load()
	}
	counts[counterOf(v)].Add(1)
	raise(&h.max, v)
	for old := h.min.Load(); (old == 0 || ^v > old) && !h.min.CompareAndSwap(old, ^v); old = h.min.Load() {
	}
}

func counterOf(v int64) int {
	bucket := 64 - bits.LeadingZeros64(uint64(v|subBucketMask)) - unitMagnitude - halfMagnitude - 1
	return bucket<<halfMagnitude + int(v>>(bucket+unitMagnitude))
}

// valueOf is the largest duration that counter i counts.
func valueOf(i int) time.Duration {
	bucket := max(i>>halfMagnitude-1, 0)
	sub := i - bucket<<halfMagnitude
	return time.Duration(int64(sub+1)<<(bucket+unitMagnitude) - 1)
}

func (h *histogram) snapshot() Distribution {
	d := Distribution{}
	counts := h.counts.Load()
	if counts == nil {
		return d
	}
	d.Min, d.Max = time.Duration(^h.min.Load()), time.Duration(h.max.Load())
	d.counts = make([]int64, counterOf(int64(d.Max))+1)
	for i := range d.counts {
		d.counts[i] = counts[i].Load()
		d.Samples += uint64(d.counts[i])
	}
	return d
}

// Distribution is a set of durations, and the number of those that were expected and never came: they count as infinitely long.
// The zero value is empty.
type Distribution struct {
	Samples  uint64
	Missing  uint64
	Min, Max time.Duration // exact
	counts   []int64       // up to the one of Max
}

// Merge adds other's samples to d.
func (d *Distribution) Merge(other *Distribution) {
	d.Missing += other.Missing
	if other.Samples == 0 {
		return
	}
	if d.Samples == 0 || other.Min < d.Min {
		d.Min = other.Min
	}
	d.Max = max(d.Max, other.Max)
	d.Samples += other.Samples
	d.counts = addSeries(d.counts, other.counts)
}

// without returns d less the samples of part, which must be some of d's. Its Min and Max are as exact as the counters are.
func (d *Distribution) without(part *Distribution) Distribution {
	rest := Distribution{Samples: d.Samples - part.Samples}
	if rest.Samples == 0 {
		return rest
	}
	rest.counts = append([]int64(nil), d.counts...)
	for i, n := range part.counts {
		rest.counts[i] -= n
	}
	if part.Samples == 0 {
		rest.Min, rest.Max = d.Min, d.Max
		return rest
	}
	rest.Min, rest.Max = max(rest.at(1), d.Min), min(rest.at(rest.Samples), d.Max)
	rest.counts = rest.counts[:counterOf(int64(rest.Max))+1]
	return rest
}

// Quantile returns the smallest duration that at least percent of all that was expected did not exceed. It is infinite, and
// the boolean false, when that rank falls among the missing, and when nothing was expected.
func (d *Distribution) Quantile(percent float64) (time.Duration, bool) {
	total := d.Samples + d.Missing
	rank := uint64(math.Ceil(percent / 100 * float64(total)))
	rank = min(max(rank, 1), total)
	if rank == 0 || rank > d.Samples {
		return 0, false
	}
	if rank == d.Samples {
		return d.Max, true
	}
	return min(max(d.at(rank), d.Min), d.Max), true
}

// at is the value of the sample with that rank, from 1.
func (d *Distribution) at(rank uint64) time.Duration {
	var seen uint64
	for i, n := range d.counts {
		if seen += uint64(n); seen >= rank {
			return valueOf(i)
		}
	}
	return d.Max
}

// Mean is the mean of the samples that came, to the histogram's precision.
func (d *Distribution) Mean() time.Duration {
	if d.Samples == 0 {
		return 0
	}
	var sum float64
	for i, n := range d.counts {
		if n != 0 {
			sum += float64(n) * float64(valueOf(i))
		}
	}
	return min(max(time.Duration(sum/float64(d.Samples)), d.Min), d.Max)
}

func (d *Distribution) library() *hdrhistogram.Histogram {
	return hdrhistogram.Import(&hdrhistogram.Snapshot{
		LowestTrackableValue: lowest, HighestTrackableValue: highest, SignificantFigures: 3, Counts: d.counts,
	})
}

type distributionJSON struct {
	Missing uint64        `json:"missing,omitempty"`
	Min     time.Duration `json:"min,omitempty"`
	Max     time.Duration `json:"max,omitempty"`
	HDR     string        `json:"hdr,omitempty"` // V2 compressed, base64
}

// MarshalJSON writes the distribution exactly, its counters in HdrHistogram's compressed form.
func (d Distribution) MarshalJSON() ([]byte, error) {
	out := distributionJSON{Missing: d.Missing, Min: d.Min, Max: d.Max}
	if d.Samples > 0 {
		encoded, err := d.library().Encode(hdrhistogram.V2CompressedEncodingCookieBase)
		if err != nil {
			return nil, fmt.Errorf("encoding a histogram of %s: %w", conformance.Plural(d.Samples, "sample"), err)
		}
		out.HDR = string(encoded)
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *Distribution) UnmarshalJSON(data []byte) error {
	var in distributionJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*d = Distribution{Missing: in.Missing, Min: in.Min, Max: in.Max}
	if in.HDR == "" {
		return nil
	}
	h, err := hdrhistogram.Decode([]byte(in.HDR))
	if err != nil {
		return fmt.Errorf("decoding a histogram: %w", err)
	}
	snapshot := h.Export()
	if len(snapshot.Counts) != counters {
		return fmt.Errorf("a histogram has %d counters, want %d", len(snapshot.Counts), counters)
	}
	if in.Max < 0 || int64(in.Max) > highest {
		return fmt.Errorf("a histogram's maximum is %v, want 0 to %v", in.Max, time.Duration(highest))
	}
	d.counts, d.Samples = slices.Clone(snapshot.Counts[:counterOf(int64(in.Max))+1]), uint64(h.TotalCount())
	return nil
}

// writeLog writes d as one interval of an .hlog, from the run's start to end, both in milliseconds since the epoch.
func (d *Distribution) writeLog(w *hdrhistogram.HistogramLogWriter, tag string, start, end int64) error {
	h := d.library()
	h.SetTag(tag)
	h.SetStartTimeMs(start)
	h.SetEndTimeMs(end)
	return w.OutputIntervalHistogram(h)
}

// WriteHLog writes every distribution that has samples as an interval of a HdrHistogram log, tagged with its name. Values are
// nanoseconds. The format keeps start times in whole seconds.
func (t *Tally) WriteHLog(w io.Writer, started time.Time) error {
	log := hdrhistogram.NewHistogramLogWriter(w)
	start := started.UnixMilli()
	steps := []func() error{
		log.OutputLogFormatVersion,
		func() error { return log.OutputStartTime(start) },
		log.OutputLegend,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("writing the histogram log: %w", err)
		}
	}
	for _, name := range distributionNames {
		d := t.Distributions[name]
		if d == nil || d.Samples == 0 {
			continue
		}
		if err := d.writeLog(log, name, start, start+t.End.Milliseconds()); err != nil {
			return fmt.Errorf("writing the histogram of %s: %w", name, err)
		}
	}
	return nil
}
