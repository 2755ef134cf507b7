//go:build matrix

package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
)

// addressed is a subject of which nothing is known but its address.
func addressed(t *testing.T, address string) *server.Subject {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &server.Subject{
		Name: u.Host, Kind: "target", URL: address, Shared: true,
		Subscribe: func(_ context.Context, s server.Subscription) (*sse.Request, error) {
			return &sse.Request{URL: u, LastEventID: s.Position}, nil
		},
	}
}

func scripted(t *testing.T, options sse.ServerOptions, script sse.Script) *sse.Server {
	t.Helper()
	s, err := sse.Serve(t.Context(), options, script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// bomb is small, and a hundred megabytes when it is decompressed.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 100 {
		z.Write(make([]byte, 1<<20))
	}
	z.Flush()
	return b.Bytes()
}

// TestHostileSubjectsEndInAVerdict: whatever a subject sends or keeps back, the check ends, and soon.
func TestHostileSubjectsEndInAVerdict(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	compressed := bomb(t)
	ask := func(c *sse.Conn, then func()) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		then()
		return nil
	}
	for name, hostile := range map[string]struct {
		script sse.Script
		fails  []string // that must be told
	}{
		"endless head": {func(c *sse.Conn) error {
			return ask(c, func() {
				c.Send("HTTP/1.1 200 OK\r\n")
				c.Endless([]byte("X-More: and more\r\n"))
			})
		}, []string{"SSE-HTTPS-001"}},
		"endless 1xx": {func(c *sse.Conn) error {
			return ask(c, func() { c.Endless([]byte("HTTP/1.1 103 Early Hints\r\n\r\n")) })
		}, []string{"SSE-HTTPS-001"}},
		"no answer": {func(c *sse.Conn) error { c.Hold(nil); return nil }, []string{"SSE-HTTPS-001", "SSE-HTTPS-003"}},
		"no http":   {func(c *sse.Conn) error { return ask(c, func() { c.Send("SSH-2.0-OpenSSH_9.6\r\n") }) }, []string{"SSE-HTTPS-001"}},
		"hangs up":  {func(*sse.Conn) error { return nil }, []string{"SSE-HTTPS-001"}},
		"slow drip": {drip, []string{"SSE-HTTPS-001", "SSE-HTTPS-003"}},
		"redirects": {func(c *sse.Conn) error { return ask(c, func() { c.Head(302, "Location: /", "Content-Length: 0") }) }, []string{"SSE-HTTPS-001"}},
		"html": {func(c *sse.Conn) error {
			return ask(c, func() { c.Head(200, "Content-Type: text/html"); c.Endless([]byte("<p>")) })
		}, []string{"SSE-HTTPS-002"}},
		"endless line": {func(c *sse.Conn) error {
			_, err := c.Stream()
			c.Send("data: ")
			c.Endless(bytes.Repeat([]byte("x"), 16<<10))
			return err
		}, nil},
		"endless events": {func(c *sse.Conn) error {
			_, err := c.Stream()
			c.Endless([]byte(strings.Repeat("data: and another one\n\n", 100)))
			return err
		}, nil},
		"bomb": {func(c *sse.Conn) error {
			_, err := c.Stream("Content-Encoding: gzip")
			c.Write(compressed)
			c.Hold(nil)
			return err
		}, []string{"SSE-HTTPS-009"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := scripted(t, sse.ServerOptions{}, hostile.script)
			began := time.Now()
			verdicts, _, err := server.Check(t.Context(), addressed(t, s.URL("/events")), server.Cases, server.Options{
				Only: []string{"FORM", "HTTPS", "HBS"}, Parameter: quickly,
			})
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 75*time.Second {
				t.Errorf("it took %v", took)
			}
			for _, v := range verdicts {
				if missed(v) && v.Reason == "" && v.Actual == "" {
					t.Errorf("%s without a word: %+v", v.ID, v)
				}
				if v.Outcome == conformance.Unknown && v.Reason == "" {
					t.Errorf("%s is unknown without a reason", v.ID)
				}
			}
			for _, id := range hostile.fails {
				if !slices.ContainsFunc(verdicts, func(v conformance.Verdict) bool { return v.ID == id && (missed(v) || busy(v)) }) {
					t.Errorf("%s is not said to be missed", id)
				}
			}
		})
	}
}

// drip sends a head that does not end while anybody waits for it.
func drip(c *sse.Conn) error {
	if _, err := c.Request(); err != nil {
		return err
	}
	return c.Segments(2*time.Second, sse.EachByte([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"))...)
}

func TestAWrongCertificateIsSaid(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	expired, _, err := sse.SelfSigned(time.Now().AddDate(0, 0, -1), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	s := scripted(t, sse.ServerOptions{TLS: &tls.Config{Certificates: []tls.Certificate{expired}}}, func(c *sse.Conn) error {
		_, err := c.Stream()
		return err
	})
	verdicts, _, err := server.Check(t.Context(), addressed(t, s.URL("/events")), server.Cases, server.Options{Only: []string{"HTTPS"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		if v.Outcome != conformance.Skip && (v.Outcome != conformance.Unknown || !strings.Contains(v.Reason, "certificate")) {
			t.Errorf("%s is %v: %s", v.ID, v.Outcome, v.Reason)
		}
	}
}
