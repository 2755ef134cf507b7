package sse

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pieces is a peer that sends what it has, a piece a read, whatever it is told, and closes.
type pieces [][]byte

func (p *pieces) Read(into []byte) (int, error) {
	if len(*p) == 0 {
		return 0, io.EOF
	}
	n := copy(into, (*p)[0])
	if (*p)[0] = (*p)[0][n:]; len((*p)[0]) == 0 {
		*p = (*p)[1:]
	}
	return n, nil
}

func (p *pieces) Write(from []byte) (int, error) { return len(from), nil }
func (*pieces) Close() error                     { return nil }
func (*pieces) LocalAddr() net.Addr              { return new(net.TCPAddr) }
func (*pieces) RemoteAddr() net.Addr             { return new(net.TCPAddr) }
func (*pieces) SetDeadline(time.Time) error      { return nil }
func (*pieces) SetReadDeadline(time.Time) error  { return nil }
func (*pieces) SetWriteDeadline(time.Time) error { return nil }

// cutThree are the bytes whole, byte by byte, and cut at random.
func cutThree(in []byte, seed uint64) [][][]byte {
	return [][][]byte{{in}, EachByte(in), RandomSplit(rand.New(rand.NewPCG(seed, 7)), in, 1+int(seed%9))}
}

var heads = []string{
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
	"HTTP/1.1 200\nA: b\n c\n\td\nA:  e \n\nrest",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.0 503 No\r\nRetry-After: 5\r\n\r\nbody",
	"HTTP/1.1 101 Switching Protocols\r\n\r\n",
	"HTTP/2 200 OK\r\n\r\n",
	"HTTP/1.1 20 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
	"HTTP/1.1 200 OK\r\n folded\r\n\r\n",
	"\r\nHTTP/1.1 200 OK\r\n\r\n",
	"HTTP/1.1 200 OK\r\nA: \x00\xff\rb\r\n\r\n",
	strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 9),
	"HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 60) + "\r\n",
}

// FuzzHead: a head means the same however it is cut, and its fields are those that the standard library reads, where both accept it.
func FuzzHead(f *testing.F) {
	for i, head := range heads {
		f.Add([]byte(head), uint64(i))
	}
	const limit = 256
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		var want, wantRest string
		var r *Response
		for i, cut := range cutThree(in, seed) {
			from := pieces(cut)
			response, rest, err := readHead(&from, make([]byte, 0, 16), limit)
			got, gotRest := fmt.Sprintf("%+v %v", response, err), string(rest)+string(bytes.Join(from, nil))
			if i == 0 {
				want, wantRest, r = got, gotRest, response
			}
			if got != want || r != nil && gotRest != wantRest {
				t.Fatalf("%q in %d pieces: %s, behind it %q; in one: %s, %q", in, len(cut), got, gotRest, want, wantRest)
			}
		}
		if r == nil {
			return
		}
		head := string(in[:len(in)-len(wantRest)])
		if r.Status < 100 || r.Status > 999 || strings.Contains(head, "\n ") || strings.Contains(head, "\n\t") || strings.Contains(head, "HTTP/1.1 1") {
			return // a folded line may be read in more than one way, and a head before this one is read by itself
		}
		_, fields, _ := strings.Cut(head, "\n")
		standard, err := textproto.NewReader(bufio.NewReader(strings.NewReader(fields))).ReadMIMEHeader()
		if err == nil && !maps.EqualFunc(standard, textproto.MIMEHeader(r.Header), slices.Equal) {
			t.Fatalf("%q: %s", head, cmp.Diff(standard, textproto.MIMEHeader(r.Header)))
		}
	})
}

// FuzzResponse: whatever a server sends, head, framing, coding and events mean the same however they are cut, and the body is the one that
// the standard library reads, where both accept it.
func FuzzResponse(f *testing.F) {
	const stream = "Content-Type: text/event-stream\r\n"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(z, "data: a\n\nid: 1\ndata: b\n\n")
	_ = z.Close()
	for i, response := range []string{
		heads[0] + "data: a\n\n",
		"HTTP/1.1 200 OK\r\n" + stream + "Content-Length: 9\r\n\r\ndata: a\n\nmore",
		"HTTP/1.1 200 OK\r\n" + stream + "Content-Length: 99\r\n\r\ndata: a\n\n",
		"HTTP/1.1 200 OK\r\n" + stream + "Transfer-Encoding: chunked\r\n\r\n" + string(Chunked([]byte("data: "), []byte("a\n\n"))),
		"HTTP/1.1 200 OK\r\n" + stream + "Transfer-Encoding: chunked\r\n\r\n5;x=y\r\ndata:\r\n2\r\n\n\n\r\n0\r\nA: b\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + stream + "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\n" + stream + "Content-Encoding: gzip\r\n\r\n" + zipped.String() + zipped.String(),
		"HTTP/1.1 200 OK\r\n" + stream + "Content-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n" + string(Chunked(zipped.Bytes())),
		"HTTP/1.1 200 OK\r\n" + stream + "Content-Encoding: br\r\n\r\nx",
		"HTTP/1.1 204 No Content\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nab",
	} {
		f.Add([]byte(response), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		want := ""
		for i, cut := range cutThree(in, seed) {
			var seen transcript
			var d Decoder
			err := over(t, cut, func(s *Stream) error { return s.Pump(&d, &seen) })
			got := fmt.Sprintf("%q %s pending %t", seen, failure(err), d.Pending())
			if i == 0 {
				want = got
			}
			if got != want {
				t.Fatalf("%q in %d pieces: %s, in one: %s", in, len(cut), got, want)
			}
		}
		var body []byte
		err := over(t, [][]byte{in}, func(s *Stream) error {
			return s.Body(func(p []byte) error { body = append(body, p...); return nil })
		})
		if err != io.EOF || !bytes.HasPrefix(in, []byte("HTTP/1.1 ")) || bytes.HasPrefix(in, []byte("HTTP/1.1 1")) {
			return
		}
		standard, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(in)), &http.Request{Method: http.MethodGet})
		if err != nil {
			return
		}
		if whole, err := io.ReadAll(standard.Body); err == nil && !bytes.Equal(whole, body) {
			t.Fatalf("%q: the body is %q, want %q", in, body, whole)
		}
	})
}

// over opens a stream to a peer that sends these pieces and uses it.
func over(t *testing.T, sends [][]byte, use func(*Stream) error) error {
	t.Helper()
	peer := pieces(slices.Clone(sends))
	dial := func(context.Context, string, string) (net.Conn, error) { return &peer, nil }
	s, err := Open(context.Background(), dial, request(t, "http://a.test/"), Options{MaxHeadBytes: 1 << 10})
	if err == nil {
		err = use(s)
	}
	var told *Error
	if err == nil || err != io.EOF && !errors.As(err, &told) {
		t.Fatalf("err = %v, want an *Error or EOF", err)
	}
	return err
}
