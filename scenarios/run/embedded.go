package run

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// embedded is the reference broker in this process, behind real sockets.
type embedded struct {
	broker *broker.Broker
	config broker.ServerConfig
	server *broker.Server
}

func newEmbedded(s *scenarios.Scenario, mutate MutateBroker) (*subject, error) {
	config := BrokerConfig(s)
	if mutate != nil {
		mutate(&config)
	}
	b, err := broker.New(config)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	e := &embedded{broker: b, config: broker.ServerConfig{Addr: "127.0.0.1:0", ErrorLog: crash.ServerLog()}}
	if err := e.start(); err != nil {
		b.Close()
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	subject := &subject{
		control: func(step scenarios.Step) fault.Target { return controlled{e, step.For} }, kind: "reference",
		close:  func() { _ = e.server.Close(); b.Close() },
		memory: func(context.Context) (uint64, error) { return residentMemory(), nil },
	}
	if subject.target, err = embeddedTarget(s, e.server.URL(), config.TokenKey); err != nil {
		subject.close()
		return nil, fmt.Errorf("describing the embedded broker: %w", err)
	}
	if config.TokenKey != nil {
		subject.mint = newMinter(subject.target)
	}
	return subject, nil
}

func (e *embedded) start() (err error) {
	e.server, err = broker.Start(e.broker, e.config)
	if err == nil {
		e.config.Addr = strings.TrimPrefix(e.server.URL(), "http://") // it comes back where clients look for it
	}
	return err
}

// controlled is the embedded broker as a step of the timeline deals with it.
type controlled struct {
	*embedded
	away time.Duration // how long it does not listen
}

// Restart kills the server with all connections; it comes back on the same address with the same history.
func (c controlled) Restart(ctx context.Context) error {
	_ = c.server.Close() // it is dead either way
	return c.again(ctx)
}

// Drain shuts the server down gracefully before it comes back.
func (c controlled) Drain(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, drainGrace)
	defer cancel()
	if err := c.server.Drain(bounded); err != nil {
		return fmt.Errorf("draining the embedded broker: %w", err)
	}
	return c.again(ctx)
}

// drainGrace is how long subscribers get to take what is queued for them.
const drainGrace = 5 * time.Second

func (c controlled) again(ctx context.Context) error {
	timer := time.NewTimer(c.away)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return c.start()
}

// embeddedHistory is how many events the embedded broker keeps per stream unless the scenario says otherwise.
const embeddedHistory = 10_000

// BrokerConfig is how a scenario wants its embedded broker.
func BrokerConfig(s *scenarios.Scenario) broker.Config {
	c := broker.Config{
		Heartbeat: cmp.Or(s.Broker.Heartbeat, s.Load.HeartbeatTimeout/3), HistoryEvents: cmp.Or(s.Broker.History, embeddedHistory),
		SlowPolicy: broker.SlowPolicy(s.Broker.SlowPolicy), Queue: s.Broker.Queue, Retry: s.Broker.Retry,
		PingEvery: s.Broker.Ping, SessionMaxAge: s.Broker.Session, Catch: crash.Catch,
	}
	if s.Broker.Greeting != "" {
		c.Greeting = broker.Signal{Data: s.Broker.Greeting}
	}
	if s.Broker.Ping > 0 {
		c.Ping = broker.Signal{Type: "ping", Data: "{}"}
	}
	if s.Broker.Farewell != "" {
		c.Farewell = broker.Signal{Type: s.Broker.Farewell, Data: "{}"}
	}
	if slices.Contains(s.Needs, scenarios.CanAuth) || s.Load.TokenLife > 0 {
		c.TokenKey = []byte(rand.Text())
	}
	return c
}

// embeddedTarget describes the reference broker at url.
func embeddedTarget(s *scenarios.Scenario, url string, key []byte) (*scenarios.Target, error) {
	t := &scenarios.Target{
		Name: "reference broker", Protocol: "sse",
		Subscribe: scenarios.Subscribe{URL: url + "/events?{{range $i, $s := .Streams}}{{if $i}}&{{end}}stream={{$s}}{{end}}"},
		Publish: &scenarios.PublishRequest{
			Method: http.MethodPost, URL: url + "/publish?stream={{.Stream}}{{if .Type}}&type={{.Type}}{{end}}",
			Body: "{{.Data}}", Timeout: 10 * time.Second,
		},
		Ready: scenarios.ReadyHeaders, GapEvent: "gap",
		SlowPolicy: cmp.Or(s.Broker.SlowPolicy, scenarios.SlowDisconnect),
		History:    &scenarios.HistoryLimit{Events: cmp.Or(s.Broker.History, embeddedHistory)},
		Capabilities: []scenarios.Capability{
			scenarios.CanPublish, scenarios.CanResume, scenarios.CanHeartbeat, scenarios.CanAuth, scenarios.CanRestart,
			scenarios.CanDrain, scenarios.CanGreet, scenarios.CanPing, scenarios.CanFarewell, scenarios.CanObserve,
		},
	}
	if key != nil {
		bearer := map[string]string{"Authorization": "Bearer {{.Token}}"}
		t.Subscribe.Headers, t.Publish.Headers = bearer, bearer
		t.Auth = &scenarios.Auth{Key: string(key), Claims: map[string]any{"subscribe": []any{"*"}, "publish": []any{"*"}}}
	}
	return t, t.Prepare()
}
