package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"net/url"
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

// hostile is a subject that means ill.
type hostile struct {
	script sse.Script
	fails  []string // requirements that it must be said to miss
}

// asked runs a script once a request has come.
func asked(then func(c *sse.Conn)) sse.Script {
	return func(c *sse.Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		then(c)
		return nil
	}
}

// streaming runs a script behind the head of a stream.
func streaming(then func(c *sse.Conn), fields ...string) sse.Script {
	return func(c *sse.Conn) error {
		_, err := c.Stream(fields...)
		then(c)
		return err
	}
}

func hostiles(t *testing.T) map[string]hostile {
	t.Helper()
	compressed := bomb(t)
	return map[string]hostile{
		"endless head": {asked(func(c *sse.Conn) {
			c.Send("HTTP/1.1 200 OK\r\n")
			c.Endless([]byte("X-More: and more\r\n"))
		}), []string{"SSE-HTTPS-001"}},
		"endless 1xx": {asked(func(c *sse.Conn) { c.Endless([]byte("HTTP/1.1 103 Early Hints\r\n\r\n")) }), []string{"SSE-HTTPS-001"}},
		"no answer":   {func(c *sse.Conn) error { c.Hold(nil); return nil }, []string{"SSE-HTTPS-001"}},
		"no http":     {asked(func(c *sse.Conn) { c.Send("SSH-2.0-OpenSSH_9.6\r\n") }), []string{"SSE-HTTPS-001"}},
		"hangs up":    {func(*sse.Conn) error { return nil }, []string{"SSE-HTTPS-001"}},
		"slow drip":   {drip, []string{"SSE-HTTPS-001"}},
		"redirects":   {asked(func(c *sse.Conn) { c.Head(302, "Location: /", "Content-Length: 0") }), []string{"SSE-HTTPS-001"}},
		"html": {asked(func(c *sse.Conn) {
			c.Head(200, "Content-Type: text/html")
			c.Endless([]byte("<p>"))
		}), []string{"SSE-HTTPS-002"}},
		"endless line": {streaming(func(c *sse.Conn) {
			c.Send("data: ")
			c.Endless(bytes.Repeat([]byte("x"), 16<<10))
		}), nil},
		"endless events":   {streaming(func(c *sse.Conn) { c.Endless([]byte(strings.Repeat("data: and another one\n\n", 100))) }), nil},
		"endless comments": {streaming(func(c *sse.Conn) { c.Endless([]byte(strings.Repeat(":\n", 1000))) }), nil},
		"bomb": {streaming(func(c *sse.Conn) {
			c.Write(compressed)
			c.Hold(nil)
		}, "Content-Encoding: gzip"), []string{"SSE-HTTPS-009"}},
	}
}

// choice are requirements that look at everything a subject may overdo.
var choice = []string{
	"SSE-FORM-001", "SSE-FORM-010", "SSE-HTTPS-001", "SSE-HTTPS-002", "SSE-HTTPS-003", "SSE-HTTPS-009", "SSE-HTTPS-010", "SSE-HTTPS-012", "SSE-HBS-001",
}

// TestHostileSubjectsEndInAVerdict: whatever a subject sends or keeps back, the check ends, and soon.
func TestHostileSubjectsEndInAVerdict(t *testing.T) {
	t.Parallel()
	only := choice
	if inFull {
		only = []string{"FORM", "HTTPS", "HBS"}
	}
	subjects := map[string]*server.Subject{}
	all := hostiles(t)
	for name, h := range all {
		subjects[name] = addressed(t, scripted(t, sse.ServerOptions{}, h.script).URL("/events"))
	}
	began := time.Now()
	results := together(subjects, func(s *server.Subject) checkup {
		verdicts, health, err := server.Check(t.Context(), s, server.Cases, server.Options{Only: only, Parameter: hurried})
		if err != nil {
			t.Error(err)
		}
		return checkup{verdicts, pressed(health)}
	})
	t.Logf("it took %v", time.Since(began).Round(time.Second))
	for name, c := range results {
		for _, v := range c.verdicts {
			if v.Outcome == conformance.Unknown && v.Reason == "" || accused(v) && v.Actual == "" {
				t.Errorf("%s: %s without a word: %+v", name, v.ID, v)
			}
		}
		for _, id := range all[name].fails {
			if v := c.of(t, id); !accused(v) && (!c.pressed || v.Outcome != conformance.Unknown) {
				t.Errorf("%s: it is not said to be missed: %s", name, words(v))
			}
		}
	}
}

// hurried makes cases wait less long for what may never come.
func hurried(id, name string) (string, bool) {
	switch {
	case name == "ceiling" || name == "silence":
		return "2s", true
	case id == "SSE-HTTPS-003" && name == "within":
		return "500ms", true
	case id == "SSE-HTTPS-020" && name == "hold":
		return "4s", true
	}
	return "", false
}

// drip sends a head that does not end while anybody waits for it.
func drip(c *sse.Conn) error {
	if _, err := c.Request(); err != nil {
		return err
	}
	return c.Segments(2*time.Second, sse.EachByte([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"))...)
}

func TestAWrongCertificateIsSaid(t *testing.T) {
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
