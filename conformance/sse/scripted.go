package sse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// Script decides what one connection of a [Server] gets to see. When it returns, the connection is
// closed. Its error is kept for [Server.Errors]: that a client went away in the middle of a script is one too.
type Script func(c *Conn) error

// ServerOptions say where and how a scripted server listens. The zero value is plaintext on 127.0.0.1 and a free port.
type ServerOptions struct {
	Addr string      // host:port
	TLS  *tls.Config // speaks TLS when set; HTTP/1.1 only
}

// Server is a scripted server: a raw TCP writer that sends the very bytes, in the very
// segments, that its script asks for, right or wrong. It records every request it reads.
type Server struct {
	script   Script
	tls      *tls.Config
	listener net.Listener
	ctx      context.Context // ends with Close; scripts are waiting on it
	cancel   context.CancelFunc
	scripts  sync.WaitGroup

	mu       sync.Mutex
	accepted int
	open     map[*Conn]struct{}
	requests []Received
	arrived  chan struct{} // closed and replaced at every request
	errs     []error
}

// Serve starts a scripted server. Close it, or end the context, to get rid of it.
func Serve(ctx context.Context, opts ServerOptions, script Script) (*Server, error) {
	addr := opts.Addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("starting a scripted server on %s: %w", addr, err)
	}
	s := &Server{
		script: script, tls: opts.TLS, listener: listener,
		open: make(map[*Conn]struct{}), arrived: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(ctx)
	crash.Go(&s.scripts, s.accept)
	context.AfterFunc(s.ctx, s.shut)
	return s, nil
}

// Addr is the listening address, "host:port".
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the server's address as a URL with the given path, which may carry a query.
func (s *Server) URL(path string) string {
	if s.tls != nil {
		return "https://" + s.Addr() + path
	}
	return "http://" + s.Addr() + path
}

// Close ends the listener and every connection, and returns once all scripts have.
func (s *Server) Close() {
	s.cancel()
	s.shut()
	s.scripts.Wait()
}

func (s *Server) shut() {
	_ = s.listener.Close() // closing twice is harmless
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.raw.Close()
	}
}

// Requests is what was read so far, in the order in which the heads were complete.
func (s *Server) Requests() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received(nil), s.requests...)
}

// Await returns the requests as soon as there are at least n of them.
func (s *Server) Await(ctx context.Context, n int) ([]Received, error) {
	for {
		s.mu.Lock()
		got, arrived := s.requests[:len(s.requests):len(s.requests)], s.arrived
		s.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return got, fmt.Errorf("waiting for request %d of the scripted server, %d came: %w", n, len(got), ctx.Err())
		}
	}
}

// Errors is what the scripts returned so far.
func (s *Server) Errors() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]error(nil), s.errs...)
}

func (s *Server) accept() {
	for {
		raw, err := s.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.failed(fmt.Errorf("accepting: %w", err))
			}
			return
		}
		c := s.admit(raw.(*net.TCPConn))
		if c == nil {
			return
		}
		crash.Go(&s.scripts, func() { s.run(c) })
	}
}

// admit numbers a connection; nil once the server is closed.
func (s *Server) admit(raw *net.TCPConn) *Conn {
	c := &Conn{Accepted: time.Now(), server: s, raw: raw, conn: raw}
	if s.tls != nil {
		c.conn = tls.Server(raw, s.tls)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		_ = raw.Close()
		return nil
	}
	c.Number = s.accepted
	s.accepted++
	s.open[c] = struct{}{}
	return c
}

func (s *Server) run(c *Conn) {
	if err := s.script(c); err != nil {
		s.failed(fmt.Errorf("connection %d: %w", c.Number, err))
	}
	_ = c.conn.Close() // the client may be gone
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
}

func (s *Server) record(r Received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	close(s.arrived)
	s.arrived = make(chan struct{})
}
