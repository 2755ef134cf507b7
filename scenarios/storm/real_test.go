package storm_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/scenarios/storm"
)

var errFull = errors.New("connection refused")

// backlog is a server behind pipes that accepts as a storm's does: so many connections a second, in their order, with so many waiting.
type backlog struct {
	queue   chan net.Conn
	service time.Duration

	mu      sync.Mutex
	calm    bool      // before the storm everybody is served at once
	down    time.Time // until then nobody is
	open    []net.Conn
	started time.Time
}

func (b *backlog) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.calm {
		b.open = append(b.open, theirs)
		go answer(theirs, nil)
		return ours, nil
	}
	if time.Now().Before(b.down) {
		return nil, errFull
	}
	select {
	case b.queue <- theirs:
		return ours, nil
	default:
		return nil, errFull
	}
}

// serve takes connections until the queue is closed.
func (b *backlog) serve() {
	for conn := range b.queue {
		taken := make(chan struct{})
		go answer(conn, taken)
		time.Sleep(b.service)
		b.mu.Lock()
		b.open = append(b.open, conn)
		b.mu.Unlock()
		close(taken)
	}
}

// answer reads a request, as the kernel would for a server that has not come to it, and answers once it is taken.
func answer(conn net.Conn, taken <-chan struct{}) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		conn.Close()
		return
	}
	if taken != nil {
		<-taken
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"); err != nil {
		conn.Close() // the client has gone
	}
}

// strike ends all connections at once.
func (b *backlog) strike(down time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calm, b.started, b.down = false, time.Now(), time.Now().Add(down)
	for _, conn := range b.open {
		conn.Close()
	}
	b.open = nil
}

// survivor counts what becomes of one client.
type survivor struct {
	b *backlog
	c *tally
}

// tally is of all clients.
type tally struct {
	mu                          sync.Mutex
	attempts, refused, timedOut uint64
	back                        []time.Duration
	perSecond                   map[int]uint32
}

func (s survivor) Request(_ context.Context, position string) (*sse.Request, error) {
	return &sse.Request{URL: &url.URL{Scheme: "http", Host: "storm.test", Path: "/"}, LastEventID: position}, nil
}

// since is how long the storm has lasted; false before it.
func (s survivor) since() (time.Duration, bool) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	return time.Since(s.b.started), !s.b.calm
}

func (s survivor) Dialing(int, string) {
	if at, stormy := s.since(); stormy {
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		s.c.attempts++
		s.c.perSecond[int(at/time.Second)]++
	}
}

func (s survivor) Opened(*sse.Response) {
	if at, stormy := s.since(); stormy {
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		s.c.back = append(s.c.back, at)
	}
}

func (s survivor) Lost(l client.Loss) {
	if _, stormy := s.since(); !stormy || l.Opened {
		return
	}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if errors.Is(l.Err, errFull) {
		s.c.refused++
	} else {
		s.c.timedOut++
	}
}

func (survivor) Event(sse.Event) error                                    { return nil }
func (survivor) Comment([]byte)                                           {}
func (survivor) Heard()                                                   {}
func (survivor) Waiting(int, time.Duration, time.Duration, time.Duration) {}

// realStorm has reference clients live through a storm, in a bubble's virtual time. It waits until all are back.
func realStorm(c storm.Config) *tally {
	b := &backlog{queue: make(chan net.Conn, c.Queue), service: time.Duration(float64(time.Second) / c.Accept), calm: true}
	counted := &tally{perSecond: map[int]uint32{}}
	ctx, stop := context.WithCancel(context.Background())
	config := &client.Config{Policy: c.Policy, Options: sse.Options{HeadTimeout: c.Timeout}}
	var clients sync.WaitGroup
	all := make([]*client.Client, c.Clients)
	for i := range c.Clients {
		all[i] = &client.Client{Config: config, Observer: survivor{b, counted}, Dial: b.dial, Seed: storm.ClientSeed(c.Seed, i)}
		clients.Go(func() { _ = all[i].Run(ctx) }) // it ends when it is told to
	}
	synctest.Wait()
	go b.serve()
	b.strike(c.Down)
	for back := 0; back < c.Clients; {
		time.Sleep(time.Second)
		synctest.Wait()
		counted.mu.Lock()
		back = len(counted.back)
		counted.mu.Unlock()
	}
	stop()
	for _, one := range all {
		one.Stop()
	}
	clients.Wait()
	b.strike(0)
	close(b.queue)
	synctest.Wait()
	return counted
}

// TestRealClientsLiveThroughTheSameStorm compares the simulation with clients of flesh and blood: every attempt, every refusal, every
// timeout, and when they were back, to the nanosecond.
func TestRealClientsLiveThroughTheSameStorm(t *testing.T) {
	t.Parallel()
	jittered, _ := policy.ByName("jittered-500ms-30s")
	for name, c := range map[string]storm.Config{
		"a queue that is too short": {Clients: 500, Policy: &jittered, Accept: 50, Queue: 20, Timeout: 5 * time.Second},
		"a queue that is too long":  {Clients: 500, Policy: &jittered, Accept: 50, Queue: 200, Timeout: 1300 * time.Millisecond},
		"a server that is down":     {Clients: 300, Policy: &jittered, Accept: 200, Queue: 100, Timeout: 2 * time.Second, Down: 20 * time.Second},
		"full jitter": {
			Clients: 400, Policy: &policy.Policy{Base: time.Second, Factor: 2, Cap: 8 * time.Second, Spread: policy.Full}, Accept: 40, Queue: 30, Timeout: time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Seed, c.Until, c.Attempts = 11, time.Hour, 1e6
			simulated := storm.Run(c)
			var lived *tally
			synctest.Test(t, func(*testing.T) { lived = realStorm(c) })
			slices.Sort(lived.back)
			if simulated.Attempts != lived.attempts || simulated.Refused != lived.refused || simulated.TimedOut != lived.timedOut {
				t.Errorf("simulated are %d attempts, %d refused, %d given up; real ones %d, %d, %d",
					simulated.Attempts, simulated.Refused, simulated.TimedOut, lived.attempts, lived.refused, lived.timedOut)
			}
			for _, share := range []float64{0.5, 0.9, 0.99, 1} {
				want := lived.back[int(share*float64(c.Clients))-1]
				if got, there := simulated.Recovery(share); !there || got != want {
					t.Errorf("%g of them are back after %v, real ones after %v", share, got, want)
				}
			}
			second, peak := simulated.Peak()
			if lived.perSecond[second] != peak {
				t.Errorf("second %d has %d attempts, and %d real ones", second, peak, lived.perSecond[second])
			}
			if simulated.Refused+simulated.TimedOut == 0 {
				t.Error("it was no storm")
			}
		})
	}
}
