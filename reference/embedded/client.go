package embedded

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// Client is the reference client as a client under test.
type Client struct {
	Mutate  func(*client.Config) // nil: it is right
	Policy  *policy.Policy       // what it does about losses, and declares; nil: a policy of its own
	Without []subject.Capability // that it does not declare
	Browser bool                 // it follows HTML to the letter: any status but 200 is final
	seeds   atomic.Uint64
}

// clientPolicy is what it does about losses unless it is told another first delay.
var clientPolicy = policy.Policy{Base: 100 * time.Millisecond, Factor: 2, Cap: 2 * time.Second, Jitter: 0.3, Spread: policy.Up, HonorRetry: true, Reset: policy.OnEvent}

// answerWithin is how long it waits for a connection, and for the head of a response.
const answerWithin = 5 * time.Second

// Hello says what it can do.
func (c *Client) Hello() subject.Hello {
	p := c.policy()
	hello := subject.Hello{
		Name: "streamgauge reference client", Lang: "go", Profile: "sdk-client",
		Caps: []string{
			"retry", "last-event-id", "headers", "comments", "open", "state", "idle-timeout", "backoff", "restart", "redirects", "tls-ca",
			"max-event-bytes", "multi", "time-scale",
		},
		Policy: &subject.Policy{
			RetryStatus: []int{408, 425, 429, 500, 502, 503, 504}, StopStatus: []int{204, 400, 401, 403, 404, 405, 410, 422},
			Backoff: &subject.Delay{
				BaseMS: ms(p.Base), Factor: p.Factor, CapMS: ms(p.Cap), Jitter: p.Jitter, Spread: string(p.Spread), Reset: string(p.Reset),
				OwnTime: !p.HonorRetry,
			},
		},
	}
	if c.Browser {
		hello.Profile, hello.Policy.RetryStatus, hello.Policy.StopStatus = "whatwg-client", nil, nil
	}
	hello.Caps = slices.DeleteFunc(hello.Caps, func(have string) bool { return slices.Contains(c.Without, subject.Capability(have)) })
	return hello
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (c *Client) policy() policy.Policy {
	if c.Policy != nil {
		return *c.Policy
	}
	return clientPolicy
}

// Open starts a client.
func (c *Client) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the URL: %w", err)
	}
	p := c.policy()
	if o.TimeScale > 0 {
		p = p.Scaled(o.TimeScale)
	}
	if o.RetryMS > 0 {
		p.Base = time.Duration(o.RetryMS) * time.Millisecond
	}
	config := &client.Config{Policy: &p, Resume: true, Options: sse.Options{DialTimeout: answerWithin, HeadTimeout: answerWithin}}
	if c.Browser {
		config.Final = client.AnyStatusFinal
	}
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
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		if config.Tamper == nil || !config.Tamper.AnyURL {
			return nil, fmt.Errorf("the URL %q: want http or https and a host", o.URL)
		}
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
	closes int
}

// Close ends the client; when it returns, nothing more is reported.
func (s *clientSubscription) Close() {
	s.closes++
	s.client.Config.Tamper.Ended(client.Ending{
		Quiet: func() { s.closed.Store(true) },
		Stop: func() {
			s.cancel()
			s.client.Stop()
			<-s.over
		},
		Fail:  func(message string) { s.to.Failed(false, "", 0, message) },
		Times: s.closes,
	})
}

// Restart disconnects; the client comes back at once, with its position.
func (s *clientSubscription) Restart() { s.client.Restart() }

func (s *clientSubscription) Request(_ context.Context, position string) (*sse.Request, error) {
	return &sse.Request{URL: s.url, Header: s.header, LastEventID: position}, nil
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
