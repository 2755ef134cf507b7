// Package hub is a Mercure hub with as much of the protocol as requirements are about: it keeps everything, in memory, and knows one
// token. It imports nothing of the harness.
package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

const (
	// Path is where the hub is, for subscribers and publishers alike.
	Path = "/.well-known/mercure"
	// Token opens every topic.
	Token = "good"
	// Cookie carries a token where there is no header.
	Cookie = "mercureAuthorization"
	// Origin is the one whose pages may publish by cookie.
	Origin = "https://app.example"

	subscriptions = Path + "/subscriptions"
)

// Hub is an http.Handler.
type Hub struct {
	Rules Rules // not to be changed once the hub serves

	mu          sync.Mutex
	changed     chan struct{} // closed and replaced at every update
	updates     []update
	subscribers int
}

// update is what was published.
type update struct {
	topic, id, data string
	private         bool
}

// New makes a hub that is right.
func New() *Hub { return &Hub{Rules: rules(), changed: make(chan struct{})} }

// ServeHTTP subscribes by GET and publishes by POST.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header, inHeader := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	cookie := ""
	if c, err := r.Cookie(Cookie); err == nil {
		cookie = c.Value
	}
	token := h.Rules.Choose(header, cookie, inHeader)
	switch publishing := r.Method == http.MethodPost; {
	case token != Token && (token != "" || publishing):
		w.Header().Set("WWW-Authenticate", "Bearer")
		w.WriteHeader(http.StatusUnauthorized)
	case publishing && !inHeader && !h.Rules.Trusts(r.Header.Get("Origin")):
		w.WriteHeader(http.StatusForbidden)
	case publishing:
		h.publish(w, r)
	case !h.Rules.Matches(r.URL.RawQuery):
		w.WriteHeader(http.StatusBadRequest)
	default:
		h.stream(w, r, token == Token)
	}
}

func (h *Hub) publish(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !h.Rules.Accepts(r.PostForm) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	u := h.add(update{topic: r.PostForm.Get("topic"), id: r.PostForm.Get("id"), data: r.PostForm.Get("data")}, r.PostForm.Has("id"))
	fmt.Fprint(w, h.Rules.Answer(u.id))
}

// add publishes an update, which gets an id unless it has one, be it an empty one.
func (h *Hub) add(u update, identified bool) update {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !identified {
		u.id = "urn:update:" + strconv.Itoa(len(h.updates)+1)
	}
	h.updates = append(h.updates, u)
	close(h.changed)
	h.changed = make(chan struct{})
	return u
}

// begin is where a subscriber begins, and which update precedes the first one it is sent; "" when it asked for no position.
func (h *Hub) begin(r *http.Request) (next int, before string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	position := r.Header.Get("Last-Event-ID")
	if position == "" {
		return len(h.updates), ""
	}
	ids := make([]string, len(h.updates))
	for i, u := range h.updates {
		ids[i] = u.id
	}
	at := h.Rules.Find(ids, position)
	if at < 0 {
		return 0, "earliest"
	}
	return at + 1, position
}

func (h *Hub) stream(w http.ResponseWriter, r *http.Request, authorized bool) {
	next, before := h.begin(r)
	if before != "" {
		h.Rules.Tell(w.Header(), before)
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
			wanted := u.topic == topic || pattern != "" && strings.HasPrefix(u.topic, subscriptions)
			if wanted && (authorized || !u.private) {
				fmt.Fprintf(w, "%sdata: %s\n\n", h.Rules.Field(u.id), u.data)
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
func (h *Hub) subscription(match string) (end func()) {
	h.mu.Lock()
	h.subscribers++
	subscriber := "urn:subscriber:" + strconv.Itoa(h.subscribers)
	h.mu.Unlock()
	tell := func(active bool) {
		topic := subscriptions + "/Exact/" + url.PathEscape(match) + "/" + subscriber
		text, _ := json.Marshal(map[string]any{"id": topic, "type": "Subscription", "match": match, "subscriber": subscriber, "active": active}) // never fails
		h.add(update{topic: topic, data: string(text), private: h.Rules.Private}, false)
	}
	tell(true)
	return func() { tell(false) }
}
