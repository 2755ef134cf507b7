//go:build matrix

package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
)

// mercureHub speaks as much of the Mercure protocol as its requirements are about. wrong is the id of the one that it breaks.
type mercureHub struct {
	wrong string

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced at every update
	updates     []hubUpdate
	subscribers int
}

type hubUpdate struct {
	topic, id, data string
	private         bool
}

const hubToken, hubPath, subscriptionsPath = "good", "/.well-known/mercure", "/.well-known/mercure/subscriptions"

func (h *mercureHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		h.publish(w, r)
		return
	}
	token, inHeader := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if c, err := r.Cookie("mercureAuthorization"); err == nil && (!inHeader || h.wrong == "SSE-MERC-006") {
		token = c.Value
	}
	switch {
	case token != "" && token != hubToken:
		w.WriteHeader(http.StatusUnauthorized)
	case h.wrong != "SSE-MERC-003" && !validMatchers(r.URL.RawQuery):
		w.WriteHeader(http.StatusBadRequest)
	default:
		h.stream(w, r, token == hubToken)
	}
}

func validMatchers(query string) bool {
	values, err := url.ParseQuery(query)
	for name, matchers := range values {
		known := name == "match" || name == "matchExact" || name == "matchURLPattern"
		if !known && strings.HasPrefix(strings.ToLower(name), "match") {
			return false
		}
		for _, m := range matchers {
			if !utf8.ValidString(m) || strings.ContainsFunc(m, unicode.IsControl) || strings.HasSuffix(m, "(") {
				return false
			}
		}
	}
	return err == nil
}

func (h *mercureHub) publish(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || h.wrong != "SSE-MERC-004" && !validUpdate(r.PostForm) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	u := hubUpdate{topic: r.PostForm.Get("topic"), id: r.PostForm.Get("id"), data: r.PostForm.Get("data")}
	u = h.add(u)
	if h.wrong == "SSE-MERC-001" {
		u.id = "ok"
	}
	fmt.Fprint(w, u.id)
}

func validUpdate(form url.Values) bool {
	topic, err := url.Parse(form.Get("topic"))
	if err != nil || len(form["topic"]) != 1 || form.Get("topic") == "*" {
		return false
	}
	path := (&url.URL{Scheme: "http", Host: "hub"}).ResolveReference(topic).Path
	_, err = strconv.ParseUint(form.Get("retry"), 10, 32)
	id := form.Get("id")
	return path != hubPath && !strings.HasPrefix(path, hubPath+"/") && (err == nil || form.Get("retry") == "") &&
		!strings.HasPrefix(id, "#") && !strings.ContainsAny(id, "\r\n\x00") && id != "earliest" && form.Get("type") != "mercure"
}

func (h *mercureHub) add(u hubUpdate) hubUpdate {
	h.mu.Lock()
	defer h.mu.Unlock()
	if u.id == "" {
		u.id = "urn:update:" + strconv.Itoa(len(h.updates)+1)
	}
	h.updates = append(h.updates, u)
	close(h.changed)
	h.changed = make(chan struct{})
	return u
}

// begin is where a subscriber begins, and what the response says of it.
func (h *mercureHub) begin(r *http.Request) (next int, told string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	position := r.Header.Get("Last-Event-ID")
	at := slices.IndexFunc(h.updates, func(u hubUpdate) bool { return u.id == position })
	if h.wrong == "SSE-MERC-005" {
		for i, u := range h.updates {
			if u.id == position {
				at = i
			}
		}
	}
	switch {
	case position == "":
		return len(h.updates), ""
	case at < 0:
		return 0, "earliest"
	}
	return at + 1, position
}

func (h *mercureHub) stream(w http.ResponseWriter, r *http.Request, authorized bool) {
	next, told := h.begin(r)
	if told != "" && h.wrong != "SSE-MERC-002" {
		w.Header().Set("Mercure-Last-Event-ID", told)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	topic, pattern := r.URL.Query().Get("match"), r.URL.Query().Get("matchURLPattern")
	if pattern == "" {
		defer h.subscription(topic)()
	}
	for {
		h.mu.Lock()
		updates, changed := h.updates[next:], h.changed
		next = len(h.updates)
		h.mu.Unlock()
		for _, u := range updates {
			wanted := u.topic == topic || pattern != "" && strings.HasPrefix(u.topic, subscriptionsPath)
			if wanted && (authorized || !u.private) {
				fmt.Fprintf(w, "id: %s\ndata: %s\n\n", u.id, u.data)
			}
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// subscription tells of the beginning of a subscription, and returns what tells of its end.
func (h *mercureHub) subscription(match string) (end func()) {
	h.mu.Lock()
	h.subscribers++
	subscriber := "urn:subscriber:" + strconv.Itoa(h.subscribers)
	h.mu.Unlock()
	tell := func(active bool) {
		topic := subscriptionsPath + "/Exact/" + url.PathEscape(match) + "/" + subscriber
		text, err := json.Marshal(map[string]any{"id": topic, "type": "Subscription", "match": match, "subscriber": subscriber, "active": active})
		if err != nil {
			panic(err)
		}
		h.add(hubUpdate{topic: topic, data: string(text), private: h.wrong != "SSE-MERC-007"})
	}
	tell(true)
	return func() { tell(false) }
}

func startMercureHub(t *testing.T, wrong string) *server.Subject {
	t.Helper()
	s := httptest.NewServer(&mercureHub{wrong: wrong, changed: make(chan struct{})})
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	address, err := url.Parse(s.URL + hubPath)
	if err != nil {
		t.Fatal(err)
	}
	return &server.Subject{
		Name: "hub", Kind: "target", URL: address.String(), Many: true, Ready: "headers", Capabilities: []string{"publish", "resume"},
		Subscribe: func(_ context.Context, sub server.Subscription) (*sse.Request, error) {
			u := *address
			u.RawQuery = url.Values{"match": sub.Streams}.Encode()
			req := &sse.Request{URL: &u, Header: http.Header{}, LastEventID: sub.Position}
			if sub.Token != "" {
				req.Header.Set("Authorization", "Bearer "+sub.Token)
			}
			return req, nil
		},
		Publish: func(ctx context.Context, m server.Message) server.Receipt {
			form := url.Values{"topic": {m.Stream}, "data": {m.Data}}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(form.Encode()))
			if err != nil {
				return server.Receipt{Err: errors.New("no request")}
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			return server.PublishHTTP(ctx, s.Client(), req, func(status int) bool { return status == http.StatusOK })
		},
		Mint: func(context.Context, server.Grant) (string, error) { return hubToken, nil },
	}
}

func TestHubsFailExactlyWhatTheyBreak(t *testing.T) {
	matrixOnly(t)
	t.Parallel()
	for n := range 8 {
		wrong := fmt.Sprintf("SSE-MERC-%03d", n)
		t.Run(wrong, func(t *testing.T) {
			t.Parallel()
			verdicts, _, err := server.Check(t.Context(), startMercureHub(t, wrong), server.Cases, server.Options{Profile: conformance.ProfileMercure, Only: []string{"MERC"}})
			if err != nil {
				t.Fatal(err)
			}
			if len(verdicts) != 7 {
				t.Errorf("%d verdicts, want 7", len(verdicts))
			}
			for _, v := range verdicts {
				want := conformance.Pass
				if v.ID == wrong {
					want = conformance.Fail
				}
				// What follows a publish cannot be asked for without its id.
				follows := wrong == "SSE-MERC-001" && (v.ID == "SSE-MERC-002" || v.ID == "SSE-MERC-005")
				if v.Outcome != want && !follows {
					t.Errorf("want %v: %s", want, describeVerdict(v))
				}
			}
		})
	}
}
