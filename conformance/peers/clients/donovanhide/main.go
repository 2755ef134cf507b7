// Command donovanhide is the adapter of the client of donovanhide/eventsource.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/donovanhide/eventsource"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

func main() {
	if err := subject.Serve(context.Background(), os.Stdin, os.Stdout, client{}); err != nil {
		log.Fatal(err)
	}
}

type client struct{}

// Hello says what it can do: it comes back after three seconds, once the first connection stood, and doubles that while it cannot connect.
func (client) Hello() subject.Hello {
	return subject.Hello{
		Name: "donovanhide/eventsource", Version: "c59027999da0", Lang: "go", Profile: "sdk-client",
		Caps:   []string{string(subject.LastEventID), string(subject.Headers), string(subject.Redirects), string(subject.Multi)},
		Policy: &subject.Policy{Backoff: &subject.Delay{BaseMS: 3000, Factor: 2, Reset: "on-open"}},
		Unsaid: []string{"last_event_id"},
	}
}

// Open has the client follow the URL.
func (client) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
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
	go func() {
		defer transport.CloseIdleConnections()
		s.follow(&http.Client{Transport: transport}, request, o.LastEventID)
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
func (s *subscription) follow(client *http.Client, request *http.Request, lastEventID string) {
	stream, err := eventsource.SubscribeWith(lastEventID, client, request)
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
	events, errs := stream.Events, stream.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			s.tell(func() { s.to.Event(e.Event(), []byte(e.Data()), e.Id()) })
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			s.failed(false, err)
		}
	}
}

func (s *subscription) failed(fatal bool, err error) {
	cause, status := subject.CauseNetwork, 0
	var refused eventsource.SubscriptionError
	if errors.As(err, &refused) {
		cause, status = subject.CauseStatus, refused.Code
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

// Close closes the stream; a first attempt ends with its context.
func (s *subscription) Close() {
	s.mu.Lock()
	stream, again := s.stream, s.closed
	s.closed = true
	s.mu.Unlock()
	switch {
	case again:
	case stream != nil:
		stream.Close()
	default:
		s.cancel()
	}
}
