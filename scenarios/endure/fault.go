//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// fault is one thing that is done to a run.
type fault struct {
	name string
	stop time.Duration // of a process, how long
	at   time.Duration // and when
	give []string      // to the role, or to tc
}

// possibilities are all faults, each drawn with its chance.
var possibilities = []struct {
	name   string
	chance float64
	draw   func(*trial, *fault)
}{
	{"burn", 0.5, func(*trial, *fault) {}},
	{"stop-target", 0.3, func(t *trial, f *fault) { f.stop, f.at = t.between(100, 2000), t.between(200, 6000) }},
	{"stop-harness", 0.3, func(t *trial, f *fault) { f.stop, f.at = t.between(100, 2000), t.between(200, 6000) }},
	{"memory", 0.2, func(t *trial, f *fault) { f.give = []string{strconv.Itoa(64 + t.random.IntN(960))} }},
	{"network", 0.3, func(t *trial, f *fault) {
		delay := t.random.IntN(40)
		f.give = []string{"delay", fmt.Sprintf("%dms", delay), fmt.Sprintf("%dms", delay/4), "loss", fmt.Sprintf("%.1f%%", 2*t.random.Float64())}
	}},
}

func faultNames() []string {
	names := make([]string, len(possibilities))
	for i, p := range possibilities {
		names[i] = p.name
	}
	return names
}

// allowed are those of the wanted faults that this machine lets us have, and why others are left out.
func allowed(ctx context.Context, wanted []string) (names []string, why string) {
	for _, name := range wanted {
		if !slices.Contains(faultNames(), name) {
			continue
		}
		if name == "network" {
			lift, _, err := namespace(ctx, "endure-try", "delay", "1ms", "loss", "1%")
			lift()
			if err != nil {
				why = fmt.Sprintf("no packet loss and delay: %v", err)
				continue
			}
		}
		names = append(names, name)
	}
	return names, why
}

// draw decides what is done to a run. Everything is drawn in any case, so that a fault which is left out changes none of the others.
func (t *trial) draw(possible []string) {
	for _, p := range possibilities {
		drawn := t.random.Float64() < p.chance
		f := fault{name: p.name}
		p.draw(t, &f)
		if drawn && slices.Contains(possible, p.name) {
			t.faults = append(t.faults, f)
		}
	}
}

func (t *trial) between(low, high int) time.Duration {
	return time.Duration(low+t.random.IntN(high-low)) * time.Millisecond
}

func (f fault) String() string {
	text := f.name
	if f.stop > 0 {
		text += fmt.Sprintf(" %v at %v", f.stop, f.at)
	}
	return strings.TrimSpace(text + " " + strings.Join(f.give, " "))
}

// begin does what lasts for the whole run. The function it returns ends it.
func (t *trial) begin(ctx context.Context) (lift func(), err error) {
	var lifts []func()
	lift = func() {
		for _, l := range lifts {
			l()
		}
	}
	for _, f := range t.faults {
		n := 0
		switch f.name {
		case "burn":
			n = runtime.NumCPU()
		case "memory":
			n = 1
		case "network":
			l, prefix, err := namespace(ctx, fmt.Sprintf("endure-%d-%d", os.Getpid(), t.seed), f.give...)
			t.prefix = prefix
			if lifts = append(lifts, l); err != nil {
				return lift, err
			}
		}
		for range n {
			l, err := child(ctx, f.name, f.give...)
			if err != nil {
				return lift, err
			}
			lifts = append(lifts, l)
		}
	}
	return lift, nil
}

// halt stops a process for a while, and lets it go on in any case.
func (f fault) halt(ctx context.Context, p *os.Process) {
	if !pause(ctx, f.at) || p.Signal(syscall.SIGSTOP) != nil {
		return
	}
	pause(ctx, f.stop)
	_ = p.Signal(syscall.SIGCONT) // one that is gone needs it no more
}

func pause(ctx context.Context, d time.Duration) (whole bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// namespace is a network of its own whose loopback loses and delays packets; prefix runs a command in it.
func namespace(ctx context.Context, name string, netem ...string) (lift func(), prefix []string, err error) {
	prefix = []string{"ip", "netns", "exec", name}
	lift = func() {
		_ = exec.Command("ip", "netns", "del", name).Run() //nolint:noctx // it is taken away also when the context has ended
	}
	for _, words := range [][]string{
		{"ip", "netns", "add", name},
		append(slices.Clone(prefix), "ip", "link", "set", "lo", "up"),
		append(slices.Clone(prefix), append([]string{"tc", "qdisc", "add", "dev", "lo", "root", "netem"}, netem...)...),
	} {
		if said, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return lift, nil, fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(string(said)))
		}
	}
	return lift, prefix, nil
}

// child starts this program in a role, which it plays until its input ends.
func child(ctx context.Context, role string, args ...string) (end func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, append([]string{"-role", role}, args...)...)
	in, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return func() { _ = in.Close(); _ = c.Wait() }, nil
}

// serveRole burns a processor, or holds memory and goes on using it, until standard input ends.
func serveRole(role, mebibytes string) error {
	held := make([]byte, 1<<20)
	if role == "memory" {
		n, err := strconv.Atoi(mebibytes)
		if err != nil {
			return err
		}
		held = make([]byte, n<<20)
	}
	go func() {
		for i := 0; ; i = (i + 4096) % len(held) {
			held[i]++
		}
	}()
	_, err := os.Stdin.Read(make([]byte, 1))
	_ = err // it has ended, however
	return nil
}
