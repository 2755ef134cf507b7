package mutant

import (
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// returningMutants let a subscriber come back, one way or another, and give it nothing of what it is owed.
var returningMutants = []Mutant{
	{
		Name:   "ends-returning-streams",
		Bug:    "Who comes back with a position gets a good head and the end of the stream.",
		SeenIn: "modelcontextprotocol/kotlin-sdk#716: the old connection still counts",
		Kills:  notBack, May: owing, Scenario: "drops",
		Broker: returning(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { stream(w, "") }),
	},
	{
		Name:   "errors-returning-streams",
		Bug:    "Who comes back with a position gets a good head, an event that tells of an error, and the end of the stream.",
		SeenIn: "plausible: a handler that reports its own failure in-band",
		Kills:  notBack, May: owing, Scenario: "drops",
		Broker: returning(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			stream(w, "event: error\ndata: {\"code\":503}\n\n")
		}),
	},
	{
		Name:   "mute-after-resume",
		Bug:    "Who comes back with a position gets heartbeats and nothing else.",
		SeenIn: "tpeczek/Lib.AspNetCore.ServerSentEvents#69: the resumed client is not in the list of receivers",
		Kills:  notBack, May: owing, Scenario: "drops",
		Broker: returning(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			for r.Context().Err() == nil {
				stream(w, ": still here\n\n")
				pause(r, 100*time.Millisecond)
			}
		}),
	},
	{
		Name:   "page-for-returning",
		Bug:    "Who comes back with a position is answered 200 with a page.",
		SeenIn: "plausible: a login page or an error page in front of the stream",
		Kills:  turnedAway, May: owing, Scenario: "drops",
		Broker: returning(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<!doctype html>") // who has gone needs no page
		}),
	},
	{
		Name:   "sends-returning-away",
		Bug:    "Who comes back with a position is told by 204 that there is nothing to come back for.",
		SeenIn: "plausible: a session that counts as finished when its connection is lost",
		Kills:  turnedAway, May: owing, Scenario: "drops",
		Broker: returning(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusNoContent) }),
	},
	{
		Name:   "refuses-returning",
		Bug:    "Who comes back with a position is answered 503, each time.",
		SeenIn: "plausible: a connection limit that still counts those who have left",
		Kills:  turnedAway, May: owing, Scenario: "drops",
		Broker: returning(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}),
	},
	{
		Name:   "ends-every-other-return",
		Bug:    "Every other subscriber that comes back with a position gets a good head and the end of the stream the first time.",
		SeenIn: "modelcontextprotocol/kotlin-sdk#716: the old connection is noticed by a failed write only",
		Kills:  []string{"delivery.resumable"}, Scenario: "drops",
		May: because("who meets it again and again waits for long", "delivery.alive", "reconnect.within", "resume.gap_p99", "latency.p99"),
		Broker: func(c *broker.Config) {
			var n atomic.Uint64
			returning(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if n.Add(1)%2 == 1 {
					stream(w, "")
					return
				}
				next.ServeHTTP(w, r)
			})(c)
		},
	},
}

var (
	notBack    = []string{"delivery.complete", "delivery.resumable", "delivery.alive", "reconnect.within"}
	turnedAway = []string{"delivery.complete", "delivery.alive", "reconnect.within"}
	owing      = because("what is owed to who came back never comes", "delivery.latest", "latency.p50", "latency.p99", "resume.gap_p99")
)

// returning answers whoever comes back with a position.
func returning(answer func(http.ResponseWriter, *http.Request, http.Handler)) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Handler: onEvents(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Header.Get("Last-Event-ID") == "" {
				next.ServeHTTP(w, r)
				return
			}
			answer(w, r, next)
		})}
	}
}

// stream begins a stream, or goes on with it.
func stream(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text) // who has gone needs no stream
	_ = http.NewResponseController(w).Flush()
}
