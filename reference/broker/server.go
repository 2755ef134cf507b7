package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// ServerConfig says where a Server listens.
type ServerConfig struct {
	Addr    string      // host:port; default 127.0.0.1:0, a free port
	TLSCert string      // PEM file; with TLSKey, HTTPS with HTTP/2
	TLSKey  string      // PEM file
	TLS     *tls.Config // with its certificates, instead of the two files

	ErrorLog *log.Logger // what goes wrong with single connections; default discarded
}

// Server serves a Broker on one address. Several may serve the same Broker, one after the other or at the same time.
type Server struct {
	broker *Broker
	http   *http.Server
	url    string
	gate   gate
	served chan struct{} // closed when serving has ended, with err
	err    error
}

type serverKey struct{}

func serverOf(r *http.Request) *Server {
	server, _ := r.Context().Value(serverKey{}).(*Server)
	return server
}

// Start listens and serves until Close or Drain. Its errors are those of reading the certificate and of listening.
func Start(b *Broker, config ServerConfig) (*Server, error) {
	setDefault(&config.Addr, "127.0.0.1:0")
	s := &Server{broker: b, served: make(chan struct{})}
	secure, err := config.tls()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", config.Addr, err)
	}
	s.http = s.newHTTP(secure, config.ErrorLog)
	s.url = "http://" + listener.Addr().String()
	if secure != nil {
		s.url = "https://" + listener.Addr().String()
	}
	go func() {
		defer close(s.served)
		s.err = s.serve(listener, secure != nil)
	}()
	return s, nil
}

func (c ServerConfig) tls() (*tls.Config, error) {
	if c.TLSCert == "" && c.TLSKey == "" {
		return c.TLS.Clone(), nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("reading the TLS certificate %s and key %s: %w", c.TLSCert, c.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// newHTTP sets no write timeout, because streams are meant to last: each write has its own.
func (s *Server) newHTTP(secure *tls.Config, errorLog *log.Logger) *http.Server {
	if errorLog == nil {
		errorLog = log.New(io.Discard, "", 0)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!s.broker.config.Tamper.http1())
	return s.broker.config.Tamper.serving(&http.Server{
		Protocols:         protocols,
		Handler:           s.broker.Handler(),
		TLSConfig:         secure,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          errorLog,
		HTTP2:             s.http2(),
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), serverKey{}, s)
		},
	})
}

// http2 pings a silent connection, so that a vanished client is noticed.
func (s *Server) http2() *http.HTTP2Config {
	silence := max(s.broker.config.Heartbeat, s.broker.config.WriteTimeout)
	return &http.HTTP2Config{MaxConcurrentStreams: 1000, SendPingTimeout: silence, PingTimeout: silence}
}

func (s *Server) serve(l net.Listener, secure bool) error {
	run := s.http.Serve
	if secure {
		run = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	err := run(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", s.url, err)
}

// URL is where the server can be reached, without a trailing slash.
func (s *Server) URL() string { return s.url }

// Close stops listening and cuts every connection at once, as a crash would. The Broker keeps its history.
func (s *Server) Close() error {
	s.gate.shut()
	err := s.http.Close()
	s.gate.cut()
	<-s.served
	return errors.Join(err, s.err)
}

// Drain refuses new requests with 503, sends every subscriber of this server what was published for it and a jittered
// retry, ends the connections and stops listening. When ctx ends first, it cuts off the rest and returns the cause. The
// Broker keeps its history, so another server can go on.
func (s *Server) Drain(ctx context.Context) error {
	err := s.gate.drain(ctx, s.broker)
	if shut := s.http.Shutdown(ctx); shut != nil {
		err = errors.Join(err, s.http.Close())
	}
	<-s.served
	return errors.Join(err, s.err)
}
