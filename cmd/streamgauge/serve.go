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
)

// tokenKeyVariable keeps the key out of the process list.
const tokenKeyVariable = "STREAMGAUGE_TOKEN_KEY"

// serveOptions are the flags of serve.
type serveOptions struct {
	server   broker.ServerConfig
	broker   broker.Config
	declared broker.Config // what the broker is said to do, which a mutant does not
	policy   string
	tokenKey string
	mutant   string
	upstream string
	target   string
	admin    string
	allowed  []string
	grace    time.Duration
}

func newServeCommand() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the reference broker",
		Long: `Serve the reference broker: GET /events?stream=NAME, POST /publish?stream=NAME, GET /healthz, GET /metrics.

The first Ctrl-C or SIGTERM drains: subscribers get what was published for them and are told when to come back. The
second quits at once.

With --mutant it breaks exactly one promise, so that any tool can be tried on it: streamgauge list mutants names them. It is then
configured so that the defect shows (limits, tokens, TLS), and says how. The mutant of a gateway is served before a broker that is right, or
before --upstream. late-above-N and full-after-N, with a number for N, are right up to that limit: streamgauge capacity finds it.
--target-file writes what streamgauge check and run need to know of it.`,
		Example: `  streamgauge serve
  streamgauge serve --mutant swaps-two
  streamgauge serve --mutant takes-any-signature --target-file broken.yaml
  streamgauge serve --mutant gateway-buffers-bodies --upstream http://127.0.0.1:9000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			stderr := &lines{w: unwrapped(cmd.ErrOrStderr()), plain: true} // the token that it prints is for whoever reads it
			return serve(cmd.Context(), stderr, o, cmd.Flags().Changed)
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
	f.IntVar(&o.broker.HistoryEvents, "history", defaultHistory, "`EVENTS` of each stream that can be resumed from; negative for none")
	f.DurationVar(&o.broker.HistoryAge, "history-age", 0, "age up to which they can be; 0 for any")
	f.StringVar(&o.policy, "slow-policy", string(broker.Disconnect), "what happens to a slow subscriber: "+policyNames())
	f.IntVar(&o.broker.Queue, "queue", 1024, "`EVENTS` that may wait for one subscriber")
	f.DurationVar(&o.broker.Heartbeat, "heartbeat", defaultHeartbeat, "longest silence before a comment; negative for none")
	f.DurationVar(&o.broker.Retry, "retry", 2*time.Second, "reconnection time told to clients; negative for none")
	f.StringVar(&o.tokenKey, "token-key", "", "HS256 `KEY` of bearer tokens; better in "+tokenKeyVariable)
	f.IntVar(&o.broker.MaxConnections, "max-connections", 0, "most subscribers; 0 for any number")
	f.IntVar(&o.broker.MaxConnectionsPerUser, "max-connections-per-user", 0,
		"most subscribers with one token subject, or from one address without tokens; 0 for any number")
	f.Float64Var(&o.broker.PublishRate, "publish-rate", 0, "messages a second that one user may publish; 0 for any number")
	f.IntVar(&o.broker.PublishBurst, "publish-burst", 0, "messages of one user that may come at once, within --publish-rate; 0 for those of one second")
	f.IntVar(&o.broker.MaxEventBytes, "max-event-bytes", 1<<20, "largest payload in `BYTES`")
	f.StringSliceVar(&o.broker.CORSOrigins, "cors-origin", nil, "`ORIGIN` whose pages may connect, or * for any without credentials")
	f.StringVar(&o.mutant, "mutant", "", "break exactly one promise: `NAME` of a mutant, see streamgauge list mutants")
	f.StringVar(&o.upstream, "upstream", "", "serve a gateway before this `URL` instead of a broker: the reference one, or the one --mutant names")
	f.StringVar(&o.target, "target-file", "", "write a target `FILE` that describes what is served")
	f.StringVar(&o.admin, "admin", "", "`HOST:PORT` that answers POST /drain, /restart and /revoke?user=NAME (with --target-file default 127.0.0.1:0)")
	f.StringSliceVar(&o.allowed, "allow-host", nil, "`NAME` by which --admin is called beside localhost and its own address, where the Host of a request has another; may be repeated")
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

const (
	defaultHistory   = 10_000 // events of a stream
	defaultHeartbeat = 15 * time.Second
)

// serve runs until ctx ends or a signal comes, and then drains.
func serve(ctx context.Context, stderr io.Writer, o serveOptions, changed func(flag string) bool) error {
	if err := o.loadCertificate(); err != nil {
		return inputError(err)
	}
	o.broker.SlowPolicy = broker.SlowPolicy(o.policy)
	o.broker.TokenKey = []byte(o.tokenKey)
	keyText := o.tokenKey
	if o.tokenKey == "" {
		o.broker.TokenKey, keyText = []byte(os.Getenv(tokenKeyVariable)), "${"+tokenKeyVariable+"}"
	}
	given := len(o.broker.TokenKey) > 0
	o.declared = o.broker
	var broken *defect
	if o.mutant != "" {
		d, err := defectNamed(o.mutant)
		if err != nil {
			return inputError(err)
		}
		broken = d
		broken.announce(stderr)
	}
	switch {
	case broken != nil && broken.gateway != nil, o.upstream != "" && broken == nil:
		return serveGateway(ctx, stderr, o, broken)
	case o.upstream != "":
		return inputError(fmt.Errorf("--upstream: mutant %s is no gateway", broken.name))
	case broken != nil && broken.hub != nil:
		return serveHub(ctx, stderr, o, broken)
	case broken != nil:
		if err := o.breakPromise(broken, changed); err != nil {
			return err
		}
		if !given {
			keyText = string(o.declared.TokenKey)
		}
	}
	o.server.ErrorLog = log.New(stderr, "", log.Ltime)
	nodes := 0
	if o.target != "" {
		nodes = 1 // what holds for a cluster can be judged too
	}
	s, err := startService(o.broker, o.server, nodes)
	if err != nil {
		return explainListening(err)
	}
	defer s.close()
	fmt.Fprint(stderr, s.usage())
	if err := o.tell(stderr, s, broken, given); err != nil {
		return err
	}
	end, err := o.accompany(stderr, s, broken, keyText)
	if err != nil {
		return err
	}
	defer end()
	return serveUntilSignal(ctx, stderr, s, o.grace)
}

// explainListening sorts out whose error it is that the broker could not be served.
func explainListening(err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; stop what listens there, or choose another address with --addr", err)
	}
	if listening := (*net.OpError)(nil); !errors.As(err, &listening) {
		return inputError(err) // the configuration, the certificate or the key
	}
	return wrongAddress(err)
}

// wrongAddress marks an error of listening as the caller's where it is the address that is none.
func wrongAddress(err error) error {
	address, name := (*net.AddrError)(nil), (*net.DNSError)(nil)
	if errors.As(err, &address) || errors.As(err, &name) {
		return inputError(err)
	}
	return err
}

// tell prints a token for a key that the mutant brought along.
func (o *serveOptions) tell(stderr io.Writer, s *service, broken *defect, given bool) error {
	if broken == nil || given || len(o.declared.TokenKey) == 0 {
		return nil
	}
	token, err := tokenForAll(o.declared)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "with this token, good for a day and every stream, signed with the HS256 key %s:\n  TOKEN=%s\n", s.broker.TokenKey, token)
	return nil
}

// accompany writes the target file and starts the admin address, where they were asked for, and says how the defect is caught.
func (o *serveOptions) accompany(stderr io.Writer, s *service, broken *defect, keyText string) (end func(), err error) {
	end = func() {}
	address := o.admin
	if address == "" && o.target != "" {
		address = "127.0.0.1:0"
	}
	adminURL := ""
	if address != "" {
		a, err := startAdmin(address, o.allowed, s, o.grace)
		if err != nil {
			return nil, err
		}
		end, adminURL = a.close, a.url
		fmt.Fprintf(stderr, "  curl -X POST '%s/drain'      # or /restart, /revoke?user=NAME\n", adminURL)
	}
	if o.target != "" {
		if err := writeTarget(o.target, s.describe(o.declared, adminURL, keyText)); err != nil {
			end()
			return nil, inputError(err)
		}
	}
	switch {
	case broken == nil && o.target != "":
		fmt.Fprintf(stderr, "judge it:\n  streamgauge check %s\n", o.target)
	case broken != nil:
		fmt.Fprintf(stderr, "to see it caught:\n  %s\n", broken.catch(o.target, o.declared))
	}
	return end, nil
}

// catch is the command line that finds the defect.
func (d *defect) catch(target string, declared broker.Config) string {
	command := ""
	if target == "" {
		target = "broken.yaml"
		command = fmt.Sprintf("streamgauge serve --mutant %s --target-file %s    # instead of this, and then\n  ", d.name, target)
	}
	if !d.server {
		return command + "streamgauge run --target " + target
	}
	return command + "streamgauge check " + target + " --only " + strings.Join(d.kills, ",") + d.settings(declared)
}

func serveUntilSignal(ctx context.Context, stderr io.Writer, s *service, grace time.Duration) error {
	first, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	<-first.Done()
	stop() // from here on a signal quits at once
	fmt.Fprintf(stderr, "draining for at most %v; a second signal quits at once\n", grace)
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.drain(limit); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("draining: %w", err)
	}
	return nil
}
