package sse

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// http2Server serves a handler over h2c, or h2 with a certificate that the returned configuration trusts.
func http2Server(t *testing.T, secure bool, handle http.HandlerFunc) (url string, trust *tls.Config) {
	t.Helper()
	s := httptest.NewUnstartedServer(handle)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP2(true)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 10}
	s.EnableHTTP2 = secure
	if secure {
		s.StartTLS()
		trust = s.Client().Transport.(*http.Transport).TLSClientConfig
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.URL, trust
}

func sharing(t *testing.T) *HTTP2 {
	t.Helper()
	h := new(HTTP2)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func TestStreamsOverHTTP2MeanWhatTheirBytesMean(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"h2": true, "h2c": false} {
		bodies := make(chan string, 1)
		target, trust := http2Server(t, secure, func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 || r.Header.Get("Last-Event-Id") != "41" || r.Header.Get("Accept") != "text/event-stream" ||
				r.Header.Get("Accept-Encoding") != "" || r.Header.Get("User-Agent") != "" {
				t.Errorf("request = %s %v", r.Proto, r.Header)
			}
			w.Header().Set("Content-Type", "text/event-stream")
			for _, b := range []byte(<-bodies) {
				_, _ = w.Write([]byte{b})
				w.(http.Flusher).Flush()
			}
		})
		opts := Options{TLS: trust, HTTP2: sharing(t)}
		for _, v := range vectors {
			if len(v.in) > everySplitUpTo {
				continue
			}
			bodies <- v.in
			req := request(t, target)
			req.LastEventID = "41"
			stream := open(t, req, opts)
			if r := stream.Response(); r.Proto != "HTTP/2.0" || r.Status != 200 || !r.EventStream() {
				t.Errorf("response = %+v", r)
			}
			var d Decoder
			seen := new(trace)
			if err := stream.Pump(&d, seen); err != io.EOF {
				t.Errorf("%s/%s: Pump = %v, want EOF", name, v.name, err)
			}
			_ = stream.Close()
			v.check(t, name+"/"+v.name, seen, &d)
		}
		if n := opts.HTTP2.Connections(); n != 1 {
			t.Errorf("%s: %d connections for streams that followed one another, want 1", name, n)
		}
	}
}

func TestABurstSharesAsFewHTTP2ConnectionsAsThePeerAllows(t *testing.T) {
	t.Parallel()
	target, _ := http2Server(t, false, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "data: a\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	h := sharing(t)
	open(t, request(t, target), Options{HTTP2: h}) // the peer's limit is known once its settings have come
	var wg sync.WaitGroup
	for range 34 {
		wg.Go(func() { open(t, request(t, target), Options{HTTP2: h}) })
	}
	wg.Wait()
	if n := h.Connections(); n != 4 {
		t.Errorf("35 streams of at most 10 each on %d connections, want 4", n)
	}
}

// http2Frame is one HTTP/2 frame (RFC 9113, 4.1).
func http2Frame(kind, flags, stream byte, payload ...byte) []byte {
	return append([]byte{0, 0, byte(len(payload)), kind, flags, 0, 0, 0, stream}, payload...)
}

// awaitHTTP2Headers reads frames up to the next request.
func awaitHTTP2Headers(r io.Reader) error {
	for {
		var head [9]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, r, int64(head[0])<<16|int64(head[1])<<8|int64(head[2])); err != nil {
			return err
		}
		if head[3] == 1 {
			return nil
		}
	}
}

func TestARefusedHTTP2StreamIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := serve(t, func(c *Conn) error {
		if _, err := io.CopyN(io.Discard, c.conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
			return err
		}
		for _, frame := range [][]byte{
			http2Frame(4, 0, 0),             // SETTINGS
			http2Frame(3, 0, 1, 0, 0, 0, 7), // RST_STREAM of stream 1: REFUSED_STREAM
		} {
			if _, err := c.Write(frame); err != nil {
				return err
			}
			if err := awaitHTTP2Headers(c.conn); err != nil {
				return err
			}
		}
		if _, err := c.Write(http2Frame(1, 5, 3, 0x88)); err != nil { // HEADERS of stream 3: 200, and its end
			return err
		}
		c.AwaitGone()
		return nil
	})
	stream := open(t, request(t, s.URL("/")), Options{HTTP2: sharing(t)})
	if got := stream.Response().Status; got != 200 {
		t.Errorf("status %d, want that of the second attempt", got)
	}
}

func TestTheEndOfAnHTTP2StreamHasACause(t *testing.T) {
	t.Parallel()
	seen := make(signal)
	for name, c := range map[string]struct {
		end  func(http.ResponseWriter, *http.Request)
		stop func(*Stream, *HTTP2) error
		idle time.Duration
		want Cause
	}{
		"end":        {func(http.ResponseWriter, *http.Request) {}, nil, 0, CauseEnd},
		"reset":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, nil, 0, CauseReset},
		"closed":     {untilGone, func(s *Stream, _ *HTTP2) error { return s.Close() }, 0, CauseCanceled},
		"idle":       {untilGone, nil, 50 * time.Millisecond, CauseIdle},
		"connection": {untilGone, func(_ *Stream, h *HTTP2) error { return h.Close() }, 0, CauseReset},
	} {
		target, _ := http2Server(t, false, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "data: "+name+"\n\n")
			w.(http.Flusher).Flush()
			<-seen
			c.end(w, r)
		})
		h := sharing(t)
		stream := open(t, request(t, target), Options{HTTP2: h, IdleTimeout: c.idle})
		err := stream.Pump(new(Decoder), onEvent(func() {
			if c.stop != nil {
				if err := c.stop(stream, h); err != nil {
					t.Error(err)
				}
			}
			seen <- ""
		}))
		if CauseOf(err) != c.want {
			t.Errorf("%s: cause of %v = %v, want %v", name, err, CauseOf(err), c.want)
		}
	}
}

func untilGone(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestHTTP2MayBeRefused(t *testing.T) {
	t.Parallel()
	certificate, pool, err := SelfSigned(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"http/1.1"}}
	only1 := serveWith(t, ServerOptions{TLS: config}, answer("HTTP/1.1 200 OK\r\n\r\n"))
	_, err = Open(t.Context(), nil, request(t, only1.URL("/")), Options{TLS: &tls.Config{RootCAs: pool}, HTTP2: sharing(t)})
	if CauseOf(err) != CauseTLS {
		t.Errorf("cause of %v = %v, want tls", err, CauseOf(err))
	}
	refused := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused by the test") }
	_, err = Open(t.Context(), refused, request(t, only1.URL("/")), Options{HTTP2: sharing(t)})
	var e *Error
	if !errors.As(err, &e) || e.Phase != PhaseDial {
		t.Errorf("err = %v, want one of the dial", err)
	}
}

func TestTheBodyOfARefusalOverHTTP2CanBeRead(t *testing.T) {
	t.Parallel()
	target, _ := http2Server(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Hang") != "" {
			defer untilGone(w, r)
		}
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "no token")
		w.(http.Flusher).Flush()
	})
	h := sharing(t)
	stream := open(t, request(t, target), Options{HTTP2: h})
	if body, err := stream.ReadBody(100, time.Minute); string(body) != "no token" || err != nil {
		t.Errorf("ReadBody = %q, %v", body, err)
	}
	req := request(t, target)
	req.Header = http.Header{"X-Hang": {"1"}}
	stream = open(t, req, Options{HTTP2: h})
	if stream.RemoteAddr().String() != req.URL.Host || stream.LocalAddr().String() == req.URL.Host {
		t.Errorf("from %v to %v, want to %s", stream.LocalAddr(), stream.RemoteAddr(), req.URL.Host)
	}
	if body, err := stream.ReadBody(100, 50*time.Millisecond); string(body) != "no token" || !isTimeout(err) {
		t.Errorf("ReadBody of an endless body = %q, %v, want a timeout", body, err)
	}
}

func TestAnHTTP2HeadMayNotComeInTime(t *testing.T) {
	t.Parallel()
	target, _ := http2Server(t, false, untilGone)
	_, err := Open(t.Context(), nil, request(t, target), Options{HeadTimeout: 50 * time.Millisecond, HTTP2: sharing(t)})
	if CauseOf(err) != CauseHeadTimeout {
		t.Errorf("cause of %v = %v, want head-timeout", err, CauseOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = Open(ctx, nil, request(t, target), Options{HTTP2: sharing(t)})
	if CauseOf(err) != CauseCanceled {
		t.Errorf("cause of %v = %v, want canceled", err, CauseOf(err))
	}
}
