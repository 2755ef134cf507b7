package mutant

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// batches is a ResponseWriter that sends what was written whenever its period is over, the head at once. It cannot be taken over.
type batches struct {
	http.ResponseWriter

	mu     sync.Mutex
	held   bytes.Buffer
	pass   func(p []byte) []byte // what is sent instead
	direct bool                  // nothing is held
	head   bool                  // has been flushed
}

func (b *batches) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.direct {
		return b.ResponseWriter.Write(p)
	}
	return b.held.Write(p)
}

// FlushError flushes the head.
func (b *batches) FlushError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.head && !b.direct {
		return nil
	}
	b.head = true
	return http.NewResponseController(b.ResponseWriter).Flush()
}

// Unwrap gives deadlines their way.
func (b *batches) Unwrap() http.ResponseWriter { return b.ResponseWriter }

func (b *batches) send() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held.Len() == 0 {
		return
	}
	_, _ = b.ResponseWriter.Write(b.pass(b.held.Bytes())) // the broker learns of an end from its request
	_ = http.NewResponseController(b.ResponseWriter).Flush()
	b.held.Reset()
}

// sent sends in batches until the handler is over.
func (b *batches) sent(period time.Duration, serve func()) {
	ticker, over := time.NewTicker(period), make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				b.send()
			case <-over:
				b.send()
				return
			}
		}
	})
	defer sending.Wait()
	defer close(over)
	serve()
}

// batchedStreams sends streams in batches.
func batchedStreams(period time.Duration) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			b := &batches{ResponseWriter: w, pass: func(p []byte) []byte { return p }}
			b.sent(period, func() { next.ServeHTTP(b, r) })
		})
	}
}

// batchedCoding compresses the streams of who accepts gzip, and flushes in batches.
func batchedCoding(period time.Duration) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != http.MethodGet || !takes("gzip")(r) {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			var out bytes.Buffer
			b := &batches{ResponseWriter: w, pass: flushed(gzip.NewWriter(&out), &out)}
			b.sent(period, func() { next.ServeHTTP(b, r) })
		})
	}
}

// compressingByTimer is a gateway that compresses what may be transformed for who accepts gzip, and flushes it in batches.
func compressingByTimer(period time.Duration) func(*httputil.ReverseProxy) http.Handler {
	return func(proxy *httputil.ReverseProxy) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !takes("gzip")(r) {
				proxy.ServeHTTP(w, r)
				return
			}
			b := &batches{ResponseWriter: w, direct: true}
			b.sent(period, func() { proxy.ServeHTTP(&compressedBatches{b}, r) })
		})
	}
}

// compressedBatches compresses a body if its head allows that.
type compressedBatches struct{ *batches }

func (c *compressedBatches) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.Header(); status == http.StatusOK && mayTransform(h) {
		h.Set("Content-Encoding", "gzip")
		h.Del("Content-Length")
		var out bytes.Buffer
		c.direct, c.pass = false, flushed(gzip.NewWriter(&out), &out)
	}
	c.ResponseWriter.WriteHeader(status)
}

// belated is a ResponseWriter that sends each piece some time after it was written. It cannot be taken over.
type belated struct {
	http.ResponseWriter

	pieces chan piece
	later  time.Duration
	mu     sync.Mutex
	head   bool // has been flushed
}

type piece struct {
	due  time.Time
	text []byte
}

func (b *belated) Write(p []byte) (int, error) {
	b.pieces <- piece{time.Now().Add(b.later), bytes.Clone(p)}
	return len(p), nil
}

// FlushError flushes the head, and leaves the rest to who sends the pieces.
func (b *belated) FlushError() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.head {
		return nil
	}
	b.head = true
	return http.NewResponseController(b.ResponseWriter).Flush()
}

// Unwrap gives deadlines their way.
func (b *belated) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// sent sends the pieces until the handler is over.
func (b *belated) sent(ctx context.Context, serve func()) {
	b.pieces = make(chan piece, 1<<12)
	var sending sync.WaitGroup
	sending.Go(func() {
		for p := range b.pieces {
			due := time.NewTimer(time.Until(p.due))
			select {
			case <-due.C:
			case <-ctx.Done():
			}
			due.Stop()
			b.send(p.text)
		}
	})
	defer sending.Wait()
	defer close(b.pieces)
	serve()
}

func (b *belated) send(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = b.ResponseWriter.Write(p) // the broker learns of an end from its request
	_ = http.NewResponseController(b.ResponseWriter).Flush()
}

// belatedStreams sends each piece of a stream a little later.
func belatedStreams(later time.Duration) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method != http.MethodGet {
				next.ServeHTTP(w, r)
				return
			}
			b := &belated{ResponseWriter: w, later: later}
			b.sent(r.Context(), func() { next.ServeHTTP(b, r) })
		})
	}
}
