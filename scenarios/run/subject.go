package run

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// subject is what a run is aimed at: a target, and what may be done to it from outside.
type subject struct {
	target    *scenarios.Target
	control   func(scenarios.Step) fault.Target // nil: it cannot be restarted or drained
	memory    func(context.Context) (uint64, error)
	files     func(context.Context) (int, error)
	processes conformance.Processes // nil: it is in this process
	mint      minter                // nil: it wants no tokens
	tls       *tls.Config
	kind      string
	close     func()
}

func newSubject(p *scenarios.Plan, mutate MutateBroker) (*subject, error) {
	if p.Target == nil {
		return newEmbedded(p.Scenario, mutate)
	}
	return newExternal(p.Target)
}

// newExternal is a target that runs elsewhere.
func newExternal(t *scenarios.Target) (*subject, error) {
	s := &subject{target: t, kind: "target", close: func() {}, processes: processesOn(t)}
	var err error
	if s.tls, err = clientTLS(t.TLS); err != nil {
		return nil, err
	}
	if len(t.Admin.Restart) > 0 || len(t.Admin.Drain) > 0 {
		s.control = func(scenarios.Step) fault.Target {
			return fault.Command{OnRestart: t.Admin.Restart, OnDrain: t.Admin.Drain}
		}
	}
	switch {
	case t.Observe.Process():
		s.memory = memoryOfProcess(processOf(t.Observe))
		s.files = filesOfProcess(processOf(t.Observe))
	case t.Observe.Metrics != "":
		s.memory = memoryOfMetrics(metricsClient(s.tls), t.Observe.Metrics)
		s.files = filesOfMetrics(metricsClient(s.tls), t.Observe.Metrics)
	}
	if t.Auth != nil {
		s.mint = newMinter(t)
	}
	return s, nil
}

// metricsClient keeps no connection between two looks.
func metricsClient(config *tls.Config) *http.Client {
	return &http.Client{
		Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: config.Clone(), DisableKeepAlives: true}, CheckRedirect: sse.FollowBare,
	}
}

func clientTLS(t scenarios.TLS) (*tls.Config, error) {
	config := &tls.Config{ServerName: t.ServerName, InsecureSkipVerify: t.Insecure} //nolint:gosec // the target file asks for it by name
	if t.CA == "" {
		return config, nil
	}
	pem, err := limited.ReadFile(t.CA, limited.Text)
	if err != nil {
		return nil, fmt.Errorf("reading tls.ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.ca %s holds no certificate in PEM form", t.CA)
	}
	return config, nil
}

func (s *subject) describe() conformance.Subject {
	return conformance.Subject{Name: s.target.Name, Kind: s.kind, Protocol: "sse", URL: fixedPart(s.target.Address())}
}

// fixedPart is an address up to where it begins to differ from subscriber to subscriber.
func fixedPart(address string) string {
	if fixed, _, found := strings.Cut(address, "{{"); found {
		return strings.TrimRight(fixed[:max(strings.LastIndexAny(fixed, "?&/"), 0)], "?&/")
	}
	return address
}

// maxPublishConnections bounds the connections that publishers keep open between two publishes.
const maxPublishConnections = 256

func newPublishClient(t *scenarios.Target, publishers int, config *tls.Config) *http.Client {
	keep := max(1, min(publishers, maxPublishConnections))
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: config.Clone(), MaxIdleConns: keep, MaxIdleConnsPerHost: keep, IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: t.HTTP == "2", DisableCompression: true,
		},
		// A redirected POST may become a GET and publish nothing: the answer is judged as it is.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// subscribeRequest makes the request of a subscriber's next connection.
func (e *engine) subscribeRequest(ctx context.Context, planned *scenarios.Subscriber, position string) (*sse.Request, error) {
	streams := make([]string, len(planned.Streams))
	for i, stream := range planned.Streams {
		streams[i] = e.plan.Streams[stream]
	}
	req, err := e.subscribeTo(ctx, streams, planned.Index, position)
	if err == nil && planned.Compressed && req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", sse.AcceptEncoding)
	}
	return req, err
}

// subscribeTo makes the request of a subscription to streams by their names.
func (e *engine) subscribeTo(ctx context.Context, streams []string, subscriber int32, position string) (*sse.Request, error) {
	vars := scenarios.SubscribeVars{Subscriber: int(subscriber), Streams: streams}
	if e.subject.mint != nil {
		var err error
		if vars.Token, err = e.subject.mint(ctx, vars, e.plan.Scenario.Load.TokenLife); err != nil {
			return nil, fmt.Errorf("making a token: %w", err)
		}
	}
	return subscription(e.target, vars, position)
}

// subscription is the request of a target's subscriber, at a position.
func subscription(t *scenarios.Target, vars scenarios.SubscribeVars, position string) (*sse.Request, error) {
	r, err := t.SubscribeRequest(vars)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(r.URL)
	if err != nil {
		return nil, errors.Unwrap(err) // the outer error repeats the URL, which may carry a secret
	}
	req := &sse.Request{URL: address, Header: r.Header, LastEventID: position}
	if parameter, ok := strings.CutPrefix(t.Subscribe.LastEventID, "query:"); ok && position != "" {
		query := address.Query()
		query.Set(parameter, position)
		address.RawQuery, req.LastEventID = query.Encode(), ""
	}
	return req, nil
}

// publisherTokenLife is long enough for any run: publishers are not what token expiry is about.
const publisherTokenLife = 24 * time.Hour

func (e *engine) publisherToken(ctx context.Context) (string, error) {
	if e.subject.mint == nil {
		return "", nil
	}
	e.tokenOnce.Do(func() {
		e.token, e.tokenErr = e.subject.mint(ctx, scenarios.SubscribeVars{Subscriber: -1, Streams: e.plan.Streams}, publisherTokenLife)
	})
	return e.token, e.tokenErr
}
