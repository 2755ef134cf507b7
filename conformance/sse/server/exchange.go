package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Exchange is a connection on which requests are written by hand.
type Exchange struct {
	subject *Subject
	conn    net.Conn
	in      *bufio.Reader
}

// exchangeBytes is the most that is read on one exchange, whatever a hostile subject sends.
const exchangeBytes = 1 << 20

// Answer is the head of a response that was read by hand.
type Answer struct {
	Proto  string
	Status int
	Header http.Header
}

// Dial connects to where a subscription would go; the case's end closes the connection.
func (t *Trial) Dial(req *sse.Request) *Exchange {
	t.Doing("a connection is made")
	ctx, cancel := context.WithTimeout(t.Context(), t.arrival)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", sse.HostPort(req.URL))
	if err != nil {
		t.interrupted()
		t.Unknown("no connection could be made: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it may be closed by now
	if req.URL.Scheme == "https" {
		conn = t.secured(ctx, conn, req.URL.Hostname())
	}
	return &Exchange{subject: t.Subject, conn: conn, in: bufio.NewReaderSize(io.LimitReader(conn, exchangeBytes), 64<<10)}
}

func (t *Trial) secured(ctx context.Context, conn net.Conn, host string) net.Conn {
	config := t.Subject.TLS.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	config.NextProtos = []string{"http/1.1"}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		t.interrupted()
		t.Unknown("no TLS connection could be made: %v", err)
	}
	return secured
}

// Request is the request of a subscription, to be changed and written by hand.
func (t *Trial) Request(streams []string, options ...Option) *sse.Request {
	o := &opening{Subscription: Subscription{Streams: streams}}
	for _, option := range options {
		option(o)
	}
	req, err := t.request(o)
	if err != nil {
		t.Unknown("%v", err)
	}
	return req
}

// Write sends the head of a request with the given method and version, "HTTP/1.0" for one.
func (x *Exchange) Write(method, proto string, req *sse.Request) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\nHost: %s\r\nAccept: text/event-stream\r\n", method, req.URL.RequestURI(), proto, req.URL.Host)
	for name, values := range req.Header {
		for _, value := range values {
			if name != "Accept" {
				fmt.Fprintf(&b, "%s: %s\r\n", name, value)
			}
		}
	}
	b.WriteString("\r\n")
	_, err := x.conn.Write([]byte(b.String()))
	return err
}

// Answer reads the head of the next response.
func (x *Exchange) Answer(method string, within time.Duration) (Answer, error) {
	if err := x.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return Answer{}, err
	}
	resp, err := http.ReadResponse(x.in, &http.Request{Method: method}) //nolint:bodyclose // what follows the head is read by hand
	if err != nil {
		return Answer{}, err
	}
	header := resp.Header
	if len(resp.TransferEncoding) > 0 {
		header.Set("Transfer-Encoding", strings.Join(resp.TransferEncoding, ", "))
	}
	return Answer{Proto: resp.Proto, Status: resp.StatusCode, Header: header}, nil
}

// Next waits for the next byte and returns what is there then, without taking it.
func (x *Exchange) Next(within time.Duration) ([]byte, error) {
	if err := x.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	if _, err := x.in.Peek(1); err != nil {
		return nil, err
	}
	return x.in.Peek(x.in.Buffered())
}

// Evidence shows the head.
func (a Answer) Evidence() []string { return headEvidence(a.Proto, a.Status, a.Header) }

// leave closes the connection with FIN, or with RST.
func (x *Exchange) leave(reset bool) { hangUp(x.conn, reset) }

// hangUp closes a connection with FIN, or with RST.
func hangUp(conn net.Conn, reset bool) {
	if tcp, ok := conn.(*net.TCPConn); ok && reset {
		_ = tcp.SetLinger(0) // it is about to be closed
	}
	_ = conn.Close() // that is the point
}
