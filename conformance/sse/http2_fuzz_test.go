package sse

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// http2Answer makes frames of bytes: kind, flags, stream and length of each stand before its payload.
func http2Answer(in []byte) []byte {
	var frames []byte
	for len(in) >= 4 {
		n := min(int(in[3]), len(in)-4)
		frames = append(frames, http2Frame(in[0]%11, in[1], in[2], in[4:4+n]...)...)
		in = in[4+n:]
	}
	return frames
}

// FuzzHTTP2: whatever frames a server answers a request with, the stream ends, and with a reason.
func FuzzHTTP2(f *testing.F) {
	head := string([]byte{1, 4, 1, 1, 0x88}) // HEADERS of stream 1: 200
	for _, answer := range []string{
		head + string([]byte{0, 1, 1, 9}) + "data: a\n\n",
		head + string([]byte{0, 0, 1, 9}) + "data: a\n\n" + string([]byte{1, 5, 1, 1, 0x88}), // trailers
		string([]byte{3, 0, 1, 4, 0, 0, 0, 7}),                                               // RST_STREAM: REFUSED_STREAM
		head + string([]byte{3, 0, 1, 4, 0, 0, 0, 8}),                                        // and CANCEL
		string([]byte{7, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}),                                   // GOAWAY
		string([]byte{4, 0, 0, 6, 0, 3, 0, 0, 0, 0}) + head,                                  // SETTINGS: no streams
		string([]byte{8, 0, 0, 4, 0xff, 0xff, 0xff, 0xff}) + string([]byte{6, 0, 0, 8}) + "12345678",
		string([]byte{1, 4, 1, 1, 0x8d}) + string([]byte{0, 8, 1, 3, 9, 'a', 'b'}), // 404, padded beyond its end
		string([]byte{5, 4, 1, 5, 0, 0, 0, 2, 0x82}),                               // PUSH_PROMISE
	} {
		f.Add([]byte(answer))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<10 {
			t.Skip("long inputs show nothing that short ones do not")
		}
		h := new(HTTP2)
		dial := func(context.Context, string, string) (net.Conn, error) { return http2Peer(http2Answer(in)), nil }
		s, err := Open(context.Background(), dial, request(t, "http://a.test/"), Options{HTTP2: h, HeadTimeout: 5 * time.Second})
		if err == nil {
			var d Decoder
			err = s.Pump(&d, new(transcript))
			_ = s.Close()
		}
		var told *Error
		if err != io.EOF && !errors.As(err, &told) {
			t.Fatalf("err = %v, want an *Error or EOF", err)
		}
		_ = h.Close() // a connection that is gone may say so
	})
}

// http2Peer is a server that sends its settings, then the answer to the first request whole, and closes.
func http2Peer(answer []byte) net.Conn {
	client, server := net.Pipe()
	asked := make(chan struct{})
	go func() {
		defer func() { _, _ = io.Copy(io.Discard, server) }()
		defer close(asked)
		if _, err := io.CopyN(io.Discard, server, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err == nil {
			_ = awaitHTTP2Headers(server) // who asks for nothing gets the answer all the same
		}
	}()
	go func() {
		defer server.Close()
		if _, err := server.Write(http2Frame(4, 0, 0)); err != nil {
			return
		}
		<-asked
		_, _ = server.Write(answer)
	}()
	return client
}
