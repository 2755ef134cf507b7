package embedded

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/gateway"
)

// Gateway is a running reference gateway, at a plaintext address and at one with TLS, and the origin behind it.
type Gateway struct {
	origin  *server.OriginServer
	servers []*gateway.Server // plaintext, TLS
	proxies []*httputil.ReverseProxy
	trusted *tls.Config
	behind  *url.URL
	options GatewayOptions
}

// GatewayOptions break a gateway. The zero value leaves it right.
type GatewayOptions struct {
	Break  func(right *httputil.ReverseProxy) http.Handler
	Reload func(s *gateway.Server, handler http.Handler)
}

// StartGateway starts a gateway, until Close.
func StartGateway(ctx context.Context, o GatewayOptions) (*Gateway, error) {
	certificate, pool, err := sse.SelfSigned(time.Now().AddDate(0, 0, 1), "127.0.0.1")
	if err != nil {
		return nil, fmt.Errorf("starting the embedded gateway: %w", err)
	}
	origin, err := server.StartOrigin(ctx, "")
	if err != nil {
		return nil, err
	}
	g := &Gateway{origin: origin, options: o, trusted: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	if g.behind, err = url.Parse(origin.URL()); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	handler := g.handler()
	for _, config := range []*tls.Config{nil, {Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}} {
		s, err := gateway.StartTLS("127.0.0.1:0", handler, config)
		if err != nil {
			return nil, errors.Join(err, g.Close())
		}
		g.servers = append(g.servers, s)
	}
	return g, nil
}

// handler is a gateway with connections of its own to the origin.
func (g *Gateway) handler() http.Handler {
	right := gateway.New(g.behind)
	g.proxies = append(g.proxies, right)
	if g.options.Break == nil {
		return right
	}
	return g.options.Break(right)
}

// Close ends the gateway and its origin.
func (g *Gateway) Close() error {
	g.origin.Close()
	for _, s := range g.servers {
		s.Close()
	}
	for _, p := range g.proxies {
		p.Transport.(*http.Transport).CloseIdleConnections()
	}
	return nil
}

// reload replaces the gateway by one with the same configuration. Cases that reload run by themselves.
func (g *Gateway) reload(context.Context) error {
	reload := g.options.Reload
	if reload == nil {
		reload = (*gateway.Server).Reload
	}
	handler := g.handler()
	for _, s := range g.servers {
		reload(s, handler)
	}
	return nil
}

// Subject describes the gateway to the cases.
func (g *Gateway) Subject() (*server.Subject, error) {
	address, err := url.Parse(g.servers[0].URL() + "/events?topic=a")
	if err != nil {
		return nil, err
	}
	s := server.NewGateway(address, g.origin, g.trusted)
	s.Secure = g.servers[1].URL()
	s.Drain, s.Memory = g.reload, memory
	return s, nil
}
