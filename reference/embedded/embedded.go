// Package embedded is the reference broker as a subject of the server cases: on loopback, with and without TLS at once, and with
// every access granted.
package embedded

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
)

// Config is how the embedded broker is configured: as a server would be, except that what cases wait for comes sooner.
func Config() broker.Config {
	return broker.Config{
		TokenKey:      []byte(rand.Text()),
		Heartbeat:     time.Second,
		HistoryEvents: 1000,
		CORSOrigins:   []string{Origin},

		TokenIssuer:   "streamgauge",
		TokenAudience: "reference-broker",

		SlowPolicy:   broker.Disconnect,
		Queue:        256,
		WriteTimeout: 2 * time.Second,

		MaxConnections:        600,
		MaxConnectionsPerUser: 20,
		PublishRate:           200,
		PublishBurst:          400,
	}
}

// Origin is the one whose pages may connect.
const Origin = "https://app.example"

// Broker is a running reference broker.
type Broker struct {
	config  broker.Config
	plain   broker.ServerConfig
	other   broker.ServerConfig // a second node of the same cluster
	secure  broker.ServerConfig
	client  *http.Client
	trusted *tls.Config
	users   atomic.Uint64

	mu      sync.Mutex
	broker  *broker.Broker
	servers []*broker.Server // plaintext twice, TLS
}

// Start starts a broker with the given configuration. Close it.
func Start(config broker.Config) (*Broker, error) {
	certificate, pool, err := sse.SelfSigned(time.Now().AddDate(0, 0, 1), "127.0.0.1")
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	b := &Broker{
		config: config, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}},
		secure:  broker.ServerConfig{TLS: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}},
		trusted: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	if err := b.start(); err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	return b, nil
}

// start serves, at the addresses of the servers before if there were any. A broker that is still there goes on with its history.
// The caller holds b.mu, or nobody else has b.
func (b *Broker) start() (err error) {
	if b.broker == nil {
		if b.broker, err = broker.New(b.config); err != nil {
			return err
		}
	}
	b.servers = nil
	for _, config := range []*broker.ServerConfig{&b.plain, &b.other, &b.secure} {
		s, err := broker.Start(b.broker, *config)
		if err != nil {
			return errors.Join(err, b.close())
		}
		if config.Addr == "" { // read without a lock from then on
			_, config.Addr, _ = strings.Cut(s.URL(), "://")
		}
		b.servers = append(b.servers, s)
	}
	return nil
}

func (b *Broker) close() error {
	var errs []error
	for _, s := range b.servers {
		errs = append(errs, s.Close())
	}
	if b.broker != nil {
		b.broker.Close()
	}
	b.servers, b.broker = nil, nil
	return errors.Join(errs...)
}

// Close ends the broker and all its connections.
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.close() // it is gone either way
	b.client.CloseIdleConnections()
}

// restart is a crash: connections are cut, and what was not on a disk is forgotten.
func (b *Broker) restart(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = b.close() // it is dead either way
	return b.start()
}

// revoke withdraws what a user was granted.
func (b *Broker) revoke(_ context.Context, g server.Grant, _ string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broker.Revoke(g.User)
	return nil
}

// drain shuts all servers down gracefully; they come back with the history. A connection on which nothing was ever asked would hold
// net/http up for five seconds, and the publisher's client keeps such.
func (b *Broker) drain(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.client.CloseIdleConnections()
	var errs []error
	for _, s := range b.servers {
		errs = append(errs, s.Drain(ctx))
	}
	return errors.Join(errors.Join(errs...), b.start())
}

// Subject describes the broker to the cases.
func (b *Broker) Subject() *server.Subject {
	address := "http://" + b.plain.Addr
	s := &server.Subject{
		Name: "reference broker", Kind: "reference", URL: address + "/events", Nodes: []string{address, "http://" + b.other.Addr},
		Subscribe: b.subscribe, TLS: b.trusted, Secure: "https://" + b.secure.Addr, Many: true, Ready: "headers",
		Publish: b.publish, Types: true,
		Restart: b.restart, Drain: b.drain, Memory: memory, Files: files,
		Capabilities: []string{"publish", "resume", "heartbeat", "restart", "drain", "order"},
		Heartbeat:    b.config.Heartbeat, History: b.config.HistoryEvents, HistoryAge: b.config.HistoryAge, SlowPolicy: string(b.config.SlowPolicy), Gap: "gap", TotalOrder: true,
		Parameters: Parameters(b.config),
	}
	if len(b.config.TokenKey) > 0 {
		s.Capabilities = append(s.Capabilities, "auth")
		s.Key, s.Claims, s.Mint, s.Revoke = b.config.TokenKey, b.claims, b.mint, b.revoke
		s.Admission = []server.Credential{{In: "header", Name: "Authorization"}}
		s.Rights = server.Rights{Streams: true, Publish: true}
	}
	return s
}

// Withhold takes back what a subject declares or grants.
func Withhold(s *server.Subject, what ...string) {
	for _, word := range what {
		switch word {
		case "key":
			s.Key, s.Claims = nil, nil
		case "rights":
			s.Rights = server.Rights{}
		case "gap":
			s.Gap = ""
		case "heartbeat":
			s.Heartbeat = 0
		}
	}
	s.Capabilities = slices.DeleteFunc(s.Capabilities, func(word string) bool { return slices.Contains(what, word) })
}

// Parameters are those that fit a broker of this configuration better than the defaults: requirement → name → value.
func Parameters(c broker.Config) map[string]map[string]string {
	origin := map[string]string{"origin": Origin}
	parameters := map[string]map[string]string{
		"SSE-HTTPS-014": origin,
		"SSE-HTTPS-015": origin,
		"SSE-HTTPS-016": origin,
		"SSE-HTTPS-020": {"hold": "12s"}, // its longest timeout is 10 s
	}
	maps.Copy(parameters, limits())
	if age := c.SessionMaxAge; age > 0 {
		rotation := map[string]string{"max_age": age.String()}
		parameters["SSE-DRAIN-006"], parameters["SSE-DRAIN-007"] = rotation, rotation
	}
	return parameters
}

func (b *Broker) subscribe(_ context.Context, s server.Subscription) (*sse.Request, error) {
	u := &url.URL{Scheme: "http", Host: b.plain.Addr, Path: "/events", RawQuery: url.Values{"stream": s.Streams}.Encode()}
	req := &sse.Request{URL: u, Header: http.Header{}, LastEventID: s.Position}
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	return req, nil
}

func (b *Broker) publish(ctx context.Context, m server.Message) server.Receipt {
	query := url.Values{"stream": {m.Stream}}
	if m.Type != "" {
		query.Set("type", m.Type)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.plain.Addr+"/publish?"+query.Encode(), strings.NewReader(m.Data))
	if err != nil {
		return server.Receipt{Err: err}
	}
	if m.Token == "" && len(b.config.TokenKey) > 0 {
		if m.Token, err = b.mint(ctx, server.Grant{Publish: []string{"*"}}); err != nil {
			return server.Receipt{Err: err}
		}
	}
	if m.Token != "" {
		req.Header.Set("Authorization", "Bearer "+m.Token)
	}
	if m.Edit != nil {
		m.Edit(req)
	}
	return server.PublishHTTP(ctx, b.client, req, func(status int, _ []byte) bool { return status == http.StatusOK })
}

// tokenLife is that of a token whose life does not matter.
const tokenLife = time.Hour

// claims are what a token for this grant says. Without a user each token has one of its own, so that limits per user do not
// bind cases to each other.
func (b *Broker) claims(g server.Grant) (map[string]any, error) {
	if g.User == "" {
		g.User = fmt.Sprintf("user-%d", b.users.Add(1))
	}
	if g.Life == 0 {
		g.Life = tokenLife
	}
	now := time.Now()
	claims := map[string]any{"sub": g.User, "iat": now.Unix(), "exp": float64(now.Add(g.Life).UnixMilli()) / 1000}
	if b.config.TokenIssuer != "" {
		claims["iss"] = b.config.TokenIssuer
	}
	if b.config.TokenAudience != "" {
		claims["aud"] = b.config.TokenAudience
	}
	if len(g.Subscribe) > 0 {
		claims["subscribe"] = g.Subscribe
	}
	if len(g.Publish) > 0 {
		claims["publish"] = g.Publish
	}
	return claims, nil
}

func (b *Broker) mint(_ context.Context, g server.Grant) (string, error) {
	claims, err := b.claims(g)
	if err != nil {
		return "", err
	}
	return server.SignToken(b.config.TokenKey, server.HS256(), claims)
}
