package check_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// hostile makes observations of bytes. Its numbers are mostly small or at the edges of what their type holds, where mistakes live.
type hostile struct{ bytes []byte }

func (h *hostile) byte() byte {
	if len(h.bytes) == 0 {
		return 0
	}
	b := h.bytes[0]
	h.bytes = h.bytes[1:]
	return b
}

func (h *hostile) number() int64 {
	switch b := h.byte(); {
	case b < 240:
		return int64(b % 8)
	case b < 248:
		return []int64{-1, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, history.MaxNumber, 1 << 31, 1 << 32}[b-240]
	}
	var raw [8]byte
	n := copy(raw[:], h.bytes)
	h.bytes = h.bytes[n:]
	return int64(binary.LittleEndian.Uint64(raw[:]))
}

func (h *hostile) observation() *history.Observation {
	texts := []string{"", "a", "b", "steady", "settle", "end", "interrupted", "t"}
	text := func() string { return texts[h.byte()%byte(len(texts))] }
	return &history.Observation{
		Kind: history.Kind(h.byte() % 28), Cause: history.Cause(h.byte()), Acked: history.Acked(h.byte() % 5), Mark: history.Mark(h.byte()), Half: h.byte()%2 == 0,
		Subscriber: int32(h.number()), Connection: int32(h.number()), Stream: int32(h.number()), Publisher: int32(h.number()),
		Attempt: int32(h.number()), Step: int32(h.number()), Status: int32(h.number()), Number: uint64(h.number()), Size: h.number(),
		At: time.Duration(h.number()) * time.Millisecond, Due: time.Duration(h.number()), Sent: time.Duration(h.number()), Took: time.Duration(h.number()),
		Low: time.Duration(h.number()), High: time.Duration(h.number()), Text: text(), Event: text(), Data: text(),
	}
}

// FuzzObserve: whatever is observed, in whatever order, the judge comes to its verdicts, in bounded time and memory. A target and who wrote a
// history choose these numbers.
func FuzzObserve(f *testing.F) {
	f.Add([]byte("a token that was forged"))
	f.Add([]byte{1, 0, 1, 0, 0, 0, 1, 1, 0, 241, 0, 0, 0, 244, 3, 1})
	f.Fuzz(func(t *testing.T, bytes []byte) {
		if len(bytes) > 1<<14 {
			t.Skip("long inputs show nothing that short ones do not")
		}
		c := config(3, 2, 2, 1)
		c.Duration = time.Minute
		c.Target.Resume, c.Remote = len(bytes)%2 == 0, len(bytes)%3 == 0
		c.Expect.Spread = []check.Quantile{{Percent: 99, AtMost: time.Second}}
		c.Steps = []check.Step{{Name: "drop", At: time.Second, Subscribers: 2}}
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		judge := check.New(c)
		in := &hostile{bytes}
		for len(in.bytes) > 0 {
			judge.Observe(in.observation())
		}
		judge.Outstanding()
		judge.Chart(time.Minute)
		report := judge.Finish(time.Duration(in.number()), conformance.Health{OK: true})
		if len(report.Verdicts) == 0 {
			t.Fatal("no verdict")
		}
	})
}
