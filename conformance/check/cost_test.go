package check_test

import (
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// plain is a judge of subscribers that all follow one stream and are ready for its first message.
func plain(subscribers int) *check.Judge {
	j := check.New(config(subscribers, 1, 1, 1))
	j.Observe(&history.Observation{Kind: history.Phase, Subscriber: -1, Text: "steady"})
	for i := range int32(subscribers) {
		j.Observe(&history.Observation{Kind: history.Dial, Subscriber: i, Connection: 1, Attempt: 1})
		j.Observe(&history.Observation{Kind: history.Open, Subscriber: i, Connection: 1, Took: time.Millisecond})
		j.Observe(&history.Observation{Kind: history.Ready, Subscriber: i, Connection: 1, Number: 1})
	}
	return j
}

// broadcast publishes message n and delivers it to subscribers from first to last−1.
func broadcast(j *check.Judge, n uint64, first, last int32) {
	at := time.Duration(n) * time.Millisecond
	o := history.Observation{At: at, Kind: history.Publish, Subscriber: -1, Number: n, Due: at}
	j.Observe(&o)
	o.Kind, o.Acked = history.Ack, history.Acknowledged
	j.Observe(&o)
	o = history.Observation{
		At: at + 300*time.Microsecond, Kind: history.Deliver, Connection: 1, Number: n, Due: at, Sent: at,
		Event: strconv.FormatUint(n, 10), Text: "message",
	}
	for i := first; i < last; i++ {
		o.Subscriber = i
		j.Observe(&o)
	}
}

// TestMemoryDoesNotGrowWithMessages delivers a million messages rightly.
func TestMemoryDoesNotGrowWithMessages(t *testing.T) {
	const subscribers, messages = 1000, 1000
	j := plain(subscribers)
	broadcast(j, 1, 0, subscribers)
	n := uint64(1)
	perMessage := testing.AllocsPerRun(messages, func() {
		n++
		broadcast(j, n, 0, subscribers)
	})
	// The publisher's clock is all that grows, by at most 2048 steps in a run of any length.
	if perMessage >= 1 {
		t.Errorf("%v allocations for each message and its %d deliveries", perMessage, subscribers)
	}
	j.Observe(&history.Observation{At: 2 * time.Second, Kind: history.Phase, Subscriber: -1, Text: "end"})
	r := j.Finish(2*time.Second, conformance.Health{})
	if r.Expected != n*subscribers || r.Delivered != r.Expected {
		t.Errorf("expected %d, delivered %d, want %d", r.Expected, r.Delivered, n*subscribers)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryPerIdleSubscriber counts everything that a judge keeps, its config included.
func TestMemoryPerIdleSubscriber(t *testing.T) {
	const subscribers, limit = 20000, 320
	before := heap()
	j := plain(subscribers)
	each := float64(heap()-before) / subscribers
	t.Logf("%.0f bytes for each idle subscriber", each)
	if each > limit {
		t.Errorf("%.0f bytes for each idle subscriber, want at most %d", each, limit)
	}
	runtime.KeepAlive(j)
}

func BenchmarkDeliver(b *testing.B) {
	const subscribers = 10000
	j := plain(subscribers)
	b.ReportAllocs()
	n, i := uint64(0), int32(subscribers)
	o := history.Observation{Kind: history.Deliver, Connection: 1, Text: "message"}
	for b.Loop() {
		if i == subscribers {
			n, i = n+1, 0
			at := time.Duration(n) * time.Millisecond
			broadcast(j, n, 0, 0)
			o.Number, o.At, o.Due, o.Sent = n, at+300*time.Microsecond, at, at
			o.Event = strconv.FormatUint(n, 10)
		}
		o.Subscriber = i
		j.Observe(&o)
		i++
	}
}

func BenchmarkDeliverParallel(b *testing.B) {
	const subscribers = 10000
	j := plain(subscribers)
	for n := range uint64(1 << 17) {
		broadcast(j, n+1, 0, 0)
	}
	b.ReportAllocs()
	var workers atomic.Int32
	b.RunParallel(func(pb *testing.PB) {
		first := workers.Add(1) * 1000
		n, i := uint64(0), int32(1000)
		o := history.Observation{Kind: history.Deliver, Connection: 1, Text: "message"}
		for pb.Next() {
			if i == 1000 {
				n, i = n+1, 0
				at := time.Duration(n) * time.Millisecond
				o.Number, o.At, o.Due, o.Sent = n, at+300*time.Microsecond, at, at
				o.Event = strconv.FormatUint(n, 10)
			}
			o.Subscriber = first + i
			j.Observe(&o)
			i++
		}
	})
}

func BenchmarkOutstanding(b *testing.B) {
	for _, subscribers := range []int{1000, 100000} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			j := plain(subscribers)
			broadcast(j, 1, 0, int32(subscribers))
			for b.Loop() {
				j.Outstanding()
			}
		})
	}
}
