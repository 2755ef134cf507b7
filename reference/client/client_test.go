package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/reference/client/policy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is a server at the other end of pipes, in a bubble's virtual time. Its answers are the bytes of one connection each;
// the last one is repeated.
type peer struct {
	answers []string
	hold    bool // keep a connection open behind its answer

	mu       sync.Mutex
	requests []*http.Request
	at       []time.Time
}

func (p *peer) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.mu.Lock()
	answer := p.answers[min(len(p.requests), len(p.answers)-1)]
	p.requests = append(p.requests, nil)
	p.at = append(p.at, time.Now())
	number := len(p.requests) - 1
	p.mu.Unlock()
	go func() {
		defer theirs.Close()
		in := bufio.NewReader(theirs)
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		p.mu.Lock()
		p.requests[number] = request
		p.mu.Unlock()
		if _, err := theirs.Write([]byte(answer)); err != nil || !p.hold {
			return
		}
		_, _ = in.ReadByte() // until the client closes
	}()
	return ours, nil
}

const okHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

// diary is an Observer that writes everything down.
type diary struct {
	client  *client.Client
	url     string
	header  http.Header
	entries []string
	waits   []time.Duration
	until   int // stop after so many losses
	losses  []client.Loss
}

func (d *diary) note(format string, args ...any) {
	d.entries = append(d.entries, fmt.Sprintf(format, args...))
}

func (d *diary) Request(_ context.Context, position string) (*sse.Request, error) {
	u, err := url.Parse(d.url)
	return &sse.Request{URL: u, LastEventID: position, Header: d.header}, err
}
func (d *diary) Dialing(attempt int, position string) { d.note("dial %d %q", attempt, position) }
func (d *diary) Opened(r *sse.Response)               { d.note("open %d", r.Status) }
func (d *diary) Event(e sse.Event) error {
	d.note("event %s %q %q", e.Type, e.Data, e.ID)
	if string(e.Type) == "stop" {
		d.client.Stop()
	}
	return nil
}
func (d *diary) Comment(text []byte) { d.note("comment %q", text) }
func (d *diary) Heard()              {}
func (d *diary) Lost(l client.Loss) {
	d.note("lost opened=%t half=%t final=%t %v", l.Opened, l.Half, l.Final, sse.CauseOf(l.Err))
	d.losses = append(d.losses, l)
	if len(d.losses) == d.until {
		d.client.Stop()
	}
}
func (d *diary) Waiting(_ int, delay, low, high time.Duration) {
	if delay < low || delay > high {
		d.note("delay %v outside %v to %v", delay, low, high)
	}
	d.waits = append(d.waits, delay)
}

func newClient(p *peer, pol policy.Policy, losses int) *diary {
	d := &diary{url: "http://peer.test/events", until: losses}
	d.client = &client.Client{Config: &client.Config{Policy: &pol, Resume: true}, Observer: d, Dial: p.dial, Seed: 1}
	return d
}

func quick() policy.Policy { return policy.Policy{Base: time.Second, Factor: 2, Cap: 4 * time.Second} }

func TestEachConnectionResumesFromTheNewestCommittedID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answers: []string{
			okHead + "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\ndata: cut",
			okHead + ": nothing new\n\n",
			okHead + "id\ndata: reset\n\n",
			okHead + "data: end\n\n",
		}}
		d := newClient(p, quick(), 4)
		if err := d.client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var asked []string
		for _, r := range p.requests {
			asked = append(asked, strings.Join(r.Header["Last-Event-Id"], ","))
		}
		if want := []string{"", "2", "2", ""}; !slices.Equal(asked, want) {
			t.Errorf("asked to resume from %q, want %q", asked, want)
		}
		if !d.losses[0].Half || d.losses[1].Half {
			t.Errorf("half an event at the ends of connections 1 and 2: %t and %t, want true and false", d.losses[0].Half, d.losses[1].Half)
		}
	})
}

func TestDelaysGrowToTheCapAndStartAgainOnSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
		p := &peer{answers: []string{busy, busy, busy, busy, okHead, busy}}
		d := newClient(p, quick(), 6)
		if err := d.client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{1, 2, 4, 4, 1}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(d.waits, want) {
			t.Errorf("delays %v, want %v", d.waits, want)
		}
		for i := 1; i < len(p.at); i++ {
			if got := p.at[i].Sub(p.at[i-1]); got != want[i-1] {
				t.Errorf("connection %d came %v after the one before, want %v", i+1, got, want[i-1])
			}
		}
	})
}

func TestRetryFieldReplacesTheBaseOnlyWhereHonoured(t *testing.T) {
	for honoured, want := range map[bool]time.Duration{true: 250 * time.Millisecond, false: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			p := &peer{answers: []string{okHead + "retry: 250\n\n"}}
			pol := quick()
			pol.HonorRetry = honoured
			d := newClient(p, pol, 2)
			if err := d.client.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if d.waits[0] != want {
				t.Errorf("honoured %t: delay %v, want %v", honoured, d.waits[0], want)
			}
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answers: []string{"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"}}
		d := newClient(p, quick(), 2)
		if err := d.client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d.waits[0] != 7*time.Second {
			t.Errorf("delay %v, want 7s", d.waits[0])
		}
	})
}

func TestFinalAnswersEndTheClient(t *testing.T) {
	for answer, want := range map[string]error{
		"HTTP/1.1 204 No Content\r\n\r\n":                                         client.ErrStatus,
		"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n":                           client.ErrStatus,
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n":                     client.ErrStatus,
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n": client.ErrContentType,
		"HTTP/1.1 302 Found\r\nLocation: /events\r\nContent-Length: 0\r\n\r\n":    client.ErrRedirects,
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newClient(&peer{answers: []string{answer}}, quick(), 5)
			if err := d.client.Run(t.Context()); !errors.Is(err, want) {
				t.Errorf("%.30q: ended with %v, want %v", answer, err, want)
			}
			if len(d.losses) != 1 || !d.losses[0].Final {
				t.Errorf("%.30q: losses %+v, want one, final", answer, d.losses)
			}
		})
	}
}

func TestNothingGivenFollowsARedirectToAnotherOrigin(t *testing.T) {
	for location, kept := range map[string]bool{
		"/elsewhere": true, "http://peer.test/other": true, "http://PEER.test:80/other": true,
		"http://other.test/events": false, "//other.test/events": false, "http://peer.test:81/events": false, "http://sub.peer.test/events": false,
	} {
		synctest.Test(t, func(t *testing.T) {
			moved := "HTTP/1.1 307 Moved\r\nContent-Length: 0\r\nLocation: " + location + "\r\n\r\n"
			p := &peer{answers: []string{moved, okHead}}
			d := newClient(p, quick(), 1)
			given := http.Header{"Authorization": {"Bearer secret"}, "Cookie": {"a=b"}, "X-Api-Key": {"secret"}, "X-Whatever": {"secret"}, "Accept": {"a/b"}}
			d.header = given
			if err := d.client.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			for name := range given {
				if got := p.requests[1].Header.Get(name) == given.Get(name); got != kept {
					t.Errorf("%s: %s sent %t, want %t", location, name, got, kept)
				}
			}
		})
	}
}

func TestSilenceBeyondTheHeartbeatTimeoutIsALoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answers: []string{okHead + ": hello\n\n"}, hold: true}
		d := newClient(p, quick(), 1)
		d.client.Config.Options.IdleTimeout = 15 * time.Second
		began := time.Now()
		if err := d.client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(d.losses[0].Err, sse.ErrIdle) || time.Since(began) != 15*time.Second {
			t.Errorf("lost after %v with %v, want %v after 15s", time.Since(began), d.losses[0].Err, sse.ErrIdle)
		}
	})
}

func TestStopEndsAWaitAndAnOpenStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answers: []string{okHead + "event: stop\ndata\n\n"}, hold: true}
		d := newClient(p, quick(), 0)
		if err := d.client.Run(t.Context()); err != nil || len(p.requests) != 1 {
			t.Errorf("ended with %v after %d connections, want nil after 1", err, len(p.requests))
		}

		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		d = newClient(&peer{answers: []string{okHead}}, quick(), 0)
		began := time.Now()
		if err := d.client.Run(ctx); err != nil || time.Since(began) != 500*time.Millisecond {
			t.Errorf("ended with %v after %v, want nil after 500ms", err, time.Since(began))
		}
	})
}

func TestAServerThatAsksForItIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answers: []string{okHead + "event: closed\ndata: bye\n\n", okHead + "event: stop\ndata: x\n\n"}, hold: true}
		pol := quick()
		pol.ComeBackOn = "closed"
		d := newClient(p, pol, 9)
		if err := d.client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(p.requests) != 2 || !errors.Is(d.losses[0].Err, client.ErrAskedBack) {
			t.Errorf("%d requests, the first loss is %v, want 2 and %v", len(p.requests), d.losses[0].Err, client.ErrAskedBack)
		}
	})
}

func TestRetryAfterIsTakenInSecondsAndAsADate(t *testing.T) {
	for name, field := range map[string]func() string{
		"seconds": func() string { return "7" },
		"date":    func() string { return time.Now().Add(7 * time.Second).UTC().Format(http.TimeFormat) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{answers: []string{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nRetry-After: " + field() + "\r\n\r\n", okHead}}
				d := newClient(p, quick(), 2)
				if err := d.client.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if waited := d.waits[0]; waited != 7*time.Second {
					t.Errorf("waited %v, want 7s", waited)
				}
			})
		})
	}
}

func TestARestartDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{answers: []string{okHead + "id: 7\ndata: x\n\n", okHead + "event: stop\ndata: y\n\n"}, hold: true}
		d := newClient(p, quick(), 9)
		go func() {
			synctest.Wait()
			d.client.Restart()
		}()
		if err := d.client.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(p.requests) != 2 || !p.at[1].Equal(p.at[0]) || p.requests[1].Header.Get("Last-Event-Id") != "7" {
			t.Errorf("%d requests, the second after %v, want 2 at once with the id 7", len(p.requests), p.at[len(p.at)-1].Sub(p.at[0]))
		}
	})
}

// TestAStreamThatEndsAtOnceIsNoSuccess lets the delay grow over streams that end before they last, unless Served was called.
func TestAStreamThatEndsAtOnceIsNoSuccess(t *testing.T) {
	t.Parallel()
	for _, reset := range []policy.Reset{policy.OnOpen, policy.OnEvent} {
		for name, c := range map[string]struct {
			lasting time.Duration
			served  bool
			want    time.Duration // the third wait
		}{
			"it counts from its head or event on": {0, false, time.Second},
			"it does not last":                    {time.Second, false, 4 * time.Second},
			"it brings what it should":            {time.Second, true, time.Second},
		} {
			t.Run(string(reset)+"/"+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := &peer{answers: []string{okHead + "data: x\n\n"}}
					d := &diary{url: "http://peer.test/", until: 4}
					d.client = &client.Client{
						Config: &client.Config{Policy: &policy.Policy{Base: time.Second, Factor: 2, Reset: reset}, Lasting: c.lasting},
						Dial:   p.dial,
					}
					d.client.Observer = d
					if c.served {
						d.client.Observer = serving{d}
					}
					_ = d.client.Run(t.Context()) // it is stopped
					if len(d.waits) < 3 || d.waits[2] != c.want {
						t.Errorf("waits %v, want the third to be %v", d.waits, c.want)
					}
				})
			})
		}
	}
}

// serving is content with every event.
type serving struct{ *diary }

func (s serving) Event(e sse.Event) error {
	s.client.Served()
	return s.diary.Event(e)
}
