// Command r3labs is the adapter of the client of r3labs/sse, with its defaults.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/r3labs/sse/v2"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

func main() {
	if err := subject.Serve(context.Background(), os.Stdin, os.Stdout, client{}); err != nil {
		log.Fatal(err)
	}
}

type client struct{}

// Hello says what it can do. Its backoff is the one of cenkalti/backoff v1: half a second, half as much again each time, and up to half as
// much more or less.
func (client) Hello() subject.Hello {
	return subject.Hello{
		Name: "r3labs/sse", Version: "2.10.0", Lang: "go", Profile: "sdk-client",
		Caps: []string{string(subject.LastEventID), string(subject.Headers), string(subject.Opens), string(subject.Redirects), string(subject.Multi)},
		Policy: &subject.Policy{Backoff: &subject.Delay{
			BaseMS: 500, Factor: 1.5, CapMS: 60_000, Jitter: 0.5, Spread: "both", Reset: "never",
		}},
		Unsaid: []string{"cause"},
	}
}

// Open has the client follow the URL. It calls OnConnect in front of the first event of a connection, and tells of a loss in
// ReconnectNotify.
func (client) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := sse.NewClient(o.URL)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	c.Connection = &http.Client{Transport: transport}
	c.Headers = o.Headers
	if o.LastEventID != "" {
		c.LastEventID.Store([]byte(o.LastEventID))
	}
	told := func(report func()) {
		if ctx.Err() == nil {
			report()
		}
	}
	c.OnConnect(func(*sse.Client) { told(to.Opened) })
	c.OnDisconnect(func(*sse.Client) {}) // without one it takes each later connection for the first
	c.ReconnectNotify = func(err error, _ time.Duration) {
		told(func() { to.Failed(false, "", 0, err.Error()) })
	}
	go func() {
		defer transport.CloseIdleConnections()
		err := c.SubscribeRawWithContext(ctx, func(e *sse.Event) {
			told(func() { to.Event(string(e.Event), e.Data, string(e.ID)) })
		})
		if err == nil {
			err = errors.New("the subscription has returned without an error")
		}
		told(func() { to.Failed(true, "", 0, err.Error()) })
	}()
	return closer(cancel), nil
}

// closer is a subscription that its context ends. It does not wait for the client, which does not look at the context while it backs off.
type closer context.CancelFunc

func (c closer) Close() { c() }
