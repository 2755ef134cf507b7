package sse

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// trace is a handler that keeps what an application would see.
type trace struct {
	events   []event
	comments []string
	retry    time.Duration
}

func (t *trace) Event(e Event) error {
	t.events = append(t.events, event{text(e.Type), text(e.Data), text(e.ID)})
	return nil
}

func (t *trace) Comment(p []byte)      { t.comments = append(t.comments, text(p)) }
func (t *trace) Retry(d time.Duration) { t.retry = d }

// transcript is a handler that writes down every byte it is told, in order.
type transcript []string

func (t *transcript) Event(e Event) error {
	*t = append(*t, fmt.Sprintf("event %q %q id %q own %t mixed %t", e.Type, e.Data, e.ID, e.HasID, e.Mixed))
	return nil
}

func (t *transcript) Comment(p []byte)      { *t = append(*t, fmt.Sprintf("comment %q", p)) }
func (t *transcript) Retry(d time.Duration) { *t = append(*t, fmt.Sprintf("retry %s", d)) }

func text(p []byte) string { return string(AppendText(nil, p)) }

func feed[H Handler](t *testing.T, d *Decoder, seen H, segments ...[]byte) H {
	t.Helper()
	for _, p := range segments {
		// A copy that is spoilt afterwards shows that nothing aliases the caller's buffer.
		own := slices.Clone(p)
		if err := d.Feed(own, seen); err != nil {
			t.Fatalf("Feed(%.100q) = %v", p, err)
		}
		clear(own)
	}
	return seen
}

func (v *vector) check(t *testing.T, how string, seen *trace, d *Decoder) {
	t.Helper()
	if diff := cmp.Diff(v.events, seen.events, cmp.AllowUnexported(event{})); diff != "" {
		t.Fatalf("%s: events (-want +got):\n%.2000s", how, diff)
	}
	if seen.retry != v.retry {
		t.Errorf("%s: retry = %v, want %v", how, seen.retry, v.retry)
	}
	if v.comments != nil && !slices.Equal(seen.comments, v.comments) {
		t.Errorf("%s: comments = %q, want %q", how, seen.comments, v.comments)
	}
	lastID := v.lastID
	if n := len(v.events); lastID == "" && n > 0 {
		lastID = v.events[n-1].id
	}
	if text([]byte(d.LastEventID())) != lastID {
		t.Errorf("%s: last event id = %q, want %q", how, d.LastEventID(), lastID)
	}
}

// everySplitUpTo bounds the inputs that are cut at every offset and byte by byte; longer ones are cut as Ethernet would.
const everySplitUpTo = 1500

func TestVectorsMeanTheSameHoweverTheyAreSegmented(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			run := func(how string, segments ...[]byte) {
				var d Decoder
				v.check(t, how, feed(t, &d, new(trace), segments...), &d)
			}
			in := []byte(v.in)
			run("whole", in)
			cuts := 20
			if len(in) > everySplitUpTo {
				cuts = 3
				run("1448 bytes each", slices.Collect(slices.Chunk(in, 1448))...)
			} else {
				run("byte by byte", EachByte(in)...)
				for at := range in {
					run(fmt.Sprintf("split at %d", at), in[:at], in[at:])
				}
			}
			random := rand.New(rand.NewPCG(1, uint64(len(in))))
			for i := range cuts {
				run(fmt.Sprintf("random cuts %d", i), RandomSplit(random, in, 1+i)...)
			}
		})
	}
}

func TestOnlyTheLastEventIDSurvivesAReconnection(t *testing.T) {
	t.Parallel()
	for _, v := range reconnections {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			var d Decoder
			var seen *trace
			for _, body := range v.conns {
				d.Reset()
				seen = feed(t, &d, new(trace), []byte(body))
			}
			if !slices.Equal(seen.events, v.events) {
				t.Errorf("events of the last connection = %v, want %v", seen.events, v.events)
			}
		})
	}
}

func TestALastEventIDIsAsStickyAsItWasSet(t *testing.T) {
	t.Parallel()
	var d Decoder
	d.SetLastEventID("start")
	seen := feed(t, &d, new(transcript), []byte("data: a\n\nid\ndata: b\n\nid: half"))
	want := &transcript{
		`event "message" "a" id "start" own false mixed false`,
		`event "message" "b" id "" own true mixed false`,
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestPendingTellsACutEventFromACleanEnd(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"":                       false,
		"data: a\n\n":            false,
		"data: a\r\n\r":          false,
		"data: a\n\n:hb\n":       false,
		"retry: 5\n":             false,
		"\xef\xbb":               false,
		"\xef\xbb\xbf":           false,
		"\xef\xbb\xbfd":          true,
		"data: a\n":              true,
		"data: a\n\nd":           true,
		"data: a\n\nid: 7\n":     true,
		"event:\n":               true,
		"data: a\n\n:heartbe":    true,
		"data: a\n\nid: x\x00\n": false,
	} {
		for _, segments := range [][][]byte{{[]byte(in)}, EachByte([]byte(in)), {[]byte(in), nil}} {
			var d Decoder
			feed(t, &d, new(trace), segments...)
			if got := d.Pending(); got != want {
				t.Errorf("after %q in %d segments: Pending() = %t, want %t", in, len(segments), got, want)
			}
		}
	}
}

func TestATooLongEventIsAnErrorWhereverItIsCut(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name, in string
		tooLong  bool
	}{
		{"line at the limit", "data:" + x(95) + "\n\n", false},
		{"line over the limit", "data:" + x(96) + "\n\n", true},
		{"endless line", x(101), true},
		{"endless comment", ":" + x(100), true},
		{"data at the limit", "data:" + x(50) + "\ndata:" + x(49) + "\n\n", false},
		{"data over the limit", "data:" + x(50) + "\ndata:" + x(50) + "\n\n", true},
		{"many events are not one", strings.Repeat("data:"+x(50)+"\n\n", 9), false},
		{"many comments are not one", strings.Repeat(":"+x(50)+"\n", 9), false},
	} {
		in := []byte(c.in)
		for at := range in {
			d := Decoder{MaxEventBytes: 100}
			err := d.Feed(in[:at], new(trace))
			if err == nil {
				err = d.Feed(in[at:], new(trace))
			}
			if errors.Is(err, ErrTooLong) != c.tooLong {
				t.Errorf("%s, split at %d: err = %v, want too long: %t", c.name, at, err, c.tooLong)
			}
		}
	}
}

type refusal struct {
	trace
	err error
}

func (r *refusal) Event(Event) error { return r.err }

func TestAHandlersErrorStopsTheDecoding(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	var d Decoder
	if err := d.Feed([]byte("id: 1\ndata: a\n\n:comment\n"), &refusal{err: stop}); err != stop {
		t.Errorf("Feed = %v, want %v", err, stop)
	}
	if d.LastEventID() != "1" {
		t.Errorf("last event id = %q, want that of the refused event", d.LastEventID())
	}
}

func TestAnIdleDecoderHoldsNothing(t *testing.T) {
	var d Decoder
	feed(t, &d, new(trace), []byte("id: 12345\ndata: half"))
	if d.held == nil {
		t.Fatal("nothing held in the middle of an event")
	}
	feed(t, &d, new(trace), []byte("\n\n"))
	if d.held != nil {
		t.Error("the buffer is still held after the event was complete")
	}
}

func TestAnEventInOneReadCostsNoAllocation(t *testing.T) {
	in := []byte("id: 1\nevent: tick\ndata: 0123456789\n\n: hb\n")
	var d Decoder
	var h counter
	if n := testing.AllocsPerRun(100, func() { _ = d.Feed(in, &h) }); n != 0 {
		t.Errorf("%v allocations per event, want 0", n)
	}
	if h.events == 0 {
		t.Error("no event was seen")
	}
}

type counter struct{ events, comments int }

func (c *counter) Event(Event) error   { c.events++; return nil }
func (c *counter) Comment([]byte)      { c.comments++ }
func (c *counter) Retry(time.Duration) {}

func BenchmarkDecoder(b *testing.B) {
	event := fmt.Sprintf("id: 12345\nevent: order_created\ndata: %s\n\n", strings.Repeat("x", 217))
	if len(event) != 256 {
		b.Fatalf("event has %d bytes", len(event))
	}
	stream := []byte(strings.Repeat(event, 64))
	for _, size := range []int{256, 300, 512, 4096, 16384} {
		b.Run(fmt.Sprintf("256B-events-in-%dB-reads", size), func(b *testing.B) {
			segments := slices.Collect(slices.Chunk(stream, size))
			var d Decoder
			var h counter
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				for _, p := range segments {
					if err := d.Feed(p, &h); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(h.events), "ns/event")
		})
	}
}

// mixing is a handler that notes whether an event was mixed.
type mixing struct {
	trace

	mixed bool
}

func (m *mixing) Event(e Event) error {
	m.mixed = m.mixed || e.Mixed
	return nil
}

func TestEventsWrittenIntoOneAnotherAreMarked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"id: 1\nevent: a\ndata: x\n\n":                   false,
		"id: 1\nid: 2\ndata: x\n\n":                      true,
		"id: 1\nid: 1\nevent: a\nevent: a\ndata: x\n\n":  false,
		"event: a\ndata: x\nevent: b\n\n":                true,
		"id\nid: 2\nevent:\nevent: b\ndata: x\n\n":       false,
		"id: 1\n\nid: 2\ndata: x\n\n":                    false,
		"id: 1\ndata: x\n\nid: 2\ndata: y\n\n":           false,
		"data: x\n: comment\nid: 1\nid: 2\nretry: 1\n\n": true,
	} {
		for at := range in {
			var d Decoder
			if got := feed(t, &d, new(mixing), []byte(in[:at]), []byte(in[at:])); got.mixed != want {
				t.Errorf("%q split at %d: mixed %t, want %t", in, at, got.mixed, want)
			}
		}
	}
}
