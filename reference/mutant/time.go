package mutant

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// timeMutants deliver everything, too late.
var timeMutants = []Mutant{
	{
		Name:   "delays-everything",
		Bug:    "Every message takes two seconds.",
		SeenIn: "Kludex/starlette#2753; mattrobinsonsre/terrapod#71: a gzip layer that buffers",
		Kills:  []string{"latency.p50", "latency.p99"},
		May: []May{
			{"first_event.p99", "the first message is late as well"},
			{"delivery.alive", "each message is missing for two seconds"},
		},
		Scenario: "steady",
		Broker:   delaying(func(uint64) time.Duration { return 2 * time.Second }),
	},
	{
		Name:   "delays-one-in-fifty",
		Bug:    "One subscriber in fifty gets everything two seconds late.",
		SeenIn: "plausible: who is last in a long fan-out loop waits for everybody else",
		Kills:  []string{"latency.p99"},
		May: []May{
			{"first_event.p99", "that subscriber's first message is late as well"},
			{"fan_out.spread_p99", "that subscriber gets each message two seconds after the others"},
			{"delivery.alive", "each message of that subscriber is missing for two seconds"},
		},
		Scenario: "crowd",
		Broker: delaying(func(joined uint64) time.Duration {
			if joined%50 == 25 {
				return 2 * time.Second
			}
			return 0
		}),
	},
	{
		Name:     "fan-out-in-sequence",
		Bug:      "Each subscriber gets a message only a tenth of a second after the one before it.",
		SeenIn:   "r3labs/sse#192: one loop writes to everybody, waiting for each",
		Kills:    []string{"fan_out.spread_p99"},
		May:      []May{{"first_event.p99", "who is last in the sequence gets the first message last as well"}},
		Scenario: "patient",
		Broker:   delaying(func(joined uint64) time.Duration { return time.Duration(joined) * 100 * time.Millisecond }),
	},
	{
		Name:     "sixtieth-late",
		Bug:      "Every sixtieth message is held up for eight tenths of a second, and what follows it on the connection.",
		SeenIn:   "plausible: a flush that a timer makes up for when it was forgotten",
		Kills:    []string{"calm.latency_p99"},
		Scenario: "spikes",
		Broker: func(c *broker.Config) {
			lanes := new(each[lane])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				delay := time.Duration(0)
				if ev.Sequence%60 == 0 {
					delay = 800 * time.Millisecond
				}
				lanes.of(to).hold(to, ev, delay)
				return nil
			}}
		},
	},
	{
		Name:     "late-first-event",
		Bug:      "What is owed to a new subscriber waits for three seconds.",
		SeenIn:   "plausible: a new subscriber waits for the next round of a slow loop",
		Kills:    []string{"first_event.p99"},
		Scenario: "patient",
		Broker: func(c *broker.Config) {
			lanes := new(each[lane])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				lanes.of(to).hold(to, ev, max(0, 3*time.Second-time.Since(to.Joined)))
				return nil
			}}
		},
	},
	{
		Name:     "slow-headers",
		Bug:      "One subscription in five is answered after two seconds.",
		SeenIn:   "Mng-dev-ai/agentrove#869; caddyserver/caddy#6293: headers wait for the first event",
		Kills:    []string{"connect.p99"},
		May:      []May{{"first_event.p99", "there is no event without headers"}},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			var n atomic.Uint64
			c.Tamper = &broker.Tamper{Handler: onEvents(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if n.Add(1)%5 == 3 {
					pause(r, 2*time.Second)
				}
				next.ServeHTTP(w, r)
			})}
		},
	},
}

// delaying carries everything to the n-th subscriber, from 1, as late as delay says.
func delaying(delay func(n uint64) time.Duration) func(*broker.Config) {
	type place struct {
		lane
		n uint64
	}
	return func(c *broker.Config) {
		places := new(each[place])
		var joined atomic.Uint64
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			at := places.of(to)
			if at.n == 0 {
				at.n = joined.Add(1)
			}
			d := delay(at.n)
			if d == 0 {
				return []broker.Event{ev}
			}
			at.hold(to, ev, d)
			return nil
		}}
	}
}

// onEvents hands subscriptions to serve; everything else goes its way.
func onEvents(serve func(http.ResponseWriter, *http.Request, http.Handler)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/events" {
				serve(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// pause waits for d, or until the client has gone.
func pause(r *http.Request, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
}
