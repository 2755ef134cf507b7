package mutant

import (
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientDelayMutants come back too soon, too late or all at once.
var clientDelayMutants = []Mutant{
	{
		Name: "retry-is-never-used", ID: "MC-19",
		Bug:    "It reads retry and does not use it.",
		SeenIn: "launchdarkly/dotnet-eventsource#92; resteasy/resteasy#1605",
		Kills:  []string{"SSE-RECON-004", "SSE-RECON-006"},
		May: []May{
			{"SSE-RECON-005", "it comes back after a time of its own"}, {"SSE-RECON-009", "it comes back after a time of its own"},
			{"SSE-PARSE-037", "it comes back after a time of its own"}, {"SSE-API-006", "it comes back after a time of its own"},
		},
		Client: handled(func(l sse.Listener) sse.Handler {
			return &retryHandler{l, func(time.Duration) time.Duration { return 0 }}
		}),
	},
	{
		Name: "retry-in-seconds", ID: "MC-18",
		Bug:    "It reads retry as seconds.",
		SeenIn: "launchdarkly/ios-eventsource#22",
		Kills:  []string{"SSE-RECON-005"},
		May:    []May{{"SSE", "whatever is to be seen behind a reconnection does not come in time"}},
		Client: retrying(func(wait time.Duration) time.Duration { return min(wait*1000, sse.MaxRetry) }),
	},
	{
		Name: "retry-counts-once", ID: "MC-19",
		Bug:    "retry decides the next delay and no later one.",
		SeenIn: "launchdarkly/dotnet-eventsource#92",
		Kills:  []string{"SSE-RECON-006"},
		May:    []May{{"SSE-RECON-009", "its later delays are its own"}},
		Client: retriedOnce,
	},
	{
		Name:   "first-delay-is-zero",
		Bug:    "Unless it is told otherwise, it comes back at once.",
		SeenIn: "plausible: a default of zero",
		Kills:  []string{"SSE-RECON-007"},
		May: []May{
			{"SSE-RECON-008", "it comes back as fast as it is sent away"}, {"SSE-RECON-010", "its delays do not grow"}, {"SSE-RECON-011", "its delays do not grow"},
			{"SSE-RECON-012", "there is nothing to spread"}, {"SSE-RECON-013", "its delays do not grow"}, {"SSE-RECON-014", "it comes back at once"},
			{"SSE-HTTPC-008", "its delays do not grow"}, {"SSE-HTTPC-009", "its delays do not grow"},
		},
		Client: delayed(func(_ *client.Config, w client.Wait) time.Duration {
			if w.Retry > 0 {
				return w.Delay
			}
			return 0
		}),
	},
	{
		Name:   "retry-zero-is-obeyed",
		Bug:    "retry: 0 makes it come back without any delay.",
		SeenIn: "plausible: four popular clients, in a trial",
		Kills:  []string{"SSE-RECON-008"},
		Client: obeyingZero,
	},
	{
		Name:   "jitter-shortens-retry",
		Bug:    "Its jitter takes up to half of what retry asks for.",
		SeenIn: "plausible: jitter applied to any delay",
		Kills:  []string{"SSE-RECON-009"},
		May: []May{
			{"SSE-RECON-004", "its wait is shorter"}, {"SSE-RECON-005", "its wait is shorter"}, {"SSE-RECON-006", "its wait is shorter"},
			{"SSE-PARSE-035", "its wait is shorter"}, {"SSE-PARSE-038", "its wait is shorter"},
		},
		Client: delayed(func(_ *client.Config, w client.Wait) time.Duration {
			if w.Retry > 0 {
				return w.Delay / 2
			}
			return w.Delay
		}),
	},
	{
		Name: "delays-do-not-grow", ID: "MC-20",
		Bug:    "Its backoff is no power: every delay is the first one.",
		SeenIn: "bigskysoftware/htmx-extensions#192; Azure/fetch-event-source#57",
		Kills:  []string{"SSE-RECON-010"},
		May: []May{
			{"SSE-RECON-011", "a delay that does not grow reaches no cap"}, {"SSE-RECON-013", "there is nothing to set back"},
			{"SSE-RECON-014", "its delays do not grow there either"}, {"SSE-HTTPC-008", "its delays do not grow there either"},
		},
		Client: delayed(func(c *client.Config, w client.Wait) time.Duration {
			low, high := c.Policy.Bounds(0, w.Retry)
			return low + time.Duration(float64(high-low)*float64(w.Delay-w.Low)/float64(max(1, w.High-w.Low)))
		}),
	},
	{
		Name:   "backoff-wraps-around",
		Bug:    "Its delays grow beyond its numbers: after a few attempts they are zero.",
		SeenIn: "plausible: a shift that overflows",
		Kills:  []string{"SSE-RECON-011"},
		May: []May{
			{"SSE-RECON-010", "its later delays are zero"}, {"SSE-RECON-014", "its later delays are zero"}, {"SSE-RECON-008", "its later delays are zero"},
		},
		Client: delayed(func(_ *client.Config, w client.Wait) time.Duration {
			if w.Row > 5 {
				return 0
			}
			return w.Delay
		}),
	},
	{
		Name: "no-spread-at-all", ID: "MC-21",
		Bug:    "All of its clients wait exactly as long as one another.",
		SeenIn: "Radiergummi/cetacean#149; nesquena/hermes-webui#2661",
		Kills:  []string{"SSE-RECON-012"},
		Client: delayed(func(_ *client.Config, w client.Wait) time.Duration { return w.Low }),
	},
	{
		Name:   "health-sets-nothing-back",
		Bug:    "Its delays go on growing although it was connected and healthy.",
		SeenIn: "plausible: the counter of losses is never set back",
		Kills:  []string{"SSE-RECON-013"},
		May:    []May{{"SSE-HTTPC-010", "its next delay is a later one"}},
		Client: delayed(func(c *client.Config, w client.Wait) time.Duration {
			low, _ := c.Policy.Bounds(w.Waits-1, w.Retry)
			return max(low, min(w.Delay, c.Policy.Cap))
		}),
	},
	{
		Name:   "an-empty-stream-is-a-recovery",
		Bug:    "After a stream that ended at once it comes back at once.",
		SeenIn: "plausible: success sets the delay to zero",
		Kills:  []string{"SSE-RECON-014"},
		May:    []May{{"SSE-RECON-008", "so it comes back as fast as it is sent away"}, {"SSE-RECON-007", "so does its stream"}},
		Client: afterEmptyStreams,
	},
}

// retriedOnce forgets a reconnection time with its first use.
func retriedOnce(c *client.Config) {
	var used time.Duration
	c.Tamper = &client.Tamper{Delay: func(w client.Wait) time.Duration {
		if w.Retry == used {
			low, _ := c.Policy.Bounds(w.Row, 0)
			return low
		}
		used = w.Retry
		return w.Delay
	}}
}

// obeyingZero takes a reconnection time of zero for one.
func obeyingZero(c *client.Config) {
	zero := false
	c.Tamper = &client.Tamper{
		Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			return s.Pump(d, &retryHandler{h.(sse.Listener), func(wait time.Duration) time.Duration {
				zero = wait == 0
				return wait
			}})
		},
		Delay: func(w client.Wait) time.Duration {
			if zero {
				return 0
			}
			return w.Delay
		},
	}
}

// afterEmptyStreams does not wait after streams without a byte.
func afterEmptyStreams(c *client.Config) {
	empty := false
	c.Tamper = &client.Tamper{
		Observe: func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{
				Observer: o,
				opened:   func(r *sse.Response) { empty = true; o.Opened(r) },
				heard:    func() { empty = false },
				lost:     func(l client.Loss) { empty = empty && l.Opened; o.Lost(l) },
			}
		},
		Delay: func(w client.Wait) time.Duration {
			if empty {
				return time.Duration(math.Min(float64(w.Delay), float64(5*time.Millisecond)))
			}
			return w.Delay
		},
	}
}
