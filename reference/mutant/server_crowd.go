package mutant

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverCrowdMutants let one connection suffer for others that are, or were, there as well.
var serverCrowdMutants = []Mutant{
	{
		Name: "silences-the-twins-of-the-departed", Bug: "When a connection ends, all those of the same client to the same streams are unregistered with it, and stay open.",
		SeenIn: "plausible: subscriptions that are kept by client and topics, and removed by them", Kills: []string{"SSE-DELIV-015"},
		Broker: func(c *broker.Config) {
			var left sync.Map // client and streams → when one of them left
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				defer func() { left.Store(fmt.Sprint(userOf(r), r.URL.Query()["stream"]), time.Now()) }()
				next.ServeHTTP(blocking(w), r)
			})
			c.Tamper.Deliver = func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if at, ever := left.Load(fmt.Sprint(to.User, to.Streams)); ever && to.Joined.Before(at.(time.Time)) {
					return nil
				}
				return []broker.Event{ev}
			}
		},
	},
	{
		Name: "keeps-places-of-who-did-not-wait", Bug: "Whoever leaves before the answer keeps the place that was taken for it.",
		SeenIn: "plausible: an early return behind the counter, where the client has gone while its rights were looked up", Kills: []string{"SSE-LIMIT-003"},
		Broker: func(c *broker.Config) {
			p := &placesOf{limit: c.MaxConnectionsPerUser, taken: map[string]int{}}
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				user := userOf(r)
				if !p.take(user) {
					w.Header().Set("Retry-After", "1")
					http.Error(w, "too many connections", http.StatusTooManyRequests)
					return
				}
				if pause(r, 3*time.Millisecond); r.Context().Err() != nil {
					return
				}
				defer p.give(user)
				next.ServeHTTP(blocking(w), r)
			})
		},
	},
	{
		Name: "keeps-files-of-the-refused", Bug: "A subscription over the limit leaves a file open.",
		SeenIn: "plausible: an early return in front of the one that closes", Kills: []string{"SSE-LIMIT-012"},
		Broker: func(c *broker.Config) {
			var mu sync.Mutex
			var kept []*os.File
			c.Tamper = headed(func(_ *http.Request, h http.Header) {
				if h.Get("Retry-After") == "" {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if file, err := os.Open(os.DevNull); err == nil {
					kept = append(kept, file)
				}
			})
		},
	},
	{
		Name: "leaves-out-the-fortieth", Bug: "Of those who follow a stream at once, the fortieth gets nothing.",
		SeenIn: "plausible: a list in blocks with an index that is off by one", Kills: []string{"SSE-DELIV-016"},
		Broker: func(c *broker.Config) {
			var delivered sync.Map // event → *atomic.Int64
			c.Tamper = &broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				n, _ := delivered.LoadOrStore(ev.Sequence, new(atomic.Int64))
				if n.(*atomic.Int64).Add(1) == 40 {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
}

// userOf is whom a request's token names.
func userOf(r *http.Request) string {
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		return ""
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	text, _ := base64.RawURLEncoding.DecodeString(parts[1])
	_ = json.Unmarshal(text, &claims) // no token names nobody
	return claims.Subject
}

// blocking keeps the broker from taking the connection over, so that serving a stream lasts until its end.
func blocking(w http.ResponseWriter) http.ResponseWriter {
	return &filter{ResponseWriter: w, change: func(p []byte) []byte { return p }}
}

// placesOf are the places of each user.
type placesOf struct {
	limit int

	mu    sync.Mutex
	taken map[string]int
}

func (p *placesOf) take(user string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if user != "" && p.taken[user] >= p.limit {
		return false
	}
	p.taken[user]++
	return true
}

func (p *placesOf) give(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken[user]--
}
