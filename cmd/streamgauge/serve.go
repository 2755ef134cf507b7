package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// tokenKeyVariable keeps the key out of the process list.
const tokenKeyVariable = "STREAMGAUGE_TOKEN_KEY"

// serveOptions are the flags of serve.
type serveOptions struct {
	server   broker.ServerConfig
	broker   broker.Config
	policy   string
	tokenKey string
	mutant   string
	grace    time.Duration
}

func newServeCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the reference broker",
		Long: `Serve the reference broker: GET /events?stream=NAME, POST /publish?stream=NAME, GET /healthz, GET /metrics.

The first Ctrl-C or SIGTERM drains: subscribers get what was published for them and are told when to come back. The
second quits at once.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), cmd.ErrOrStderr(), o)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *serveOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.server.Addr, "addr", "127.0.0.1:8787", "`HOST:PORT` to listen on; port 0 takes a free one")
	f.StringVar(&o.server.TLSCert, "tls-cert", "", "PEM `FILE` with the certificate; with --tls-key, HTTPS with HTTP/2")
	f.StringVar(&o.server.TLSKey, "tls-key", "", "PEM `FILE` with the certificate's key")
	f.IntVar(&o.broker.HistoryEvents, "history", 10_000, "`EVENTS` of each stream that can be resumed from; negative for none")
	f.DurationVar(&o.broker.HistoryAge, "history-age", 0, "age up to which they can be; 0 for any")
	f.StringVar(&o.policy, "slow-policy", string(broker.Disconnect), "what happens to a slow subscriber: "+policyNames())
	f.IntVar(&o.broker.Queue, "queue", 1024, "`EVENTS` that may wait for one subscriber")
	f.DurationVar(&o.broker.Heartbeat, "heartbeat", 15*time.Second, "longest silence before a comment; negative for none")
	f.DurationVar(&o.broker.Retry, "retry", 2*time.Second, "reconnection time told to clients; negative for none")
	f.StringVar(&o.tokenKey, "token-key", "", "HS256 `KEY` of bearer tokens; better in "+tokenKeyVariable)
	f.IntVar(&o.broker.MaxConnections, "max-connections", 0, "most subscribers; 0 for any number")
	f.IntVar(&o.broker.MaxConnectionsPerUser, "max-connections-per-user", 0,
		"most subscribers with one token subject, or from one address without tokens; 0 for any number")
	f.Float64Var(&o.broker.PublishRate, "publish-rate", 0, "messages a second that one user may publish; 0 for any number")
	f.IntVar(&o.broker.MaxEventBytes, "max-event-bytes", 1<<20, "largest payload in `BYTES`")
	f.StringSliceVar(&o.broker.CORSOrigins, "cors-origin", nil, "`ORIGIN` whose pages may connect, or * for any without credentials")
	f.StringVar(&o.mutant, "mutant", "", "break exactly one promise: `NAME` of a broker mutant, see streamgauge list mutants")
	f.DurationVar(&o.grace, "drain-grace", 10*time.Second, "time subscribers have to take what is left when draining")
	cmd.MarkFlagsRequiredTogether("tls-cert", "tls-key")
}

func policyNames() string {
	names := make([]string, len(broker.SlowPolicies))
	for i, policy := range broker.SlowPolicies {
		names[i] = string(policy)
	}
	return strings.Join(names, ", ")
}

// serve runs until ctx ends or a signal comes, and then drains.
func serve(ctx context.Context, stderr io.Writer, o serveOptions) error {
	o.broker.SlowPolicy = broker.SlowPolicy(o.policy)
	o.broker.TokenKey = []byte(o.tokenKey)
	if o.tokenKey == "" {
		o.broker.TokenKey = []byte(os.Getenv(tokenKeyVariable))
	}
	if err := o.breakPromise(stderr); err != nil {
		return inputError(err)
	}
	b, err := broker.New(o.broker)
	if err != nil {
		return inputError(err)
	}
	defer b.Close()
	o.server.ErrorLog = log.New(stderr, "", log.Ltime)
	server, err := broker.Start(b, o.server)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; stop what listens there, or choose another address with --addr", err)
	}
	if listening := (*net.OpError)(nil); err != nil && !errors.As(err, &listening) {
		return inputError(err) // the certificate or the key
	}
	if err != nil {
		return err
	}
	printServing(stderr, server.URL(), len(o.broker.TokenKey) > 0)
	return serveUntilSignal(ctx, stderr, server, o.grace)
}

// breakPromise turns the broker into the mutant that was asked for, if any.
func (o *serveOptions) breakPromise(stderr io.Writer) error {
	if o.mutant == "" {
		return nil
	}
	m, ok := mutant.ByName(o.mutant)
	switch {
	case !ok:
		return fmt.Errorf("there is no mutant %q: see streamgauge list mutants", o.mutant)
	case m.Broker == nil:
		return fmt.Errorf("mutant %s is a client, not a broker", o.mutant)
	}
	m.Broker(&o.broker)
	fmt.Fprintf(stderr, "broken on purpose: %s: %s\n", m.Name, m.Bug)
	return nil
}

func serveUntilSignal(ctx context.Context, stderr io.Writer, server *broker.Server, grace time.Duration) error {
	first, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-first.Done()
	stop() // from here on a signal quits at once
	fmt.Fprintf(stderr, "draining for at most %v; a second signal quits at once\n", grace)
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Drain(limit); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("draining: %w", err)
	}
	return nil
}

func printServing(stderr io.Writer, url string, tokens bool) {
	insecure, token := "", ""
	if strings.HasPrefix(url, "https:") {
		insecure = "-k "
	}
	if tokens {
		token = `-H "Authorization: Bearer $TOKEN" `
	}
	fmt.Fprintf(stderr, `serving %[1]s
  curl -N %[2]s%[3]s'%[1]s/events?stream=demo'
  curl %[2]s%[3]s-d 'hello' '%[1]s/publish?stream=demo&type=greeting'
  curl %[2]s'%[1]s/metrics'
`, url, insecure, token)
}
