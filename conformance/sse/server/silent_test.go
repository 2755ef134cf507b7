package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
)

// TestWhoDoesNotAnswerIsOneFinding: one requirement tells of it, and all others are skipped for that reason, whatever becomes of a publish.
func TestWhoDoesNotAnswerIsOneFinding(t *testing.T) {
	t.Parallel()
	certificate, _, err := sse.SelfSigned(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	silent := func(c *sse.Conn) error { c.Hold(nil); return nil }
	var outlived atomic.Int64 // publishes that went on when the subscription they were to help had been given up
	hangs := func(ctx context.Context, _ server.Message) server.Receipt {
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), context.Canceled) {
			outlived.Add(1)
		}
		return server.Receipt{Err: ctx.Err()}
	}
	takes := func(context.Context, server.Message) server.Receipt {
		return server.Receipt{Status: 202, Acceptance: server.Acknowledged}
	}
	for name, test := range map[string]struct {
		script  sse.Script
		options sse.ServerOptions
		plain   bool
		publish func(context.Context, server.Message) server.Receipt
		why     string
	}{
		"nothing is answered":           {script: silent, why: "answers no subscription within"},
		"nor is a publish":              {script: silent, publish: hangs, why: "answers no subscription within"},
		"publishes alone are answered":  {script: silent, publish: takes, why: "answers no subscription within"},
		"the head comes late":           {script: drip, why: "answers no subscription within"},
		"connections are closed":        {script: func(*sse.Conn) error { return nil }, why: "no stream could be opened"},
		"TLS is spoken to in plain":     {script: asked(func(c *sse.Conn) { c.Hold(nil) }), options: sse.ServerOptions{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}}, plain: true, why: "speaks TLS"},
		"something else is spoken":      {script: asked(func(c *sse.Conn) { c.Send("SSH-2.0-OpenSSH_9.6\r\n") }), why: "no stream could be opened"},
		"the head is cut, every time":   {script: asked(func(c *sse.Conn) { c.Send("HTTP/1.1 200 OK\r\nContent-") }), why: "no stream could be opened"},
		"an interim answer and no more": {script: asked(func(c *sse.Conn) { c.Send("HTTP/1.1 103 Early Hints\r\n\r\n"); c.Hold(nil) }), why: "answers no subscription within"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := scripted(t, test.options, test.script).URL("/events")
			if test.plain {
				address = strings.Replace(address, "https:", "http:", 1)
			}
			s := addressed(t, address)
			s.Publish = test.publish
			verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{Arrival: 3 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				switch {
				case v.ID == "SSE-HTTPS-001" && v.Outcome == conformance.Fail && strings.Contains(v.Actual, test.why):
				case v.ID == "SSE-HTTPS-001" || v.Outcome != conformance.Skip:
					t.Errorf("%s is %v: %s %s", v.ID, v.Outcome, v.Actual, v.Reason)
				}
			}
			if n := outlived.Load(); n > 0 {
				t.Errorf("%d publishes went on when the subscription they were to help had been given up", n)
			}
		})
	}
}
