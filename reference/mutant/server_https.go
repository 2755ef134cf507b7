package mutant

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverHTTPSMutants break the HTTP side of a stream.
var serverHTTPSMutants = []Mutant{
	{
		Name: "answers-with-203", Bug: "A stream is answered with status 203.",
		SeenIn: "plausible: a proxy that says it changed something", Kills: []string{"SSE-HTTPS-001"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&restated{ResponseWriter: w, from: http.StatusOK, to: http.StatusNonAuthoritativeInfo}, r)
			})
		},
	},
	{
		Name: "declares-latin-1", Bug: "The content type says that the stream is ISO 8859-1.",
		SeenIn: "plausible: the platform's default charset", Kills: []string{"SSE-HTTPS-002"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Content-Type", "text/event-stream; charset=iso-8859-1") })
		},
	},
	{
		Name: "holds-head-back", ID: "MS-10", Bug: "The head of the response waits for the first event.",
		SeenIn: "Mng-dev-ai/agentrove#869; caddyserver/caddy#6293", Kills: []string{"SSE-HTTPS-003"},
		May: []May{
			{"SSE-HTTPS-010", "without a body there is no head"}, {"SSE-HBS-001", "no sign of life comes before the first event"},
			{"SSE-HBS-003", "no sign of life comes before the first event"},
		},
		Broker: func(c *broker.Config) {
			c.Tamper = filtered(func(*http.Request) func([]byte) []byte {
				var waiting []byte
				var begun bool
				return func(p []byte) []byte {
					waiting = append(waiting, p...)
					if begun = begun || bytes.Contains(p, []byte("data: ")); !begun {
						return nil
					}
					out := waiting
					waiting = nil
					return out
				}
			})
			c.Tamper.Handler = withoutEarlyFlush(c.Tamper.Handler)
		},
	},
	{
		Name: "promises-a-length", Bug: "The stream has a Content-Length.",
		SeenIn: "plausible: a middleware that measures the body", Kills: []string{"SSE-HTTPS-004"},
		May: because("a stream that ends is shorter than was promised", "SSE-DRAIN-002"),
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Content-Length", "1048576") })
		},
	},
	{
		Name: "sends-chunks-to-http-1.0", Bug: "HTTP/1.0 clients get the chunked coding, which they do not know.",
		SeenIn: "plausible: a server that writes its own framing", Kills: []string{"SSE-HTTPS-005"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(r *http.Request, h http.Header) {
				if !r.ProtoAtLeast(1, 1) {
					h.Set("Transfer-Encoding", "chunked")
				}
			})
		},
	},
	{
		Name: "lets-caches-store", Bug: "Caches may keep the stream for a minute.",
		SeenIn: "plausible: a default for all responses", Kills: []string{"SSE-HTTPS-006"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Cache-Control", "max-age=60, no-transform") })
		},
	},
	{
		Name: "lets-proxies-transform", Bug: "Cache-Control lacks no-transform.",
		SeenIn: "plausible", Kills: []string{"SSE-HTTPS-007"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Cache-Control", "no-store") })
		},
	},
	{
		Name: "buffers-compressed-events", ID: "MS-11", Bug: "The gzip middleware keeps small events in its buffer.",
		SeenIn: "Kludex/starlette#2753; mattrobinsonsre/terrapod#71; mpetrunic/fastify-sse-v2#8", Kills: []string{"SSE-HTTPS-026"},
		Broker: compressingStreams("gzip", takes("gzip"), neverFlushed),
	},
	{
		Name: "compresses-unasked", Bug: "The stream is compressed for clients that did not ask for it.",
		SeenIn: "plausible: a proxy's gzip_static", Kills: []string{"SSE-HTTPS-009"},
		Broker: compressingStreams("gzip", anyAccept, flushed),
	},
	{
		Name: "streams-to-head", Bug: "HEAD is answered like GET, with a stream behind the head.",
		SeenIn: "plausible: a router that maps HEAD to GET", Kills: []string{"SSE-HTTPS-010"},
		Broker: func(c *broker.Config) { c.Tamper = onStreams(taking(http.MethodHead)) },
	},
	{
		Name: "takes-any-method", Bug: "PATCH opens a stream.",
		SeenIn: "plausible: a route without a method", Kills: []string{"SSE-HTTPS-011"},
		Broker: func(c *broker.Config) { c.Tamper = onStreams(taking(http.MethodPatch)) },
	},
	{
		Name: "insists-on-accept", Bug: "Only Accept: text/event-stream to the letter is served.",
		SeenIn: "plausible: a comparison of strings", Kills: []string{"SSE-HTTPS-012"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Header.Get("Accept") != "text/event-stream" && r.Method == http.MethodGet {
					http.Error(w, "not acceptable", http.StatusNotAcceptable)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name: "streams-errors", ID: "MS-39", Bug: "A failed authentication is answered with 200 and an error event, so that an EventSource comes back for ever.",
		SeenIn: "plausible", Kills: []string{"SSE-HTTPS-013"},
		May: because("so it is no 401", "SSE-AUTH-001", "SSE-AUTH-002", "SSE-AUTH-010", "SSE-AUTH-012"),
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&excused{ResponseWriter: w}, r)
			})
		},
	},
	{
		Name: "forgets-vary", Bug: "The answer depends on the origin, and caches are not told.",
		SeenIn: "plausible", Kills: []string{"SSE-HTTPS-014"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Del("Vary") })
		},
	},
	{
		Name: "reflects-any-origin", Bug: "Every origin is allowed to use its visitors' credentials.",
		SeenIn: "plausible: a CORS middleware in its permissive mode", Kills: []string{"SSE-HTTPS-015"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(r *http.Request, h http.Header) {
				if origin := r.Header.Get("Origin"); origin != "" {
					h.Set("Access-Control-Allow-Origin", origin)
					h.Set("Access-Control-Allow-Credentials", "true")
				}
			})
		},
	},
	{
		Name: "disallows-last-event-id", ID: "MS-40", Bug: "Last-Event-ID is missing in Access-Control-Allow-Headers.",
		SeenIn: "dunglas/mercure#535", Kills: []string{"SSE-HTTPS-016"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&restated{ResponseWriter: w, before: func(h http.Header) {
					h.Set("Access-Control-Allow-Headers", "Authorization, Cache-Control, Content-Type")
				}}, r)
			})
		},
	},
	{
		Name: "refuses-without-retry-after", Bug: "Refusals that will pass, over a limit or during a drain, do not say when.",
		SeenIn: "plausible: a limiter's default answer", Kills: []string{"SSE-HTTPS-018", "SSE-DRAIN-003", "SSE-LIMIT-002"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Del("Retry-After") })
		},
	},
	{
		Name: "keeps-places-of-the-gone", ID: "MS-27", Bug: "A connection that ended keeps its place under the limit.",
		SeenIn: "anomalyco/opencode#22198; IBM/mcp-context-forge#1682; sdageltc/letitloop#45", Kills: []string{"SSE-HTTPS-019", "SSE-LIMIT-003"},
		Broker: keepPlaces,
	},
	{
		Name: "overlooks-fin", Bug: "That a client has left is noticed only when a write to it fails.",
		SeenIn: "modelcontextprotocol/rust-sdk#165; Science-Discovery/Aether#524; eclipse-ee4j/jersey#3105", Kills: []string{"SSE-HTTPS-027"},
		May: because("a connection keeps its place until the next heartbeat", "SSE-LIMIT-003", "SSE-HTTPS-018", "SSE-HTTPS-019", "SSE-LIMIT-002"),
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&filter{ResponseWriter: w, change: func(p []byte) []byte { return p }}, r.WithContext(withoutCancel{r.Context()}))
			})
		},
	},
	{
		Name: "keeps-sockets-of-the-departed", Bug: "The socket of a connection stays open when its client has left.",
		SeenIn: "anomalyco/opencode#22198: sockets in CLOSE_WAIT", Kills: []string{"SSE-LIMIT-011"},
		May: because("the other side never hears that the connection has ended", "SSE-HTTPS-027", "SSE-DRAIN-001", "SSE-DRAIN-002", "SSE-AUTH-004", "SSE-AUTH-005",
			"SSE-SLOW-005", "SSE-SLOW-007"),
		Broker: func(c *broker.Config) {
			var mu sync.Mutex
			var kept []*os.File
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(&overlooked{w, func(conn net.Conn) {
					if tcp, ok := conn.(*net.TCPConn); ok {
						if again, err := tcp.File(); err == nil {
							mu.Lock()
							defer mu.Unlock()
							kept = append(kept, again)
						}
					}
				}}, r)
			})
		},
	},
	{
		Name: "keeps-slots-of-reset-streams", Bug: "Of 250 streams that an HTTP/2 connection may have, those that were reset count as well.",
		SeenIn: "icing/mod_h2#232", Kills: []string{"SSE-HTTPS-028"},
		Broker: func(c *broker.Config) {
			var clients sync.Map // address → *atomic.Int64
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				opened, _ := clients.LoadOrStore(r.RemoteAddr, new(atomic.Int64))
				if r.ProtoMajor == 2 && opened.(*atomic.Int64).Add(1) > 250 {
					<-r.Context().Done()
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name: "goes-deaf", ID: "MS-13", Bug: "A timeout for responses silences a stream, which stays open.",
		SeenIn: "xdlc-labs/xdlc-agent#71; modelcontextprotocol/go-sdk#1262; dunglas/mercure#335", Kills: []string{"SSE-HTTPS-020"},
		May: []May{{"SSE-LIMIT-008", "the stream that is looked at has been open for long"}},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if time.Since(to.Joined) > deafAfter {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "loses-what-ends-a-silence", Bug: "The first message to a subscriber that had none for three seconds is lost; heartbeats go on.",
		SeenIn: "plausible: an idle subscriber is taken from the registry, and put back by the message that it does not get", Kills: []string{"SSE-HTTPS-020"},
		Broker: func(c *broker.Config) {
			newest := new(each[time.Time])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				at := newest.of(to)
				silence := time.Since(*at)
				known := !at.IsZero()
				if *at = time.Now(); known && silence > 3*time.Second {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "invites-nginx-to-buffer", Bug: "X-Accel-Buffering is not sent.",
		SeenIn: "plausible: most servers that were not run behind nginx yet", Kills: []string{"SSE-HTTPS-008"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Del("X-Accel-Buffering") })
		},
	},
	{
		Name: "keeps-finished-streams-open", Bug: "A stream in which nothing will come any more is served like any other, for ever.",
		SeenIn: "plausible: a job's stream that outlives the job", Kills: []string{"SSE-HTTPS-017"},
		Parameters: map[string]string{"SSE-HTTPS-017.stream": Finished},
		Broker:     func(*broker.Config) {}, // it knows no such thing as the end of a stream
	},
	{
		Name: "breaks-at-bad-queries", Bug: "A malformed query gives 500.",
		SeenIn: "plausible: an exception that nobody caught", Kills: []string{"SSE-HTTPS-021"},
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if _, err := url.ParseQuery(r.URL.RawQuery); err != nil {
					http.Error(w, "internal error", http.StatusInternalServerError)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
	},
	{
		Name: "keeps-alive-over-http2", ID: "MS-12", Bug: "Keep-Alive is sent over HTTP/2.",
		SeenIn: "nestjs/nest#17588; bartblast/hologram#1262; ktorio/ktor#4581", Kills: []string{"SSE-HTTPS-022"},
		Broker: func(c *broker.Config) {
			c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Keep-Alive", "timeout=5") })
		},
	},
	{
		Name: "speaks-http1-only", Bug: "HTTP/2 is not offered.",
		SeenIn: "plausible: the default of many servers", Kills: []string{"SSE-HTTPS-023"},
		Broker: func(c *broker.Config) { c.Tamper = &broker.Tamper{HTTP1: true} },
	},
	{
		Name: "replaces-older-connection", Bug: "A second connection of a client takes over the first one's events.",
		SeenIn: "plausible: connections kept by user", Kills: []string{"SSE-HTTPS-025"},
		Broker: func(c *broker.Config) {
			var newest sync.Map // user → *broker.Subscriber
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				current, _ := newest.LoadOrStore(to.User, to)
				if other, ok := current.(*broker.Subscriber); ok && other != to {
					if to.Joined.Before(other.Joined) {
						return nil
					}
					newest.Store(to.User, to)
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "writes-one-stream-at-a-time", Bug: "A write on one stream of an HTTP/2 connection waits for that of another, also of one that nobody reads.",
		SeenIn: "plausible: one lock around the connection", Kills: []string{"SSE-HTTPS-024"},
		Broker: func(c *broker.Config) {
			var writing sync.Map // client → *sync.Mutex
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.ProtoMajor == 2 {
					lock, _ := writing.LoadOrStore(r.RemoteAddr, new(sync.Mutex))
					w = &queued{ResponseWriter: w, turn: lock.(*sync.Mutex)}
				}
				next.ServeHTTP(w, r)
			})
		},
	},
}

// queued is a ResponseWriter that shares its turn to write with others, and knows no deadline.
type queued struct {
	http.ResponseWriter

	turn *sync.Mutex
}

func (q *queued) Write(p []byte) (int, error) {
	q.turn.Lock()
	defer q.turn.Unlock()
	n, err := q.ResponseWriter.Write(p)
	if err == nil {
		err = http.NewResponseController(q.ResponseWriter).Flush()
	}
	return n, err
}

// FlushError flushes the head.
func (q *queued) FlushError() error { return http.NewResponseController(q.ResponseWriter).Flush() }

// deafAfter is shorter than what any case holds a stream for.
const deafAfter = 3 * time.Second

// restated is a ResponseWriter with another status, or other headers, in the end.
type restated struct {
	http.ResponseWriter

	from, to int
	before   func(h http.Header)
}

func (w *restated) WriteHeader(status int) {
	if status == w.from {
		status = w.to
	}
	if w.before != nil {
		w.before(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *restated) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// excused is a ResponseWriter that answers 401 with a stream that tells of it.
type excused struct {
	http.ResponseWriter

	excusing bool
}

func (w *excused) WriteHeader(status int) {
	if w.excusing = status == http.StatusUnauthorized; w.excusing {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Del("Content-Length")
		status = http.StatusOK
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *excused) Write(p []byte) (int, error) {
	if !w.excusing {
		return w.ResponseWriter.Write(p)
	}
	_, err := w.ResponseWriter.Write([]byte("event: error\ndata: unauthorized\n\n"))
	return len(p), err
}

func (w *excused) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// withoutEarlyFlush keeps the first flush, that of the head alone, from what is within.
func withoutEarlyFlush(within func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return within(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if f, ok := w.(*filter); ok {
				f.silent = true
			}
			next.ServeHTTP(w, r)
		}))
	}
}

// taking serves requests of another method as if they were GET.
func taking(method string) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == method {
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	}
}

// keepPlaces counts the connections of each token, and never one less.
func keepPlaces(c *broker.Config) {
	var mu sync.Mutex
	taken := map[string]int{}
	c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		user := r.Header.Get("Authorization")
		mu.Lock()
		taken[user]++
		full := user != "" && taken[user] > c.MaxConnectionsPerUser
		mu.Unlock()
		if full {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many connections", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// overlooked sees the connection that a stream takes over.
type overlooked struct {
	http.ResponseWriter

	taken func(conn net.Conn)
}

func (w *overlooked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.taken(conn)
	}
	return conn, buffered, err
}
