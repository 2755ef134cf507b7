package sse

import (
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

// interpret is the oracle: the standard's algorithm, word for word, on a whole stream at once.
func interpret(in string) (log transcript, lastID string, pending bool) {
	const mark = "\ufeff"
	in = strings.TrimPrefix(in, mark)
	lines := lineEnd.Split(in, -1)
	partial := lines[len(lines)-1]
	if strings.HasPrefix(mark, partial) && len(lines) == 1 {
		partial = ""
	}
	var data, kind, idBuffer string
	var own, touched bool
	for _, line := range lines[:len(lines)-1] {
		if line == "" {
			lastID = idBuffer
			if data != "" {
				if kind == "" {
					kind = "message"
				}
				log = append(log, fmt.Sprintf("event %q %q id %q own %t", kind, strings.TrimSuffix(data, "\n"), lastID, own))
			}
			data, kind, own, touched = "", "", false, false
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
			kind, touched = value, true
		case "data":
			data, touched = data+value+"\n", true
		case "id":
			if !strings.Contains(value, "\x00") {
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

func FuzzDecoder(f *testing.F) {
	for i, v := range vectors {
		if len(v.in) <= everySplitUpTo {
			f.Add([]byte(v.in), uint64(i))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		wantLog, wantID, wantPending := interpret(string(in))
		random := rand.New(rand.NewPCG(seed, 2))
		for _, segments := range [][][]byte{{in}, EachByte(in), RandomSplit(random, in, 1+int(seed%9))} {
			var d Decoder
			seen := feed(t, &d, new(transcript), segments...)
			if diff := cmp.Diff(wantLog, *seen); diff != "" {
				t.Fatalf("%q in %d segments (-want +got):\n%s", in, len(segments), diff)
			}
			if d.LastEventID() != wantID || d.Pending() != wantPending {
				t.Fatalf("%q in %d segments: id %q, pending %t, want %q, %t",
					in, len(segments), d.LastEventID(), d.Pending(), wantID, wantPending)
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
		wantLog, wantID, wantPending := interpret(in.String())
		segments := RandomSplit(random, []byte(in.String()), 1+random.IntN(6))
		var d Decoder
		seen := *feed(t, &d, new(transcript), segments...)
		if !slices.Equal(seen, wantLog) || d.LastEventID() != wantID || d.Pending() != wantPending {
			t.Fatalf("%q cut into %q:\n got %q, id %q, pending %t\nwant %q, id %q, pending %t", in.String(), segments,
				seen, d.LastEventID(), d.Pending(), wantLog, wantID, wantPending)
		}
	}
}
