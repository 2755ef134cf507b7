package mutant

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverHBSMutants break the signs of life.
var serverHBSMutants = []Mutant{
	{
		Name: "never-beats", ID: "MS-14", Bug: "An idle stream stays silent.",
		SeenIn: "Wave-RF/WaveHouse#226; stellar-deprecated/horizon#424", Kills: []string{"SSE-HBS-001"},
		Broker: func(c *broker.Config) { c.Tamper = &broker.Tamper{Heartbeat: func() []byte { return nil }} },
	},
	{
		Name: "beats-thrice", Bug: "Heartbeats end with the third of a connection.",
		SeenIn: "plausible: a timer that is started again only so often, or in a place that is not reached any more", Kills: []string{"SSE-HBS-001"},
		May: []May{{"SSE-HBS-004", "some connections have had their heartbeats"}},
		Broker: func(c *broker.Config) {
			c.Tamper = filtered(func(*http.Request) func([]byte) []byte {
				beats := 0
				return func(p []byte) []byte {
					if bytes.HasPrefix(p, []byte(": hb")) {
						if beats++; beats > 3 {
							return nil
						}
					}
					return p
				}
			})
		},
	},
	{
		Name: "beats-rarely", Bug: "Heartbeats come as declared, and further apart than the proxies on the way wait.",
		SeenIn: "plausible: an interval that was chosen without looking at the load balancer", Kills: []string{"SSE-HBS-005"},
		Parameters: map[string]string{"SSE-HBS-005.ceiling": "2s"},
		Broker:     func(c *broker.Config) { c.Heartbeat = 3 * time.Second },
	},
	{
		Name: "beats-with-events", ID: "MS-15", Bug: "A heartbeat is an event with an id, which moves the position.",
		SeenIn: "CleverCloud/clever-client.js#180; Emiyaaaaa/clay-ui#34", Kills: []string{"SSE-HBS-002"},
		May: []May{
			{"SSE-RESUME-001", "a position can be that of a heartbeat"}, {"SSE-RESUME-003", "a position can be that of a heartbeat"},
			{"SSE-RESUME-009", "a position can be that of a heartbeat"}, {"SSE-DELIV-005", "a heartbeat was published by nobody"},
		},
		Broker: func(c *broker.Config) {
			var n atomic.Uint64
			c.Tamper = &broker.Tamper{Heartbeat: func() []byte { return fmt.Appendf(nil, "id: %d\ndata: {}\n\n", n.Add(1)) }}
		},
	},
	{
		Name: "beats-after-first-event", Bug: "Heartbeats begin with the first event.",
		SeenIn: "plausible: a timer that is started by a write", Kills: []string{"SSE-HBS-003"},
		May: []May{{"SSE-HBS-001", "a stream without events is silent"}},
		Broker: func(c *broker.Config) {
			c.Tamper = filtered(func(*http.Request) func([]byte) []byte {
				begun := false
				return func(p []byte) []byte {
					if begun = begun || bytes.Contains(p, []byte("data: ")); !begun && bytes.HasPrefix(p, []byte(": hb")) {
						return nil
					}
					return p
				}
			})
		},
	},
	{
		Name: "beats-in-step", Bug: "All connections get their heartbeats at the same instant.",
		SeenIn: "plausible: one ticker for all", Kills: []string{"SSE-HBS-004"},
		May: []May{{"SSE-HBS-001", "a heartbeat waits for the common instant"}, {"SSE-HBS-003", "a heartbeat waits for the common instant"}},
		Broker: func(c *broker.Config) {
			c.Tamper = filtered(func(r *http.Request) func([]byte) []byte {
				return func(p []byte) []byte {
					if bytes.HasPrefix(p, []byte(": hb")) {
						pause(r, time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
					}
					return p
				}
			})
		},
	},
}
