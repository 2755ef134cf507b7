package mutant

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// oddClients know their clients, and treat two connections of one otherwise than two of two.
var oddClients = []Odd{
	{
		Name: "lets-newest-connection-win", About: "A client's newest connection takes the place of the one before, which ends.",
		Parameters: withoutLimit, Broker: oneOfEach(func(_ http.ResponseWriter, old *session) bool {
			old.end()
			<-old.ended
			return true
		}),
	},
	{
		Name: "refuses-second-connection", About: "A client that has a stream is refused another one with 409.",
		Parameters: withoutLimit, Broker: oneOfEach(func(w http.ResponseWriter, _ *session) bool {
			http.Error(w, "you have a stream", http.StatusConflict)
			return false
		}),
	},
	{
		Name: "limits-clients-to-one", About: "A client may have one connection; another one is answered with 429.",
		Parameters: map[string]string{"SSE-LIMIT-002.limit": "1", "SSE-LIMIT-003.limit": "1"},
		Broker:     func(c *broker.Config) { c.MaxConnectionsPerUser = 1 },
	},
	{
		Name: "keeps-positions-of-clients", About: "A client that brings no position goes on where its last connection was.",
		Broker: func(c *broker.Config) {
			var positions sync.Map // client → id
			c.Tamper = &broker.Tamper{
				Handler: onEvents(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					if position, known := positions.Load(clientOf(r, c.TokenKey)); known && r.Header.Get("Last-Event-ID") == "" {
						r.Header.Set("Last-Event-ID", position.(string))
					}
					next.ServeHTTP(w, r)
				}),
				Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
					positions.Store(to.User, ev.ID)
					return []broker.Event{ev}
				},
			}
		},
	},
	{
		Name: "lets-any-token-do-everything", About: "A token says who somebody is, and nothing of what it allows.", Withholds: []string{"rights"},
		Broker: resigning(func(_ *http.Request, t *token) bool {
			t.claims.Subscribe, t.claims.Publish = []string{"*"}, []string{"*"}
			return t.signed
		}),
	},
}

// withoutLimit says that nothing is declared of how many connections a user may have.
var withoutLimit = map[string]string{"SSE-LIMIT-002.limit": "", "SSE-LIMIT-003.limit": ""}

// session is a client's stream.
type session struct {
	end   context.CancelFunc
	ended chan struct{}
}

// clientOf is whom a request's token was made for.
func clientOf(r *http.Request, key []byte) string {
	if t, ok := readToken(r.Header.Get("Authorization"), key); ok {
		return t.claims.Subject
	}
	return ""
}

// oneOfEach gives each client one stream. Another one is decided about by meet, which says whether it may begin.
func oneOfEach(meet func(w http.ResponseWriter, old *session) bool) func(*broker.Config) {
	return func(c *broker.Config) {
		var mu sync.Mutex
		open := map[string]*session{}
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			client := clientOf(r, c.TokenKey)
			if client == "" || r.Method != http.MethodGet || strings.HasPrefix(r.Proto, "HTTP/1.0") {
				next.ServeHTTP(w, r)
				return
			}
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			own := &session{end: cancel, ended: make(chan struct{})}
			defer close(own.ended)
			mu.Lock()
			old := open[client]
			mu.Unlock()
			if old != nil && !meet(w, old) {
				return
			}
			mu.Lock()
			open[client] = own
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				if open[client] == own {
					delete(open, client)
				}
			}()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}
