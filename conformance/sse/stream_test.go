package sse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

const (
	untilCloseHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
	chunkedHead    = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// send answers a request with one write for each segment.
func send(segments ...[]byte) Script {
	return func(c *Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		return c.Segments(0, segments...)
	}
}

// opaque hides that a connection is a socket.
type opaque struct{ net.Conn }

func dialOpaque(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	return opaque{conn}, err
}

func TestStreamsMeanWhatTheirBytesMean(t *testing.T) {
	t.Parallel()
	certificate, pool, err := SelfSigned(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	secure := ServerOptions{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	for _, path := range []struct {
		name string
		on   ServerOptions
		dial DialFunc
	}{
		{"socket", ServerOptions{}, nil},
		{"wrapped", ServerOptions{}, dialOpaque},
		{"tls", secure, nil},
	} {
		for _, v := range vectors {
			t.Run(path.name+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				for how, segments := range wirings(v.in) {
					s := serveWith(t, path.on, send(segments...))
					stream, err := Open(t.Context(), path.dial, request(t, s.URL("/")), Options{TLS: &tls.Config{RootCAs: pool}})
					if err != nil {
						t.Fatal(err)
					}
					var d Decoder
					seen := new(trace)
					if err := stream.Pump(&d, seen); err != io.EOF {
						t.Fatalf("%s: Pump = %v, want EOF", how, err)
					}
					if err := stream.Close(); err != nil {
						t.Error(err)
					}
					v.check(t, how, seen, &d)
				}
			})
		}
	}
}

// wirings are ways to put a body on the wire: chunk boundaries and segment boundaries independent of each other.
func wirings(body string) map[string][][]byte {
	in := []byte(body)
	with := func(head string, segments ...[]byte) [][]byte { return append([][]byte{[]byte(head)}, segments...) }
	if len(in) > everySplitUpTo {
		chunks := Chunked(slices.Collect(slices.Chunk(in, 5000))...)
		return map[string][][]byte{
			"until close": with(untilCloseHead, slices.Collect(slices.Chunk(in, 1448))...),
			"chunks":      with(chunkedHead, slices.Collect(slices.Chunk(chunks, 7777))...),
		}
	}
	sizedHead := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(in))
	return map[string][][]byte{
		"in one segment with the head": {[]byte(untilCloseHead + body)},
		"byte by byte":                 with(untilCloseHead, EachByte(in)...),
		"with its length":              with(sizedHead, []byte(body+"data: not of this body\n\n")),
		"a chunk for each byte":        with(chunkedHead, Chunked(EachByte(in)...)),
		"one chunk, byte by byte":      with(chunkedHead, EachByte(Chunked(in))...),
	}
}

func TestEachStreamStartsAfreshButForTheLastEventID(t *testing.T) {
	t.Parallel()
	for _, v := range reconnections {
		s := serve(t, func(c *Conn) error { return answer(untilCloseHead + v.conns[c.Number])(c) })
		var d Decoder
		var seen *trace
		for range v.conns {
			seen = new(trace)
			stream := open(t, request(t, s.URL("/")), Options{})
			if err := stream.Pump(&d, seen); !errors.Is(err, io.EOF) {
				t.Errorf("%s: Pump = %v, want EOF", v.name, err)
			}
		}
		if !slices.Equal(seen.events, v.events) {
			t.Errorf("%s: events of the last connection = %v, want %v", v.name, seen.events, v.events)
		}
	}
}

func TestABurstLargerThanTheBufferArrivesWhole(t *testing.T) {
	t.Parallel()
	const n = 5000
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, "id: %d\ndata: %s\n\n", i, strings.Repeat("x", i%300))
	}
	for name, dial := range map[string]DialFunc{"socket": nil, "wrapped": dialOpaque} {
		s := serve(t, send([]byte(untilCloseHead), []byte(body.String())))
		stream, err := Open(t.Context(), dial, request(t, s.URL("/")), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var d Decoder
		var h counter
		if err := stream.Pump(&d, &h); err != io.EOF || h.events != n || d.LastEventID() != fmt.Sprint(n-1) {
			t.Errorf("%s: %d events up to id %s, %v, want %d", name, h.events, d.LastEventID(), err, n)
		}
		_ = stream.Close()
	}
}

func TestTheEndOfAStreamHasACause(t *testing.T) {
	t.Parallel()
	const event = "id: 1\ndata: a\n\n"
	for name, c := range map[string]struct {
		script   Script
		want     Cause
		pending  bool
		evidence string
	}{
		"closed after an event":       {answer(untilCloseHead + event), CauseEnd, false, "EOF"},
		"closed inside an event":      {answer(untilCloseHead + event + "data: b"), CauseEnd, true, "EOF"},
		"last chunk":                  {answer(chunkedHead + "f\r\n" + event + "\r\n0\r\n\r\n"), CauseEnd, false, "EOF"},
		"last chunk inside an event":  {answer(chunkedHead + "10\r\n" + event + "d\r\n0\r\n\r\n"), CauseEnd, true, "EOF"},
		"closed between chunks":       {answer(chunkedHead + "f\r\n" + event + "\r\n"), CauseTruncated, false, "unexpected EOF"},
		"closed inside a chunk":       {answer(chunkedHead + "ff\r\n" + event + "data: b"), CauseTruncated, true, "unexpected EOF"},
		"closed before its length":    {answer("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n" + event), CauseTruncated, false, "unexpected EOF"},
		"no chunks although promised": {answer(chunkedHead + event), CauseMalformed, false, `malformed chunk size: "id: 1\ndata: a\n\n"`},
		"chunk with a wrong size":     {answer(chunkedHead + "e\r\n" + event + "\r\n"), CauseMalformed, true, `malformed end of chunk at byte 17 of the body: "\n\r\n"`},
		"compressed":                  {answer("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n\x1f\x8b"), CauseEncoded, false, "content encoding br"},
		"not what its head names":     {answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\ndata: a\n\n"), CauseMalformed, false, "gzip"},
		"endless line":                {endless(untilCloseHead, "data: xxxxxxxxxxxxxxxxxxxxxx"), CauseTooLong, false, "event too long"},
		"endless chunked event":       {endless(chunkedHead, "6\r\ndata:\n\r\n"), CauseTooLong, false, "event too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stream := open(t, request(t, serve(t, c.script).URL("/")), Options{})
			d := Decoder{MaxEventBytes: 100_000}
			err := stream.Pump(&d, new(trace))
			if got := CauseOf(err); got != c.want || !strings.Contains(err.Error(), c.evidence) {
				t.Errorf("cause of %v = %v, want %v with %s", err, got, c.want, c.evidence)
			}
			if d.Pending() != c.pending {
				t.Errorf("Pending() = %t, want %t", d.Pending(), c.pending)
			}
		})
	}
}

// signal is a handler that tells of each event on a channel.
type signal chan string

func (s signal) Event(e Event) error { s <- string(e.Data); return nil }
func (signal) Comment([]byte)        {}
func (signal) Retry(time.Duration)   {}

func TestAnEventIsDispatchedAsSoonAsItsBlankLineBegins(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"data: a\n\n", "data: a\r\r", "data: a\r\n\r", "data: a\n\r", "data: a\r\n\r\n"} {
		for head, segment := range map[string]string{
			untilCloseHead: body,
			chunkedHead:    fmt.Sprintf("%x\r\n%s", len(body), body), // even the chunk's own line end is not waited for
		} {
			seen := make(signal)
			s := serve(t, func(c *Conn) error {
				err := send([]byte(head), []byte(segment))(c)
				c.AwaitGone()
				return err
			})
			stream := open(t, request(t, s.URL("/")), Options{})
			go func() {
				<-seen
				_ = stream.Close()
			}()
			if err := stream.Pump(new(Decoder), seen); CauseOf(err) != CauseCanceled {
				t.Errorf("%q: cause of %v = %v, want canceled", body, err, CauseOf(err))
			}
		}
	}
}

func TestAResetIsToldFromAClose(t *testing.T) {
	t.Parallel()
	seen := make(signal)
	s := serve(t, func(c *Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if err := c.Send("data: a\n\ndata: half"); err != nil {
			return err
		}
		<-seen
		return c.Reset()
	})
	stream := open(t, request(t, s.URL("/")), Options{})
	var d Decoder
	if err := stream.Pump(&d, seen); CauseOf(err) != CauseReset {
		t.Errorf("cause of %v = %v, want reset", err, CauseOf(err))
	}
	if !d.Pending() {
		t.Error("the half event is not pending")
	}
}

func TestCloseEndsAPump(t *testing.T) {
	t.Parallel()
	for name, dial := range map[string]DialFunc{"socket": nil, "wrapped": dialOpaque} {
		seen := make(signal, 1)
		s := serve(t, func(c *Conn) error {
			if _, err := c.Stream(); err != nil {
				return err
			}
			err := c.Send("data: a\n\n")
			c.AwaitGone()
			return err
		})
		stream, err := Open(t.Context(), dial, request(t, s.URL("/")), Options{})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			<-seen
			_ = stream.Close()
		}()
		if err := stream.Pump(new(Decoder), seen); CauseOf(err) != CauseCanceled {
			t.Errorf("%s: cause of %v = %v, want canceled", name, err, CauseOf(err))
		}
	}
}

func TestAHandlersErrorComesBackFromPump(t *testing.T) {
	t.Parallel()
	stop := errors.New("enough")
	stream := open(t, request(t, serve(t, answer(untilCloseHead+"data: a\n\n")).URL("/")), Options{})
	if err := stream.Pump(new(Decoder), &refusal{err: stop}); err != stop {
		t.Errorf("Pump = %v, want %v", err, stop)
	}
}

func TestTheBodyOfARefusalCanBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wire  string
		limit int
		want  string
		cause Cause
	}{
		"until close":     {"HTTP/1.1 401 No\r\n\r\nno token", 100, "no token", CauseUnknown},
		"with its length": {"HTTP/1.1 401 No\r\nContent-Length: 8\r\n\r\nno token", 100, "no token", CauseUnknown},
		"chunks":          {"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno \r\n5\r\ntoken\r\n0\r\n\r\n", 100, "no token", CauseUnknown},
		"longer":          {"HTTP/1.1 401 No\r\n\r\nno token", 4, "no t", CauseUnknown},
		"none":            {"HTTP/1.1 204 No Content\r\n\r\n", 4, "", CauseUnknown},
		"cut":             {"HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nno token", 100, "no token", CauseTruncated},
	} {
		stream := open(t, request(t, serve(t, answer(c.wire)).URL("/")), Options{})
		body, err := stream.ReadBody(c.limit, time.Minute)
		if string(body) != c.want || CauseOf(err) != c.cause || (err == nil) != (c.cause == CauseUnknown) {
			t.Errorf("%s: ReadBody = %q, %v, want %q", name, body, err, c.want)
		}
	}
}

func TestTheResponseOutlivesItsStreamOnlyIfKept(t *testing.T) {
	t.Parallel()
	stream := open(t, request(t, serve(t, answer(untilCloseHead)).URL("/")), Options{})
	if stream.Response() == nil {
		t.Fatal("no response before Pump")
	}
	_ = stream.Pump(new(Decoder), new(trace))
	if stream.Response() != nil {
		t.Error("an idle stream still holds its header")
	}
}

// counted counts how often a read deadline is set.
type counted struct {
	net.Conn
	deadlines *int
}

func (c counted) SetReadDeadline(t time.Time) error {
	*c.deadlines++
	return c.Conn.SetReadDeadline(t)
}

func TestSilenceEndsAStreamAndAnyByteIsASignOfLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const beats, idle = 1000, time.Minute
		deadlines := 0
		dial := func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				swallow(server)
				_, _ = io.WriteString(server, untilCloseHead)
				for range beats {
					time.Sleep(time.Second)
					_, _ = io.WriteString(server, ":")
				}
			}()
			return counted{client, &deadlines}, nil
		}
		stream, err := Open(t.Context(), dial, nowhere, Options{IdleTimeout: idle})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		deadlines = 0
		err = stream.Pump(new(Decoder), new(trace))
		if CauseOf(err) != CauseIdle || !errors.Is(err, ErrIdle) {
			t.Errorf("cause of %v = %v, want idle", err, CauseOf(err))
		}
		var timeout interface{ Timeout() bool }
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%v is no timeout", err)
		}
		if took, want := time.Since(began), beats*time.Second+idle; took != want {
			t.Errorf("ended after %v, want %v", took, want)
		}
		if most := beats/60 + 3; deadlines > most {
			t.Errorf("the deadline was set %d times for %d reads, want at most %d", deadlines, beats, most)
		}
	})
}

func TestReadBodyEndsInTimeThoughBytesTrickle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial := pipe(func(conn net.Conn) {
			swallow(conn)
			_, err := io.WriteString(conn, "HTTP/1.1 500 Oops\r\n\r\n")
			for err == nil {
				time.Sleep(time.Second)
				_, err = io.WriteString(conn, "x")
			}
		})
		stream, err := Open(t.Context(), dial, nowhere, Options{})
		if err != nil {
			t.Fatal(err)
		}
		body, err := stream.ReadBody(100, 10*time.Second+time.Millisecond)
		if string(body) != "xxxxxxxxxx" || !isTimeout(err) {
			t.Errorf("ReadBody = %q, %v, want ten bytes and a timeout", body, err)
		}
		_ = stream.Close()
		time.Sleep(time.Second) // the server notices
	})
}

func TestLastReadIsWhenTheBytesCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial := pipe(func(conn net.Conn) {
			swallow(conn)
			_, _ = io.WriteString(conn, untilCloseHead)
			time.Sleep(time.Hour)
			_, _ = io.WriteString(conn, "data: a\n\ndata: b\n\n")
			_ = conn.Close()
		})
		stream, err := Open(t.Context(), dial, nowhere, Options{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var waits []time.Duration
		h := onEvent(func() {
			waits = append(waits, stream.LastRead().Sub(began))
			time.Sleep(time.Minute)
		})
		if err := stream.Pump(new(Decoder), h); err != io.EOF {
			t.Error(err)
		}
		if !slices.Equal(waits, []time.Duration{time.Hour, time.Hour}) {
			t.Errorf("events were read after %v, want 1h for both", waits)
		}
	})
}

type onEvent func()

func (f onEvent) Event(Event) error { f(); return nil }
func (onEvent) Comment([]byte)      {}
func (onEvent) Retry(time.Duration) {}

// switched is a wrapper that lets the socket be read until it is told to step in.
type switched struct {
	*net.TCPConn
	in    atomic.Bool
	reads chan bool // at each Read: whether it was meant to be used
}

func (c *switched) SyscallConn() (syscall.RawConn, error) {
	if c.in.Load() {
		return nil, errors.ErrUnsupported
	}
	return c.TCPConn.SyscallConn()
}

func (c *switched) Read(p []byte) (int, error) {
	c.reads <- c.in.Load()
	return c.TCPConn.Read(p)
}

func TestAWrapperMayTakeOverReadingInTheMiddle(t *testing.T) {
	t.Parallel()
	wrapper := &switched{reads: make(chan bool, 10)}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		wrapper.TCPConn = conn.(*net.TCPConn)
		return wrapper, err
	}
	more := make(chan struct{})
	s := serve(t, func(c *Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if err := c.Send("data: a\n\nda"); err != nil {
			return err
		}
		<-more
		return c.Send("ta: b\n\n")
	})
	stream, err := Open(t.Context(), dial, request(t, s.URL("/")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for len(wrapper.reads) > 0 {
		<-wrapper.reads // those of the response's head
	}
	seen := make(signal, 2)
	ended := make(chan error)
	go func() { ended <- stream.Pump(new(Decoder), seen) }()
	if got := <-seen; got != "a" {
		t.Errorf("first event %q", got)
	}
	wrapper.in.Store(true)
	if err := wrapper.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Error(err)
	}
	if meant := <-wrapper.reads; !meant {
		t.Error("the wrapper's Read was used although there is a socket")
	}
	close(more)
	if got := <-seen; got != "b" {
		t.Errorf("second event %q", got)
	}
	if err := <-ended; err != io.EOF {
		t.Errorf("Pump = %v, want EOF", err)
	}
	_ = stream.Close()
}

func TestErrorsSayWhatWasBeingDone(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	for phase, want := range map[Phase]string{
		PhaseRequest: "preparing the request: why",
		PhaseDial:    "connecting to gw.test:80: why",
		PhaseTLS:     "tls handshake with gw.test:80: why",
		PhaseHead:    "waiting for the response of gw.test:80: why",
		PhaseBody:    "reading the stream of gw.test:80: why",
	} {
		if got := (&Error{Phase: phase, Addr: "gw.test:80", Err: why}).Error(); got != want {
			t.Errorf("%s: %q, want %q", phase, got, want)
		}
	}
}

func TestCausesHaveNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for c := CauseUnknown; c <= CauseRequest; c++ {
		names[c.String()] = true
	}
	if len(names) != int(CauseRequest)+1 || Cause(200).String() != "unknown" {
		t.Errorf("names = %v", names)
	}
}

func TestACauseIsFoundUnderAnyWrapping(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want Cause
	}{
		{nil, CauseUnknown},
		{errors.New("?"), CauseUnknown},
		{io.EOF, CauseEnd},
		{&Error{Phase: PhaseDial, Err: &net.DNSError{Name: "gw.test", IsNotFound: true}}, CauseDNS},
		{&Error{Phase: PhaseDial, Err: &net.DNSError{Name: "gw.test", IsTimeout: true}}, CauseDNS},
		{&Error{Phase: PhaseDial, Err: &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}}, CauseUnreachable},
		{&Error{Phase: PhaseDial, Err: &net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}}, CauseDialTimeout},
		{&Error{Phase: PhaseBody, Err: &net.OpError{Op: "read", Err: syscall.ETIMEDOUT}}, CauseReset},
		{fmt.Errorf("subscriber 3: %w", &Error{Phase: PhaseBody, Err: syscall.ECONNRESET}), CauseReset},
		{context.Canceled, CauseCanceled},
	} {
		if got := CauseOf(c.err); got != c.want {
			t.Errorf("cause of %v = %v, want %v", c.err, got, c.want)
		}
	}
}
