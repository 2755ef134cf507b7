package mutant

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverSlowMutants breaks what is owed beside, and to, subscribers that do not read.
var serverSlowMutants = []Mutant{
	{
		Name: "blocks-fan-out-on-a-full-queue", ID: "MS-26",
		Bug:    "A blocking send to one full subscriber stalls the loop that serves all of them.",
		SeenIn: "r3labs/sse#192",
		Kills:  []string{"SSE-SLOW-001"},
		May:    because("whatever is published beside a full queue comes seconds later", "SSE-SLOW-004", "SSE-SLOW-005", "SSE-SLOW-007", "SSE-SLOW-009", "SSE-HTTPS-024"),
		Broker: func(c *broker.Config) {
			var loop sync.Mutex
			c.Queue, c.WriteTimeout = 1<<20, time.Hour
			c.Tamper = &broker.Tamper{
				Behind: func(*broker.Subscriber) {
					loop.Lock()
					defer loop.Unlock()
					time.Sleep(2 * stall)
				},
				Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
					loop.Lock() // the broker has several loops, and the stuck one may serve nobody else
					defer loop.Unlock()
					return []broker.Event{ev}
				},
			}
		},
	},
	{
		Name: "blocks-publishers-on-a-full-queue", ID: "MS-26",
		Bug:    "A publish is acknowledged when every subscriber took the event, also the one that does not read.",
		SeenIn: "r3labs/sse#192",
		Kills:  []string{"SSE-SLOW-002"},
		Broker: func(c *broker.Config) {
			var behind atomic.Int64 // when a subscriber was, in nanoseconds
			c.Queue, c.WriteTimeout = 1<<20, time.Hour
			c.Tamper = &broker.Tamper{
				Behind: func(*broker.Subscriber) { behind.Store(time.Now().UnixNano()) },
				Handler: onPublish(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					var answer bytes.Buffer
					held := &postponed{ResponseWriter: w, body: &answer}
					next.ServeHTTP(held, r)
					if time.Since(time.Unix(0, behind.Load())) < stall {
						pause(r, stall)
					}
					held.send()
				}),
			}
		},
	},
	{
		Name: "queues-without-bound", ID: "MS-27",
		Bug:    "Whatever a subscriber does not read is kept for it.",
		SeenIn: "anomalyco/opencode#22198; IBM/mcp-context-forge#1682; sdageltc/letitloop#45",
		Kills:  []string{"SSE-SLOW-003"},
		May:    because("no write has a deadline either", "SSE-SLOW-007"),
		Broker: func(c *broker.Config) {
			var mu sync.Mutex
			var kept [][]byte
			c.Queue, c.WriteTimeout = 1<<20, time.Hour
			c.Tamper = &broker.Tamper{Behind: func(*broker.Subscriber) {
				copied := bytes.Repeat([]byte("x"), 4<<10)
				mu.Lock()
				defer mu.Unlock()
				kept = append(kept, copied)
			}}
		},
	},
	{
		Name:   "disconnects-instead-of-dropping",
		Bug:    "Events of a slow subscriber are said to be dropped, and it is disconnected.",
		SeenIn: "plausible: a policy that is documented and not implemented",
		Kills:  []string{"SSE-SLOW-004"},
		Broker: func(c *broker.Config) {
			c.SlowPolicy = broker.Drop
			c.Tamper = &broker.Tamper{Behind: func(to *broker.Subscriber) { go to.Close() }}
		},
	},
	{
		Name: "forgets-slow-subscribers", ID: "MS-28",
		Bug:    "A slow subscriber leaves the list of those who get events; its connection stays open, with heartbeats.",
		SeenIn: "OmerYasirOnal/claudewatch#43",
		Kills:  []string{"SSE-SLOW-005"},
		May: []May{
			{"SSE-SLOW-004", "what is not sent looks like no policy at all"},
			{"SSE-SLOW-007", "the connection stays open"},
			{"SSE-SLOW-009", "whoever is slow once is forgotten"},
		},
		Broker: func(c *broker.Config) {
			forgotten := new(each[atomic.Bool])
			c.Queue, c.WriteTimeout = 1<<20, time.Hour
			c.Tamper = &broker.Tamper{
				Behind: func(to *broker.Subscriber) { forgotten.of(to).Store(true) },
				Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
					if forgotten.of(to).Load() {
						return nil
					}
					return []broker.Event{ev}
				},
			}
		},
	},
	{
		Name: "drops-under-dense-ids", ID: "MS-29",
		Bug:    "A full queue loses events, and the ids are counted behind it, so nobody can see the hole.",
		SeenIn: "blinklabs-io/dingo#2978",
		Kills:  []string{"SSE-SLOW-005"},
		May: slices.Concat(because("no write has a deadline either", "SSE-SLOW-007"), because("no gap is told of at all", "SSE-RESUME-007"),
			because("an id is counted anew for each subscriber", "SSE-FORM-014"), replaysWrong),
		Broker: func(c *broker.Config) {
			counted := new(each[atomic.Int64])
			c.SlowPolicy = broker.Drop
			c.WriteTimeout = time.Hour
			c.Tamper = &broker.Tamper{
				Gap: func(*broker.Subscriber, string, string) bool { return false },
				Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
					ev.ID = strconv.FormatInt(counted.of(to).Add(1), 10)
					return []broker.Event{ev}
				},
			}
		},
	},
	{
		Name:   "starts-disconnected-readers-anew",
		Bug:    "Who was disconnected for slowness continues with what is published next.",
		SeenIn: "plausible: the position goes with the session",
		Kills:  []string{"SSE-SLOW-006"},
		Broker: func(c *broker.Config) {
			var slow sync.Map
			c.Tamper = &broker.Tamper{
				Behind: func(to *broker.Subscriber) { slow.Store(to.Streams[0], true) },
				Start: func(ask broker.Ask, stream string, first, _, newest uint64) uint64 {
					if _, was := slow.Load(stream); was && ask.LastEventID != "" {
						return newest + 1
					}
					return first
				},
			}
		},
	},
	{
		Name:   "writes-without-deadline",
		Bug:    "A write to who does not read lasts for ever.",
		SeenIn: "sdageltc/letitloop#45: sockets that are never cleaned",
		Kills:  []string{"SSE-SLOW-007"},
		Broker: func(c *broker.Config) { c.WriteTimeout = time.Hour },
	},
	{
		Name:   "drops-half-events",
		Bug:    "What does not fit is dropped byte by byte, also inside an event.",
		SeenIn: "plausible: a ring buffer of bytes",
		Kills:  []string{"SSE-SLOW-008"},
		May:    []May{{"SSE-SLOW-009", "whoever is slow once gets halves"}, {"SSE-SLOW-007", "no write has a deadline either"}, {"SSE-LIMIT-001", "a reader may be slow while sizes are tried"}, {"SSE-RESUME-023", "a reader may be slow while much is replayed"}},
		Broker: func(c *broker.Config) {
			slow := new(each[atomic.Bool])
			c.SlowPolicy = broker.Drop
			c.WriteTimeout = time.Hour
			c.Tamper = &broker.Tamper{
				Behind: func(to *broker.Subscriber) { slow.of(to).Store(true) },
				Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
					if slow.of(to).Load() {
						ev.Data = ev.Data[:len(ev.Data)/2]
					}
					return []broker.Event{ev}
				},
			}
		},
	},
	{
		Name:   "queues-two-events",
		Bug:    "A queue of two events makes everybody slow who is not fast.",
		SeenIn: "plausible: a channel with the capacity that was left from a test",
		Kills:  []string{"SSE-SLOW-009"},
		Broker: func(c *broker.Config) { c.SlowPolicy, c.Queue = broker.Drop, 2 },
	},
}

// serverDrainMutants breaks graceful shutdown.
var serverDrainMutants = []Mutant{
	{
		Name: "drain-waits-for-streams", ID: "MS-41",
		Bug:    "A graceful shutdown waits for open streams, which do not end by themselves.",
		SeenIn: "tokio-rs/axum#2673; modelcontextprotocol/rust-sdk#493",
		Kills:  []string{"SSE-DRAIN-001"},
		May:    []May{{"SSE-DRAIN-002", "they are cut in the end"}, {"SSE-DRAIN-005", "they are cut in the end, all at once"}},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Drain: func(*broker.Subscriber) bool { return false }}
		},
	},
	{
		Name:   "drain-cuts-streams",
		Bug:    "A shutdown resets the connections instead of ending the streams.",
		SeenIn: "plausible: the process exits when its listener is closed",
		Kills:  []string{"SSE-DRAIN-002"},
		May:    because("all are cut at once, and nobody is told when to come back", "SSE-DRAIN-005"),
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Drain: func(to *broker.Subscriber) bool {
				go to.Close()
				return false
			}}
		},
	},
	{
		Name:   "drain-forgets-positions",
		Bug:    "After a shutdown everybody continues with what is published next.",
		SeenIn: "plausible: positions kept in the process",
		Kills:  []string{"SSE-DRAIN-004"},
		Broker: func(c *broker.Config) {
			var drained atomic.Bool
			c.Tamper = &broker.Tamper{
				Drain: func(*broker.Subscriber) bool {
					drained.Store(true)
					return true
				},
				Start: func(_ broker.Ask, _ string, first, _, newest uint64) uint64 {
					if drained.Load() {
						return newest + 1
					}
					return first
				},
			}
		},
	},
	{
		Name:   "drain-brings-all-back-at-once",
		Bug:    "All streams end at the same time, and nobody is told when to come back.",
		SeenIn: "cluesmith/codev#1126",
		Kills:  []string{"SSE-DRAIN-005"},
		Broker: func(c *broker.Config) { c.Retry = -1 },
	},
	{
		Name:   "rotation-loses-an-event",
		Bug:    "Connections are ended by their age, and who comes back misses the first event since.",
		SeenIn: "plausible: a position that counts the event it is about to send",
		Kills:  []string{"SSE-DRAIN-007"},
		May:    append(because("a stream that ends loses an event as well", "SSE-HTTPS-020"), replaysWrong...),
		Broker: func(c *broker.Config) {
			placing(func(first, _, newest uint64) uint64 { return min(first+1, newest+1) })(c)
			c.SessionMaxAge = 2 * time.Second
		},
	},
	{
		Name:   "rotates-all-at-one-age",
		Bug:    "Connections are ended by their age, and all of them at the same one.",
		SeenIn: "plausible: a timer without jitter; cluesmith/codev#1126 is the stampede",
		Kills:  []string{"SSE-DRAIN-006"},
		Broker: func(c *broker.Config) {
			c.SessionMaxAge = 4 * time.Second
			c.Tamper = &broker.Tamper{Expires: func(time.Time) time.Time { return time.Now().Add(c.SessionMaxAge * 8 / 10) }}
		},
	},
}

// serverLimitMutants breaks what is refused because it is too much.
var serverLimitMutants = []Mutant{
	{
		Name:   "waits-for-half-requests",
		Bug:    "A request whose head never ends keeps its connection for ever.",
		SeenIn: "plausible: Go's http.Server without ReadHeaderTimeout",
		Kills:  []string{"SSE-LIMIT-008"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Serve: func(s *http.Server) { s.ReadHeaderTimeout = time.Hour }}
		},
	},
	{
		Name:   "half-requests-keep-workers",
		Bug:    "Fifty workers read requests and send events: each request whose head never ends keeps one from both.",
		SeenIn: "plausible: slow heads against servers with a thread for each connection (CVE-2007-6750)",
		Kills:  []string{"SSE-LIMIT-010"},
		Broker: func(c *broker.Config) {
			half := new(halfRequests)
			c.Tamper = &broker.Tamper{Serve: half.serve, Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				if half.many() {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:   "half-requests-keep-publishers-waiting",
		Bug:    "Fifty workers read requests: each one whose head never ends keeps one, and whoever comes then waits.",
		SeenIn: "plausible: slow heads against servers with a thread for each request (CVE-2007-6750)",
		Kills:  []string{"SSE-LIMIT-010"},
		Broker: func(c *broker.Config) {
			half := new(halfRequests)
			c.Tamper = &broker.Tamper{Serve: half.serve, Handler: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for half.many() && r.Context().Err() == nil {
						pause(r, 10*time.Millisecond)
					}
					next.ServeHTTP(w, r)
				})
			}}
		},
	},
	{
		Name:   "size-limit-is-one-short",
		Bug:    "A message of exactly the largest size is refused.",
		SeenIn: "plausible: >= for >",
		Kills:  []string{"SSE-LIMIT-001"},
		Broker: func(c *broker.Config) { c.MaxEventBytes = 1<<20 - 1 },
	},
	{
		Name:   "oversize-is-an-error-of-the-server",
		Bug:    "A message over the limit is answered with 500.",
		SeenIn: "plausible: the error of a body reader that nobody expected",
		Kills:  []string{"SSE-LIMIT-001"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Handler: onPublish(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&otherStatus{w, http.StatusRequestEntityTooLarge, http.StatusInternalServerError}, r)
			})}
		},
	},
	{
		Name:   "connections-are-not-limited",
		Bug:    "The declared limit of connections for a user is not kept.",
		SeenIn: "plausible: counted in each process and limited in none",
		Kills:  []string{"SSE-LIMIT-002"},
		Broker: func(c *broker.Config) { c.MaxConnectionsPerUser = 0 },
	},
	{
		Name: "evicts-the-oldest-connection", ID: "MS-42",
		Bug:    "Over the limit the user's oldest connection is cut, comes back, and cuts the next.",
		SeenIn: "cluesmith/codev#1126",
		Kills:  []string{"SSE-LIMIT-002"},
		Broker: func(c *broker.Config) {
			places := &eviction{limit: c.MaxConnectionsPerUser, open: map[string][]net.Conn{}}
			c.MaxConnectionsPerUser = 0
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&evicting{w, places, r.Header.Get("Authorization")}, r)
			})
		},
	},
	{
		Name:   "rate-limit-names-no-time",
		Bug:    "A publish over the rate limit is not told when to come back.",
		SeenIn: "plausible: a middleware's default",
		Kills:  []string{"SSE-LIMIT-004"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Header: func(r *http.Request, h http.Header) {
				if r.URL.Path == "/publish" {
					h.Del("Retry-After")
				}
			}}
		},
	},
	{
		Name:   "acknowledges-what-the-rate-limit-drops",
		Bug:    "A message over the rate limit is acknowledged and dropped.",
		SeenIn: "plausible: a limiter behind the queue that acknowledges",
		Kills:  []string{"SSE-LIMIT-009"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Handler: onPublish(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&otherStatus{w, http.StatusTooManyRequests, http.StatusOK}, r)
			})}
		},
	},
	{
		Name:   "too-many-streams-is-an-error-of-the-server",
		Bug:    "A subscription of too many streams is answered with 500.",
		SeenIn: "plausible: a database query with too many parameters",
		Kills:  []string{"SSE-LIMIT-005"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if len(r.URL.Query()["stream"]) > 100 {
					w = &otherStatus{w, http.StatusBadRequest, http.StatusInternalServerError}
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name:   "cap-is-not-kept",
		Bug:    "The declared number of connections is exceeded.",
		SeenIn: "plausible: a limit that only the documentation knows",
		Kills:  []string{"SSE-LIMIT-006"},
		Broker: func(c *broker.Config) { c.MaxConnections = 0 },
	},
}

// onPublish hands publishes to serve; everything else goes its way.
func onPublish(serve func(http.ResponseWriter, *http.Request, http.Handler)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/publish" {
				serve(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// postponed keeps an answer until it is sent.
type postponed struct {
	http.ResponseWriter

	status int
	body   *bytes.Buffer
}

func (p *postponed) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *postponed) WriteHeader(status int) { p.status = status }

func (p *postponed) Write(b []byte) (int, error) { return p.body.Write(b) }

func (p *postponed) send() {
	if p.status != 0 {
		p.ResponseWriter.WriteHeader(p.status)
	}
	_, _ = p.ResponseWriter.Write(p.body.Bytes()) // a client that left is not told
}

// eviction is the connections of each user, the oldest first.
type eviction struct {
	limit int

	mu   sync.Mutex
	open map[string][]net.Conn
}

func (e *eviction) enter(user string, conn net.Conn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[user] = append(e.open[user], conn)
	if all := e.open[user]; e.limit > 0 && len(all) > e.limit {
		_ = all[0].Close() // it is to go
		e.open[user] = all[1:]
	}
}

// evicting sees the connection that a stream takes over.
type evicting struct {
	http.ResponseWriter

	places *eviction
	user   string
}

func (e *evicting) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(e.ResponseWriter).Hijack()
	if err == nil {
		e.places.enter(e.user, conn)
	}
	return conn, buffered, err
}
