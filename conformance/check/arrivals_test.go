package check

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestALatencyLiesInItsBucketAndThatIsNarrow tries values of every magnitude.
func TestALatencyLiesInItsBucketAndThatIsNarrow(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		d := time.Duration(random.Uint64N(1 << (1 + random.Uint64N(40))))
		bucket := bucketOf(d)
		least, below := bucketBounds(bucket)
		switch {
		case bucket <= unmeasured || bucket >= latencyBuckets:
			t.Fatalf("%v is in bucket %d, want 1 to %d", d, bucket, latencyBuckets-1)
		case bucket == latencyBuckets-1 && d >= least:
		case d < least || d >= below:
			t.Fatalf("%v is in bucket %d, which counts %v to %v", d, bucket, least, below)
		case below-least > max(1<<fineBits, least/8):
			t.Fatalf("bucket %d is %v wide at %v", bucket, below-least, least)
		}
	}
	if bucketOf(-time.Second) != bucketOf(0) || bucketOf(1000*time.Hour) != latencyBuckets-1 {
		t.Error("what is out of range is not in the first or the last bucket")
	}
}

// TestArrivalsBoundTheirMemory fills runs of several lengths.
func TestArrivalsBoundTheirMemory(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		length time.Duration
		most   int // bytes
	}{{time.Minute, 1 << 20}, {10 * time.Minute, 4 << 20}, {time.Hour, 13 << 20}, {4 * time.Hour, 13 << 20}, {100 * time.Hour, 13 << 20}} {
		a := newArrivals(test.length)
		size, seconds := 0, 0
		for _, minutes := range a.striped {
			size += len(minutes) * minuteSeconds * latencyBuckets * 4
			seconds = max(seconds, len(minutes)*minuteSeconds)
		}
		if size > test.most {
			t.Errorf("%v: %d bytes when full, want at most %d", test.length, size, test.most)
		}
		if want := int(min(test.length, maxSeries) / time.Second); seconds < want {
			t.Errorf("%v: room for %d seconds, want %d", test.length, seconds, want)
		}
	}
}

// TestEveryArrivalCountsOnce counts at random times, before the start, after the end, and with and without a latency.
func TestEveryArrivalCountsOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	const end = 200 * time.Second
	for _, step := range chartSteps {
		a := newArrivals(end)
		wantSeconds, wantSteps := make([]int64, 201), make([]int64, (200+int(step/time.Second))/int(step/time.Second))
		for range 10_000 {
			at := time.Duration(random.Int64N(int64(210*time.Second))) - time.Second
			second := min(max(int(at/time.Second), 0), 200)
			bucket := unmeasured
			if random.IntN(3) > 0 {
				bucket = bucketOf(time.Duration(random.Int64N(int64(time.Minute))))
				wantSteps[second/int(step/time.Second)]++
			}
			wantSeconds[second]++
			a.add(at, random.Int32N(100), bucket)
		}
		bySecond, rows := a.counts(end, step)
		var steps []int64
		for _, row := range rows {
			steps = append(steps, row.samples())
		}
		if !slices.Equal(bySecond, wantSeconds) || !slices.Equal(steps, wantSteps) {
			t.Errorf("step %v: got %v and %v, want %v and %v", step, bySecond, steps, wantSeconds, wantSteps)
		}
	}
}

// TestMessagesAreDueWhenTheyWere remembers messages in a clock that had to be thinned.
func TestMessagesAreDueWhenTheyWere(t *testing.T) {
	t.Parallel()
	var c clock
	const apart = 7 * time.Millisecond
	n := uint64(0)
	for at := time.Duration(0); at < 10*time.Minute; at += apart {
		n++
		c.sent(at+time.Second, at, n) // each a second late
		c.acked(at+time.Second+apart/2, n)
	}
	for i := range n {
		want, got := time.Duration(i)*apart, c.due(i+1)
		if d := (got - want).Abs(); d > 10*apart {
			t.Fatalf("message %d was due at %v, want %v (ticks every %v)", i+1, got, want, c.every)
		}
	}
}
