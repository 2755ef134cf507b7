// Package gateway is a reverse proxy that does to event streams what a gateway should: nothing. Each piece is passed on when it
// arrives, and each end and disconnect too. It imports nothing of the harness.
package gateway

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
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

// Server serves a handler on a port of its own, by HTTP/1.1 and by HTTP/2 without TLS.
type Server struct {
	server   *http.Server
	listener net.Listener
	done     chan struct{}
}

// Start listens at addr, "host:port", until Close.
func Start(addr string, handler http.Handler) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s := &Server{
		server:   &http.Server{Handler: handler, Protocols: protocols, ErrorLog: log.New(io.Discard, "", 0)},
		listener: listener, done: make(chan struct{}),
	}
	go func() {
		defer close(s.done)
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			_ = listener.Close() // whoever connects shall see it
		}
	}()
	return s, nil
}

// URL is its address.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close ends it with all its connections.
func (s *Server) Close() {
	_ = s.server.Close() // nothing is left to be saved
	<-s.done
}
