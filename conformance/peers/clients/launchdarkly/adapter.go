package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/launchdarkly/eventsource"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

// adapter is the client with its defaults: back after three seconds each time, once the first connection stood.
type adapter struct{}

func (adapter) Hello() subject.Hello {
	return subject.Hello{
		Name: "launchdarkly/eventsource", Version: "1.11.0", Lang: "go", Profile: "sdk-client",
		Caps: []string{
			string(subject.Retry), string(subject.LastEventID), string(subject.Headers), string(subject.IdleTimeout), string(subject.Restart),
			string(subject.Redirects), string(subject.Multi),
		},
		Policy: &subject.Policy{Backoff: &subject.Delay{BaseMS: 3000, Factor: 1, Spread: "down"}},
	}
}

// Open has the client follow the URL.
func (adapter) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, http.NoBody)
	if err != nil {
		cancel()
		return nil, err
	}
	for name, value := range o.Headers {
		request.Header.Set(name, value)
	}
	s := &subscription{to: to, cancel: cancel}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	options := []eventsource.StreamOption{
		eventsource.StreamOptionHTTPClient(&http.Client{Transport: transport}),
		eventsource.StreamOptionLastEventID(o.LastEventID),
		eventsource.StreamOptionErrorHandler(func(err error) eventsource.StreamErrorHandlerResult {
			s.failed(false, err)
			return eventsource.StreamErrorHandlerResult{}
		}),
	}
	if o.RetryMS > 0 {
		options = append(options, eventsource.StreamOptionInitialRetry(time.Duration(o.RetryMS)*time.Millisecond))
	}
	if o.IdleTimeoutMS != nil {
		options = append(options, eventsource.StreamOptionReadTimeout(time.Duration(*o.IdleTimeoutMS)*time.Millisecond))
	}
	go func() {
		defer transport.CloseIdleConnections()
		s.follow(request, options)
	}()
	return s, nil
}

// subscription is one stream of the client.
type subscription struct {
	to     *subject.Reporter
	cancel context.CancelFunc

	mu     sync.Mutex
	stream *eventsource.Stream // nil while the first attempt is made
	closed bool
}

// follow hands on what the stream tells, until it is closed. The first attempt blocks; its error is the caller's, and final.
func (s *subscription) follow(request *http.Request, options []eventsource.StreamOption) {
	stream, err := eventsource.SubscribeWithRequestAndOptions(request, options...)
	if err != nil {
		s.failed(true, err)
		return
	}
	s.mu.Lock()
	s.stream = stream
	if s.closed {
		stream.Close()
	}
	s.mu.Unlock()
	for e := range stream.Events {
		id := e.Id()
		if last, ok := e.(eventsource.EventWithLastID); ok {
			id = last.LastEventID()
		}
		s.tell(func() { s.to.Event(e.Event(), []byte(e.Data()), id) })
	}
}

func (s *subscription) failed(fatal bool, err error) {
	cause, status := subject.CauseNetwork, 0
	var refused eventsource.SubscriptionError
	var network net.Error
	switch {
	case errors.As(err, &refused):
		cause, status = subject.CauseStatus, refused.Code
	case errors.Is(err, eventsource.ErrReadTimeout), errors.As(err, &network) && network.Timeout():
		cause = subject.CauseTimeout
	}
	s.tell(func() { s.to.Failed(fatal, cause, status, err.Error()) })
}

// tell reports unless it was closed.
func (s *subscription) tell(report func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		report()
	}
}

// Close closes the stream, as an application does that has no use for it any more; a first attempt ends with its context.
func (s *subscription) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.stream != nil {
		s.stream.Close()
		return
	}
	s.cancel()
}

// Restart has the client connect anew.
func (s *subscription) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream != nil {
		s.stream.Restart()
	}
}
