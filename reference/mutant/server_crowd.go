package mutant

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
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
				next.ServeHTTP(&filter{ResponseWriter: w, change: func(p []byte) []byte { return p }}, r) // which returns at the stream's end
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
