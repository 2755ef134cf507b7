package sse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// Conn is one connection of a scripted server, in the hands of its script. Each writing method is exactly one
// write to a socket with TCP_NODELAY, so one segment as long as it fits.
type Conn struct {
	Number   int       // in the order of arrival, from 0
	Accepted time.Time // when the connection was accepted

	server *Server
	raw    *net.TCPConn
	conn   net.Conn // raw, or TLS over it
	in     *bufio.Reader
}

// Received is one request that a scripted server has read.
type Received struct {
	Conn     int       // the connection's number
	Accepted time.Time // when its connection was accepted
	At       time.Time // when its head was complete
	Method   string
	Target   string
	Proto    string
	Header   http.Header // without Host
	Host     string
	Body     []byte
}

// LastEventID is the position that was asked for; ok tells an empty header from none.
func (r *Received) LastEventID() (id string, ok bool) {
	values, ok := r.Header["Last-Event-Id"]
	return strings.Join(values, ", "), ok
}

// maxReceivedBody bounds what a client may send.
const maxReceivedBody = 16 << 20

// Request reads and records the next request of the connection.
func (c *Conn) Request() (*Received, error) {
	if c.in == nil {
		c.in = bufio.NewReader(c.conn)
	}
	read, err := http.ReadRequest(c.in)
	if err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	r := Received{
		Conn: c.Number, Accepted: c.Accepted, At: time.Now(),
		Method: read.Method, Target: read.RequestURI, Proto: read.Proto, Header: read.Header, Host: read.Host,
	}
	if r.Body, err = io.ReadAll(io.LimitReader(read.Body, maxReceivedBody)); err != nil {
		return nil, fmt.Errorf("reading the body of a request: %w", err)
	}
	c.server.record(r)
	return &r, nil
}

// Head sends the head of a response. Each field is a line such as "Content-Type: text/event-stream".
func (c *Conn) Head(status int, fields ...string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", status, http.StatusText(status))
	for _, f := range fields {
		b.WriteString(f)
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	return c.Send(b.String())
}

// Stream reads a request and answers it with 200 and an event stream that lasts until the connection
// is closed, with further header fields.
func (c *Conn) Stream(fields ...string) (*Received, error) {
	r, err := c.Request()
	if err != nil {
		return nil, err
	}
	return r, c.Head(http.StatusOK, append([]string{"Content-Type: text/event-stream", "Cache-Control: no-store"}, fields...)...)
}

// Write sends p in one write.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.conn.Write(p)
	if err != nil {
		return n, fmt.Errorf("sending %d bytes: %w", len(p), err)
	}
	return n, nil
}

// Send is Write for a string.
func (c *Conn) Send(s string) error {
	_, err := c.Write([]byte(s))
	return err
}

// Chunk sends data as one chunk of the chunked coding, in one write. Without data it sends the last chunk and
// an empty trailer. [Chunked] gives chunks whose boundaries are not those of the segments.
func (c *Conn) Chunk(data []byte) error {
	_, err := c.Write(AppendChunk(nil, data))
	return err
}

// Segments sends each segment in a write of its own, with a pause between two of them so that the
// kernel does not join them. A slow drip is Segments(pause, [EachByte](p)...).
//
// A client that gets no processor time would find several segments at once after any pause. So a client on
// this machine is waited for as well, where the kernel tells (Linux), but not for ever: it may not want to read.
func (c *Conn) Segments(pause time.Duration, segments ...[]byte) error {
	until := time.Now().Add(longestUnread)
	var queue *peerQueue
	if len(segments) > 1 && pause > 0 {
		queue = openPeerQueue(addrPort(c.raw.LocalAddr()), addrPort(c.raw.RemoteAddr()))
		defer queue.close()
	}
	for i, p := range segments {
		if i > 0 && pause > 0 && !c.awaitRead(queue, pause, until) {
			return fmt.Errorf("sending segment %d of %d: %w", i, len(segments), net.ErrClosed)
		}
		if _, err := c.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// longestUnread is how long segments wait for a client that does not read, all together.
const longestUnread = 2 * time.Second

// awaitRead lets a pause pass in which the client has read all that was sent to it, as two looks half a pause apart say: at one alone it
// may be about to read on. false means that the server was closed meanwhile.
func (c *Conn) awaitRead(queue *peerQueue, pause time.Duration, until time.Time) bool {
	for nothingLeft := 0; nothingLeft < 2; {
		if !c.pause(pause / 2) {
			return false
		}
		nothingLeft++
		if left, ok := queue.unread(); ok && left > 0 && time.Now().Before(until) {
			nothingLeft = 0
		}
	}
	return true
}

func addrPort(a net.Addr) netip.AddrPort {
	p := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

// pause waits; false means that the server was closed meanwhile.
func (c *Conn) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.server.ctx.Done():
		return false
	}
}

// Endless sends p again and again until the client gives up: an endless header, line or
// event. It returns how many bytes the client let it send.
func (c *Conn) Endless(p []byte) int64 {
	var sent int64
	for {
		n, err := c.conn.Write(p)
		sent += int64(n)
		if err != nil {
			return sent
		}
	}
}

// Hold keeps the connection as it is, neither reading nor writing: a black hole before the request was
// read, a half-open connection after it. It returns when until is closed or the server is; nil waits for the latter.
func (c *Conn) Hold(until <-chan struct{}) {
	select {
	case <-until:
	case <-c.server.ctx.Done():
	}
}

// AwaitGone reads and drops whatever comes until the client has closed or reset the connection.
func (c *Conn) AwaitGone() time.Time {
	from := io.Reader(c.conn)
	if c.in != nil {
		from = c.in
	}
	_, _ = io.Copy(io.Discard, from) // any error is the end we wait for
	return time.Now()
}

// CloseWrite sends FIN and goes on reading, so nothing that the client sent is answered with a reset.
func (c *Conn) CloseWrite() error {
	if half, ok := c.conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Reset closes the connection with RST instead of FIN. Bytes that were sent but not yet read by the client
// may be lost to it.
func (c *Conn) Reset() error {
	if err := c.raw.SetLinger(0); err != nil {
		return fmt.Errorf("resetting the connection: %w", err)
	}
	return c.raw.Close()
}
