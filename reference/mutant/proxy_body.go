package mutant

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// editedBody changes the bytes of a body; an edit may leave fewer, but no more.
type editedBody struct {
	io.ReadCloser

	edit func([]byte) []byte
}

func (b *editedBody) Read(p []byte) (int, error) {
	for {
		n, err := b.ReadCloser.Read(p)
		n = copy(p, b.edit(p[:n]))
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// withoutComments passes on a comment when something else follows it.
type withoutComments struct {
	io.ReadCloser

	kept []byte
}

func (b *withoutComments) Read(p []byte) (int, error) {
	if len(b.kept) > len(p)/2 { // too long to be kept
		n := copy(p, b.kept)
		b.kept = b.kept[n:]
		return n, nil
	}
	for {
		n, err := b.ReadCloser.Read(p[:len(p)/2])
		b.kept = append(b.kept, p[:n]...)
		if err == nil && len(b.kept) < len(p)/4 && onlyComments(b.kept) {
			continue
		}
		n = copy(p, b.kept)
		b.kept = b.kept[n:]
		return n, err
	}
}

func onlyComments(p []byte) bool {
	for line := range bytes.Lines(p) {
		if len(line) > 1 && line[0] != ':' {
			return false
		}
	}
	return true
}

// lasting goes on reading when it is closed.
type lasting struct{ io.ReadCloser }

func (b lasting) Close() error {
	go func() {
		_, _ = io.Copy(io.Discard, b.ReadCloser) // until the origin ends it
		_ = b.ReadCloser.Close()                 // nobody is left to be told
	}()
	return nil
}

// withoutCancel keeps a context's values. Its Done is not nil, since the proxy would then look for another sign that the client left.
type withoutCancel struct{ context.Context }

var never = make(chan struct{})

func (withoutCancel) Done() <-chan struct{}       { return never }
func (withoutCancel) Err() error                  { return nil }
func (withoutCancel) Deadline() (time.Time, bool) { return time.Time{}, false }

// brokenBody goes on elsewhere when the origin breaks off.
type brokenBody struct {
	io.ReadCloser

	broke func() (io.Reader, error)
	from  io.Reader // once it did; nil before
}

func (b *brokenBody) Read(p []byte) (int, error) {
	if b.from != nil {
		return b.from.Read(p)
	}
	n, err := b.ReadCloser.Read(p)
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
		return n, err
	}
	if b.from, err = b.broke(); err != nil {
		return n, err
	}
	return n, nil
}

// cacheResponses keeps what was answered with 200, and while it is still coming, lets others wait for it.
func cacheResponses(right *httputil.ReverseProxy) http.Handler {
	var mu sync.Mutex
	cached := map[string]*cachedResponse{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		hit := cached[r.URL.String()]
		if hit == nil {
			hit = &cachedResponse{ResponseWriter: w, complete: make(chan struct{})}
			cached[r.URL.String()] = hit
			mu.Unlock()
			defer close(hit.complete)
			right.ServeHTTP(hit, r)
			return
		}
		mu.Unlock()
		select {
		case <-hit.complete:
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = w.Write(hit.body.Bytes()) // the client may be gone
		case <-r.Context().Done():
		}
	})
}

type cachedResponse struct {
	http.ResponseWriter

	complete chan struct{} // closed when the body is
	body     bytes.Buffer
}

func (c *cachedResponse) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}

// Flush passes it on.
func (c *cachedResponse) Flush() { c.ResponseWriter.(http.Flusher).Flush() }

// readAhead reads a body into memory as fast as it comes.
type readAhead struct {
	body io.ReadCloser

	mu    sync.Mutex
	more  *sync.Cond
	ahead bytes.Buffer
	err   error
}

func newReadAhead(body io.ReadCloser) io.ReadCloser {
	a := &readAhead{body: body}
	a.more = sync.NewCond(&a.mu)
	go a.fill()
	return a
}

func (a *readAhead) fill() {
	p := make([]byte, 32<<10)
	for {
		n, err := a.body.Read(p)
		a.mu.Lock()
		a.ahead.Write(p[:n])
		a.err = err
		a.more.Broadcast()
		a.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (a *readAhead) Read(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.ahead.Len() == 0 && a.err == nil {
		a.more.Wait()
	}
	if a.ahead.Len() == 0 {
		return 0, a.err
	}
	return a.ahead.Read(p)
}

func (a *readAhead) Close() error { return a.body.Close() }
