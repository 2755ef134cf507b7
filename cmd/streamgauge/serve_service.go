package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// service is the broker that is served. It can be drained or crash, and come back at the same addresses.
type service struct {
	broker  broker.Config
	configs []broker.ServerConfig // of each node

	mu      sync.Mutex
	running *broker.Broker
	servers []*broker.Server // one for each node
	url     string           // of the first node
	others  []string         // of the nodes beside it
}

// startService serves a broker until it is closed or drained, at further addresses too, as nodes of one cluster. Its errors are those
// of [broker.New] and [broker.Start].
func startService(b broker.Config, config broker.ServerConfig, further int) (*service, error) {
	s := &service{broker: b, configs: []broker.ServerConfig{config}}
	for range further {
		node := config
		node.Addr = "127.0.0.1:0"
		s.configs = append(s.configs, node)
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	s.url = s.servers[0].URL()
	for i, server := range s.servers {
		_, s.configs[i].Addr, _ = strings.Cut(server.URL(), "://") // clients look for it there again
		if i > 0 {
			s.others = append(s.others, server.URL())
		}
	}
	return s, nil
}

// start makes a broker unless there is one, and serves it. The caller holds s.mu, or nobody else has s.
func (s *service) start() (err error) {
	if s.running == nil {
		if s.running, err = broker.New(s.broker); err != nil {
			return inputError(err)
		}
	}
	s.servers = nil
	for _, config := range s.configs {
		server, err := broker.Start(s.running, config)
		if err != nil {
			s.cut()
			return err
		}
		s.servers = append(s.servers, server)
	}
	return nil
}

// cut ends everything at once. The caller holds s.mu, or nobody else has s.
func (s *service) cut() {
	for _, server := range s.servers {
		_ = server.Close() // nothing is left to be saved
	}
	if s.running != nil {
		s.running.Close()
	}
	s.servers, s.running = nil, nil
}

// drain ends all streams gracefully and stops listening.
func (s *service) drain(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.drainNodes(ctx)
}

func (s *service) drainNodes(ctx context.Context) error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Drain(ctx))
	}
	return errors.Join(errs...)
}

// drainAndReturn ends all streams gracefully and listens again, with the history.
func (s *service) drainAndReturn(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.drainNodes(ctx), s.start())
}

// restart is a crash: connections are cut, and what was not on a disk is forgotten.
func (s *service) restart(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut()
	return s.start()
}

// revoke withdraws what a user was granted. Without tokens there is nothing to withdraw.
func (s *service) revoke(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil && len(s.broker.TokenKey) > 0 {
		s.running.Revoke(user)
	}
}

// close cuts everything off.
func (s *service) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut()
}

// curl is the beginning of a curl command for the service, and its header with a token.
func (s *service) curl() string {
	command := "curl "
	if strings.HasPrefix(s.url, "https:") {
		command += "-k "
	}
	if len(s.broker.TokenKey) > 0 {
		command += `-H "Authorization: Bearer $TOKEN" `
	}
	return command
}

// usage shows how to follow and to publish.
func (s *service) usage() string {
	metrics := strings.Replace(s.curl(), `-H "Authorization: Bearer $TOKEN" `, "", 1)
	return fmt.Sprintf(`serving %[1]s
  %[2]s-N '%[1]s/events?stream=demo'
  %[2]s-d 'hello' '%[1]s/publish?stream=demo&type=greeting'
  %[3]s'%[1]s/metrics'
`, s.url, s.curl(), metrics)
}
