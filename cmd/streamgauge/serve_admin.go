package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// admin answers POST /drain, POST /restart and POST /revoke?user=NAME for whoever runs the service: each is done when its answer comes.
type admin struct {
	server *http.Server
	url    string
	done   chan struct{}
}

// startAdmin listens at addr, "host:port", and also goes by the names that are allowed.
func startAdmin(addr string, allowed []string, s *service, grace time.Duration) (*admin, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, wrongAddress(fmt.Errorf("--admin: %w", err))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /drain", doing(func(ctx context.Context) error {
		limit, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		err := s.drainAndReturn(limit)
		if errors.Is(err, context.DeadlineExceeded) {
			return nil // what was left was cut off, as drain-grace says
		}
		return err
	}))
	mux.HandleFunc("POST /restart", doing(s.restart))
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		s.revoke(r.URL.Query().Get("user"))
		w.WriteHeader(http.StatusNoContent)
	})
	a := &admin{server: &http.Server{Handler: admit(mux, addr, listener, allowed), ReadHeaderTimeout: 10 * time.Second}, url: "http://" + listener.Addr().String(), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		_ = a.server.Serve(listener) // it ends with close
	}()
	return a, nil
}

func doing(do func(context.Context) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := do(context.WithoutCancel(r.Context())); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (a *admin) close() {
	_ = a.server.Close() // nothing is left to be saved
	<-a.done
}
