package token

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var example = Message{Run: "k3x9", Stream: 17, Publisher: 1, Number: 42, Due: 1500 * time.Millisecond, Sent: 1501 * time.Millisecond}

func TestPayloadHasTheSizeAskedFor(t *testing.T) {
	t.Parallel()
	for _, size := range []int{160, 161, 256, 1000, 65536} {
		if got := len(Append(nil, example, []byte(`{"a":"`), []byte(`"}`), size)); got != size {
			t.Errorf("payload of %d bytes, want %d", got, size)
		}
	}
}

func TestOverheadIsBounded(t *testing.T) {
	t.Parallel()
	worst := Message{
		Run: "zzzzzzzzzzzzzzzz", Stream: math.MaxInt32, Publisher: math.MaxInt32, Number: math.MaxInt64 / 37,
		Due: math.MaxInt64 / 37, Sent: 0,
	}
	payload := Append(nil, worst, nil, nil, 0)
	if len(payload) > MaxOverhead {
		t.Errorf("worst token takes %d bytes, want at most %d", len(payload), MaxOverhead)
	}
	if m, state := Scan(payload, worst.Run); state != Intact || m != worst {
		t.Errorf("worst token scans as %v %v", m, state)
	}
}

func TestTokenSurvivesEnvelopes(t *testing.T) {
	t.Parallel()
	payload := Append(nil, example, nil, nil, 256)
	quoted, err := json.Marshal(map[string]string{"topic": "a", "data": string(payload)})
	if err != nil {
		t.Fatal(err)
	}
	twice, err := json.Marshal(string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"bare": payload, "json": quoted, "json in json": twice, "spaces": []byte("  " + string(payload) + "\n"),
	} {
		if m, state := Scan(data, example.Run); state != Intact || m != example {
			t.Errorf("%s: got %v in state %d, want the message intact", name, m, state)
		}
	}
}

func TestEveryChangedByteIsSeen(t *testing.T) {
	t.Parallel()
	payload := Append(nil, example, []byte(`{"type":"order_paid","token":"`), []byte(`","n":7}`), 300)
	for i := range payload {
		for _, flip := range []byte{1, 0x20, 0x80} {
			broken := bytes.Clone(payload)
			broken[i] ^= flip
			if m, state := Scan(broken, example.Run); state == Intact || state == Corrupted && m != example {
				t.Errorf("byte %d flipped by %#x: state %d, message %v", i, flip, state, m)
			}
		}
	}
}

func TestEveryTruncationIsSeen(t *testing.T) {
	t.Parallel()
	payload := Append(nil, example, nil, nil, 256)
	for n := range payload {
		if _, state := Scan(payload[:n], example.Run); state == Intact {
			t.Errorf("the first %d bytes of %d count as intact", n, len(payload))
		}
	}
}

func TestAnotherRunIsNotOurs(t *testing.T) {
	t.Parallel()
	if _, state := Scan(Append(nil, example, nil, nil, 256), "other"); state != OtherRun {
		t.Errorf("state %d, want OtherRun", state)
	}
	if _, state := Scan([]byte(`{"type":"connected"}`), "other"); state != None {
		t.Errorf("state %d, want None", state)
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Message{
			Run:       rapid.StringMatching(`[a-z0-9]{1,16}`).Draw(t, "run"),
			Stream:    rapid.Int32Min(0).Draw(t, "stream"),
			Publisher: rapid.Int32Min(0).Draw(t, "publisher"),
			Number:    rapid.Uint64Range(0, math.MaxInt64/37).Draw(t, "number"),
			Due:       time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "due")),
		}
		want.Sent = want.Due + time.Duration(rapid.Int64Range(-int64(time.Second), int64(time.Hour)).Draw(t, "lag"))
		prefix := rapid.SliceOf(rapid.ByteRange(' ', '}')).Draw(t, "prefix")
		suffix := rapid.SliceOf(rapid.ByteRange(' ', '}')).Draw(t, "suffix")
		size := rapid.IntRange(0, 4096).Draw(t, "size")
		payload := Append(nil, want, prefix, suffix, size)
		if got, state := Scan(payload, want.Run); state != Intact || got != want {
			t.Fatalf("got %+v in state %d, want %+v from %q", got, state, want, payload)
		}
		if size > MaxOverhead+len(prefix)+len(suffix) && len(payload) != size {
			t.Fatalf("payload of %d bytes, want %d", len(payload), size)
		}
		if again := Append(nil, want, prefix, suffix, size); !bytes.Equal(again, payload) {
			t.Fatal("the same message gave another payload")
		}
	})
}

func TestScanDoesNotAllocate(t *testing.T) {
	payload := Append(nil, example, nil, nil, 256)
	if n := testing.AllocsPerRun(100, func() { Scan(payload, example.Run) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestValidRun(t *testing.T) {
	t.Parallel()
	for run, want := range map[string]bool{"": false, "a1": true, "A1": false, "a.b": false, "zzzzzzzzzzzzzzzz": true, "zzzzzzzzzzzzzzzzz": false} {
		if got := ValidRun(run); got != want {
			t.Errorf("ValidRun(%q) = %v", run, got)
		}
	}
}

// FuzzScan scans the bytes as they are, and as a token whose checksum somebody has made right.
func FuzzScan(f *testing.F) {
	f.Add(Append(nil, example, []byte("{"), []byte("}"), 200))
	f.Add([]byte("~sg1.k3x9."))
	f.Add([]byte("~sg1.~1gs~"))
	f.Add([]byte("0.0.1.1.1.0.0.0.0."))
	f.Add([]byte("zik0zj.zik0zj.3w5e11264sgsf.1y2p0ij32e8e7.-1y2p0ij32e8e7.zzzzz.zzzzz.zzzzzzz.zzzzzzz."))
	f.Fuzz(func(t *testing.T, data []byte) {
		forged := append([]byte(head+example.Run+"."), data...)
		forged = append(appendFixed(forged, uint64(crc32.Checksum(forged, castagnoli)), sumDigits), tail...)
		if m, _ := Scan(forged, example.Run); m.Stream < 0 || m.Publisher < 0 {
			t.Fatalf("%q is of stream %d and publisher %d", forged, m.Stream, m.Publisher)
		}
		m, state := Scan(data, example.Run)
		if state != Intact {
			return
		}
		// Whatever counts as intact must hold the token and padding that Append would write for it.
		bare := Append(nil, m, nil, nil, 0)
		if prefix := bare[:bytes.Index(bare, []byte(m.Run))+len(m.Run)]; !bytes.Contains(data, prefix) {
			t.Fatalf("%q counts as intact and does not hold %q", data, prefix)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	buf := make([]byte, 0, 1024)
	for b.Loop() {
		buf = Append(buf[:0], example, nil, nil, 256)
	}
}

func BenchmarkScan(b *testing.B) {
	for _, size := range []int{160, 256, 1024} {
		payload := Append(nil, example, nil, nil, size)
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Scan(payload, example.Run)
			}
		})
	}
}
