package check

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

func same(a, b *Distribution) bool {
	return a.Samples == b.Samples && a.Missing == b.Missing && slices.Equal(a.counts, b.counts)
}

// durations draws values of every magnitude that a histogram holds, and a few beyond.
func durations(t *rapid.T) []time.Duration {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
		bits := rapid.IntRange(0, 47).Draw(t, "bits")
		return time.Duration(rapid.Int64Range(0, 1<<bits).Draw(t, "value"))
	}), 1, 200).Draw(t, "values")
}

func recorded(values []time.Duration) Distribution {
	var h histogram
	for _, v := range values {
		h.record(v)
	}
	return h.snapshot()
}

// TestCountersLieWhereTheLibraryPutsThem compares with the library's own recording.
func TestCountersLieWhereTheLibraryPutsThem(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := durations(t)
		theirs := hdrhistogram.New(lowest, highest, 3)
		for _, v := range values {
			if err := theirs.RecordValue(min(int64(v), highest)); err != nil {
				t.Fatal(err)
			}
		}
		ours := recorded(values)
		if !slices.Equal(theirs.Export().Counts[:len(ours.counts)], ours.counts) || !theirs.Equals(ours.library()) {
			t.Fatal("the converted histogram differs")
		}
	})
}

// TestQuantilesOfWhatWasExpected compares with a sorted list in which what never came stands at the end.
func TestQuantilesOfWhatWasExpected(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := durations(t)
		d := recorded(values)
		d.Missing = rapid.Uint64Range(0, 20).Draw(t, "missing")
		percent := rapid.SampledFrom([]float64{0.1, 1, 25, 50, 90, 95, 99, 99.9, 100}).Draw(t, "percent")
		slices.Sort(values)
		rank := int(math.Ceil(percent / 100 * float64(len(values)+int(d.Missing))))
		got, finite := d.Quantile(percent)
		if want := rank <= len(values); finite != want {
			t.Fatalf("p%v of %d and %d missing is finite: %v, want %v", percent, len(values), d.Missing, finite, want)
		}
		if !finite {
			return
		}
		want := min(values[max(rank, 1)-1], time.Duration(highest))
		if off := got - want; off < 0 || off > want/1000+time.Microsecond {
			t.Fatalf("p%v is %v, want %v to three digits", percent, got, want)
		}
		if percent == 100 && got != want {
			t.Fatalf("the maximum is %v, want exactly %v", got, want)
		}
	})
}

func TestDistributionsMergeAndTravelExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := durations(t), durations(t)
		whole := recorded(append(slices.Clone(a), b...))
		merged, other := recorded(a), recorded(b)
		text, err := json.Marshal(&other)
		if err != nil {
			t.Fatal(err)
		}
		var back Distribution
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		merged.Merge(&back)
		if !same(&whole, &merged) || whole.Min != merged.Min || whole.Max != merged.Max {
			t.Fatalf("merged %d samples from %v to %v, want %d from %v to %v",
				merged.Samples, merged.Min, merged.Max, whole.Samples, whole.Min, whole.Max)
		}
		first, rest := recorded(a), whole.without(&other)
		if !same(&first, &rest) {
			t.Fatalf("%d samples are left, want %d", rest.Samples, first.Samples)
		}
	})
}

func TestEmptyDistribution(t *testing.T) {
	t.Parallel()
	var d, back Distribution
	if _, finite := d.Quantile(50); finite || d.Mean() != 0 {
		t.Error("nothing has a median")
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &back); err != nil || back.Samples != 0 {
		t.Errorf("%v, %+v", err, back)
	}
	if err := json.Unmarshal([]byte(`{"hdr":"broken"}`), &back); err == nil {
		t.Error("a broken histogram is read")
	}
}

func TestConcurrentRecordingCountsAll(t *testing.T) {
	t.Parallel()
	var h histogram
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for i := range 1000 {
				h.record(time.Duration(w*1000 + i))
			}
		})
	}
	workers.Wait()
	if d := h.snapshot(); d.Samples != 4000 || d.Min != 0 || d.Max != 3999 {
		t.Errorf("%d samples from %v to %v", d.Samples, d.Min, d.Max)
	}
}

// TestClockFavoursTheTarget compares what a clock remembers with all that happened.
func TestClockFavoursTheTarget(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var c clock
		var at time.Duration
		sent, acked := []time.Duration{0}, []time.Duration{0}
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for range rapid.IntRange(1, 4*maxTicks).Draw(t, "messages") {
			at += time.Duration(rnd.Int64N(int64(time.Second)))
			sent = append(sent, at)
			c.sent(at, at, uint64(len(sent)-1))
			at += time.Duration(rnd.Int64N(int64(time.Second)))
			acked = append(acked, at)
			c.acked(at, uint64(len(acked)-1))
		}
		if len(c.ticks) > maxTicks {
			t.Fatalf("%d ticks", len(c.ticks))
		}
		moment := time.Duration(rapid.Int64Range(0, int64(at)+1).Draw(t, "moment"))
		if n := c.ackedBefore(moment); n > 0 && acked[n] >= moment {
			t.Fatalf("%d was acknowledged at %v, not before %v", n, acked[n], moment)
		}
		if n := c.sentBy(moment); int(n)+1 < len(sent) && sent[n+1] <= moment {
			t.Fatalf("%d was sent at %v, by %v", n+1, sent[n+1], moment)
		}
		n := rapid.IntRange(1, len(sent)-1).Draw(t, "number")
		if before := c.sentBefore(uint64(n)); before < sent[n] {
			t.Fatalf("%d was sent at %v, not before %v", n, sent[n], before)
		}
	})
}
