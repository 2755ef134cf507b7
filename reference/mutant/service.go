package mutant

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serviceMutants break what surrounds the messages: admission, signs of life, slow subscribers, memory.
var serviceMutants = []Mutant{
	{
		Name:     "refuses-first-connects",
		Bug:      "One subscription in five is answered with 503 the first time.",
		SeenIn:   "plausible: a connection limit that still counts those who have left",
		Kills:    []string{"connect.failed"},
		May:      []May{{"first_event.p99", "the first event waits for the second attempt"}},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			var n atomic.Uint64
			c.Tamper = &broker.Tamper{Handler: onEvents(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if n.Add(1)%5 == 3 {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				next.ServeHTTP(w, r)
			})}
		},
	},
	{
		Name:     "stops-answering",
		Bug:      "After the thirtieth publish no request is answered any more; heartbeats go on.",
		SeenIn:   "a server that deadlocked for good: everything that asks for its one lock waits",
		Kills:    []string{"target.answers"},
		Scenario: "lasting",
		Broker: func(c *broker.Config) {
			var published atomic.Uint64
			c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPost {
						published.Add(1)
					}
					if published.Load() > 30 {
						_, _ = io.Copy(io.Discard, r.Body) // only then does a server see that its client has gone
						<-r.Context().Done()
						return
					}
					next.ServeHTTP(w, r)
				})
			}}
		},
	},
	{
		Name:     "keeps-returning-waiting",
		Bug:      "Who comes back with a position is answered after three seconds.",
		SeenIn:   "lezli01/vincent#188: replay waits for the only database connection",
		Kills:    []string{"reconnect.within"},
		May:      []May{{"resume.gap_p99", "the gap lasts at least as long as the subscriber is away"}},
		Scenario: "patient-drops",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Handler: onEvents(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Header.Get("Last-Event-ID") != "" {
					pause(r, 3*time.Second)
				}
				next.ServeHTTP(w, r)
			})}
		},
	},
	{
		Name:     "no-heartbeat",
		Bug:      "An idle connection stays silent.",
		SeenIn:   "Wave-RF/WaveHouse#226; stellar-deprecated/horizon#424",
		Kills:    []string{"heartbeat.every"},
		Scenario: "quiet",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Heartbeat: func() []byte { return nil }}
		},
	},
	{
		Name:     "no-greeting",
		Bug:      "A connection begins without the greeting.",
		SeenIn:   "plausible: the greeting is sent by a middleware that one route lacks",
		Kills:    []string{"greeting"},
		Scenario: "session",
		Broker:   func(c *broker.Config) { c.Greeting = broker.Signal{} },
	},
	{
		Name:     "token-outlives-expiry",
		Bug:      "A token is checked when the stream opens and never again.",
		SeenIn:   "Wave-RF/WaveHouse#239; kubestellar/console#6029; pubky/pubky-homeserver#492",
		Kills:    []string{"expiry.within"},
		Scenario: "tokens",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Expires: func(time.Time) time.Time { return time.Time{} }}
		},
	},
	{
		Name:   "slow-reader-stalls-everyone",
		Bug:    "A subscriber that does not read blocks the loop that carries messages to the others.",
		SeenIn: "r3labs/sse#192",
		Kills:  []string{"bystanders.latency_p99"},
		May: []May{
			{"latency.p99", "everybody waits for the slow ones"},
			{"delivery.complete", "who still waits when the run ends has not got everything"},
		},
		Scenario: "slow",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Behind: func(*broker.Subscriber) { time.Sleep(stall) }}
		},
	},
	{
		Name:     "drops-silently-at-full-queue",
		Bug:      "A full queue loses messages, the connection stays open, and nobody is told.",
		SeenIn:   "blinklabs-io/dingo#2978",
		Kills:    []string{"delivery.complete"},
		May:      []May{{"latency.p99", "a lost message is infinitely late"}},
		Scenario: "slow",
		Broker: func(c *broker.Config) {
			c.SlowPolicy = broker.Drop
			c.Tamper = &broker.Tamper{Gap: func(*broker.Subscriber, string, string) bool { return false }}
		},
	},
	{
		Name:     "forgets-latest",
		Bug:      "A full queue keeps the oldest messages and loses the newest, where only the newest matters.",
		SeenIn:   "plausible: a bounded channel with a default case in front of a ticker",
		Kills:    []string{"delivery.latest"},
		Scenario: "ticker",
		Broker:   keepOldest,
	},
	{
		Name:     "leaks-memory",
		Bug:      "Every message leaves a megabyte behind.",
		SeenIn:   "anomalyco/opencode#22198; IBM/mcp-context-forge#1682: queues that are never freed",
		Kills:    []string{"memory.growth", "memory.max"},
		Scenario: "memory",
		Broker:   leakMemory,
	},
	{
		Name:     "keeps-what-the-departed-had",
		Bug:      "Every connection leaves three megabytes behind when it ends.",
		SeenIn:   "anomalyco/opencode#22198; sdageltc/letitloop#45: what belongs to a connection is never freed",
		Kills:    []string{"memory.growth"},
		May:      []May{{"memory.max", "what is kept adds up"}},
		Scenario: "churn",
		Broker:   leakAtEnd,
	},
}

// stall is how long a stuck subscriber holds up the others for each batch.
const stall = 1500 * time.Millisecond

// keepOldest replaces the broker's queue of every subscriber by one of eight messages that turns away the newest.
func keepOldest(c *broker.Config) {
	const queue = 8
	full := new(each[uint64]) // sequence of the last message that found room; 0: there is room
	var newest atomic.Uint64
	c.Queue = 1 << 20
	c.Tamper = &broker.Tamper{
		Store: func(ev broker.Event) bool {
			newest.Store(ev.Sequence)
			return true
		},
		Behind: func(to *broker.Subscriber) {
			if last := full.of(to); *last == 0 {
				*last = newest.Load() + queue
			}
		},
		Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			last := full.of(to)
			if *last == 0 || ev.Sequence <= *last {
				return []broker.Event{ev}
			}
			if ev.Sequence >= newest.Load() {
				*last = 0
			}
			return nil
		},
	}
}

func leakMemory(c *broker.Config) {
	leak := leaking1MiB()
	c.Tamper = &broker.Tamper{Store: func(broker.Event) bool {
		leak()
		return true
	}}
}

// leakAtEnd keeps blocks of each connection that ended.
func leakAtEnd(c *broker.Config) {
	leak := leaking1MiB()
	c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		for range 3 {
			leak()
		}
	})
}

// leaking1MiB leaves a mebibyte behind each time.
func leaking1MiB() (leak func()) {
	var mu sync.Mutex
	var leaked [][]byte
	return func() {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4 << 10 {
			block[i] = 1 // untouched pages are not resident
		}
		mu.Lock()
		defer mu.Unlock()
		leaked = append(leaked, block)
	}
}
