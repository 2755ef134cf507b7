package run

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

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
}

// AccessTo prepares the access to a target that runs elsewhere.
func AccessTo(t *scenarios.Target) (*Access, error) {
	s, err := newExternal(t)
	if err != nil {
		return nil, err
	}
	a := &Access{TLS: s.tls, Publish: newPublishClient(t, maxPublishConnections, s.tls), Memory: s.memory}
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
