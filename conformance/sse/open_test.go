package sse

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func serve(t *testing.T, script Script) *Server {
	t.Helper()
	return serveWith(t, ServerOptions{}, script)
}

func serveWith(t *testing.T, opts ServerOptions, script Script) *Server {
	t.Helper()
	s, err := Serve(t.Context(), opts, script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func request(t *testing.T, target string) *Request {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{URL: u}
}

func open(t *testing.T, req *Request, opts Options) *Stream {
	t.Helper()
	s, err := Open(t.Context(), nil, req, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// answer sends the given bytes to whatever request comes.
func answer(bytes string) Script {
	return func(c *Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		return c.Send(bytes)
	}
}

func TestTheRequestIsWhatAnEventSourceSends(t *testing.T) {
	t.Parallel()
	s := serve(t, answer("HTTP/1.1 204 No Content\r\n\r\n"))
	req := request(t, "http://user:secret@"+s.Addr()+"/events?stream=a%20b&x=1")
	req.LastEventID = "é 42"
	req.Header = http.Header{"X-One": {"1", "2"}, "Accept": {"text/event-stream, */*"}}
	open(t, req, Options{})
	got := s.Requests()[0]
	if got.Method != "GET" || got.Target != "/events?stream=a%20b&x=1" || got.Host != s.Addr() || got.Proto != "HTTP/1.1" {
		t.Errorf("request line = %s %s %s for host %s", got.Method, got.Target, got.Proto, got.Host)
	}
	for name, want := range map[string]string{
		"Accept": "text/event-stream, */*", "Cache-Control": "no-cache", "X-One": "1, 2",
		"Last-Event-Id": "é 42", "Authorization": "Basic dXNlcjpzZWNyZXQ=",
		"Accept-Encoding": "", "Content-Length": "", "Connection": "",
	} {
		if got := strings.Join(got.Header[name], ", "); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if id, ok := got.LastEventID(); id != "é 42" || !ok {
		t.Errorf("LastEventID() = %q, %t", id, ok)
	}
}

func TestABodyIsSentWithItsLength(t *testing.T) {
	t.Parallel()
	s := serve(t, answer("HTTP/1.1 204 No Content\r\n\r\n"))
	req := request(t, s.URL("/"))
	req.Method, req.Body = "POST", []byte("topic=a")
	open(t, req, Options{})
	if got := s.Requests()[0]; got.Method != "POST" || string(got.Body) != "topic=a" {
		t.Errorf("got %s with body %q", got.Method, got.Body)
	}
}

func TestTheHeadIsReadAsItWasSent(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 503 Come back later\r\nretry-after: 3\r\nX-A: 1\r\nX-A:2 \r\nX-Folded: a\r\n  b\r\nX-Empty:\r\n\r\n"
	for name, script := range map[string]Script{
		"whole":         answer(head),
		"bare LF":       answer(strings.ReplaceAll(head, "\r\n", "\n")),
		"behind a 1xx":  answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + head),
		"byte by byte":  answerEachByte(head),
		"with its body": answer(head + "sorry"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := open(t, request(t, serve(t, script).URL("/")), Options{}).Response()
			if r.Status != 503 || r.Proto != "HTTP/1.1" || r.EventStream() {
				t.Errorf("status %d, %s, event stream %t", r.Status, r.Proto, r.EventStream())
			}
			want := http.Header{"Retry-After": {"3"}, "X-A": {"1", "2"}, "X-Folded": {"a b"}, "X-Empty": {""}}
			for name, values := range want {
				if got := r.Header[name]; strings.Join(got, "|") != strings.Join(values, "|") {
					t.Errorf("%s = %q, want %q", name, got, values)
				}
			}
			if len(r.Header) != len(want) {
				t.Errorf("header = %v", r.Header)
			}
			if r.Timing.Dial <= 0 || r.Timing.Head <= 0 || r.Timing.TLS != 0 {
				t.Errorf("timing = %+v", r.Timing)
			}
		})
	}
}

func answerEachByte(bytes string) Script {
	return func(c *Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		return c.Segments(0, EachByte([]byte(bytes))...)
	}
}

func TestEventStreamIsToldByItsEssence(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		"text/event-stream":                      true,
		"Text/Event-Stream ; charset=iso-8859-1": true,
		"text/event-stream;foo":                  true,
		"text/event-streamfoo":                   false,
		"text/html":                              false,
		"":                                       false,
	} {
		r := Response{Header: http.Header{"Content-Type": {contentType}}}
		if got := r.EventStream(); got != want {
			t.Errorf("%q: EventStream() = %t, want %t", contentType, got, want)
		}
	}
}

func TestABadResponseHasACause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script Script
		want   Cause
	}{
		"garbage":               {answer("\x16\x03\x01 what?\r\n\r\n"), CauseMalformed},
		"no http version":       {answer("200 OK\r\n\r\n"), CauseMalformed},
		"http/2 preface":        {answer("HTTP/2 200 OK\r\n\r\n"), CauseMalformed},
		"status out of range":   {answer("HTTP/1.1 20 OK\r\n\r\n"), CauseMalformed},
		"header without colon":  {answer("HTTP/1.1 200 OK\r\nContent-Type\r\n\r\n"), CauseMalformed},
		"space before colon":    {answer("HTTP/1.1 200 OK\r\nContent-Type : a\r\n\r\n"), CauseMalformed},
		"two lengths":           {answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), CauseMalformed},
		"negative length":       {answer("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), CauseMalformed},
		"unknown coding":        {answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), CauseMalformed},
		"endless 1xx":           {answer(strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100)), CauseMalformed},
		"nothing, then closed":  {answer(""), CauseNoResponse},
		"half a head":           {answer("HTTP/1.1 200 OK\r\nContent-"), CauseNoResponse},
		"endless header":        {endless("HTTP/1.1 200 OK\r\n", "X-Pad: xxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"), CauseTooLong},
		"endless header line":   {endless("HTTP/1.1 200 OK\r\nX-Pad: ", "xxxxxxxxxxxxxxxxxxxxxxxxxxx"), CauseTooLong},
		"reset before the head": {resetAfterRequest, CauseReset},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Open(t.Context(), nil, request(t, serve(t, c.script).URL("/")), Options{})
			if got := CauseOf(err); got != c.want || got.Own() {
				t.Errorf("cause of %v = %v, want %v", err, got, c.want)
			}
			var e *Error
			if !errors.As(err, &e) || e.Phase != PhaseHead {
				t.Errorf("err = %#v, want an Error of the head", err)
			}
		})
	}
}

func endless(start, again string) Script {
	return func(c *Conn) error {
		if err := answer(start)(c); err != nil {
			return err
		}
		c.Endless([]byte(again))
		return nil
	}
}

func resetAfterRequest(c *Conn) error {
	if _, err := c.Request(); err != nil {
		return err
	}
	return c.Reset()
}

func TestTLSIsVerifiedAndTimed(t *testing.T) {
	t.Parallel()
	certificate, pool, err := SelfSigned(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	expired, expiredPool, err := SelfSigned(time.Now().Add(-time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	s := serveWith(t, ServerOptions{TLS: config}, answer("HTTP/1.1 200 OK\r\n\r\n"))
	stream := open(t, request(t, s.URL("/")), Options{TLS: &tls.Config{RootCAs: pool}})
	if timing := stream.Response().Timing; timing.TLS <= 0 {
		t.Errorf("timing = %+v, want a handshake", timing)
	}
	late := serveWith(t, ServerOptions{TLS: &tls.Config{Certificates: []tls.Certificate{expired}}}, answer(""))
	plain := serve(t, func(c *Conn) error { return c.Send("HTTP/1.1 400 Bad Request\r\n\r\n") })
	closed := serve(t, func(c *Conn) error { return nil })
	for name, c := range map[string]struct {
		target string
		config *tls.Config
	}{
		"unknown authority": {s.URL("/"), nil},
		"expired":           {late.URL("/"), &tls.Config{RootCAs: expiredPool}},
		"other name":        {s.URL("/"), &tls.Config{RootCAs: pool, ServerName: "gateway.test"}},
		"no tls at all":     {"https://" + plain.Addr(), nil},
		"closed at once":    {"https://" + closed.Addr(), nil},
	} {
		_, err := Open(t.Context(), nil, request(t, c.target), Options{TLS: c.config})
		if got := CauseOf(err); got != CauseTLS && !(name == "closed at once" && got == CauseReset) {
			t.Errorf("%s: cause of %v = %v, want tls", name, err, got)
		}
	}
}

func TestRefusedIsTheTargetsFaultAndNoPortsOurs(t *testing.T) {
	t.Parallel()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0) // bound but not listening: nobody else gets the port
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := bound.(*syscall.SockaddrInet4).Port
	req := &Request{URL: &url.URL{Scheme: "http", Host: (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()}}
	_, err = Open(t.Context(), nil, req, Options{})
	if got := CauseOf(err); got != CauseRefused {
		t.Errorf("cause of %v = %v, want refused", err, got)
	}
	for errno, want := range map[syscall.Errno]Cause{
		syscall.EMFILE: CauseFiles, syscall.ENFILE: CauseFiles, syscall.EADDRNOTAVAIL: CausePorts,
	} {
		dial := func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errno}
		}
		_, err := Open(t.Context(), dial, req, Options{})
		if got := CauseOf(err); got != want || !got.Own() {
			t.Errorf("cause of %v = %v, want %v and the harness's own", err, got, want)
		}
	}
}

func TestARequestThatCannotBeSentIsOurFault(t *testing.T) {
	t.Parallel()
	s := serve(t, answer(""))
	for name, req := range map[string]*Request{
		"no url":          {},
		"no host":         request(t, "http:///x"),
		"other scheme":    request(t, "ftp://127.0.0.1/"),
		"line end in id":  {URL: request(t, s.URL("/")).URL, LastEventID: "a\nb"},
		"line end in key": {URL: request(t, s.URL("/")).URL, Header: http.Header{"A\r\nB": {"c"}}},
	} {
		_, err := Open(t.Context(), nil, req, Options{})
		if got := CauseOf(err); got != CauseRequest || !got.Own() {
			t.Errorf("%s: cause of %v = %v, want request", name, err, got)
		}
	}
}

// pipe dials the handler over a net.Pipe, for tests in virtual time.
func pipe(handle func(net.Conn)) DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go handle(server)
		return client, nil
	}
}

var nowhere = &Request{URL: &url.URL{Scheme: "http", Host: "stream.test"}}

// swallow reads a request's head.
func swallow(conn net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(conn)) }

func TestOpeningEndsInTime(t *testing.T) {
	t.Parallel()
	never := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	silent := pipe(func(conn net.Conn) {
		swallow(conn)
		_, _ = io.Copy(io.Discard, conn)
	})
	deaf := pipe(func(net.Conn) {})
	secure := &Request{URL: &url.URL{Scheme: "https", Host: "stream.test"}}
	opts := Options{DialTimeout: time.Minute, HeadTimeout: time.Hour}
	for name, c := range map[string]struct {
		dial DialFunc
		req  *Request
		want Cause
		took time.Duration
	}{
		"connect without answer":   {never, nowhere, CauseDialTimeout, time.Minute},
		"handshake without an end": {silent, secure, CauseDialTimeout, time.Minute},
		"no response":              {silent, nowhere, CauseHeadTimeout, time.Hour},
		"request not read":         {deaf, nowhere, CauseHeadTimeout, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				_, err := Open(t.Context(), c.dial, c.req, opts)
				if got := CauseOf(err); got != c.want || time.Since(began) != c.took {
					t.Errorf("cause of %v = %v after %v, want %v after %v", err, got, time.Since(began), c.want, c.took)
				}

				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, cancel)
				began = time.Now()
				_, err = Open(ctx, c.dial, c.req, opts)
				if got := CauseOf(err); got != CauseCanceled || time.Since(began) != time.Second {
					t.Errorf("canceled: cause of %v = %v after %v, want canceled after 1s", err, got, time.Since(began))
				}
			})
		})
	}
}
