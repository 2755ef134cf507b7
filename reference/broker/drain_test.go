package broker

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestDrainDeliversEverythingThenTellsWhenToComeBack(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{})
	s := newServer(t, b)
	var all []*events
	for range 20 {
		all = append(all, get(t, s.URL()+"/events?stream=a"))
	}
	for i := range 100 {
		publish(t, b, "a", strconv.Itoa(i))
	}
	drained := make(chan error, 1)
	go func() { drained <- s.Drain(t.Context()) }()
	retries := map[string]bool{}
	for _, e := range all {
		for i := range 100 {
			e.expect(strconv.Itoa(i))
		}
		blocks, err := e.rest()
		if len(blocks) != 1 || err.Error() != "EOF" {
			t.Fatalf("ended with %+v, %v", blocks, err)
		}
		if ms, err := strconv.Atoi(blocks[0].Retry); err != nil || ms < 2000 || ms > 4000 {
			t.Errorf("retry is %q", blocks[0].Retry)
		}
		retries[blocks[0].Retry] = true
	}
	if len(retries) < 5 {
		t.Errorf("the retries %v are not spread", retries)
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if got := b.Stats().Ended["drained"]; got != 20 {
		t.Errorf("%d drained, want 20", got)
	}
}

func TestDrainingBrokerRefusesWithRetryAfter(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{})
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for method, path := range map[string]string{"GET": "/events?stream=a", "POST": "/publish?stream=a"} {
		r, _ := do(t, method, url+path, "x")
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s, Retry-After %q", path, r.Status, r.Header.Get("Retry-After"))
		}
	}
	if r, _ := do(t, "GET", url+"/healthz", ""); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("healthz: %s", r.Status)
	}
	if _, err := b.Publish("a", "", nil); !errors.Is(err, ErrDraining) {
		t.Errorf("Publish: %v", err)
	}
}

func TestDrainCutsWhoDoesNotReadWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	b := newBroker(t, slowConfig(Block))
	s := newServer(t, b)
	stuck(t, s.URL(), "/events?stream=a")
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 1 })
	flood(t, b, "a", floodEvents)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain: %v", err)
	}
	if s := b.Stats(); s.Connections != 0 || s.Ended["cut"] != 1 {
		t.Errorf("after Drain: %+v", s)
	}
}

// TestDrainedServerIsReplacedWithoutLoss is a rolling deploy over one broker.
func TestDrainedServerIsReplacedWithoutLoss(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{})
	first := newServer(t, b)
	e := get(t, first.URL()+"/events?stream=a")
	id := publish(t, b, "a", "1")[0]
	go func() { _ = first.Drain(t.Context()) }()
	e.expect("1")
	if _, err := e.rest(); err.Error() != "EOF" {
		t.Fatal(err)
	}
	publish(t, b, "a", "2")
	e = get(t, newServer(t, b).URL()+"/events?stream=a", "Last-Event-ID", id)
	e.expectResume(ResumeExact)
	e.expect("2")
}

func TestAddressInUseIsNamed(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{})
	addr := strings.TrimPrefix(newServer(t, b).URL(), "http://")
	if _, err := Start(b, ServerConfig{Addr: addr}); err == nil || !strings.Contains(err.Error(), "listening on "+addr) {
		t.Errorf("Start: %v", err)
	}
}
