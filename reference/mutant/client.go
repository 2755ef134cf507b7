package mutant

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientMutants are clients that do harm, or that come to harm.
var clientMutants = []Mutant{
	{
		Name:     "no-backoff",
		Bug:      "It comes back at once, however often it is turned away.",
		SeenIn:   "Azure/fetch-event-source#57; fanout/reconnecting-eventsource#73 (100 attempts a second)",
		Kills:    []string{"reconnect.backoff"},
		Scenario: "outage",
		Client: func(c *client.Config) {
			c.Tamper = &client.Tamper{Delay: func(client.Wait) time.Duration { return 10 * time.Millisecond }}
		},
	},
	{
		Name:     "no-jitter",
		Bug:      "Every client waits exactly as long as every other one.",
		SeenIn:   "Radiergummi/cetacean#149; nesquena/hermes-webui#2661",
		Kills:    []string{"reconnect.peak"},
		Scenario: "storm",
		Client: func(c *client.Config) {
			c.Tamper = &client.Tamper{Delay: func(w client.Wait) time.Duration { return w.High }}
		},
	},
	{
		Name:   "never-comes-back",
		Bug:    "It takes a lost connection for the end of the stream.",
		SeenIn: "r3labs/sse#147; nodejs/undici#4247",
		Kills:  []string{"delivery.alive"},
		May: []May{
			{"delivery.complete", "what is published after that does not reach it"},
			{"delivery.resumable", "it never asks to resume"},
			{"reconnect.within", "it does not reconnect at all"},
			{"delivery.latest", "what is published after that does not reach it"},
			{"latency.p50", "a lost message is infinitely late"},
			{"latency.p99", "a lost message is infinitely late"},
			{"resume.gap_p99", "the gap is never closed"},
		},
		Scenario: "outage",
		Client: func(c *client.Config) {
			c.Tamper = &client.Tamper{GiveUp: func(l client.Loss) bool { return l.Opened }}
		},
	},
	{
		Name:     "ignores-reset-rule",
		Bug:      "Its delays keep growing although it was connected in between.",
		SeenIn:   "plausible: the counter of losses is never set back",
		Kills:    []string{"reconnect.backoff"},
		Scenario: "two-drops",
		Client: func(c *client.Config) {
			policy := c.Policy
			c.Tamper = &client.Tamper{Delay: func(w client.Wait) time.Duration {
				low, _ := policy.Bounds(w.Waits-1, w.Retry)
				return low
			}}
		},
	},
	{
		Name:     "second-connection-before-closing-first",
		Bug:      "It opens the next connection half a second before it closes the one it is done with.",
		SeenIn:   "EventSource/eventsource#57: connections double each time",
		Kills:    []string{"sessions.live"},
		Scenario: "session",
		Client: func(c *client.Config) {
			c.Tamper = &client.Tamper{Close: func(s *sse.Stream) {
				time.AfterFunc(500*time.Millisecond, func() { _ = s.Close() })
			}}
		},
	},
	{
		Name:   "ignores-heartbeat-timeout",
		Bug:    "It waits for ever on a connection on which nothing arrives.",
		SeenIn: "Yaffle/EventSource#151; sguiheux/EventSource#22",
		Kills:  []string{"latency.p99"},
		May: []May{
			{"reconnect.within", "it does not notice that it is disconnected"},
			{"delivery.alive", "nothing arrives on the dead connection"},
		},
		Scenario: "half-open",
		Client:   func(c *client.Config) { c.Options.IdleTimeout = 0 },
	},
}
