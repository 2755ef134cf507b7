// Package gateway is a reverse proxy that does to event streams what a gateway should: nothing. Each piece is passed on when it
// arrives, and each end and disconnect too. It imports nothing of the harness.
package gateway

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// New returns a handler that forwards everything to the origin.
func New(origin *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(origin)
			r.SetXForwarded()
		},
		// Without DisableCompression the transport would ask for compression by itself, and undo it.
		Transport:     &http.Transport{DisableCompression: true},
		FlushInterval: -1, // at once, and the head before there is a body
		ErrorLog:      log.New(io.Discard, "", 0),
	}
}

// Server serves a handler on a port of its own: by HTTP/1.1 and HTTP/2, without TLS or with it.
type Server struct {
	server   *http.Server
	listener net.Listener
	scheme   string
	done     chan struct{}

	mu      sync.Mutex
	handler http.Handler
	clients map[net.Conn]struct{}
}

// Start listens at addr, "host:port", until Close.
func Start(addr string, handler http.Handler) (*Server, error) { return StartTLS(addr, handler, nil) }

// StartTLS is Start with the certificates of a configuration; nil is plaintext.
func StartTLS(addr string, handler http.Handler, config *tls.Config) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, scheme: "http", done: make(chan struct{}), handler: handler, clients: map[net.Conn]struct{}{}}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(config != nil)
	protocols.SetUnencryptedHTTP2(config == nil)
	s.server = &http.Server{Handler: s, Protocols: protocols, TLSConfig: config, ConnState: s.count, ErrorLog: log.New(io.Discard, "", 0)}
	serve := s.server.Serve
	if config != nil {
		s.scheme = "https"
		serve = func(l net.Listener) error { return s.server.ServeTLS(l, "", "") }
	}
	go func() {
		defer close(s.done)
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close() // whoever connects shall see it
		}
	}()
	return s, nil
}

// ServeHTTP serves a request by the handler of the moment.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	handler := s.handler
	s.mu.Unlock()
	handler.ServeHTTP(w, r)
}

// Reload serves new requests by another handler. Streams that are open live on.
func (s *Server) Reload(handler http.Handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

// Cut closes the connections of all clients.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		_ = c.Close() // that is the point
	}
}

func (s *Server) count(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.clients[c] = struct{}{}
	case http.StateClosed, http.StateHijacked:
		delete(s.clients, c)
	case http.StateActive, http.StateIdle:
	}
}

// URL is its address.
func (s *Server) URL() string { return s.scheme + "://" + s.listener.Addr().String() }

// Close ends it with all its connections.
func (s *Server) Close() {
	_ = s.server.Close() // nothing is left to be saved
	<-s.done
}
