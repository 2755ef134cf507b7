package client

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// "A certificate that is not valid is an error, unless the application says otherwise; the client never falls back to plaintext."
func certificatesAreChecked(t *Trial) {
	type form struct {
		name, host string
		expires    time.Time
		trusted    bool
	}
	forms := []form{{"an unknown authority", "127.0.0.1", time.Now().Add(time.Hour), false}}
	if t.Can(subject.TLSCA) {
		forms = append(forms,
			form{"an expired certificate", "127.0.0.1", time.Now().Add(-time.Hour), true},
			form{"the certificate of another host", "elsewhere.test", time.Now().Add(time.Hour), true})
	}
	t.each(len(forms), func(i int) {
		f := forms[i]
		certificate, _, err := sse.SelfSigned(f.expires, f.host)
		if err != nil {
			t.Unknown("%v", err)
		}
		o := t.hurried()
		if f.trusted {
			o.TLSCA = pemOf(certificate)
		}
		var plain atomic.Bool
		var tried sync.Once
		attempted := make(chan struct{})
		server, err := sse.Serve(t.Context(), sse.ServerOptions{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}}, func(c *sse.Conn) error {
			_, err := c.Request()
			tried.Do(func() { close(attempted) })
			if header := (tls.RecordHeaderError{}); errors.As(err, &header) {
				plain.Store(true)
			}
			if err != nil {
				return err
			}
			return control(c, "insecure")
		})
		if err != nil {
			t.Unknown("%v", err)
		}
		t.Cleanup(server.Close)
		o.URL = server.URL("/")
		client := t.Follow(o)
		timer := time.NewTimer(beginWithin)
		defer timer.Stop()
		select {
		case <-attempted:
		case <-timer.C:
			t.Unknown("%s: the client did not connect within %v", f.name, beginWithin)
		case <-t.Context().Done():
			t.Give()
		}
		// Where it tries again, it must not do so with less care.
		client.Await(2*time.Second, func(r []subject.Report) bool {
			return len(of(r, subject.EvEvent)) > 0 || len(of(r, subject.EvError)) > 2
		})
		t.settle()
		if n := len(server.Requests()); n > 0 {
			t.Deviation("no request", fmt.Sprintf("%s: %s", f.name, conformance.Plural(n, "request")))
		}
		if plain.Load() {
			t.Deviation("TLS and nothing else", f.name+": the client spoke plaintext")
		}
		_ = client.Close() // the session may have ended, which is told where it matters
	})
	t.Count(len(forms))
	t.Conclude(fmt.Sprintf("no request to %s", conformance.Plural(len(forms), "server")))
}

func pemOf(c tls.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}))
}

// "Connecting, and waiting for the head of a response, have a timeout: a server that accepts and says nothing does not hang the client for
// ever."
func silentServersAreLeft(t *Trial) {
	bound := t.Duration("connect_timeout")
	within := bound*6/5 + time.Second
	t.Allow(within)
	s := t.playBlind(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number == 0 {
			v.awaitGone(c)
			return nil
		}
		if _, err := c.Request(); err != nil {
			return err
		}
		return control(c, "the end")
	})
	t.comesFirst(s)
	left := func(visits []visit) bool { return len(visits) > 1 || !visits[0].Gone.IsZero() }
	visits, ok := s.until(within, left)
	if !ok {
		t.Late(within-bound, fmt.Sprintf("the client gives up or tries again within %v", bound), fmt.Sprintf("it still waits after %v", within))
	}
	if len(visits) > 1 && visits[0].Gone.IsZero() {
		t.Pass("it tries again after " + brief(visits[1].Accepted.Sub(visits[0].Accepted)))
	}
	t.Pass("it leaves after " + brief(visits[0].Gone.Sub(visits[0].Accepted)))
}

// "Over HTTP/2 a stream works, and GOAWAY or RST_STREAM is a lost connection."
func worksOverHTTP2(t *Trial) {
	certificate, _, err := sse.SelfSigned(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Unknown("%v", err)
	}
	ends := []struct {
		name string
		end  func(w http.ResponseWriter)
	}{
		{"RST_STREAM", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }}, // resets the stream with INTERNAL_ERROR
		{"the end of the stream", func(http.ResponseWriter) {}},
		{"GOAWAY", nil},
	}
	t.Allow(t.waitFor(0))
	t.each(len(ends), func(i int) {
		e := ends[i]
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Unknown("%v", err)
		}
		var requests, other atomic.Int32
		over := make(chan struct{})
		server := &http.Server{
			ReadHeaderTimeout: time.Minute,
			TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12},
			ErrorLog:          discard,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := requests.Add(1)
				if r.ProtoMajor != 2 {
					other.Add(1)
				}
				w.Header().Set("Content-Type", "text/event-stream")
				w.Header().Set("Access-Control-Allow-Origin", "*")
				if n == 1 && e.end == nil {
					w.Header().Set("Connection", "close") // over HTTP/2 the server sends GOAWAY
				}
				_, _ = fmt.Fprintf(w, "retry: %d\ndata: life %d\n\n", soon, n)
				_ = http.NewResponseController(w).Flush() // a client that is gone is told by its requests
				switch {
				case n > 1:
					select {
					case <-over:
					case <-r.Context().Done():
					}
				case e.end != nil:
					e.end(w)
				}
			}),
		}
		var serving sync.WaitGroup
		crash.Go(&serving, func() { _ = server.ServeTLS(listener, "", "") }) // it ends when the case does
		t.Cleanup(func() {
			close(over)
			_ = server.Close()
			serving.Wait()
		})
		o := t.hurried()
		o.URL, o.TLSCA = "https://"+listener.Addr().String()+"/", pemOf(certificate)
		f := t.Follow(o)
		_, ok := f.Await(beginWithin, func(r []subject.Report) bool {
			return reportsData(r, "life 1") || requests.Load() > 0 && len(of(r, subject.EvError)) > 0
		})
		if !ok && requests.Load() == 0 {
			t.Unknown("the client sent no request over HTTP/2 within %v", beginWithin)
		}
		if !reportsData(f.Reports(), "life 1") && e.end == nil {
			t.Deviation("its event is reported", e.name+": it was not")
			return
		}
		if other.Load() > 0 {
			t.Unknown("the client declares h2, and did not speak it")
		}
		reports, _ := f.Await(t.waitFor(0), func(r []subject.Report) bool { return reportsData(r, "life 2") || finalOf(r) != nil })
		if !reportsData(reports, "life 2") {
			t.Deviation("one new request", fmt.Sprintf("after %s: %s", e.name, conformance.Plural(requests.Load(), "request")))
			return
		}
		t.settle()
		if n := requests.Load(); n != 2 {
			t.Deviation("one new request", fmt.Sprintf("after %s: %d", e.name, n-1))
		}
		_ = f.Close() // the session may have ended, which is told where it matters
	})
	t.Count(len(ends))
	t.Conclude("a stream, and one new request after RST_STREAM, GOAWAY and the end")
}
