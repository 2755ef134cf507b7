package sse

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"strings"
	"testing"
)

// decodeChunks feeds segments to a chunk decoder until it ends or fails.
func decodeChunks(segments ...[]byte) (body, rest []byte, err error) {
	f := framing{kind: chunked}
	for i, p := range segments {
		for len(p) > 0 {
			var piece []byte
			piece, p, err = f.next(p)
			body = append(body, piece...)
			if err != nil {
				return body, bytes.Join(append([][]byte{p}, segments[i+1:]...), nil), err
			}
		}
		if f.complete() {
			return body, bytes.Join(segments[i+1:], nil), io.EOF
		}
	}
	return body, nil, io.ErrUnexpectedEOF
}

func TestChunksDecodeHoweverTheyAreSegmented(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, body, rest string }{
		"two chunks":           {"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde", ""},
		"upper and lower hex":  {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", ""},
		"leading zeros":        {"0003\r\nabc\r\n000\r\n\r\n", "abc", ""},
		"extensions":           {"3;a=b;c=\"d\"\r\nabc\r\n0 ;x\r\n\r\n", "abc", ""},
		"trailer":              {"3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\n", "abc", ""},
		"line ends as data":    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", ""},
		"bytes after the body": {"1\r\na\r\n0\r\n\r\nHTTP/1.1 200", "a", "HTTP/1.1 200"},
		"nothing":              {"0\r\n\r\n", "", ""},
	} {
		in := []byte(c.in)
		cuts := [][][]byte{{in}, EachByte(in)}
		for at := range in {
			cuts = append(cuts, [][]byte{in[:at], in[at:]})
		}
		for _, segments := range cuts {
			body, rest, err := decodeChunks(segments...)
			if string(body) != c.body || string(rest) != c.rest || err != io.EOF {
				t.Errorf("%s, cut into %q: body %q, rest %q, %v, want %q, %q, EOF", name, segments, body, rest, err, c.body, c.rest)
			}
		}
	}
}

func TestMalformedChunksNameWhatAndWhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in, what string
		offset         int64
	}{
		{"no size", "\r\nabc", "chunk size", 0},
		{"not hexadecimal", "3\r\nabc\r\nxyz\r\n", "chunk size", 8},
		{"0x prefix", "0x3\r\nabc\r\n", "chunk size", 1},
		{"negative", "-1\r\n", "chunk size", 0},
		{"leading space", " 3\r\nabc\r\n", "chunk size", 0},
		{"too large", "fffffffffffffffff\r\n", "chunk size, too large", 15},
		{"bare LF after the size", "3\nabc\r\n", "chunk size", 1},
		{"bare CR after the size", "3\rabc\r\n", "chunk size", 2},
		{"data longer than its size", "3\r\nabcd\r\n", "end of chunk", 6},
		{"LF alone after the data", "3\r\nabc\n", "end of chunk", 6},
		{"CR alone after the data", "3\r\nabc\rx", "end of chunk", 7},
		{"event stream without chunks", "data: x\n\n", "chunk size", 2},
		{"trailer with a bare LF", "0\r\nA: b\n\r\n", "trailer", 7},
		{"endless extension", "1;" + strings.Repeat("x", 5000), "chunk line, longer than 4 KiB", 4096},
		{"endless trailer", "0\r\n" + strings.Repeat("A: b\r\n", 1000), "chunk line, longer than 4 KiB", 4096},
		{"endless zeros", strings.Repeat("0", 5000), "chunk line, longer than 4 KiB", 4096},
	} {
		for _, segments := range [][][]byte{{[]byte(c.in)}, EachByte([]byte(c.in))} {
			_, _, err := decodeChunks(segments...)
			var m *MalformedError
			if !errors.As(err, &m) {
				t.Errorf("%s: err = %v, want a MalformedError", c.name, err)
				continue
			}
			if m.What != c.what || m.Offset != c.offset {
				t.Errorf("%s: %q at %d, want %q at %d", c.name, m.What, m.Offset, c.what, c.offset)
			}
			if m.Bytes[0] != c.in[c.offset] {
				t.Errorf("%s: evidence %q does not begin at the offset", c.name, m.Bytes)
			}
		}
	}
}

func TestATruncatedChunkIsNoEnd(t *testing.T) {
	t.Parallel()
	whole := "3;x\r\nabc\r\n0\r\nA: b\r\n\r\n"
	for n := range len(whole) {
		if _, _, err := decodeChunks([]byte(whole[:n])); err != io.ErrUnexpectedEOF {
			t.Errorf("%q: err = %v, want unexpected EOF", whole[:n], err)
		}
	}
}

func FuzzChunks(f *testing.F) {
	f.Add([]byte("data: x\n\n"), uint64(1))
	f.Add([]byte(""), uint64(2))
	for i, wire := range []string{
		"3;a=b;c=\"d\"\r\nabc\r\n0 ;x\r\n\r\n", "3\r\nabc\r\n0\r\nA: b\r\nC: d\r\n\r\nrest", "000A\r\n0123456789\r\n0\r\n\r\n",
		"fffffffffffffffff\r\n", "7fffffffffffffff\r\nabc", "3\nabc\r\n", "0\r\nA: b\n\r\n",
	} {
		f.Add([]byte(wire), uint64(i))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 5))
		wire := Chunked(RandomSplit(random, data, 1+int(seed%7))...)
		standard, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(wire)))
		if err != nil || !bytes.Equal(standard, data) {
			t.Fatalf("the standard library reads %q as %q, %v, want %q", wire, standard, err, data)
		}
		segments := RandomSplit(random, wire, 1+int(seed%11))
		body, rest, err := decodeChunks(segments...)
		if !bytes.Equal(body, data) || len(rest) != 0 || err != io.EOF {
			t.Fatalf("%q: body %q, rest %q, %v, want %q", segments, body, rest, err, data)
		}
		fuzzChunkedBytes(t, data, RandomSplit(random, data, 1+int(seed%5))...)
	})
}

// fuzzChunkedBytes holds that arbitrary bytes mean the same however they are cut, and what the standard library reads of them where they are whole.
func fuzzChunkedBytes(t *testing.T, wire []byte, segments ...[]byte) {
	t.Helper()
	body, rest, err := decodeChunks(wire)
	for _, cut := range [][][]byte{EachByte(wire), segments} {
		b, r, e := decodeChunks(cut...)
		if !bytes.Equal(b, body) || failure(e) != failure(err) || err == io.EOF && !bytes.Equal(r, rest) {
			t.Fatalf("%q in %d pieces: body %q, rest %q, %v, in one %q, %q, %v", wire, len(cut), b, r, e, body, rest, err)
		}
	}
	if err != io.EOF {
		return
	}
	standard, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(wire)))
	if err == nil && !bytes.Equal(standard, body) { // it is stricter about long lines
		t.Fatalf("the standard library reads %q as %q, want %q", wire, standard, body)
	}
}

// failure is an error without the bytes it quotes, which are those of one read.
func failure(err error) string {
	var m *MalformedError
	if errors.As(err, &m) {
		return fmt.Sprintf("malformed %s at %d", m.What, m.Offset)
	}
	return fmt.Sprint(err)
}
