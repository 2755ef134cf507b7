package mutant

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// oddSessions begin, last and end in ways of their own.
var oddSessions = []Odd{
	{Name: "ends-after-40-events", About: "A stream ends cleanly after some forty events, to be resumed.", Broker: func(c *broker.Config) {
		sent := new(each[atomic.Int32])
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if sent.of(to).Add(1) == 40 {
				defer func() { go to.Finish() }()
			}
			return []broker.Event{ev}
		}}
	}},
	{Name: "ends-every-five-seconds", About: "No stream lasts longer than five seconds.", Broker: func(c *broker.Config) {
		c.SessionMaxAge = 5 * time.Second
	}},
	{Name: "answers-from-afar", About: "A subscription is answered after 100 ms and a publish after 5, as through a distant proxy.", Broker: func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/events" {
					pause(r, distance)
				} else {
					pause(r, distance/20)
				}
				next.ServeHTTP(w, r)
			})
		}}
	}},
	{
		Name: "ends-finished-streams-with-204", About: "A stream in which nothing will come any more is answered with 204.",
		Parameters: map[string]string{"SSE-HTTPS-017.stream": Finished},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Query().Get("stream") == Finished {
					w.WriteHeader(http.StatusNoContent)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{Name: "greets-each-connection", About: "Each connection begins with an event that no target file mentions.", Broker: func(c *broker.Config) {
		c.Greeting = broker.Signal{Type: "welcome", Data: `{"version":1}`}
	}},
	{Name: "pings-four-times-a-second", About: "Ping events come beside the heartbeats.", Broker: func(c *broker.Config) {
		c.Ping, c.PingEvery = broker.Signal{Type: "ping", Data: "{}"}, 250*time.Millisecond
	}},
	{Name: "replays-history-to-newcomers", About: "Who comes without a position gets the whole history first.", Broker: func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Start: func(ask broker.Ask, _ string, first, oldest, _ uint64) uint64 {
			if ask.LastEventID == "" {
				return oldest
			}
			return first
		}}
	}},
	{Name: "slows-guessers-down", About: "Of the refusals of a second all but the first twenty are 429, to come back after a second.", Broker: func(c *broker.Config) {
		refused := new(perSecond)
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(&tired{ResponseWriter: w, refused: refused}, r)
		})
	}},
	{Name: "refuses-unknown-positions", About: "A position that is not known any more is answered with 410.", Broker: func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			next.ServeHTTP(&strict{ResponseWriter: w, refused: cancel}, r.WithContext(ctx))
		})
	}},
}

// distance is how late a distant server answers.
const distance = 100 * time.Millisecond

// strict refuses a stream that would begin elsewhere than it was asked to.
type strict struct {
	http.ResponseWriter

	refused func()
	gone    bool
}

// Unwrap gives deadlines their way.
func (s *strict) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *strict) WriteHeader(status int) {
	switch resume := s.Header().Get("Sse-Resume"); {
	case status == http.StatusOK && (resume == "unknown" || resume == "evicted"):
		s.gone = true
		s.Header().Set("Content-Type", "text/plain")
		s.ResponseWriter.WriteHeader(http.StatusGone)
		_, _ = s.ResponseWriter.Write([]byte("start anew\n")) // a client that left is not told
		s.refused()
	default:
		s.ResponseWriter.WriteHeader(status)
	}
}

func (s *strict) Write(p []byte) (int, error) {
	if s.gone {
		return len(p), nil
	}
	return s.ResponseWriter.Write(p)
}

// tired answers 429 instead of 401 when there were too many of them.
type tired struct {
	http.ResponseWriter

	refused *perSecond
}

func (t *tired) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *tired) WriteHeader(status int) {
	if status == http.StatusUnauthorized && t.refused.add() > 20 {
		status = http.StatusTooManyRequests
		t.Header().Set("Retry-After", "1")
	}
	t.ResponseWriter.WriteHeader(status)
}

// perSecond counts what happens within a second of the clock.
type perSecond struct {
	mu     sync.Mutex
	second int64
	n      int
}

// add counts one more, and returns how many they are.
func (p *perSecond) add() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now().Unix(); now != p.second {
		p.second, p.n = now, 0
	}
	p.n++
	return p.n
}
