package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// Client is the reference client as a client under test.
type Client struct {
	Mutate func(*client.Config) // nil: it is right
	seeds  atomic.Uint64
}

// clientPolicy is what it does about losses unless it is told another first delay.
var clientPolicy = policy.Policy{Base: 100 * time.Millisecond, Factor: 2, Cap: 2 * time.Second, Jitter: 0.3, Spread: policy.Up, HonorRetry: true, Reset: policy.OnEvent}

// Hello says what it can do.
func (*Client) Hello() subject.Hello {
	return subject.Hello{
		Name: "streamgauge reference client", Lang: "go", Profile: "sdk-client",
		Caps: []string{
			"retry", "last-event-id", "headers", "comments", "open", "state", "idle-timeout", "backoff", "restart", "redirects", "tls-ca",
			"max-event-bytes", "multi",
		},
		Policy: &subject.Policy{
			RetryStatus: []int{408, 425, 429, 500, 502, 503, 504}, StopStatus: []int{204, 400, 401, 403, 404, 405, 410, 422},
			Backoff: &subject.Delay{BaseMS: 100, Factor: 2, CapMS: 2000, Jitter: 0.3},
		},
	}
}

// Open starts a client.
func (c *Client) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the URL: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the URL %q: want http or https and a host", o.URL)
	}
	p := clientPolicy
	if o.RetryMS > 0 {
		p.Base = time.Duration(o.RetryMS) * time.Millisecond
	}
	config := &client.Config{Policy: &p, Resume: true}
	if o.IdleTimeoutMS != nil {
		config.Options.IdleTimeout = time.Duration(*o.IdleTimeoutMS) * time.Millisecond
	}
	if o.TLSCA != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(o.TLSCA)) {
			return nil, errors.New("tls_ca holds no certificate")
		}
		config.Options.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	if c.Mutate != nil {
		c.Mutate(config)
	}
	s := &clientSubscription{to: to, url: u, header: http.Header{}, over: make(chan struct{})}
	for name, value := range o.Headers {
		s.header.Set(name, value)
	}
	s.client = client.Client{Config: config, Observer: s, Seed: c.seeds.Add(1)}
	s.client.SetPosition(o.LastEventID)
	ctx, s.cancel = context.WithCancel(ctx)
	s.client.Start(ctx, func(error) { close(s.over) })
	return s, nil
}

// clientSubscription reports what its client observes.
type clientSubscription struct {
	client client.Client
	to     *subject.Reporter
	url    *url.URL
	header http.Header
	cancel context.CancelFunc
	over   chan struct{}
	closed atomic.Bool
}

// Close ends the client; when it returns, nothing more is reported.
func (s *clientSubscription) Close() {
	s.closed.Store(true)
	s.cancel()
	s.client.Stop()
	<-s.over
}

// Restart disconnects; the client comes back with its position.
func (s *clientSubscription) Restart() { s.client.Disconnect() }

func (s *clientSubscription) Request(context.Context, string) (*sse.Request, error) {
	return &sse.Request{URL: s.url, Header: s.header, LastEventID: s.client.Position()}, nil
}

func (s *clientSubscription) Dialing(int, string) {}

func (s *clientSubscription) Opened(*sse.Response) {
	if !s.closed.Load() {
		s.to.Opened()
	}
}

func (s *clientSubscription) Event(e sse.Event) error {
	if !s.closed.Load() {
		s.to.Event(text(e.Type), sse.AppendText(nil, e.Data), text(e.ID))
	}
	return nil
}

func text(p []byte) string { return string(sse.AppendText(nil, p)) }

func (s *clientSubscription) Comment(p []byte) {
	if !s.closed.Load() {
		s.to.Comment(text(p))
	}
}

func (*clientSubscription) Heard() {}

func (s *clientSubscription) Lost(l client.Loss) {
	if s.closed.Load() {
		return
	}
	message := "the connection ended"
	if l.Err != nil {
		message = l.Err.Error()
	}
	s.to.Failed(l.Final, causeOf(l), l.Status, message)
}

func causeOf(l client.Loss) subject.Cause {
	switch {
	case errors.Is(l.Err, client.ErrStatus):
		return subject.CauseStatus
	case errors.Is(l.Err, client.ErrContentType):
		return subject.CauseType
	}
	switch sse.CauseOf(l.Err) {
	case sse.CauseIdle, sse.CauseDialTimeout, sse.CauseHeadTimeout:
		return subject.CauseTimeout
	case sse.CauseTLS:
		return subject.CauseTLS
	case sse.CauseMalformed, sse.CauseTooLong, sse.CauseEncoded:
		return subject.CauseParse
	}
	return subject.CauseNetwork
}

func (*clientSubscription) Waiting(int, time.Duration, time.Duration, time.Duration) {}
