package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/gateway"
	"github.com/streamgauge/streamgauge/scenarios"
)

// serveGateway serves the reference gateway, or one with a defect, before the upstream, or before a right broker of its own.
func serveGateway(ctx context.Context, stderr io.Writer, o serveOptions, d *defect) error {
	upstream := o.upstream
	if upstream == "" {
		own, err := startService(o.broker, broker.ServerConfig{}, 0)
		if err != nil {
			return err
		}
		defer own.close()
		upstream = own.url
	}
	origin, err := scenarios.ParseURL(upstream)
	if err != nil {
		return inputError(fmt.Errorf("--upstream %s: want a URL such as http://127.0.0.1:9000: %w", upstream, err))
	}
	right := gateway.New(origin)
	defer right.Transport.(*http.Transport).CloseIdleConnections()
	var handler http.Handler = right
	if d != nil && d.gateway.Break != nil {
		handler = d.gateway.Break(right)
	}
	g, err := gateway.StartTLS(o.server.Addr, handler, o.server.TLS)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; stop what listens there, or choose another address with --addr", err)
	}
	if err != nil {
		return wrongAddress(err)
	}
	defer g.Close()
	fmt.Fprintf(stderr, "serving %s\n  a gateway before %s\n", g.URL(), scenarios.RedactPlaces(upstream))
	if o.upstream == "" {
		fmt.Fprintf(stderr, "  curl -N '%[1]s/events?stream=demo'\n  curl -d 'hello' '%[1]s/publish?stream=demo&type=greeting'\n", g.URL())
	}
	if d != nil {
		fmt.Fprintf(stderr, "to see it caught:\n%s", d.checkThrough())
	}
	reload := func() { g.Reload(handler) }
	if d != nil && d.gateway.Reload != nil {
		reload = func() { d.gateway.Reload(g, handler) }
	}
	serveGatewayUntilSignal(ctx, stderr, reload)
	return nil
}

// serveGatewayUntilSignal takes a SIGHUP for the order to reload the configuration, as gateways do.
func serveGatewayUntilSignal(ctx context.Context, stderr io.Writer, reload func()) {
	first, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	again := make(chan os.Signal, 1)
	signal.Notify(again, syscall.SIGHUP)
	defer signal.Stop(again)
	for {
		select {
		case <-first.Done():
			return
		case <-again:
			fmt.Fprintln(stderr, "reloading")
			reload()
		}
	}
}

// gatewayOverTLS are the requirements of gateways that are judged over TLS alone.
var gatewayOverTLS = []string{"SSE-LIMIT-007"}

// checkThrough is the command line that finds the defect: the check is on both sides of a gateway that it starts itself.
func (d *defect) checkThrough() string {
	const address = "127.0.0.1:8788"
	scheme, trust, certificate, before, reload := "http", "", "", "", ""
	if slices.ContainsFunc(d.kills, func(id string) bool { return slices.Contains(gatewayOverTLS, id) }) {
		scheme, trust, certificate = "https", " --ca cert.pem", " --tls-cert cert.pem --tls-key key.pem"
		before = "  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=gateway -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem\n"
	}
	if d.gateway.Reload != nil {
		reload = " --reload 'kill -HUP $STREAMGAUGE_PID'"
	}
	command := fmt.Sprintf("streamgauge serve --mutant %s --addr %s --upstream $STREAMGAUGE_ORIGIN%s", d.name, address, certificate)
	return fmt.Sprintf("%s  streamgauge check --through %s://%s/events%s --command '%s'%s --only %s\n",
		before, scheme, address, trust, command, reload, strings.Join(d.kills, ","))
}
