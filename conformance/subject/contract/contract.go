// Package contract drives a test service of launchdarkly/sse-contract-tests as a client under test: a service that already exists works as it
// is. The contract is that of docs/service_spec.md in that repository.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// answerWithin bounds each request to the service.
const answerWithin = 10 * time.Second

// Service starts a conversation with the service at a URL. The service itself has been started by somebody else, and goes on afterwards.
func Service(address *url.URL) subject.Starter {
	return func(ctx context.Context) (*subject.Link, error) {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		s := &service{address: address, http: &http.Client{Timeout: answerWithin, Transport: transport}, patient: &http.Client{Transport: transport}}
		s.life, s.end = context.WithCancel(context.WithoutCancel(ctx))
		if err := s.greet(ctx); err != nil {
			return nil, err
		}
		if err := s.listen(ctx); err != nil {
			return nil, err
		}
		link, err := subject.Local(s)(ctx)
		if err != nil {
			s.close()
			return nil, err
		}
		wait := link.Wait
		link.Wait = func() error { defer s.close(); return wait() }
		return link, nil
	}
}

// service is one conversation with a test service.
type service struct {
	address   *url.URL
	http      *http.Client
	hello     subject.Hello
	listens   bool // event types must be asked for
	callbacks *http.Server
	base      string // URL of the callbacks

	patient  *http.Client // for what lasts until the client has connected
	life     context.Context
	end      context.CancelFunc
	creating sync.WaitGroup

	mu    sync.Mutex
	next  int
	conns map[string]*stream // by the first part of their callbacks' path
}

// abilities are the service's words for capabilities.
var abilities = map[string]subject.Capability{
	"comments": subject.Comments, "headers": subject.Headers, "last-event-id": subject.LastEventID, "post": subject.Post,
	"read-timeout": subject.IdleTimeout, "restart": subject.Restart, "retry": subject.Retry,
}

// greet asks for the service's status.
func (s *service) greet(ctx context.Context) error {
	var status struct {
		Name         string   `json:"name"`
		Capabilities []string `json:"capabilities"`
	}
	resp, err := s.do(ctx, http.MethodGet, s.address, nil)
	if err != nil {
		return fmt.Errorf("asking the test service for its status: %w", err)
	}
	if len(bytes.TrimSpace(resp.body)) > 0 {
		if err := json.Unmarshal(resp.body, &status); err != nil {
			return fmt.Errorf("reading the status of the test service: %w: %.200q", err, resp.body)
		}
	}
	s.hello = subject.Hello{
		Name: status.Name, Profile: "sdk-client", Caps: []string{string(subject.Multi)}, Unsaid: []string{"fatal", "cause", "closed"},
	}
	if s.hello.Name == "" {
		s.hello.Name = "test service at " + s.address.Host
	}
	for _, c := range status.Capabilities {
		if known, ok := abilities[c]; ok {
			s.hello.Caps = append(s.hello.Caps, string(known))
		}
		s.listens = s.listens || c == "event-type-listeners"
	}
	return nil
}

// listen serves the callbacks at the address from which this machine reaches the service.
func (s *service) listen(ctx context.Context) error {
	port := s.address.Port()
	if port == "" {
		port = s.address.Scheme // a name of a port, too
	}
	var dialer net.Dialer
	probe, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(s.address.Hostname(), port))
	if err != nil {
		return fmt.Errorf("connecting to the test service: %w", err)
	}
	host, _, _ := net.SplitHostPort(probe.LocalAddr().String()) // a TCP address has both parts
	_ = probe.Close()                                           // it was only asked for its address
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return fmt.Errorf("listening for the callbacks of the test service: %w", err)
	}
	s.base = "http://" + listener.Addr().String()
	s.conns = map[string]*stream{}
	s.callbacks = &http.Server{Handler: http.HandlerFunc(s.callback), ReadHeaderTimeout: answerWithin, ErrorLog: crash.ServerLog()}
	go func() { _ = s.callbacks.Serve(listener) }() // it ends with close
	return nil
}

func (s *service) close() {
	s.end()
	s.creating.Wait()
	_ = s.callbacks.Close() // whoever still calls back has been closed
	s.http.CloseIdleConnections()
}

// Hello says what the service can do, as far as its contract goes.
func (s *service) Hello() subject.Hello { return s.hello }

// creation is what a stream is created with.
type creation struct {
	StreamURL      string            `json:"streamUrl"`
	CallbackURL    string            `json:"callbackUrl"`
	Tag            string            `json:"tag"`
	InitialDelayMS int               `json:"initialDelayMs,omitempty"`
	ReadTimeoutMS  *int              `json:"readTimeoutMs,omitempty"`
	LastEventID    string            `json:"lastEventId,omitempty"`
	Headers        map[string]string `json:"headers,omitempty"`
	Method         string            `json:"method,omitempty"`
	Body           string            `json:"body,omitempty"`
}

// Open has the service create a stream. Some services answer only when their client has connected, so that is not waited for.
func (s *service) Open(_ context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	c := &stream{service: s, to: to, early: map[int][]byte{}, next: 1}
	s.mu.Lock()
	s.next++
	c.path = strconv.Itoa(s.next)
	s.conns[c.path] = c
	s.mu.Unlock()
	created := creation{
		StreamURL: o.URL, CallbackURL: s.base + "/" + c.path, Tag: "streamgauge " + c.path, InitialDelayMS: o.RetryMS, ReadTimeoutMS: o.IdleTimeoutMS,
		LastEventID: o.LastEventID, Method: o.Method, Body: o.Body,
	}
	if len(o.Headers) > 0 {
		created.Headers = map[string]string{}
		for name, value := range o.Headers {
			created.Headers[strings.ToLower(name)] = value // as the contract wants them
		}
	}
	crash.Go(&s.creating, func() { c.create(created, o.Listen) })
	return c, nil
}

// create has the stream created, and deleted at once when it was closed meanwhile.
func (c *stream) create(what creation, listen []string) {
	resource, err := c.service.create(what, listen)
	c.mu.Lock()
	c.resource = resource
	closed := c.closed
	if err != nil && !closed {
		c.to.Failed(true, "", 0, err.Error())
	}
	c.mu.Unlock()
	if closed && resource != nil {
		c.remove()
	}
}

// create returns the resource of a new stream, which listens for some types of events.
func (s *service) create(what creation, listen []string) (*url.URL, error) {
	resp, err := s.doBy(s.life, s.patient, http.MethodPost, s.address, what)
	if err != nil {
		return nil, fmt.Errorf("creating a stream: %w", err)
	}
	resource, err := s.address.Parse(resp.location)
	if err != nil || resp.location == "" {
		return nil, fmt.Errorf("creating a stream: the response has the Location %q", resp.location)
	}
	for _, kind := range listen {
		if !s.listens || kind == "message" {
			continue
		}
		if _, err := s.do(s.life, http.MethodPost, resource, map[string]any{"command": "listen", "listen": map[string]string{"type": kind}}); err != nil {
			return resource, fmt.Errorf("listening for %q: %w", kind, err)
		}
	}
	return resource, nil
}

func (s *service) forget(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.path)
}

// answer is a response of the service.
type answer struct {
	location string
	body     []byte
}

// maxAnswer bounds what is read of a response, and maxCallback of a callback.
const (
	maxAnswer   = 1 << 20
	maxCallback = 96 << 20
)

func (s *service) do(ctx context.Context, method string, to *url.URL, body any) (*answer, error) {
	return s.doBy(ctx, s.http, method, to, body)
}

func (s *service) doBy(ctx context.Context, by *http.Client, method string, to *url.URL, body any) (*answer, error) {
	var text io.Reader = http.NoBody
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encoding a command: %w", err)
		}
		text = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, to.String(), text)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := by.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, fmt.Errorf("the test service answered %s %s with %s: %.200q", method, to.Path, resp.Status, got)
	}
	return &answer{resp.Header.Get("Location"), got}, nil
}

// callback takes what the service has to say: /STREAM/COUNTER.
func (s *service) callback(w http.ResponseWriter, r *http.Request) {
	path, counter, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	number, err := strconv.Atoi(counter)
	if err != nil {
		http.Error(w, "want /STREAM/COUNTER", http.StatusBadRequest)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCallback))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	c := s.conns[path]
	s.mu.Unlock()
	if c != nil {
		c.take(number, text)
	}
	w.WriteHeader(http.StatusAccepted)
}

// stream is a subscription of the service's client.
type stream struct {
	service *service
	path    string
	to      *subject.Reporter

	mu       sync.Mutex
	resource *url.URL       // nil until it was created
	next     int            // the callback that is due
	early    map[int][]byte // those that came before it
	closed   bool
}

// take reports callbacks in the order of their counters: they may overtake each other on their way.
func (c *stream) take(number int, text []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.early[number] = text
	for !c.closed {
		text, ok := c.early[c.next]
		if !ok {
			return
		}
		delete(c.early, c.next)
		c.next++
		c.report(text)
	}
}

func (c *stream) report(text []byte) {
	var said struct {
		Kind  string `json:"kind"`
		Event struct {
			Type string `json:"type"`
			Data string `json:"data"`
			ID   string `json:"id"`
		} `json:"event"`
		Comment string `json:"comment"`
		Error   string `json:"error"`
	}
	err := json.Unmarshal(text, &said)
	switch {
	case err != nil:
		c.to.Failed(false, "", 0, fmt.Sprintf("a callback that is no JSON: %v: %.200q", err, text))
	case said.Kind == "event":
		c.to.Event(said.Event.Type, []byte(said.Event.Data), said.Event.ID)
	case said.Kind == "comment":
		c.to.Comment(said.Comment)
	case said.Kind == "error":
		c.to.Failed(false, "", 0, strings.TrimSpace(said.Error+" "+said.Comment)) // the text stands in either
	}
}

// Close has the service close the stream.
func (c *stream) Close() {
	c.mu.Lock()
	again, created := c.closed, c.resource != nil
	if !created {
		c.closed = true // it is deleted as soon as it was created
	}
	c.mu.Unlock()
	if again {
		return
	}
	if created {
		c.remove()
	}
	c.mu.Lock()
	c.closed = true // a callback that is still on its way may have been sent before
	c.mu.Unlock()
	c.service.forget(c)
}

// remove deletes the stream at the service.
func (c *stream) remove() {
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	_, _ = c.service.do(ctx, http.MethodDelete, c.resource, nil) // a service that is gone has closed it
}

// Restart has the client connect anew.
func (c *stream) Restart() {
	c.mu.Lock()
	resource := c.resource
	c.mu.Unlock()
	if resource == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	if _, err := c.service.do(ctx, http.MethodPost, resource, map[string]string{"command": "restart"}); err != nil && !errors.Is(err, context.Canceled) {
		c.to.Failed(false, "", 0, err.Error())
	}
}
