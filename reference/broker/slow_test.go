package broker

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// slowConfig makes a peer that does not read fill its connection after a few kilobytes.
func slowConfig(policy SlowPolicy) Config {
	return Config{SlowPolicy: policy, Queue: 20, SendBuffer: 16 << 10, HistoryEvents: 10_000, Heartbeat: -1}
}

// flood publishes more than any queue and send buffer here can hold.
func flood(t testing.TB, b *Broker, stream string, n int) {
	t.Helper()
	for i := range n {
		publish(t, b, stream, strconv.Itoa(i)+strings.Repeat("x", 500))
	}
}

const floodEvents = 2000

func TestStuckSubscriberDelaysNobodyUnderAnyPolicy(t *testing.T) {
	t.Parallel()
	for _, policy := range SlowPolicies {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			b, url := newURL(t, slowConfig(policy))
			for range 5 {
				stuck(t, url, "/events?stream=a&stream=b")
			}
			eventually(t, "subscribed", func() bool { return b.Stats().Connections == 5 })
			flood(t, b, "a", 200)
			e := get(t, url+"/events?stream=b")
			for i := range floodEvents {
				id := publish(t, b, "b", strconv.Itoa(i)+strings.Repeat("x", 500))[0]
				if got := e.next(); got.ID != id {
					t.Fatalf("event %d is %+v, want %s", i, got, id)
				}
			}
		})
	}
}

func TestDisconnectEndsTheSlowAloneAndResumeLosesNothing(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, slowConfig(Disconnect))
	stuck(t, url, "/events?stream=a")
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
	first := publish(t, b, "a", "first")[0]
	flood(t, b, "a", floodEvents)
	eventually(t, "disconnected as slow", func() bool { return b.Stats().Ended["slow"] == 1 })
	e := get(t, url+"/events?stream=a", "Last-Event-ID", first)
	e.expectResume(ResumeExact)
	for i := range floodEvents {
		if got := e.next(); !strings.HasPrefix(got.Data, strconv.Itoa(i)+"x") {
			t.Fatalf("event %d is %.20q", i, got.Data)
		}
	}
}

// TestSkippingIsToldAndAddsUp lets a stuck client read again: each event was received or counted in a gap.
func TestSkippingIsToldAndAddsUp(t *testing.T) {
	t.Parallel()
	for policy, reason := range map[SlowPolicy]string{Drop: "dropped", Coalesce: "coalesced"} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			b, url := newURL(t, slowConfig(policy))
			c := stuck(t, url, "/events?stream=a")
			eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
			flood(t, b, "a", floodEvents)
			e := readOn(t, c)
			next := uint64(1)
			for next <= floodEvents {
				r := e.next()
				if r.Type == "gap" {
					g := dataOf(t, r)
					if g.Reason != reason || g.Missed == 0 {
						t.Fatalf("gap is %+v", g)
					}
					next += g.Missed
					continue
				}
				if want := strconv.FormatUint(next-1, 10) + "x"; !strings.HasPrefix(r.Data, want) {
					t.Fatalf("event %.20q, want %q", r.Data, want)
				}
				next++
			}
			if s := b.Stats(); s.Dropped+s.Coalesced == 0 || s.Connections != 1 {
				t.Errorf("nothing was skipped: %+v", s)
			}
		})
	}
}

func readOn(t testing.TB, c net.Conn) *events {
	t.Helper()
	lines := bufio.NewReader(c)
	response, err := http.ReadResponse(lines, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &events{t: t, response: response, lines: bufio.NewReader(response.Body), cancel: func() {}}
}

func TestBlockKeepsEverythingUntilItsDeadline(t *testing.T) {
	t.Parallel()
	config := slowConfig(Block)
	config.BlockTimeout = patience
	b, url := newURL(t, config)
	c := stuck(t, url, "/events?stream=a")
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
	flood(t, b, "a", floodEvents)
	e := readOn(t, c)
	for i := range floodEvents {
		if r := e.next(); !strings.HasPrefix(r.Data, strconv.Itoa(i)+"x") {
			t.Fatalf("event %d is %.20q", i, r.Data)
		}
	}
}

func TestBlockGivesUpAtItsDeadline(t *testing.T) {
	t.Parallel()
	config := slowConfig(Block)
	config.BlockTimeout = 10 * time.Millisecond
	b, url := newURL(t, config)
	stuck(t, url, "/events?stream=a")
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
	flood(t, b, "a", floodEvents)
	eventually(t, "given up", func() bool { return b.Stats().Ended["slow"] == 1 })
}

func TestWriteDeadlineEndsAPeerThatTakesNothing(t *testing.T) {
	t.Parallel()
	for _, policy := range []SlowPolicy{Drop, Coalesce} {
		config := slowConfig(policy)
		config.WriteTimeout = 50 * time.Millisecond
		b, url := newURL(t, config)
		stuck(t, url, "/events?stream=a")
		eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
		eventually(t, "stuck", func() bool {
			flood(t, b, "a", 1) // what is skipped fills no buffer, so there must always be more
			return b.Stats().Ended["stuck"] == 1
		})
	}
}

// TestBurstIsNotHeldAgainstAHealthySubscriber publishes far more than the queue before anybody could be served.
func TestBurstIsNotHeldAgainstAHealthySubscriber(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{Queue: 1, SendBuffer: 4 << 20})
	e := get(t, url+"/events?stream=a")
	const burst = 500
	for i := range burst {
		publish(t, b, "a", strconv.Itoa(i))
	}
	for i := range burst {
		e.expect(strconv.Itoa(i))
	}
}
