package mutant

import (
	"bytes"
	"net/http"
	"sync/atomic"

	"github.com/streamgauge/streamgauge/reference/broker"
)

var late = []May{
	{"latency.p99", "a lost message is infinitely late"},
	{"latency.p50", "a lost message is infinitely late"},
	{"delivery.latest", "the newest message may be the one that is lost"},
	{"delivery.alive", "a lost message is missing for as long as the connection is open"},
}

// deliveryMutants break what arrives on a connection that nothing disturbs.
var deliveryMutants = []Mutant{
	{
		Name:   "loses-every-100th",
		Bug:    "One message in a hundred is acknowledged and reaches nobody.",
		SeenIn: "blinklabs-io/dingo#2978: a non-blocking send drops in its default case",
		Kills:  []string{"delivery.complete"}, May: late,
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				if ev.Sequence%100 == 0 {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:   "acknowledges-without-storing",
		Bug:    "One publish in fifty is acknowledged and then forgotten, for live and resuming subscribers alike.",
		SeenIn: "surya-koritala/loomfeed#52: publish races with unsubscribe",
		Kills:  []string{"delivery.complete"}, May: late,
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			var n atomic.Uint64
			c.Tamper = &broker.Tamper{Store: func(broker.Event) bool { return n.Add(1)%50 != 0 }}
		},
	},
	{
		Name:     "repeats-every-50th",
		Bug:      "One message in fifty is sent twice on the same connection.",
		SeenIn:   "EventSource/eventsource#57: two handlers for one event",
		Kills:    []string{"delivery.unique"},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				if ev.Sequence%50 == 0 {
					return []broker.Event{ev, ev}
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:     "swaps-two",
		Bug:      "One message in twenty of a stream arrives behind its successor.",
		SeenIn:   "launchdarkly/dotnet-eventsource#83: handlers run on a thread pool",
		Kills:    []string{"delivery.ordered"},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			held := new(each[map[string]broker.Event])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				return swap(held.of(to), ev)
			}}
		},
	},
	{
		Name:     "leaks-to-other-stream",
		Bug:      "One message in twenty goes to the subscribers of every other stream too.",
		SeenIn:   "SandeepVashishtha/Eventra#16185: the topic filter is missing on one code path",
		Kills:    []string{"delivery.isolated"},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Leak: func(_ *broker.Subscriber, ev broker.Event) bool { return ev.Sequence%20 == 0 }}
		},
	},
	{
		Name:     "corrupts-a-byte",
		Bug:      "One byte of one message in twenty is changed.",
		SeenIn:   "btubbs/sseclient#38: chunks decoded apart damage a character",
		Kills:    []string{"delivery.intact"},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				if at := len(ev.Data) - 10; ev.Sequence%20 == 0 && at >= 0 {
					ev.Data = bytes.Clone(ev.Data)
					ev.Data[at] ^= 1
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:     "invents-a-message",
		Bug:      "One publish in ten is answered with 503 and delivered all the same.",
		SeenIn:   "plausible: a gateway gives up on a backend that has already accepted",
		Kills:    []string{"delivery.intact"},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
				var n atomic.Uint64
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/publish" || n.Add(1)%10 != 0 {
						next.ServeHTTP(w, r)
						return
					}
					next.ServeHTTP(unheard{http.Header{}}, r)
					w.WriteHeader(http.StatusServiceUnavailable)
				})
			}}
		},
	},
	{
		Name:     "malformed-json",
		Bug:      "One JSON payload in twenty lacks its closing brace.",
		SeenIn:   "helidon-io/helidon#12465: the serializer drops the end of the payload",
		Kills:    []string{"delivery.well-formed"},
		May:      []May{{"delivery.intact", "such a payload is not the one that was published"}},
		Scenario: "orders",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
				if ev.Sequence%20 == 0 {
					ev.Data = bytes.TrimSuffix(ev.Data, []byte("}"))
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:   "stops-delivering-but-heartbeats",
		Bug:    "After twenty messages a connection carries heartbeats and nothing else.",
		SeenIn: "OmerYasirOnal/claudewatch#43: a slow client leaves the broadcast list and its connection stays open",
		Kills:  []string{"delivery.alive", "delivery.complete"},
		May: []May{
			{"delivery.latest", "the newest message is among those never sent"},
			{"latency.p50", "a lost message is infinitely late"},
			{"latency.p99", "a lost message is infinitely late"},
		},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			sent := new(each[int])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				n := sent.of(to)
				if *n++; *n > 20 {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:   "last-of-burst-held",
		Bug:    "A message stays in the write buffer until the next one of its stream pushes it out.",
		SeenIn: "dunglas/mercure#243; slact/nchan#526",
		Kills:  []string{"delivery.complete", "delivery.latest"},
		May: []May{
			{"latency.p99", "the last message is never pushed out, so it is infinitely late"},
			{"delivery.alive", "the last message is missing for as long as the connection is open"},
		},
		Scenario: "steady",
		Broker: func(c *broker.Config) {
			held := new(each[map[string]broker.Event])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				return pushOut(held.of(to), ev)
			}}
		},
	},
}

// swap holds every twentieth message of a stream back until its successor has gone.
func swap(held *map[string]broker.Event, ev broker.Event) []broker.Event {
	if ev.Number%20 == 10 {
		put(held, ev)
		return nil
	}
	before, ok := (*held)[ev.Stream]
	if !ok {
		return []broker.Event{ev}
	}
	delete(*held, ev.Stream)
	return []broker.Event{ev, before}
}

// pushOut holds ev back and returns the message of its stream that was held before.
func pushOut(held *map[string]broker.Event, ev broker.Event) []broker.Event {
	before, ok := (*held)[ev.Stream]
	put(held, ev)
	if !ok {
		return nil
	}
	return []broker.Event{before}
}

func put(held *map[string]broker.Event, ev broker.Event) {
	if *held == nil {
		*held = map[string]broker.Event{}
	}
	(*held)[ev.Stream] = ev
}

// unheard takes a response that nobody will see.
type unheard struct{ header http.Header }

func (u unheard) Header() http.Header         { return u.header }
func (u unheard) Write(p []byte) (int, error) { return len(p), nil }
func (u unheard) WriteHeader(int)             {}
