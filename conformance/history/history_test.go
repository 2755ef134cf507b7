package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var started = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func text(t *rapid.T, label string) string {
	return rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching(`["\\\n\r\t\x00-\x1fä€😀]{1,8}`)).Draw(t, label)
}

// observation draws any observation that a line can hold.
func observation(t *rapid.T) history.Observation {
	at := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(-int64(history.MaxTime), int64(history.MaxTime)).Draw(t, "ns"))
	})
	return history.Observation{
		At: at.Draw(t, "at"), Kind: history.Kind(rapid.IntRange(1, int(history.Receipt)).Draw(t, "kind")),
		Cause: history.Cause(rapid.IntRange(0, int(history.CauseOther)).Draw(t, "cause")), Acked: history.Acked(rapid.IntRange(0, 3).Draw(t, "acked")),
		Mark: history.Mark(rapid.IntRange(0, 7).Draw(t, "mark")), Half: rapid.Bool().Draw(t, "half"),
		Subscriber: rapid.Int32().Draw(t, "subscriber"), Connection: rapid.Int32().Draw(t, "connection"),
		Stream: rapid.Int32().Draw(t, "stream"), Publisher: rapid.Int32().Draw(t, "publisher"),
		Attempt: rapid.Int32().Draw(t, "attempt"), Step: rapid.Int32().Draw(t, "step"), Status: rapid.Int32().Draw(t, "status"),
		Number: rapid.Uint64Max(history.MaxNumber).Draw(t, "number"), Size: rapid.Int64Range(-history.MaxNumber, history.MaxNumber).Draw(t, "size"),
		Due: at.Draw(t, "due"), Sent: at.Draw(t, "sent"), Took: at.Draw(t, "took"), Low: at.Draw(t, "low"), High: at.Draw(t, "high"),
		Text: text(t, "text"), Event: text(t, "event"), Data: text(t, "data"),
	}
}

func write(t interface{ Fatal(...any) }, mode history.Mode, list []history.Observation) []byte {
	var out bytes.Buffer
	r := history.NewRecorder(&out, mode)
	if err := r.Begin(history.Header{Started: started, Seed: 7, Config: json.RawMessage(`{"scenario":"x"}`)}); err != nil {
		t.Fatal(err)
	}
	for i := range list {
		r.Observe(&list[i])
	}
	if err := r.End(history.End{At: time.Minute, Health: json.RawMessage(`{"ok":true}`)}); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(observation), 0, 20).Draw(t, "observations")
		segments, err := history.Read(bytes.NewReader(write(t, history.Full, want)))
		if err != nil {
			t.Fatal(err)
		}
		s := segments[0]
		if len(want) == 0 {
			want = nil
		}
		if diff := cmp.Diff(want, s.Observations); diff != "" {
			t.Fatalf("observations (−written +read):\n%s", diff)
		}
		if s.End == nil || s.End.At != time.Minute || string(s.End.Health) != `{"ok":true}` {
			t.Fatalf("end %+v", s.End)
		}
		if !s.Header.Started.Equal(started) || s.Header.Seed != 7 || s.Header.Mode != history.Full || s.Header.Version != history.Version {
			t.Fatalf("header %+v", s.Header)
		}
	})
}

// TestEveryFieldIsWritten fails when somebody adds a field to Observation and forgets the file.
func TestEveryFieldIsWritten(t *testing.T) {
	t.Parallel()
	v := reflect.ValueOf(&history.Observation{}).Elem()
	for i := range v.NumField() {
		o := history.Observation{Kind: history.Publish}
		f := reflect.ValueOf(&o).Elem().Field(i)
		switch f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Uint8, reflect.Uint64:
			f.SetUint(2)
		default:
			f.SetInt(3)
		}
		segments, err := history.Read(bytes.NewReader(write(t, history.Full, []history.Observation{o})))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]history.Observation{o}, segments[0].Observations); diff != "" {
			t.Errorf("%s (−written +read):\n%s", v.Type().Field(i).Name, diff)
		}
	}
}

func TestBytesThatAreNoTextAreReplaced(t *testing.T) {
	t.Parallel()
	line := history.Append(nil, &history.Observation{Kind: history.Other, Data: "a\xffb\xf0\x9f"})
	var got struct{ D string }
	if err := json.Unmarshal(line, &got); err != nil || got.D != "a\uFFFDb\uFFFD\uFFFD" {
		t.Errorf("%q gives %q, %v", line, got.D, err)
	}
}

func TestModeDecidesWhatIsKept(t *testing.T) {
	t.Parallel()
	list := []history.Observation{
		{Kind: history.Open}, {Kind: history.Deliver}, {Kind: history.Heartbeat}, {Kind: history.Other}, {Kind: history.Anomaly}, {Kind: history.Publish},
	}
	for mode, want := range map[history.Mode]int{history.Full: 6, history.Anomalies: 3} {
		segments, err := history.Read(bytes.NewReader(write(t, mode, list)))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(segments[0].Observations); got != want {
			t.Errorf("%s keeps %d, want %d", mode, got, want)
		}
	}
	if out := write(t, history.Off, list); len(out) != 0 {
		t.Errorf("off writes %q", out)
	}
	for _, word := range []string{"off", "anomalies", "full"} {
		if m, err := history.ParseMode(word); err != nil || string(m) != word {
			t.Errorf("%s: %v, %v", word, m, err)
		}
	}
	if _, err := history.ParseMode("some"); !errors.Is(err, history.ErrMode) {
		t.Errorf("some: %v", err)
	}
}

func TestNilRecorderKeepsNothing(t *testing.T) {
	t.Parallel()
	var r *history.Recorder
	if err := r.Begin(history.Header{}); err != nil {
		t.Error(err)
	}
	r.Observe(&history.Observation{Kind: history.Open})
	if r.Drops() != 0 || r.End(history.End{}) != nil || r.Close() != nil {
		t.Error("a nil recorder has done something")
	}
}

// TestPublishesPrecedeTheirDeliveries lets publishers hand each message to subscribers that record it at once.
func TestPublishesPrecedeTheirDeliveries(t *testing.T) {
	t.Parallel()
	const subscribers, messages = 16, 2000
	var out bytes.Buffer
	r := history.NewRecorder(&out, history.Full)
	if err := r.Begin(history.Header{}); err != nil {
		t.Fatal(err)
	}
	var working sync.WaitGroup
	for s := range int32(subscribers) {
		queue := make(chan uint64, 1)
		working.Go(func() {
			defer close(queue)
			for n := range uint64(messages) {
				r.Observe(&history.Observation{Kind: history.Publish, Subscriber: -1, Stream: s, Number: n + 1})
				queue <- n + 1
			}
		})
		working.Go(func() {
			for n := range queue {
				r.Observe(&history.Observation{Kind: history.Deliver, Subscriber: s, Stream: s, Number: n})
			}
		})
	}
	working.Wait()
	if err := r.End(history.End{}); err != nil {
		t.Fatal(err)
	}
	segments, err := history.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	if r.Drops() > 0 {
		t.Fatalf("%d drops", r.Drops())
	}
	if got := len(segments[0].Observations); got != 2*subscribers*messages {
		t.Fatalf("%d observations, want %d", got, 2*subscribers*messages)
	}
	published, delivered := map[int32]uint64{}, map[int32]uint64{}
	for _, o := range segments[0].Observations {
		if o.Kind == history.Publish {
			published[o.Stream] = o.Number
			continue
		}
		if o.Number > published[o.Stream] {
			t.Fatalf("message %d of stream %d arrives before it is published", o.Number, o.Stream)
		}
		if o.Number != delivered[o.Stream]+1 {
			t.Fatalf("message %d of stream %d arrives after message %d", o.Number, o.Stream, delivered[o.Stream])
		}
		delivered[o.Stream] = o.Number
	}
}

func TestSeveralRunsInOneFile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := history.NewRecorder(&out, history.Full)
	for run := range uint64(3) {
		if err := r.Begin(history.Header{Seed: run}); err != nil {
			t.Fatal(err)
		}
		for range run {
			r.Observe(&history.Observation{Kind: history.Open})
		}
		if run == 1 {
			if err := r.Begin(history.Header{}); err == nil {
				t.Error("a run begins inside another")
			}
		}
		if err := r.End(history.End{At: time.Duration(run)}); err != nil {
			t.Fatal(err)
		}
	}
	segments, err := history.Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range segments {
		if len(s.Observations) != i || s.Header.Seed != uint64(i) || s.End == nil || s.End.At != time.Duration(i) {
			t.Errorf("run %d: %+v", i, s)
		}
	}
	if len(segments) != 3 {
		t.Errorf("%d runs, want 3", len(segments))
	}
}

// TestACutOffFileIsReadAsFarAsItGoes cuts a file at every byte.
func TestACutOffFileIsReadAsFarAsItGoes(t *testing.T) {
	t.Parallel()
	whole := write(t, history.Full, []history.Observation{{At: 1, Kind: history.Open, Text: "ä"}, {At: 2, Kind: history.Deliver, Number: 9}, {At: 3, Kind: history.Closed}})
	head := bytes.IndexByte(whole, '\n') + 1
	for n := head; n < len(whole)-1; n++ {
		r := history.NewReader(bytes.NewReader(whole[:n]))
		if _, err := r.Next(); err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		var read int
		var o history.Observation
		var err error
		for err = r.Read(&o); err == nil; err = r.Read(&o) {
			read++
			if o.At != time.Duration(read) {
				t.Fatalf("%d bytes: observation %d is from %v", n, read, o.At)
			}
		}
		if !errors.Is(err, io.EOF) || !r.Truncated() || r.End() != nil {
			t.Fatalf("%d bytes: %v, truncated %v, end %v", n, err, r.Truncated(), r.End())
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("%d bytes: then %v", n, err)
		}
	}
}

func TestBrokenFilesAreRefusedWithTheirLine(t *testing.T) {
	t.Parallel()
	head := `{"streamgauge":"history","version":1,"mode":"full"}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":                {"", "empty"},
		"another file":         {"<html>\n", "line 1"},
		"another JSON":         {"{}\n", `"streamgauge":"history"`},
		"newer":                {`{"streamgauge":"history","version":99}` + "\n", "version 99 is newer"},
		"broken in the middle": {head + "{\"t\":1,\"k\":\"op\n{\"t\":2,\"k\":\"open\"}\n", "line 2"},
		"a time that none has": {head + `{"t":9223372036854775807,"k":"deliver","c":1,"n":1}` + "\n", "line 2: \"t\" is 9223372036854775807 ns, want at most ten years"},
		"no time":              {head + `{"k":"open"}` + "\n", "line 2: an observation has no time"},
		"no such cause":        {head + "\n" + `{"t":1,"k":"closed","why":"boredom"}` + "\n", `line 3: "why" is "boredom", want one of eof, `},
		"no such outcome":      {head + `{"t":1,"k":"ack","ack":"maybe"}` + "\n", `line 2: "ack" is "maybe", want acknowledged`},
		"numbers as text":      {head + `{"t":"1","k":"open"}` + "\n" + `{"t":1,"k":"open"}` + "\n", `line 2: column 8: "t" is a string, want a whole number`},
		"numbers below zero":   {head + `{"t":1,"k":"publish","n":-1}` + "\n", `"n" is a number -1, want a whole number of 0 or more`},
		"a list":               {head + `[1]` + "\n", "it is a JSON array, want an object"},
	} {
		if _, err := history.Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	head := `{"streamgauge":"history","version":1,"mode":"full"}` + "\n"
	for name, c := range map[string]struct{ text, want string }{
		"an observation": {head + `{"t":1,"k":"open","d":"`, "history line 2: longer than 16 MiB"},
		"no header":      {`{"d":"`, "history line 1: longer than 16 MiB"},
	} {
		in := &counting{Reader: io.MultiReader(strings.NewReader(c.text), endless{})}
		if _, err := history.Read(in); err == nil || !strings.Contains(err.Error(), c.want) || in.n > 17<<20 {
			t.Errorf("%s: %v after %d bytes, want %q", name, err, in.n, c.want)
		}
	}
}

// endless is a text that does not end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestWhatALaterVersionAddsIsSkipped(t *testing.T) {
	t.Parallel()
	text := `{"streamgauge":"history","version":1,"mode":"full","more":1}` + "\n" +
		`{"t":1,"k":"open","more":{"a":[1]}}` + "\n" + `{"t":2,"k":"something new"}` + "\n" + `{"t":3,"k":"closed"}` + "\n" + `{"end":4}` + "\n"
	segments, err := history.Read(strings.NewReader(text))
	if err != nil || len(segments[0].Observations) != 2 {
		t.Errorf("%v, %+v", err, segments)
	}
}

func TestLongLinesAreRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<18)
	config := json.RawMessage(`"` + long + `"`)
	var out bytes.Buffer
	r := history.NewRecorder(&out, history.Full)
	if err := r.Begin(history.Header{Config: config}); err != nil {
		t.Fatal(err)
	}
	r.Observe(&history.Observation{Kind: history.Other, Data: long})
	if err := r.End(history.End{}); err != nil {
		t.Fatal(err)
	}
	segments, err := history.Read(&out)
	if err != nil || !bytes.Equal(segments[0].Header.Config, config) || segments[0].Observations[0].Data != long {
		t.Errorf("%v", err)
	}
}

// full is a disk that takes so many bytes and no more.
type full struct {
	bytes.Buffer
	left int
}

var errFull = errors.New("no space left on device")

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.left)
	f.left -= n
	f.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

func TestAFullDiskIsToldOnceAndWhatWasWrittenStays(t *testing.T) {
	t.Parallel()
	disk := &full{left: 300}
	r := history.NewRecorder(disk, history.Full)
	if err := r.Begin(history.Header{}); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		r.Observe(&history.Observation{At: time.Duration(i), Kind: history.Open})
	}
	if err := r.End(history.End{}); !errors.Is(err, errFull) {
		t.Errorf("ending: %v", err)
	}
	if err := r.Close(); !errors.Is(err, errFull) {
		t.Errorf("closing: %v", err)
	}
	segments, err := history.Read(&disk.Buffer)
	if err != nil || len(segments) != 1 || segments[0].End != nil || len(segments[0].Observations) == 0 {
		t.Errorf("%v, %+v", err, segments)
	}
	if err := r.Begin(history.Header{}); !errors.Is(err, errFull) {
		t.Errorf("beginning again: %v", err)
	}
}

func TestALimitedHistoryEndsWholeAndSaysSo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := history.NewRecorder(&out, history.Full)
	r.Limit(2000)
	for range 2 {
		if err := r.Begin(history.Header{}); err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			r.Observe(&history.Observation{At: time.Duration(i), Kind: history.Other, Data: strings.Repeat("x", 100)})
		}
		if err := r.End(history.End{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil || r.Limited() != 2000 || out.Len() > 3000 {
		t.Errorf("%v, limited at %d, %d bytes", err, r.Limited(), out.Len())
	}
	segments, err := history.Read(&out)
	if err != nil || len(segments) != 2 {
		t.Fatalf("%v, %d runs", err, len(segments))
	}
	for i, s := range segments {
		kept := len(s.Observations)
		if s.End == nil || s.End.Limit != 2000 || int(s.End.Drops)+kept != 100 || (kept == 0) != (i == 1) {
			t.Errorf("run %d keeps %d observations and ends with %+v", i, kept, s.End)
		}
	}
}

// stuck is a disk that takes a header and then does not answer until it is told to.
type stuck struct {
	release chan struct{}
	begun   bool
}

func (s *stuck) Write(p []byte) (int, error) {
	if s.begun {
		<-s.release
	}
	s.begun = true
	return len(p), nil
}

func TestASlowDiskCostsObservationsAndNotTime(t *testing.T) {
	t.Parallel()
	disk := &stuck{release: make(chan struct{})}
	r := history.NewRecorder(disk, history.Full)
	if err := r.Begin(history.Header{}); err != nil {
		t.Fatal(err)
	}
	o := history.Observation{Kind: history.Other, Data: strings.Repeat("x", 1000)}
	for r.Drops() == 0 {
		r.Observe(&o)
	}
	close(disk.release)
	if err := r.End(history.End{}); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkObserve(b *testing.B) {
	r := history.NewRecorder(io.Discard, history.Full)
	if err := r.Begin(history.Header{}); err != nil {
		b.Fatal(err)
	}
	o := history.Observation{
		At: 12345678901, Kind: history.Deliver, Subscriber: 4711, Connection: 2, Stream: 17, Number: 12345, Due: 12345600000,
		Sent: 12345610000, Size: 256, Text: "order_created", Event: "1712-12345",
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Observe(&o)
	}
	b.ReportMetric(float64(r.Drops())/float64(b.N), "drops/op")
	if err := r.End(history.End{}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkRead(b *testing.B) {
	line := history.Append(nil, &history.Observation{
		At: math.MaxInt32, Kind: history.Deliver, Subscriber: 4711, Connection: 2, Stream: 17, Number: 12345, Due: 12345600000,
		Sent: 12345610000, Size: 256, Text: "order_created", Event: "1712-12345",
	})
	text := []byte(fmt.Sprintf("%s\n%s", `{"streamgauge":"history","version":1}`, strings.Repeat(string(line)+"\n", 1000)))
	b.ReportAllocs()
	for b.Loop() {
		r := history.NewReader(bytes.NewReader(text))
		if _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
		var o history.Observation
		for r.Read(&o) == nil {
			continue
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/line")
}

// FuzzRead wants whatever is read to be written and read as the same again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"streamgauge":"history","version":1,"mode":"full"}` + "\n" + `{"t":1,"k":"open","x":"\u00e4"}` + "\n" + `{"end":3}`))
	f.Add([]byte(`{"streamgauge":"history"}` + "\n" + `{"streamgauge":"history"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		segments, err := history.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, s := range segments {
			again, err := history.Read(bytes.NewReader(write(t, history.Full, s.Observations)))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.Observations, again[0].Observations); diff != "" {
				t.Fatalf("(−read +again):\n%s", diff)
			}
		}
	})
}
