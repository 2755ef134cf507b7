package embedded

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/gateway"
	"github.com/streamgauge/streamgauge/reference/hub"
)

// Hub is a running reference hub.
type Hub struct {
	server  *gateway.Server
	address *url.URL
	client  *http.Client
}

// StartHub starts a hub, with rules changed by wrong unless that is nil. Close it.
func StartHub(wrong func(*hub.Rules)) (*Hub, error) {
	right := hub.New()
	if wrong != nil {
		wrong(&right.Rules)
	}
	s, err := gateway.Start("127.0.0.1:0", right)
	if err != nil {
		return nil, err
	}
	h := &Hub{server: s, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	if h.address, err = url.Parse(s.URL() + hub.Path); err != nil {
		s.Close()
		return nil, err
	}
	return h, nil
}

// Close ends the hub with all its connections.
func (h *Hub) Close() {
	h.server.Close()
	h.client.CloseIdleConnections()
}

// Subject describes the hub to the cases.
func (h *Hub) Subject() *server.Subject {
	return &server.Subject{
		Name: "reference hub", Kind: "reference", URL: h.address.String(), Ready: "headers",
		Capabilities: []string{"publish", "resume", "auth"},
		Subscribe:    h.subscribe, Publish: h.publish, IDs: true,
		Mint:   func(context.Context, server.Grant) (string, error) { return hub.Token, nil },
		Cookie: hub.Cookie, Parameters: map[string]map[string]string{"SSE-AUTH-011": {"origin": hub.Origin}},
	}
}

func (h *Hub) subscribe(_ context.Context, s server.Subscription) (*sse.Request, error) {
	address := *h.address
	address.RawQuery = url.Values{"match": s.Streams}.Encode()
	req := &sse.Request{URL: &address, Header: http.Header{}, LastEventID: s.Position}
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	return req, nil
}

func (h *Hub) publish(ctx context.Context, m server.Message) server.Receipt {
	form := url.Values{"topic": {m.Stream}, "data": {m.Data}}
	if m.ID != nil {
		form.Set("id", *m.ID)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return server.Receipt{Err: err}
	}
	if m.Token == "" {
		m.Token = hub.Token
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+m.Token)
	if m.Edit != nil {
		m.Edit(req)
	}
	return server.PublishHTTP(ctx, h.client, req, func(status int, _ []byte) bool { return status == http.StatusOK })
}
