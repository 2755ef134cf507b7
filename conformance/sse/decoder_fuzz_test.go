package sse

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var lineEnd = regexp.MustCompile("\r\n|\n|\r")

// interpret is the oracle: the standard's algorithm, word for word, on a whole stream at once, for a client that has the given last event id.
func interpret(in, id string) (log transcript, lastID string, pending bool) {
	const mark = "\ufeff"
	in = strings.TrimPrefix(in, mark)
	lines := lineEnd.Split(in, -1)
	partial := lines[len(lines)-1]
	if strings.HasPrefix(mark, partial) && len(lines) == 1 {
		partial = ""
	}
	lastID = id
	idBuffer := id
	var data, kind string
	var own, touched, mixed bool
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			lastID = idBuffer
			if data != "" {
				if kind == "" {
					kind = "message"
				}
				log = append(log, fmt.Sprintf("event %q %q id %q own %t mixed %t", kind, strings.TrimSuffix(data, "\n"), lastID, own, mixed))
			}
			data, kind, own, touched, mixed = "", "", false, false, false
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		if name == "" {
			log = append(log, fmt.Sprintf("comment %q", value))
			continue
		}
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			mixed = mixed || kind != "" && kind != value
			kind, touched = value, true
		case "data":
			data, touched = data+value+"\n", true
		case "id":
			if !strings.Contains(value, "\x00") {
				mixed = mixed || own && idBuffer != "" && idBuffer != value
				idBuffer, own, touched = value, true, true
			}
		case "retry":
			if regexp.MustCompile(`^[0-9]+$`).MatchString(value) {
				ms, err := strconv.ParseInt(value, 10, 32)
				if err != nil {
					ms = int64(MaxRetry / time.Millisecond)
				}
				log = append(log, fmt.Sprintf("retry %s", time.Duration(ms)*time.Millisecond))
			}
		}
	}
	return log, lastID, touched || partial != ""
}

// FuzzDecoder: however a stream is cut, and wherever the connection breaks and another goes on, it means what the standard says.
func FuzzDecoder(f *testing.F) {
	for i, v := range vectors {
		if len(v.in) <= everySplitUpTo {
			f.Add([]byte(v.in), uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 2))
		broken := random.IntN(len(in) + 1)
		before, after := in[:broken], in[broken:]
		wantBefore, id, _ := interpret(string(before), "")
		wantAfter, wantID, wantPending := interpret(string(after), id)
		whole := func(p []byte) [][]byte { return [][]byte{p} }
		someCuts := func(p []byte) [][]byte { return RandomSplit(random, p, 1+int(seed%9)) }
		for how, cut := range map[string]func([]byte) [][]byte{"whole": whole, "each byte": EachByte, "cut": someCuts} {
			var d Decoder
			seen := feed(t, &d, new(transcript), cut(before)...)
			d.Reset()
			feed(t, &d, seen, cut(after)...)
			if diff := cmp.Diff(slices.Concat(wantBefore, wantAfter), *seen); diff != "" {
				t.Fatalf("%q and %q, %s (-want +got):\n%s", before, after, how, diff)
			}
			if d.LastEventID() != wantID || d.Pending() != wantPending {
				t.Fatalf("%q and %q, %s: id %q, pending %t, want %q, %t", before, after, how, d.LastEventID(), d.Pending(), wantID, wantPending)
			}
		}
	})
}

// FuzzDecoderLimit: whether a stream is too long does not depend on how it is cut, and nothing is handed on that is.
func FuzzDecoderLimit(f *testing.F) {
	f.Add([]byte("data: 12345678\n\n"), uint8(8), uint64(1))
	f.Add([]byte("data: 1234\ndata: 1234\n\n"), uint8(8), uint64(2))
	f.Add([]byte(": 1234567890"), uint8(9), uint64(3))
	f.Fuzz(func(t *testing.T, in []byte, limit uint8, seed uint64) {
		in = bytes.TrimPrefix(in, byteOrderMark) // counted as long as its line is not complete
		random := rand.New(rand.NewPCG(seed, 2))
		decode := func(segments ...[]byte) (seen transcript, err error) {
			d := Decoder{MaxEventBytes: 1 + int(limit)}
			for _, p := range segments {
				if err := d.Feed(p, &seen); err != nil {
					return seen, err
				}
			}
			return seen, nil
		}
		want, wantErr := decode(in)
		if wantErr != nil && !errors.Is(wantErr, ErrTooLong) {
			t.Fatal(wantErr)
		}
		for _, segments := range [][][]byte{EachByte(in), RandomSplit(random, in, 1+int(seed%9))} {
			got, err := decode(segments...)
			if !slices.Equal(want, got) || (err == nil) != (wantErr == nil) {
				t.Fatalf("%q, at most %d: %q, %v in one piece, %q, %v in %d", in, 1+int(limit), want, wantErr, got, err, len(segments))
			}
		}
	})
}

// grammar holds what random streams are made of, so that they reach deep without the help of a fuzzer.
var grammar = []string{
	"data", "event", "id", "retry", "Data", " data", "x", ":", ": ", ":  ", "\n", "\n\n", "\r", "\r\r", "\r\n", "\r\n\r\n",
	"\x00", "\ufeff", "\xe2\x82", "7", "10", "99999999999", "message", "data: a\n\n", "id: 1\ndata: b\n\n", ": hb\n",
}

func TestRandomStreamsMeanWhatTheStandardSays(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		var in strings.Builder
		for range 1 + random.IntN(20) {
			in.WriteString(grammar[random.IntN(len(grammar))])
		}
		wantLog, wantID, wantPending := interpret(in.String(), "")
		segments := RandomSplit(random, []byte(in.String()), 1+random.IntN(6))
		var d Decoder
		seen := *feed(t, &d, new(transcript), segments...)
		if !slices.Equal(seen, wantLog) || d.LastEventID() != wantID || d.Pending() != wantPending {
			t.Fatalf("%q cut into %q:\n got %q, id %q, pending %t\nwant %q, id %q, pending %t", in.String(), segments,
				seen, d.LastEventID(), d.Pending(), wantLog, wantID, wantPending)
		}
	}
}
