package mutant

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/reference/gateway"
)

// Gateway is the reference gateway with one deliberate defect.
type Gateway struct {
	Name   string
	ID     string   // in the catalogue that the requirements were taken from; "" for those that came later
	Bug    string   // what it does wrong, in one sentence
	SeenIn string   // where this was found in the wild
	Kills  []string // the requirements that must not pass; all others must
	Break  func(right *httputil.ReverseProxy) http.Handler
	Reload func(s *gateway.Server, handler http.Handler) // how it takes a new configuration; nil: as it should
}

// Gateways are the mutants of the reference gateway, by the requirement they break.
var Gateways = []Gateway{
	{
		Name: "gateway-buffers-bodies", Bug: "What the origin sends is passed on when a buffer is full.",
		SeenIn: "theopenconversationkit/tock#1895; nginx with proxy_buffering on",
		Kills:  []string{"SSE-PROXY-001", "SSE-PROXY-003", "SSE-PROXY-007"},
		Break: rewriting(func(w http.ResponseWriter, _ *http.Request) http.ResponseWriter {
			return &bufferedBody{ResponseWriter: w}
		}),
	},
	{
		Name: "gateway-holds-what-comes-with-the-head", Bug: "What the origin sends in one segment with its head waits for the next segment.",
		SeenIn: "plausible: the rest of the buffer in which the head was read is looked at with the next read",
		Kills:  []string{"SSE-PROXY-001"},
		Break: func(right *httputil.ReverseProxy) http.Handler {
			right.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &headApart{Conn: conn}, nil
			}
			return right
		},
	},
	{
		Name: "gateway-holds-head", Bug: "The head is passed on with the first byte of the body.",
		SeenIn: "Mng-dev-ai/agentrove#869; caddyserver/caddy#6293",
		Kills:  []string{"SSE-PROXY-002"},
		Break:  rewriting(func(w http.ResponseWriter, _ *http.Request) http.ResponseWriter { return &heldHead{ResponseWriter: w} }),
	},
	{
		Name: "gateway-knows-one-media-type", ID: "MS-43",
		Bug:    "Only the exact text/event-stream is recognised as a stream; everything else is buffered.",
		SeenIn: "golang/go#47359; basecamp/kamal-proxy#54; caddyserver/caddy#3758",
		Kills:  []string{"SSE-PROXY-003"},
		Break: rewriting(func(w http.ResponseWriter, _ *http.Request) http.ResponseWriter {
			return &bufferedBody{ResponseWriter: w, unless: "text/event-stream"}
		}),
	},
	{
		Name: "gateway-ignores-no-transform", Bug: "Streams are compressed although the origin forbids it.",
		SeenIn: "plausible: compression that only looks at the media type, as in nginx with gzip_types",
		Kills:  []string{"SSE-PROXY-004"},
		Break:  compressing(func(http.Header) bool { return true }, (*gzip.Writer).Flush),
	},
	{
		Name: "gateway-compresses-in-blocks", Bug: "Compressed streams are flushed when a block is full.",
		SeenIn: "Kludex/starlette#2753; mattrobinsonsre/terrapod#71",
		Kills:  []string{"SSE-PROXY-005"},
		Break:  compressing(mayTransform, func(*gzip.Writer) error { return nil }),
	},
	{
		Name: "gateway-flushes-gzip-by-a-timer", Bug: "Compressed streams are flushed every 250 ms, and not when an event has come.",
		SeenIn: "plausible: a flush interval that only the compressor has",
		Kills:  []string{"SSE-PROXY-005"},
		Break:  compressingByTimer(250 * time.Millisecond),
	},
	{
		Name: "gateway-normalises-line-ends", Bug: "CRLF becomes LF.",
		SeenIn: "plausible: a filter that reads the body line by line",
		Kills:  []string{"SSE-PROXY-006"},
		Break: editingBody(func(body io.ReadCloser) io.ReadCloser {
			return &editedBody{ReadCloser: body, edit: func(p []byte) []byte { return bytes.ReplaceAll(p, []byte("\r"), nil) }}
		}),
	},
	{
		Name: "gateway-decodes-pieces-apart", Bug: "Each piece is decoded by itself, and what is no UTF-8 there becomes a question mark.",
		SeenIn: "btubbs/sseclient#38: chunks decoded apart damage a character",
		Kills:  []string{"SSE-PROXY-006", "SSE-PROXY-019"},
		Break: editingBody(func(body io.ReadCloser) io.ReadCloser {
			return &editedBody{ReadCloser: body, edit: func(p []byte) []byte { return bytes.ToValidUTF8(p, []byte("?")) }}
		}),
	},
	{
		Name: "gateway-damages-characters-across-blocks", Bug: "A character that lies across two blocks of 32 KiB is lost.",
		SeenIn: "plausible: a decoder that starts anew with each buffer",
		Kills:  []string{"SSE-PROXY-019"},
		Break: editingBody(func(body io.ReadCloser) io.ReadCloser {
			return &editedBody{ReadCloser: body, edit: func(p []byte) []byte {
				if whole := bytes.ToValidUTF8(p, nil); len(p) >= 32<<10 {
					return whole
				}
				return p
			}}
		}),
	},
	{
		Name: "gateway-keeps-comments-back", Bug: "A comment is passed on with the next event.",
		SeenIn: "plausible: a filter that parses events and writes them again",
		Kills:  []string{"SSE-PROXY-007"},
		Break:  editingBody(func(body io.ReadCloser) io.ReadCloser { return &withoutComments{ReadCloser: body} }),
	},
	{
		Name: "gateway-ends-streams-in-use", ID: "MS-44", Bug: "A timeout ends streams although heartbeats flow.",
		SeenIn: "ory/oathkeeper#877; http-party/node-http-proxy#921",
		Kills:  []string{"SSE-PROXY-008"},
		Break: editingBody(func(body io.ReadCloser) io.ReadCloser {
			time.AfterFunc(responseTimeout, func() { _ = body.Close() })
			return body
		}),
	},
	{
		Name: "gateway-drops-last-event-id", Bug: "Last-Event-ID is not among the request fields that are passed on.",
		SeenIn: "plausible: an allowlist of request fields",
		Kills:  []string{"SSE-PROXY-009"},
		Break:  editingRequest(func(h http.Header) { h.Del("Last-Event-ID") }),
	},
	{
		Name: "gateway-doubles-last-event-id", Bug: "Last-Event-ID is sent to the origin twice.",
		SeenIn: "plausible: a field that is copied by two layers",
		Kills:  []string{"SSE-PROXY-009"},
		Break: editingRequest(func(h http.Header) {
			if id := h.Get("Last-Event-ID"); id != "" {
				h.Add("Last-Event-ID", id)
			}
		}),
	},
	{
		Name: "gateway-keeps-origin-busy", ID: "MS-45", Bug: "When a client leaves, its stream is still read from the origin.",
		SeenIn: "sysid/sse-starlette#173",
		Kills:  []string{"SSE-PROXY-010"},
		Break: func(right *httputil.ReverseProxy) http.Handler {
			outlive := editingBody(func(body io.ReadCloser) io.ReadCloser { return lasting{body} })(right)
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				outlive.ServeHTTP(w, r.WithContext(withoutCancel{r.Context()}))
			})
		},
	},
	{
		Name: "gateway-hides-broken-origin", Bug: "When the origin breaks off, the client's connection stays open.",
		SeenIn: "plausible: an error of the origin's connection that ends the wrong goroutine",
		Kills:  []string{"SSE-PROXY-011"},
		Break: func(right *httputil.ReverseProxy) http.Handler {
			return withBody(right, func(body io.ReadCloser, r *http.Request) io.ReadCloser {
				return &brokenBody{ReadCloser: body, broke: func() (io.Reader, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}}
			})
		},
	},
	{
		Name: "gateway-completes-broken-responses", Bug: "When the origin breaks off, the client gets a complete response.",
		SeenIn: "plausible: an error while copying that is only logged",
		Kills:  []string{"SSE-PROXY-011"},
		Break: editingBody(func(body io.ReadCloser) io.ReadCloser {
			return &brokenBody{ReadCloser: body, broke: func() (io.Reader, error) { return nil, io.EOF }}
		}),
	},
	{
		Name: "gateway-repeats-broken-requests", Bug: "When the origin breaks off, the request is sent again and the second response appended.",
		SeenIn: "plausible: a retry policy for idempotent methods that does not look at what was delivered",
		Kills:  []string{"SSE-PROXY-011", "SSE-PROXY-017"},
		Break: func(right *httputil.ReverseProxy) http.Handler {
			transport := right.Transport
			return withBody(right, func(body io.ReadCloser, r *http.Request) io.ReadCloser {
				return &brokenBody{ReadCloser: body, broke: func() (io.Reader, error) {
					again, err := transport.RoundTrip(r.Clone(r.Context()))
					if err != nil {
						return nil, err
					}
					return again.Body, nil
				}}
			})
		},
	},
	{
		Name: "gateway-caches-streams", Bug: "A response is given to everyone who asks for the same address.",
		SeenIn: "plausible: a cache rule for all GET requests that ignores Cache-Control",
		Kills:  []string{"SSE-PROXY-012"},
		Break:  cacheResponses,
	},
	{
		Name: "gateway-passes-connection-fields", ID: "", Bug: "Fields of the origin's connection reach a client of HTTP/2.",
		SeenIn: "nestjs/nest#17588; bartblast/hologram#1262",
		Kills:  []string{"SSE-PROXY-013"},
		Break: rewriting(func(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
			if r.ProtoMajor == 2 {
				w.Header().Set("Keep-Alive", "timeout=5")
			}
			return w
		}),
	},
	{
		Name: "gateway-answers-errors-with-page", Bug: "An error of the origin becomes a page with status 200.",
		SeenIn: "plausible: custom error pages that forget the status",
		Kills:  []string{"SSE-PROXY-014"},
		Break:  rewriting(func(w http.ResponseWriter, _ *http.Request) http.ResponseWriter { return friendly{w} }),
	},
	{
		Name: "gateway-reads-ahead", Bug: "What a client does not read is kept in memory without a bound.",
		SeenIn: "plausible: an unbounded queue between the two connections",
		Kills:  []string{"SSE-PROXY-016"},
		Break:  editingBody(newReadAhead),
	},
	{
		Name: "gateway-limits-origin-connections", Bug: "All streams share fifty connections to the origin, and the next one waits.",
		SeenIn: "plausible: a connection pool's limit made for short requests",
		Kills:  []string{"SSE-PROXY-018"},
		Break: func(right *httputil.ReverseProxy) http.Handler {
			right.Transport.(*http.Transport).MaxConnsPerHost = 50
			return right
		},
	},
	{
		Name: "gateway-cuts-streams-on-reload", Bug: "A new configuration ends all streams at once.",
		SeenIn: "plausible: old workers are ended instead of being given time",
		Kills:  []string{"SSE-PROXY-015"},
		Reload: func(s *gateway.Server, handler http.Handler) {
			s.Reload(handler)
			s.Cut()
		},
	},
	{
		Name: "gateway-serves-six-streams-a-client", Bug: "The seventh stream on an HTTP/2 connection waits for the end of another.",
		SeenIn: "plausible: SETTINGS_MAX_CONCURRENT_STREAMS and limits per client made for short requests",
		Kills:  []string{"SSE-LIMIT-007"},
		Break: func(right *httputil.ReverseProxy) http.Handler {
			var clients sync.Map
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.TLS != nil {
					places, _ := clients.LoadOrStore(r.RemoteAddr, make(chan struct{}, 6))
					select {
					case places.(chan struct{}) <- struct{}{}:
						defer func() { <-places.(chan struct{}) }()
					case <-r.Context().Done():
						return
					}
				}
				right.ServeHTTP(w, r)
			})
		},
	},
}

// responseTimeout is shorter than any stream should be.
const responseTimeout = 2 * time.Second

// rewriting puts a writer of its own between the gateway and the client.
func rewriting(writer func(http.ResponseWriter, *http.Request) http.ResponseWriter) func(*httputil.ReverseProxy) http.Handler {
	return func(right *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			wrong := writer(w, r)
			defer func() {
				if end, ok := wrong.(io.Closer); ok {
					_ = end.Close() // the client may be gone
				}
			}()
			right.ServeHTTP(wrong, r)
		})
	}
}

// editingBody replaces the body of the origin's response.
func editingBody(edit func(io.ReadCloser) io.ReadCloser) func(*httputil.ReverseProxy) http.Handler {
	return func(right *httputil.ReverseProxy) http.Handler {
		return withBody(right, func(body io.ReadCloser, _ *http.Request) io.ReadCloser { return edit(body) })
	}
}

func withBody(right *httputil.ReverseProxy, edit func(io.ReadCloser, *http.Request) io.ReadCloser) http.Handler {
	right.ModifyResponse = func(r *http.Response) error {
		r.Body = edit(r.Body, r.Request)
		return nil
	}
	return right
}

// editingRequest changes the fields that reach the origin.
func editingRequest(edit func(http.Header)) func(*httputil.ReverseProxy) http.Handler {
	return func(right *httputil.ReverseProxy) http.Handler {
		rewrite := right.Rewrite
		right.Rewrite = func(r *httputil.ProxyRequest) {
			rewrite(r)
			edit(r.Out.Header)
		}
		return right
	}
}

// bufferedBody flushes the head, and then nothing more.
type bufferedBody struct {
	http.ResponseWriter

	unless  string // a media type that is not buffered
	flushed bool
}

// Flush lets only the head pass, unless the media type is the one.
func (b *bufferedBody) Flush() {
	if !b.flushed || b.unless != "" && b.Header().Get("Content-Type") == b.unless {
		b.ResponseWriter.(http.Flusher).Flush()
	}
	b.flushed = true
}

// headApart is a connection to an origin on which what came with the head of a response is read together with what comes next.
type headApart struct {
	net.Conn

	beyond bool // the head was read
	kept   []byte
}

func (c *headApart) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p[:max(len(p)-len(c.kept), 1)])
	if c.beyond {
		read := slices.Concat(c.kept, p[:n])
		c.kept = bytes.Clone(read[copy(p, read):])
		return min(len(p), len(read)), err
	}
	if end := bytes.Index(p[:n], []byte("\r\n\r\n")); end >= 0 {
		c.beyond = true
		c.kept = bytes.Clone(p[end+4 : n])
		n = end + 4
	}
	return n, err
}

// heldHead does not flush before there is a body.
type heldHead struct {
	http.ResponseWriter

	written bool
}

func (h *heldHead) Write(p []byte) (int, error) {
	h.written = true
	return h.ResponseWriter.Write(p)
}

// Flush does nothing before the first Write.
func (h *heldHead) Flush() {
	if h.written {
		h.ResponseWriter.(http.Flusher).Flush()
	}
}

// friendly answers every error with a page.
type friendly struct{ http.ResponseWriter }

func (f friendly) WriteHeader(status int) {
	if status >= http.StatusBadRequest {
		status = http.StatusOK
	}
	f.ResponseWriter.WriteHeader(status)
}

// Flush passes it on.
func (f friendly) Flush() { f.ResponseWriter.(http.Flusher).Flush() }

func mayTransform(h http.Header) bool {
	return !slices.ContainsFunc(h.Values("Cache-Control"), func(v string) bool { return strings.Contains(v, "no-transform") })
}

// compressing compresses streams for clients that take gzip, where the response's fields allow it.
func compressing(allowed func(http.Header) bool, flush func(*gzip.Writer) error) func(*httputil.ReverseProxy) http.Handler {
	return rewriting(func(w http.ResponseWriter, r *http.Request) http.ResponseWriter {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			return w
		}
		return &gzipped{ResponseWriter: w, allowed: allowed, flush: flush}
	})
}

type gzipped struct {
	http.ResponseWriter

	allowed func(http.Header) bool
	flush   func(*gzip.Writer) error
	mu      sync.Mutex
	to      *gzip.Writer // nil: not compressed
}

func (c *gzipped) WriteHeader(status int) {
	if h := c.Header(); status == http.StatusOK && c.allowed(h) {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		c.to = gzip.NewWriter(c.ResponseWriter)
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *gzipped) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to == nil {
		return c.ResponseWriter.Write(p)
	}
	return c.to.Write(p)
}

// Flush passes on what was compressed so far, if the mutant does.
func (c *gzipped) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to != nil {
		_ = c.flush(c.to) // the client may be gone
	}
	c.ResponseWriter.(http.Flusher).Flush()
}

// Close ends the compressed body.
func (c *gzipped) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.to == nil {
		return nil
	}
	return c.to.Close()
}
