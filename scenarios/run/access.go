package run

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/scenarios"
)

// Access is what a target file grants beside subscribing and publishing. What it does not grant is nil.
type Access struct {
	TLS     *tls.Config
	Publish *http.Client
	Mint    func(ctx context.Context, who scenarios.SubscribeVars, life time.Duration) (string, error)
	Revoke  func(ctx context.Context, who scenarios.SubscribeVars, token string) error
	Restart func(ctx context.Context) error
	Drain   func(ctx context.Context) error
	Memory  func(ctx context.Context) (bytes uint64, err error)
	Files   func(ctx context.Context) (open int, err error)

	Processor func(ctx context.Context) (used time.Duration, err error) // of its process, since that began
	Processes conformance.Processes                                     // nil: it is in this one
}

// AccessTo prepares the access to a target that runs elsewhere.
func AccessTo(t *scenarios.Target) (*Access, error) {
	s, err := newExternal(t)
	if err != nil {
		return nil, err
	}
	a := &Access{TLS: s.tls, Publish: newPublishClient(t, maxPublishConnections, s.tls), Memory: s.memory, Files: s.files, Processes: s.processes}
	if t.Observe.Process() {
		if a.Processor, err = ObserveProcessor(t); err != nil {
			return nil, err
		}
	}
	if s.mint != nil {
		a.Mint = s.mint
	}
	if len(t.Admin.Restart) > 0 {
		a.Restart = s.control(scenarios.Step{}).Restart
	}
	if len(t.Admin.Revoke) > 0 {
		a.Revoke = func(ctx context.Context, who scenarios.SubscribeVars, token string) error {
			return revokeToken(ctx, t.Admin.Revoke, userName(who), token)
		}
	}
	if len(t.Admin.Drain) > 0 {
		a.Drain = s.control(scenarios.Step{}).Drain
	}
	return a, nil
}

// Wired sees that a message which is published as the target file says arrives where it says. The error is a *[WiringError], or that of a
// context that ended; whether a stream can be opened at all is for others to judge, as is a target that
// falls silent.
func (a *Access) Wired(ctx context.Context, t *scenarios.Target, seed uint64) error {
	if t.Publish == nil {
		return nil
	}
	run := lookRun(strconv.FormatUint(seed^uint64(time.Now().UnixNano()), 36))
	w := &wiring{target: t, client: a.Publish, run: run, stream: "streamgauge-" + run, options: sse.Options{
		TLS: a.TLS, DialTimeout: openWithin, HeadTimeout: openWithin,
	}}
	mint := func(ctx context.Context, subscriber int, stream string) (string, error) {
		if a.Mint == nil {
			return "", nil
		}
		return a.Mint(ctx, scenarios.SubscribeVars{Subscriber: subscriber, Streams: []string{stream}}, 0)
	}
	w.subscribe = func(ctx context.Context, stream, position string) (*sse.Request, error) {
		bearer, err := mint(ctx, 0, stream)
		if err != nil {
			return nil, err
		}
		return subscription(t, scenarios.SubscribeVars{Streams: []string{stream}, Token: bearer}, position)
	}
	w.message = func(ctx context.Context, stream string, number uint64, size int) (scenarios.PublishVars, error) {
		bearer, err := mint(ctx, -1, stream)
		vars := scenarios.PublishVars{Stream: stream, Number: number, Token: bearer}
		vars.Data = lookData(t, vars, run, size, false)
		return vars, err
	}
	_, err := w.see(ctx)
	if miswired := (*WiringError)(nil); errors.As(err, &miswired) && miswired.Mute == "" {
		return miswired
	}
	return context.Cause(ctx)
}

// openWithin is how long a stream may take to open.
const openWithin = 5 * time.Second
