package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// OriginServer is the server behind an intermediary: every request that comes through is handed to the case that sent it, which
// decides byte by byte what is answered.
type OriginServer struct {
	server *sse.Server

	mu      sync.Mutex
	awaited map[string]chan *Upstream // by the name in the query
	first   chan struct{}             // closed at the first request that has a name
	asked   bool
}

// originParameter is the query parameter by which a request is recognised behind the intermediary.
const originParameter = "streamgauge"

// StartOrigin listens at addr, "host:port", until it is closed or the context ends. "" is a free port of 127.0.0.1.
func StartOrigin(ctx context.Context, addr string) (*OriginServer, error) {
	o := &OriginServer{awaited: map[string]chan *Upstream{}, first: make(chan struct{})}
	server, err := sse.Serve(ctx, sse.ServerOptions{Addr: addr}, o.serve)
	if err != nil {
		return nil, fmt.Errorf("starting the origin: %w", err)
	}
	o.server = server
	return o, nil
}

// Addr is where it listens, "host:port".
func (o *OriginServer) Addr() string { return o.server.Addr() }

// URL is its address.
func (o *OriginServer) URL() string { return o.server.URL("") }

// Close ends the origin and every connection to it.
func (o *OriginServer) Close() { o.server.Close() }

// Reached is closed once a request of the harness has come through the intermediary.
func (o *OriginServer) Reached() <-chan struct{} { return o.first }

// manyRequests is how many unanswered requests one name may have; a gateway that repeats a request more often is a storm.
const manyRequests = 64

// expect makes the origin hand over the requests of this name.
func (o *OriginServer) expect(name string) <-chan *Upstream {
	requests := make(chan *Upstream, manyRequests)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.awaited[name] = requests
	return requests
}

// forget ends that: from now on the origin answers such requests by itself.
func (o *OriginServer) forget(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.awaited, name)
}

func (o *OriginServer) arrived(r *sse.Received) (handTo chan<- *Upstream) {
	u, err := url.Parse(r.Target)
	if err != nil {
		return nil
	}
	name := u.Query().Get(originParameter)
	o.mu.Lock()
	defer o.mu.Unlock()
	if name != "" && !o.asked {
		o.asked = true
		close(o.first)
	}
	return o.awaited[name]
}

// serve answers the one request of a connection. Connections are not used again, so that the end of one always belongs to the
// stream it carried.
func (o *OriginServer) serve(c *sse.Conn) error {
	r, err := c.Request()
	if err != nil {
		return err
	}
	u := &Upstream{Request: r, conn: c, gone: make(chan struct{}), over: make(chan struct{})}
	handTo := o.arrived(r)
	if handTo == nil {
		return c.Send(unasked)
	}
	select {
	case handTo <- u:
	default:
		return c.Send(tooMany)
	}
	go func() {
		defer close(u.gone)
		defer crash.Catch()
		u.goneAt = c.AwaitGone()
	}()
	c.Hold(u.over)
	if u.cut {
		return nil
	}
	_ = c.CloseWrite() // the peer may be gone
	linger := time.NewTimer(lingering)
	defer linger.Stop()
	select {
	case <-u.gone:
	case <-linger.C:
	}
	return nil
}

// lingering is how long a connection whose response is over waits for the peer to close it too: closed at once, it could be reset
// by what the peer still sends.
const lingering = time.Second

// What the origin answers without a case: to those who look whether it is there, and to a gateway that does not stop asking.
const (
	unasked = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nContent-Length: 10\r\nConnection: close\r\n\r\n: origin\n\n"
	tooMany = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)

// Upstream is one request that came through the intermediary, and the connection it came on.
type Upstream struct {
	Request *sse.Received

	conn    *sse.Conn
	gone    chan struct{} // closed when the peer has closed or reset the connection
	goneAt  time.Time     // once it is
	over    chan struct{} // closed by Finish, Break and Reset
	ended   sync.Once
	cut     bool // set before over is closed
	chunked bool // the body is sent in chunks
}

// Answer sends the head of a response with further fields. Its body is chunked when a field says so, and else lasts until Finish.
func (u *Upstream) Answer(status int, fields ...string) error {
	return u.Head(fmt.Sprintf("HTTP/1.1 %d %s\r\n%s\r\n\r\n", status, http.StatusText(status), strings.Join(fields, "\r\n")))
}

// Head sends a head as it is; it ends with the blank line.
func (u *Upstream) Head(head string) error {
	u.chunked = strings.Contains(head, chunkedField)
	return u.conn.Send(head)
}

// HeadWith is Head and Send in one write.
func (u *Upstream) HeadWith(head, body string) error {
	u.chunked = strings.Contains(head, chunkedField)
	if u.chunked {
		body = string(sse.AppendChunk(nil, []byte(body)))
	}
	return u.conn.Send(head + body)
}

// Send sends a piece of the body in one write, as a chunk of its own if the body is chunked.
func (u *Upstream) Send(body string) error {
	switch {
	case body == "":
		return nil
	case u.chunked:
		return u.conn.Chunk([]byte(body))
	}
	return u.conn.Send(body)
}

// Segments sends pieces of the body in writes of their own.
func (u *Upstream) Segments(pieces ...[]byte) error {
	for _, p := range pieces {
		if err := u.Send(string(p)); err != nil {
			return err
		}
	}
	return nil
}

// CutChunk begins a chunk and ends the connection inside of it.
func (u *Upstream) CutChunk() {
	_ = u.conn.Send("40\r\ndata: cut") // the peer may be gone
	u.Break()
}

// Finish ends the response as HTTP wants it and closes the connection.
func (u *Upstream) Finish() {
	u.ended.Do(func() {
		if u.chunked {
			_ = u.conn.Chunk(nil) // the peer may be gone
		}
		close(u.over)
	})
}

// Break closes the connection with FIN wherever the body is.
func (u *Upstream) Break() {
	u.ended.Do(func() { close(u.over) })
}

// Reset closes the connection with RST.
func (u *Upstream) Reset() {
	u.ended.Do(func() {
		u.cut = true
		_ = u.conn.Reset() // the peer may be gone
		close(u.over)
	})
}

// Gone says whether the peer closes the connection within the given time, and when it did.
func (u *Upstream) Gone(ctx context.Context, within time.Duration) (at time.Time, gone bool) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-u.gone:
		return u.goneAt, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return time.Time{}, false
}
