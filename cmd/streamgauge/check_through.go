package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/limited"
	"github.com/streamgauge/streamgauge/conformance/offspring"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/scenarios"
)

// throughFlags are the flags of `streamgauge check --through`: a gateway with the harness on both sides of it.
type throughFlags struct {
	address string // "" when no gateway is checked
	secure  string
	origin  string
	command string
	reload  string
	pid     int
	ca      string
	wait    time.Duration
}

// addThrough adds the flags to the command.
func addThrough(c *cobra.Command, f *throughFlags) {
	flags := c.Flags()
	flags.StringVar(&f.address, "through", "", "check the gateway or proxy at this `URL`, with an origin of our own behind it")
	flags.StringVar(&f.secure, "secure", "", "with --through: https `ORIGIN` at which the gateway speaks HTTP/2, if not at the same address")
	flags.StringVar(&f.origin, "origin", "127.0.0.1:0", "with --through: `ADDRESS` of the origin that the gateway forwards to")
	flags.StringVar(&f.command, "command", "", "with --through: shell command that runs the gateway; $STREAMGAUGE_ORIGIN is the origin's URL, $STREAMGAUGE_ADDRESS its host:port")
	flags.StringVar(&f.reload, "reload", "", "with --through: shell command that reloads the gateway's configuration; $STREAMGAUGE_PID is the gateway's process")
	flags.IntVar(&f.pid, "pid", 0, "with --through: process whose memory is the gateway's (default: that of --command)")
	flags.StringVar(&f.ca, "ca", "", "with --through: `FILE` with the certificates to trust")
	flags.DurationVar(&f.wait, "wait", time.Minute, "with --through: how long to wait until the gateway forwards to the origin")
}

// subject starts the origin and, if there is a command, the gateway; end stops both.
func (f *throughFlags) subject(ctx context.Context, stderr io.Writer) (s *server.Subject, end func(), err error) {
	redact := scenarios.Redacting(f.address, f.secure, f.command, f.reload)
	hide(stderr, redact)
	address, err := scenarios.ParseURL(f.address)
	if err != nil {
		return nil, nil, inputError(fmt.Errorf("--through %s: want a URL such as http://127.0.0.1:8080/events: %w", f.address, err))
	}
	if f.secure != "" {
		if _, err := scenarios.ParseURL(f.secure); err != nil {
			return nil, nil, inputError(fmt.Errorf("--secure %s: want an origin such as https://127.0.0.1:8443: %w", f.secure, err))
		}
	}
	config, err := f.trusted()
	if err != nil {
		return nil, nil, inputError(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	origin, err := server.StartOrigin(ctx, f.origin)
	if err != nil {
		cancel()
		return nil, nil, inputError(fmt.Errorf("--origin %s: %w", f.origin, err))
	}
	stop := func() { origin.Close(); cancel() }
	s = server.NewGateway(address, origin, config)
	s.Secure, s.Redact = f.secure, redact
	ended, stopCommand, err := f.run(ctx, origin, stderr)
	if err != nil {
		stop()
		return nil, nil, inputError(err)
	}
	end = func() { stopCommand(); stop() }
	if f.pid != 0 {
		s.Memory = memoryOfTree(f.pid)
	}
	if f.reload != "" {
		s.Drain = func(ctx context.Context) error {
			c, begun, err := f.shell(ctx, f.reload, origin, stderr)
			if err != nil {
				return err
			}
			defer begun()
			return c.Run()
		}
	}
	fmt.Fprintf(stderr, "streamgauge: the gateway must forward to %s\n", origin.URL())
	if err := f.await(ctx, s, ended); err != nil {
		end()
		return nil, nil, err
	}
	return s, end, nil
}

func (f *throughFlags) trusted() (*tls.Config, error) {
	if f.ca == "" {
		return nil, nil
	}
	text, err := limited.ReadFile(f.ca, limited.Text)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca %s holds no certificate", f.ca)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

// shell is a command whose output goes to stderr. begun is to be called once it has begun, or has not.
func (f *throughFlags) shell(ctx context.Context, command string, origin *server.OriginServer, stderr io.Writer) (c *exec.Cmd, begun func(), err error) {
	out, begun, err := linesOf(stderr).pipe()
	if err != nil {
		return nil, nil, err
	}
	c = exec.CommandContext(ctx, "/bin/sh", "-c", command)
	c.Stdout, c.Stderr = out, out
	c.Env = append(os.Environ(), "STREAMGAUGE_ORIGIN="+origin.URL(), "STREAMGAUGE_ADDRESS="+origin.Addr(), fmt.Sprintf("STREAMGAUGE_PID=%d", f.pid))
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = stopping
	return c, begun, nil
}

// stopping is how long a gateway may take to end when it is told to.
const stopping = 5 * time.Second

// run starts the gateway. ended is closed when it has ended by itself; it is nil without a command.
func (f *throughFlags) run(ctx context.Context, origin *server.OriginServer, stderr io.Writer) (ended <-chan struct{}, stop func(), err error) {
	if f.command == "" {
		return nil, func() {}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	c, begun, err := f.shell(ctx, "exec "+strings.TrimPrefix(f.command, "exec "), origin, stderr)
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("--command: %w", err)
	}
	family := offspring.Group(c)
	err = c.Start()
	begun()
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("--command: %w", err)
	}
	if f.pid == 0 {
		f.pid = c.Process.Pid
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Wait() // how it ended is of no interest once the check is over, and told by await before
	}()
	return done, func() { cancel(); <-done; family.Kill() }, nil
}

// await asks through the gateway until a request reaches the origin.
func (f *throughFlags) await(ctx context.Context, s *server.Subject, ended <-chan struct{}) error {
	client := &http.Client{
		Timeout:       2 * time.Second,
		Transport:     &http.Transport{TLSClientConfig: s.TLS, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := s.Subscribe(ctx, server.Subscription{Streams: []string{"hello"}})
	if err != nil {
		return err
	}
	late := time.NewTimer(f.wait)
	defer late.Stop()
	again := time.NewTicker(250 * time.Millisecond)
	defer again.Stop()
	for last := errors.New("no answer"); ; {
		if asked, err := http.NewRequestWithContext(ctx, http.MethodGet, req.URL.String(), http.NoBody); err == nil {
			asked.Header.Set("Accept", "text/event-stream")
			last = ask(client, asked)
		}
		select {
		case <-s.Origin.Reached():
			return nil
		case <-ended:
			return inputError(errors.New("--command: the gateway ended before it forwarded a request"))
		case <-late.C:
			return inputError(fmt.Errorf("nothing that was sent to %s reached the origin at %s within %v: %w", s.URL, s.Origin.URL(), f.wait, last))
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ask says what came of a request.
func ask(client *http.Client, req *http.Request) error {
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // only the status is of interest
	return fmt.Errorf("the gateway answered with status %d", resp.StatusCode)
}

// words are the flags that repeat the check.
func (f *throughFlags) words() []string {
	words := []string{"--through", scenarios.RedactPlaces(f.address)}
	for _, flag := range []struct{ name, value, otherwise string }{
		{"--secure", f.secure, ""}, {"--origin", f.origin, "127.0.0.1:0"}, {"--command", f.command, ""}, {"--reload", f.reload, ""}, {"--ca", f.ca, ""},
	} {
		if flag.value != flag.otherwise {
			words = append(words, flag.name, flag.value)
		}
	}
	return words
}

// useThrough makes the check one of a gateway, if the flags say so.
func (f *checkFlags) useThrough(target string, changed func(flag string) bool) error {
	if f.through.address == "" {
		for _, name := range []string{"secure", "origin", "command", "reload", "pid", "ca", "wait"} {
			if changed(name) {
				return fmt.Errorf("--%s stands without --through URL, the gateway that it is about", name)
			}
		}
		return nil
	}
	if target != "" {
		return fmt.Errorf("--through %s stands beside target %s: check one of them", f.through.address, target)
	}
	f.profile = string(conformance.ProfileGateway)
	return nil
}
