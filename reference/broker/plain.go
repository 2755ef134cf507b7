package broker

import (
	"bytes"
	"net"
	"net/http"
	"time"
)

// plainConn is an HTTP/1.1 connection taken over from net/http.
type plainConn struct {
	net.Conn
	trier trier
	http1 bool // HTTP/1.1 and so chunked; HTTP/1.0 ends with the connection
}

func (c *plainConn) try(p []byte) (int, error) { return c.trier.try(p) }

func (c *plainConn) write(p []byte, timeout time.Duration) error {
	// A deadline left behind would fail the next try.
	defer func() { _ = c.SetWriteDeadline(time.Time{}) }()
	return writePieces(p, func(piece []byte) error {
		if err := c.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		_, err := c.Write(piece)
		return err
	})
}

func (c *plainConn) start(pump func()) { go pump() }

func (c *plainConn) chunked() bool { return c.http1 }

func (c *plainConn) ending(farewell []byte) []byte {
	if !c.http1 {
		return append([]byte{}, farewell...)
	}
	var b []byte
	if len(farewell) > 0 {
		b = appendFramed(b, farewell, true)
	}
	return append(b, "0\r\n\r\n"...)
}

// close resets a connection that does not end cleanly, so that the client cannot take it for the end of the stream and
// the kernel drops what the peer never read.
func (c *plainConn) close(clean bool) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok && !clean {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}

// watch blocks until the peer is gone. A subscriber has nothing more to say, so what it sends is thrown away.
func (c *plainConn) watch(scratch []byte) {
	for {
		if _, err := c.Read(scratch); err != nil {
			return
		}
	}
}

// carry waits until the client or the broker ends the connection.
func (c *plainConn) carry(s *subscriber) {
	defer s.broker.config.Catch()
	var scratch [16]byte
	c.watch(scratch[:])
	s.end(endGone)
}

// takeOver takes a plaintext HTTP/1 connection away from net/http, whose buffers and goroutine would cost five times as
// much as the stream. It returns nil where that is not possible.
func takeOver(w http.ResponseWriter, r *http.Request, config *Config) *plainConn {
	hijacker, ok := w.(http.Hijacker)
	if !ok || r.ProtoMajor != 1 || r.TLS != nil {
		return nil
	}
	raw, _, err := hijacker.Hijack() // the buffered reader is not kept: a subscriber has nothing more to say
	if err != nil {
		return nil
	}
	_ = raw.SetDeadline(time.Time{}) // an error will show at the first write
	if tcp, ok := raw.(*net.TCPConn); ok {
		tune(tcp, config)
	}
	c := &plainConn{Conn: raw, http1: r.ProtoAtLeast(1, 1)}
	c.trier.open(raw)
	return c
}

// tune bounds what the kernel keeps for a connection and for how long; its defaults also work.
func tune(tcp *net.TCPConn, config *Config) {
	if config.SendBuffer > 0 {
		_ = tcp.SetWriteBuffer(config.SendBuffer)
	}
	// A peer that reads nothing acknowledges nothing either; that is for the write deadline and the slow policy. Without heartbeats nothing
	// needs to be acknowledged but the system's keep-alive probes, of which one that a full queue of the kernel drops would end a good
	// connection.
	if config.Heartbeat <= 0 {
		return
	}
	limitUnacknowledged(tcp, max(2*config.Heartbeat, 2*config.WriteTimeout))
}

// responseHead writes the head of a response of open end.
func responseHead(h http.Header, chunked bool) []byte {
	if chunked {
		h.Set("Transfer-Encoding", "chunked")
	}
	h.Set("Connection", "close")
	if h.Get("Date") == "" {
		h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	_ = h.Write(&b) // a bytes.Buffer never fails
	b.WriteString(crlf)
	return b.Bytes()
}
