package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/embedded"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// subject is what is to be checked; end gives it up.
func (k *checkup) subject() (s *server.Subject, end func(), err error) {
	if k.flags.through.address != "" {
		return k.flags.through.subject(context.Background(), k.stderr)
	}
	if k.target == "" {
		b, err := embedded.Start(embedded.Config())
		if err != nil {
			return nil, nil, err
		}
		return b.Subject(), b.Close, nil
	}
	target, err := lookupTarget(k.target)
	if err != nil {
		return nil, nil, inputError(err)
	}
	access, err := run.AccessTo(target)
	if err != nil {
		return nil, nil, inputError(err)
	}
	k.wired = func(ctx context.Context) error { return access.Wired(ctx, target, k.flags.seed) }
	return newServerSubject(target, access), access.Publish.CloseIdleConnections, nil
}

// targetSubject is a target file as the server cases see it.
type targetSubject struct {
	target *scenarios.Target
	access *run.Access

	mu      sync.Mutex
	clients map[string]int // the number that each has in templates, from 1
}

func newServerSubject(t *scenarios.Target, a *run.Access) *server.Subject {
	made := &targetSubject{target: t, access: a, clients: map[string]int{}}
	s := &server.Subject{
		Name: t.Name, Kind: "target", URL: t.Address(),
		Subscribe: made.subscribe, TLS: a.TLS, Shared: !made.namesStreams(), Many: t.FollowsMany(), Ready: string(t.Ready),
		Restart: a.Restart, Drain: a.Drain, Memory: a.Memory, Files: a.Files, Processor: a.Processor, Processes: a.Processes,
		Heartbeat: t.Heartbeat, SlowPolicy: string(t.SlowPolicy), Gap: t.GapEvent, Greeting: t.Greeting, Ping: t.Ping,
		TotalOrder: t.Order != "per-publisher", Redact: t.Redact, RedactPieces: t.RedactPieces, RedactHeader: t.RedactHeader,
	}
	for _, c := range t.Capabilities {
		s.Capabilities = append(s.Capabilities, string(c))
	}
	if t.Order == "total" {
		s.Capabilities = append(s.Capabilities, "order")
	}
	if t.HTTP == "2" {
		s.Capabilities = append(s.Capabilities, "http2")
	}
	if t.History != nil {
		s.History, s.HistoryAge = t.History.Events, t.History.Age
	}
	if t.Publish != nil {
		s.Publish, s.Types, s.IDs = made.publish, made.typesMessages(), made.identifiesMessages()
	}
	s.Nodes = t.Nodes
	if a.Mint != nil {
		s.Mint, s.Cookie, s.Rights = made.mint, t.Auth.Cookie, made.rights()
	}
	s.Credentials, s.Admission = made.credentials(), made.admission()
	if a.Mint != nil && a.Revoke != nil {
		s.Revoke = made.revoke
	}
	if t.Auth != nil && t.Auth.Key != "" {
		s.Key, s.Claims = []byte(t.Auth.Key), made.claims
	}
	return s
}

// namesStreams says whether the address of a subscription depends on the stream.
func (s *targetSubject) namesStreams() bool {
	return s.differs(func(name string) (scenarios.Request, error) {
		return s.target.SubscribeRequest(scenarios.SubscribeVars{Streams: []string{name}})
	})
}

// typesMessages says whether a publish carries an event type.
func (s *targetSubject) typesMessages() bool {
	return s.differs(func(name string) (scenarios.Request, error) {
		return s.target.PublishRequest(scenarios.PublishVars{Stream: "a", Data: "b", Type: name})
	})
}

// identifiesMessages says whether a publish carries an event id.
func (s *targetSubject) identifiesMessages() bool {
	return s.differs(func(name string) (scenarios.Request, error) {
		return s.target.PublishRequest(scenarios.PublishVars{Stream: "a", Data: "b", ID: name, HasID: true})
	})
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (s *targetSubject) differs(render func(name string) (scenarios.Request, error)) bool {
	one, err := render("one")
	if err != nil {
		return false
	}
	other, err := render("other")
	return err == nil && (one.URL != other.URL || !bytes.Equal(one.Body, other.Body) || fmt.Sprint(one.Header) != fmt.Sprint(other.Header))
}

func (s *targetSubject) subscribe(_ context.Context, sub server.Subscription) (*sse.Request, error) {
	r, err := s.target.SubscribeRequest(scenarios.SubscribeVars{Subscriber: s.number(sub.Client), Streams: sub.Streams, Token: sub.Token})
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("the subscribe url is malformed")
	}
	req := &sse.Request{URL: address, Header: r.Header, LastEventID: sub.Position}
	if parameter, ok := strings.CutPrefix(s.target.Subscribe.LastEventID, "query:"); ok && sub.Position != "" {
		query := address.Query()
		query.Set(parameter, sub.Position)
		address.RawQuery, req.LastEventID = query.Encode(), ""
	}
	return req, nil
}

func (s *targetSubject) publish(ctx context.Context, m server.Message) server.Receipt {
	if m.Token == "" && s.access.Mint != nil {
		token, err := s.mint(ctx, server.Grant{Publish: []string{m.Stream}})
		if err != nil {
			return server.Receipt{Err: err}
		}
		m.Token = token
	}
	r, err := s.target.PublishRequest(scenarios.PublishVars{Stream: m.Stream, Data: m.Data, Type: m.Type, Number: m.Number, Token: m.Token, ID: orEmpty(m.ID), HasID: m.ID != nil})
	if err != nil {
		return server.Receipt{Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return server.Receipt{Err: fmt.Errorf("the publish url is malformed")}
	}
	req.Header = r.Header
	if m.Edit != nil {
		m.Edit(req)
	}
	return server.PublishHTTP(ctx, s.access.Publish, req, s.target.Accepts)
}

func (s *targetSubject) vars(g server.Grant) scenarios.SubscribeVars {
	if len(g.Publish) > 0 {
		return scenarios.SubscribeVars{Subscriber: -1, Streams: g.Publish}
	}
	return scenarios.SubscribeVars{Subscriber: s.number(g.User), Streams: g.Subscribe}
}

// number is a client's in templates, and that of whom a token is made for.
func (s *targetSubject) number(client string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, known := s.clients[client]
	if !known {
		n = len(s.clients) + 1
		s.clients[client] = n
	}
	return n
}

func (s *targetSubject) mint(ctx context.Context, g server.Grant) (string, error) {
	return s.access.Mint(ctx, s.vars(g), cmp.Or(g.Life, tokenLife))
}

func (s *targetSubject) revoke(ctx context.Context, g server.Grant, token string) error {
	return s.access.Revoke(ctx, s.vars(g), token)
}

// tokenLife is that of a token whose life does not matter.
const tokenLife = time.Hour

func (s *targetSubject) claims(g server.Grant) (map[string]any, error) {
	return run.TokenClaims(s.target, s.vars(g), cmp.Or(g.Life, tokenLife))
}
