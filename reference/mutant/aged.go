package mutant

import (
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// agedMutants are wrong with connections of a certain age.
var agedMutants = []Mutant{
	{
		Name:     "forgets-connections",
		Bug:      "A connection that is 700 ms old carries nothing any more, neither messages nor heartbeats, and does not end.",
		SeenIn:   "plausible: a load balancer or NAT that drops a connection from its table without telling either side",
		Kills:    []string{"heartbeat.every"},
		May:      because("connections go silent without an end", "connections.ended"),
		Scenario: "ages",
		Broker: func(c *broker.Config) {
			c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				opened := time.Now()
				next.ServeHTTP(&filter{ResponseWriter: w, change: func(p []byte) []byte {
					if time.Since(opened) > 700*time.Millisecond {
						return nil
					}
					return p
				}}, r)
			})
		},
	},
}
