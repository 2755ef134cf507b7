package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// ownBroker is the reference broker in a process of its own: this very program as `streamgauge serve`.
type ownBroker struct {
	target *scenarios.Target
	cancel context.CancelFunc
	ended  chan struct{} // closed when the process has ended
	code   int           // its exit code, once it has
	said   opening
	dir    string
}

// brokerStart is how long a broker may take to listen, on a machine that is busy.
const brokerStart = 30 * time.Second

// startOwnBroker serves until close. A flag that serve refuses is the caller's error.
func startOwnBroker(ctx context.Context, flags []string) (*ownBroker, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the reference broker: %w", err)
	}
	b := &ownBroker{ended: make(chan struct{}), said: opening{ready: make(chan struct{})}}
	if b.dir, err = os.MkdirTemp("", "streamgauge-"); err != nil {
		return nil, fmt.Errorf("starting the reference broker: %w", err)
	}
	file := filepath.Join(b.dir, "target.yaml")
	// An interrupt ends the run and not the broker, so that it is not judged for going away.
	alive, cancel := context.WithCancel(context.WithoutCancel(ctx))
	b.cancel = cancel
	c := exec.CommandContext(alive, program, slices.Concat([]string{"serve"}, flags, []string{"--addr", "127.0.0.1:0", "--target-file", file})...)
	c.Args[0] = "streamgauge"
	c.Stderr = &b.said
	endsWithUs(c)
	if err := b.start(c); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("starting the reference broker: %w", err), os.RemoveAll(b.dir))
	}
	if err := b.await(file); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *ownBroker) start(c *exec.Cmd) error {
	begun := make(chan error)
	go func() {
		// Linux ends a child when the thread that began it ends, so this one stays until the child has gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		begun <- err
		if err == nil {
			_ = c.Wait() // the exit code says it all
			b.code = c.ProcessState.ExitCode()
			close(b.ended)
		}
	}()
	return <-begun
}

// await waits until the broker listens, and reads what it says of itself.
func (b *ownBroker) await(file string) (err error) {
	late := time.NewTimer(brokerStart)
	defer late.Stop()
	select {
	case <-b.said.ready:
		if b.target, err = scenarios.LoadTarget(file, os.LookupEnv); err != nil {
			return inputError(fmt.Errorf("--broker: what is served cannot be searched: %w", err))
		}
		return nil
	case <-b.ended:
		if b.code == exitInput {
			return inputError(fmt.Errorf("--broker: %s", b.said.text()))
		}
		return fmt.Errorf("the reference broker ended at once: %s", b.said.text())
	case <-late.C:
		return fmt.Errorf("the reference broker did not listen within %v: %s", brokerStart, b.said.text())
	}
}

// close ends the process and returns when it has ended.
func (b *ownBroker) close() {
	b.cancel()
	<-b.ended
	_ = os.RemoveAll(b.dir) // it lies where things may stay behind
}

// opening is what a process says at first, and whether it has said that it is ready.
type opening struct {
	ready chan struct{}

	mu    sync.Mutex
	start []byte
	once  sync.Once
}

// wordsKept is far more than serve says before it is ready.
const wordsKept = 16 << 10

// Write takes what the process says, and drops what it goes on to say.
func (w *opening) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.start = append(w.start, p[:min(len(p), wordsKept-len(w.start))]...)
	if bytes.Contains(w.start, []byte("\njudge it:\n")) || bytes.Contains(w.start, []byte("\nto see it caught:\n")) {
		w.once.Do(func() { close(w.ready) })
	}
	return len(p), nil
}

func (w *opening) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.ReplaceAll(strings.TrimSpace(string(w.start)), "streamgauge: ", "")
}

// serveFlags are the flags of serve for a scenario's broker, and those that were asked for.
func serveFlags(s *scenarios.Scenario, asked []string) ([]string, error) {
	c := run.BrokerConfig(s)
	var flags []string
	for _, set := range []struct {
		name string
		text string
		set  bool
	}{
		{"heartbeat", c.Heartbeat.String(), c.Heartbeat != 0},
		{"history", fmt.Sprint(c.HistoryEvents), c.HistoryEvents != 0},
		{"slow-policy", string(c.SlowPolicy), c.SlowPolicy != ""},
		{"queue", fmt.Sprint(c.Queue), c.Queue != 0},
		{"retry", c.Retry.String(), c.Retry != 0},
	} {
		if set.set {
			flags = append(flags, "--"+set.name+"="+set.text)
		}
	}
	for _, one := range asked {
		one = strings.TrimLeft(one, "-")
		switch name, _, given := strings.Cut(one, "="); {
		case !given || name == "":
			return nil, fmt.Errorf("--broker %s: want FLAG=VALUE, such as max-connections=137", one)
		case slices.Contains([]string{"addr", "target-file", "upstream"}, name):
			return nil, fmt.Errorf("--broker %s: where the broker listens is chosen for it; serve it yourself and use --target", one)
		}
		flags = append(flags, "--"+one)
	}
	return flags, nil
}

// embeddedOnly is why a scenario needs the broker within the harness's own process, "" when it does not.
func embeddedOnly(s *scenarios.Scenario) string {
	b := s.Broker
	switch {
	case b.Greeting != "" || b.Ping > 0 || b.Session > 0 || b.Farewell != "":
		return "its broker sends events of its own"
	case slices.Contains(s.Needs, scenarios.CanAuth) || s.Load.TokenLife > 0:
		return "its streams need tokens"
	}
	if slices.ContainsFunc(s.Timeline, scenarios.Step.OnTarget) {
		return "its timeline restarts or drains the broker"
	}
	return ""
}
