package sse

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func dialScripted(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAScriptDecidesOverEachConnection(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		if c.Number == 1 {
			return c.Head(503, "Retry-After: 1")
		}
		return c.Head(200)
	})
	before := time.Now()
	for i, want := range []int{200, 503, 200} {
		req := request(t, s.URL("/a?b=c"))
		req.LastEventID = strings.Repeat("x", i)
		if got := open(t, req, Options{}).Response().Status; got != want {
			t.Errorf("connection %d got %d, want %d", i, got, want)
		}
	}
	requests, err := s.Await(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range requests {
		id, has := r.LastEventID()
		if r.Conn != i || r.Target != "/a?b=c" || id != strings.Repeat("x", i) || has != (i > 0) {
			t.Errorf("request %d = %+v", i, r)
		}
		if r.Accepted.Before(before) || r.At.Before(r.Accepted) {
			t.Errorf("request %d: accepted %v, complete %v", i, r.Accepted, r.At)
		}
	}
	if errs := s.Errors(); len(errs) != 0 {
		t.Errorf("scripts failed: %v", errs)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(""))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Await(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want canceled", err)
	}
}

func TestEachSegmentIsAReadOfItsOwn(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	s := serve(t, func(c *Conn) error {
		for _, p := range [][]byte{[]byte("HTTP/1.1 2"), []byte("00 OK\r\n\r\nda"), []byte("ta: a\n\n")} {
			if err := c.Segments(0, p); err != nil {
				return err
			}
			<-read
		}
		return c.Segments(time.Millisecond, []byte("x"), []byte("y"))
	})
	conn := dialScripted(t, s)
	buf := make([]byte, 100)
	for _, want := range []string{"HTTP/1.1 2", "00 OK\r\n\r\nda", "ta: a\n\n"} {
		n, err := conn.Read(buf)
		if string(buf[:n]) != want {
			t.Errorf("read %q, %v, want %q", buf[:n], err, want)
		}
		read <- struct{}{}
	}
	if rest, err := io.ReadAll(conn); string(rest) != "xy" || err != nil {
		t.Errorf("read %q, %v, want xy and FIN", rest, err)
	}
}

func TestASlowReaderGetsEachSegmentByItself(t *testing.T) {
	t.Parallel()
	const text = "0123456789"
	s := serve(t, func(c *Conn) error { return c.Segments(200*time.Microsecond, EachByte([]byte(text))...) })
	conn := dialScripted(t, s)
	queue := openPeerQueue(addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()))
	defer queue.close()
	if _, ok := queue.unread(); !ok {
		t.Skip("this kernel does not tell what a socket has not read yet")
	}
	busy, buf := make([]byte, 4<<20), make([]byte, len(text))
	for i := range text {
		sha256.Sum256(busy) // takes far longer than the pause
		if n, err := conn.Read(buf); n != 1 || buf[0] != text[i] {
			t.Fatalf("read %d gave %q, %v, want %q", i, buf[:n], err, text[i])
		}
	}
}

func TestASilentReaderDelaysSegmentsForAWhileOnly(t *testing.T) {
	t.Parallel()
	over := make(chan error, 1)
	s := serve(t, func(c *Conn) error {
		err := c.Segments(time.Millisecond, []byte("a"), []byte("b"), []byte("c"))
		over <- err
		return err
	})
	conn := dialScripted(t, s)
	if err := <-over; err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(conn); string(rest) != "abc" || err != nil {
		t.Errorf("read %q, %v, want abc and FIN", rest, err)
	}
}

func TestChunksAndAddressesShowThroughAStream(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *Conn) error {
		if _, err := c.Stream("Transfer-Encoding: chunked", "Content-Encoding: identity"); err != nil {
			return err
		}
		return errors.Join(c.Chunk([]byte("data: a\n")), c.Chunk([]byte("\ndata: b\n\n")), c.Chunk(nil))
	})
	stream := open(t, request(t, s.URL("/")), Options{})
	if got := stream.RemoteAddr().String(); got != s.Addr() || stream.LocalAddr().String() == got {
		t.Errorf("from %v to %v, want to %s", stream.LocalAddr(), got, s.Addr())
	}
	var seen trace
	if err := stream.Pump(new(Decoder), &seen); !errors.Is(err, io.EOF) || !slices.Equal(seen.events, messages("a", "b")) {
		t.Errorf("Pump = %v after %v", err, seen.events)
	}
}

func TestResetIsARealReset(t *testing.T) {
	t.Parallel()
	dialled := make(chan struct{})
	s := serve(t, func(c *Conn) error {
		<-dialled
		return c.Reset()
	})
	conn := dialScripted(t, s)
	close(dialled)
	_, err := conn.Read(make([]byte, 1))
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("err = %v, want connection reset", err)
	}
}

func TestHalfOpenNeitherReadsNorCloses(t *testing.T) {
	t.Parallel()
	held, until := make(chan struct{}), make(chan struct{})
	s := serve(t, func(c *Conn) error {
		close(held)
		c.Hold(until)
		return nil
	})
	conn := dialScripted(t, s)
	<-held
	if err := conn.SetDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("read %d, %v, want nothing", n, err)
	}
	close(until)
	_ = conn.SetDeadline(time.Time{})
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d, %v, want EOF", n, err)
	}
}

func TestCloseWriteStillReads(t *testing.T) {
	t.Parallel()
	gone := make(chan time.Time, 1)
	s := serve(t, func(c *Conn) error {
		err := c.CloseWrite()
		gone <- c.AwaitGone()
		return err
	})
	conn := dialScripted(t, s)
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d, %v, want EOF", n, err)
	}
	if _, err := conn.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
		t.Errorf("the server no longer reads: %v", err)
	}
	closed := time.Now()
	_ = conn.Close()
	if at := <-gone; at.Before(closed) {
		t.Errorf("gone at %v, before it was closed at %v", at, closed)
	}
}

func TestClosingTheServerEndsEveryScript(t *testing.T) {
	t.Parallel()
	running := make(chan struct{}, 4)
	s, err := Serve(t.Context(), ServerOptions{}, func(c *Conn) error {
		running <- struct{}{}
		switch c.Number {
		case 0:
			c.Hold(nil)
		case 1:
			c.AwaitGone()
		case 2:
			c.Endless(make([]byte, 1<<16))
		case 3:
			return c.Segments(time.Hour, []byte("a"), []byte("b"))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		dialScripted(t, s)
		<-running
	}
	s.Close()
	if errs := s.Errors(); len(errs) != 1 {
		t.Errorf("errors = %v, want that of the drip", errs)
	}
	if _, err := net.Dial("tcp", s.Addr()); err == nil {
		t.Error("the server still accepts")
	}
}

func TestEndingTheContextEndsTheServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Serve(ctx, ServerOptions{}, func(c *Conn) error {
		c.Hold(nil)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	conn := dialScripted(t, s)
	cancel()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlived the server")
	}
	s.Close()
}

func TestSplitsLoseNothing(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, in := range []string{"", "a", "ab", "some longer text"} {
		p := []byte(in)
		for n := 1; n < 20; n++ {
			pieces := RandomSplit(random, p, n)
			if got := bytes.Join(pieces, nil); !bytes.Equal(got, p) || len(pieces) > n {
				t.Errorf("%q in %d pieces: %q", in, n, pieces)
			}
			for _, piece := range pieces {
				if len(piece) == 0 && len(p) > 0 {
					t.Errorf("%q: empty piece in %q", in, pieces)
				}
			}
		}
		if got := bytes.Join(EachByte(p), nil); !bytes.Equal(got, p) || len(EachByte(p)) != len(p) {
			t.Errorf("%q byte by byte: %q", in, EachByte(p))
		}
	}
	if got := Split([]byte("abcdef"), 2, 3); string(bytes.Join(got, []byte("|"))) != "ab|c|def" {
		t.Errorf("Split = %q", got)
	}
}
