package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/streamgauge/streamgauge/reference/gateway"
	"github.com/streamgauge/streamgauge/reference/hub"
)

// serveHub serves the reference hub with the defect.
func serveHub(ctx context.Context, stderr io.Writer, o serveOptions, d *defect) error {
	h := hub.New()
	d.hub.Break(&h.Rules)
	s, err := gateway.Start(o.server.Addr, h)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; stop what listens there, or choose another address with --addr", err)
	}
	if err != nil {
		return wrongAddress(err)
	}
	defer s.Close()
	address := s.URL() + hub.Path
	fmt.Fprintf(stderr, `serving %[1]s
  curl -N -H 'Authorization: Bearer %[2]s' '%[1]s?match=demo'
  curl -H 'Authorization: Bearer %[2]s' -d topic=demo -d data=hello '%[1]s'
`, address, hub.Token)
	target, before := o.target, ""
	if target == "" {
		target = "broken.yaml"
		before = fmt.Sprintf("streamgauge serve --mutant %s --target-file %s    # instead of this, and then\n  ", d.name, target)
	} else if err := writeTarget(target, hubTarget(address)); err != nil {
		return inputError(err)
	}
	fmt.Fprintf(stderr, "to see it caught:\n  %sstreamgauge check %s --profile mercure-hub --only %s --set SSE-AUTH-011.origin=%s\n",
		before, target, strings.Join(d.kills, ","), hub.Origin)
	first, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-first.Done()
	return nil
}

// hubTarget is a target file for the hub: it knows one token, which is no secret.
func hubTarget(address string) string {
	return fmt.Sprintf(`# streamgauge serve, process %[1]d: it is gone when that ends.
name: streamgauge-serve
subscribe: {url: "%[2]s?match={{.Stream}}", headers: {Authorization: "Bearer {{.Token}}"}}
publish: {url: "%[2]s", headers: {Authorization: "Bearer {{.Token}}"}, form: {topic: "{{.Stream}}", data: "{{.Data}}"}}
capabilities: [resume]
auth: {command: [echo, %[3]s], cookie: %[4]s}
`, os.Getpid(), address, hub.Token, hub.Cookie)
}
