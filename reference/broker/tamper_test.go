package broker

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// received with the opening block, as data, up to a fence.
func untilFence(t testing.TB, e *events) (data []string) {
	t.Helper()
	for {
		r := e.next()
		if r.Data == "fence" {
			return data
		}
		data = append(data, r.Data)
	}
}

func TestTamperedDeliveryIsWhatTheHookSays(t *testing.T) {
	t.Parallel()
	var held *Event
	for name, c := range map[string]struct {
		tamper Tamper
		want   string
	}{
		"correct":   {Tamper{}, "1 2 3 4"},
		"lose":      {Tamper{Deliver: func(_ *Subscriber, ev Event) []Event { return keep(ev, ev.Number != 2) }}, "1 3 4"},
		"duplicate": {Tamper{Deliver: func(_ *Subscriber, ev Event) []Event { return append(keep(ev, ev.Number == 2), ev) }}, "1 2 2 3 4"},
		"swap": {Tamper{Deliver: func(_ *Subscriber, ev Event) []Event {
			if ev.Number == 2 {
				held = &ev
				return nil
			}
			return append([]Event{ev}, keep(*orZero(held), ev.Number == 3)...)
		}}, "1 3 2 4"},
		"corrupt": {Tamper{Deliver: func(_ *Subscriber, ev Event) []Event {
			ev.Data = []byte(strings.ReplaceAll(string(ev.Data), "3", "x"))
			return []Event{ev}
		}}, "1 2 x 4"},
		"encode": {Tamper{Encode: func(ev Event) []byte {
			return []byte(strings.Replace(string(EncodeEvent(ev)), "data: 4", "data: y", 1))
		}}, "1 2 3 y"},
		"store": {Tamper{Store: func(ev Event) bool { return string(ev.Data) != "1" }}, "2 3 4"},
		"late": {Tamper{Deliver: func(to *Subscriber, ev Event) []Event {
			if string(ev.Data) == "4" {
				go to.Send(ev)
				return nil
			}
			if string(ev.Data) == "fence" {
				time.AfterFunc(50*time.Millisecond, func() { to.Send(ev) })
				return nil
			}
			return []Event{ev}
		}}, "1 2 3 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, url := newURL(t, Config{Tamper: &c.tamper})
			e := get(t, url+"/events?stream=a")
			publish(t, b, "a", "1", "2", "3", "4", "fence")
			if got := strings.Join(untilFence(t, e), " "); got != c.want {
				t.Errorf("received %q, want %q", got, c.want)
			}
		})
	}
}

func keep(ev Event, ok bool) []Event {
	if !ok {
		return nil
	}
	return []Event{ev}
}

func orZero(ev *Event) *Event {
	if ev == nil {
		return &Event{}
	}
	return ev
}

func TestTamperedStartMovesTheReplay(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{Tamper: &Tamper{Start: func(ask Ask, stream string, first, oldest, newest uint64) uint64 {
		if ask.Resume != ResumeExact || stream != "a" || oldest != 1 || newest != 3 {
			t.Errorf("asked %+v of %s, %d to %d", ask, stream, oldest, newest)
		}
		return first - 1
	}}})
	ids := publish(t, b, "a", "1", "2", "3")
	get(t, url+"/events?stream=a", "Last-Event-ID", ids[1]).expect("2", "3")
}

func TestTamperedLeakReachesOtherStreams(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{Tamper: &Tamper{Leak: func(_ *Subscriber, ev Event) bool { return ev.Number == 2 }}})
	e := get(t, url+"/events?stream=b")
	publish(t, b, "a", "1", "2", "3")
	publish(t, b, "b", "own")
	e.expect("2", "own")
}

func TestTamperedSurroundings(t *testing.T) {
	t.Parallel()
	var behind atomic.Int64
	config := slowConfig(Drop)
	config.TokenKey = testKey
	config.Heartbeat = 10 * time.Millisecond
	config.Tamper = &Tamper{
		Epoch:     "1",
		Handler:   func(next http.Handler) http.Handler { return withToken(t, next) },
		Header:    func(_ *http.Request, h http.Header) { h.Del("Cache-Control") },
		Gap:       func(_ *Subscriber, _, reason string) bool { return reason != "unknown" },
		Authorize: func(string, bool) bool { return true },
		Expires:   func(time.Time) time.Time { return time.Time{} },
		Heartbeat: func() []byte { return []byte("id: 99\n\n") },
		Behind:    func(*Subscriber) { behind.Add(1) },
		Drain:     func(*Subscriber) bool { return false },
	}
	b, url := newURL(t, config)
	e := get(t, url+"/events?stream=forbidden", "Last-Event-ID", "old")
	if got := e.response.Header.Get("Cache-Control"); got != "" {
		t.Errorf("Cache-Control is %q", got)
	}
	opening, err := e.block()
	if err != nil || opening.ID != "1-0" {
		t.Errorf("opens with %+v, %v: the gap is told or the epoch is right", opening, err)
	}
	if beat, err := e.block(); err != nil || beat.ID != "99" {
		t.Errorf("heartbeat is %+v, %v", beat, err)
	}
	stuck(t, url, "/events?stream=a")
	eventually(t, "subscribed", func() bool { return b.Stats().Connections == 2 })
	flood(t, b, "a", floodEvents)
	eventually(t, "somebody is behind", func() bool { return behind.Load() > 0 })
	for _, s := range b.gate.subscribers() {
		if s.due.expiry != forever || b.config.Tamper.drains(s.info) {
			t.Error("the stream expires or drains")
		}
	}
}

// withToken gives every request a token without any right.
func withToken(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	claims := Claims{}
	claims.ExpiresAt = in(time.Hour)
	authorization := token(t, testKey, claims)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", authorization)
		next.ServeHTTP(w, r)
	})
}
