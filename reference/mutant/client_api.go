package mutant

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientAPIMutants tell an application something wrong, or do not do as it says.
var clientAPIMutants = []Mutant{
	{
		Name:   "reconnections-are-not-reported-open",
		Bug:    "It reports open for its first connection and for no later one.",
		SeenIn: "plausible: open fires with the subscription",
		Kills:  []string{"SSE-API-001"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			first := true
			return &observer{Observer: o, opened: func(r *sse.Response) {
				if first {
					o.Opened(r)
				}
				first = false
			}}
		}),
	},
	{
		Name:   "open-behind-the-first-event",
		Bug:    "It reports open once it has an event, behind that.",
		SeenIn: "plausible: the callbacks of head and body race",
		Kills:  []string{"SSE-API-001"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			var head *sse.Response
			return &observer{Observer: o, opened: func(r *sse.Response) { head = r }, event: func(e sse.Event) error {
				err := o.Event(e)
				if head != nil {
					o.Opened(head)
				}
				head = nil
				return err
			}}
		}),
	},
	{
		Name:   "losses-are-kept-secret",
		Bug:    "It reports no error when it loses a connection.",
		SeenIn: "plausible: only a final error reaches the callback",
		Kills:  []string{"SSE-API-003"},
		May:    []May{{"SSE-PARSE-024", "its limit ends a connection"}, {"SSE-API-010", "a loss has no cause then"}},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, lost: func(l client.Loss) {
				if l.Final {
					o.Lost(l)
				}
			}}
		}),
	},
	{
		Name:   "each-loss-looks-final",
		Bug:    "It reports every loss like a final one, and comes back.",
		SeenIn: "plausible: one kind of error for both",
		Kills:  []string{"SSE-API-003"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, lost: func(l client.Loss) {
				l.Final = true
				o.Lost(l)
			}}
		}),
	},
	{
		Name:    "closed-while-it-waits",
		Bug:     "Its state is CLOSED while it waits to reconnect.",
		SeenIn:  "plausible: one state for not connected",
		Kills:   []string{"SSE-API-002"},
		May:     []May{{"SSE-API-003", "its losses look final, too"}},
		Browser: true,
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, lost: func(l client.Loss) {
				l.Final = true
				o.Lost(l)
			}}
		}),
	},
	{
		Name:   "buffered-events-after-close",
		Bug:    "After close() it goes on reporting for 400 ms.",
		SeenIn: "plausible: a queue of callbacks that is not emptied",
		Kills:  []string{"SSE-API-004"},
		May:    []May{{"SSE-API-006", "it connects within that time"}},
		Client: tampered(client.Tamper{End: func(e client.Ending) {
			if e.Times > 1 {
				e.Quiet()
				e.Stop()
				return
			}
			time.AfterFunc(400*time.Millisecond, e.Quiet)
			time.AfterFunc(400*time.Millisecond, e.Stop)
		}}),
	},
	{
		Name:   "close-leaves-the-connection",
		Bug:    "close() silences it, and leaves the connection open for four seconds.",
		SeenIn: "plausible: the request is not aborted, only forgotten",
		Kills:  []string{"SSE-API-005"},
		May:    []May{{"SSE-API-004", "nobody waits for the event that is being reported"}},
		Client: endingWhen(true, func(e client.Ending) {
			e.Quiet()
			time.AfterFunc(4*time.Second, e.Stop)
		}),
	},
	{
		Name: "close-leaves-the-timer", ID: "MC-25",
		Bug:    "close() while it waits to reconnect does not cancel that: it comes back to life.",
		SeenIn: "lukas-reining/eventsource#11",
		Kills:  []string{"SSE-API-006"},
		May:    []May{{"SSE-API-013", "nor does it end a request"}},
		Client: endingWhen(false, func(e client.Ending) { e.Quiet() }),
	},
	{
		Name:   "close-leaves-the-request",
		Bug:    "close() before there is a response lets the request go on for ten seconds.",
		SeenIn: "plausible: only a response that has come can be aborted",
		Kills:  []string{"SSE-API-013"},
		May:    []May{{"SSE-API-006", "the answer finds it alive"}},
		Client: endingWhen(false, func(e client.Ending) {
			e.Quiet()
			time.AfterFunc(10*time.Second, e.Stop)
		}),
	},
	{
		Name:   "second-close-is-an-error",
		Bug:    "It reports an error when it is closed twice.",
		SeenIn: "plausible: a state that is checked too strictly",
		Kills:  []string{"SSE-API-007"},
		Client: tampered(client.Tamper{End: func(e client.Ending) {
			if e.Times > 1 {
				e.Fail("already closed")
			}
			e.Quiet()
			e.Stop()
		}}),
	},
	{
		Name:   "any-url-will-do",
		Bug:    "It takes a URL that it cannot open for one that cannot be opened just now, and tries again and again.",
		SeenIn: "plausible: the URL is looked at when it is dialed",
		Kills:  []string{"SSE-API-008"},
		Client: tampered(client.Tamper{AnyURL: true}),
	},
	{
		Name:   "causes-are-kept-secret",
		Bug:    "Whatever went wrong, it reports a network error.",
		SeenIn: "rexxars/eventsource-client#8",
		Kills:  []string{"SSE-API-010"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, lost: func(l client.Loss) {
				l.Err, l.Status = errSomething, 0
				o.Lost(l)
			}}
		}),
	},
	{
		Name: "two-connections-for-one-loss", ID: "MC-24",
		Bug:    "It handles both the end and the close of a connection, and opens one more connection with each loss.",
		SeenIn: "EventSource/eventsource#57",
		Kills:  []string{"SSE-API-011"},
		May: []May{
			{"SSE-PARSE", "a stream on a connection of its own goes to one of several"}, {"SSE-RECON", "its connections take turns"},
			{"SSE-HTTPC", "its connections take turns"}, {"SSE-HBC", "its connections take turns"}, {"SSE-API-001", "its connections take turns"},
		},
		Client: observed(doubling),
	},
	{
		Name: "network-error-is-final", ID: "MC-23",
		Bug:    "It takes a network error for the end of the subscription.",
		SeenIn: "nodejs/undici#4247; EventSource/eventsource PR 136",
		Kills:  []string{"SSE-RECON-002", "SSE-API-012"},
		May:    []May{{"SSE-RECON", "most losses are such errors there"}, {"SSE-HTTPC-023", "its connection breaks off"}},
		Client: givingUp(func(l client.Loss) bool { return l.Status == 0 || l.Opened && !errors.Is(l.Err, io.EOF) }),
	},
}

var errSomething = errors.New("something went wrong")

// givingUp ends a client after some losses, which it reports as final.
func givingUp(final func(l client.Loss) bool) func(*client.Config) {
	return tampered(client.Tamper{
		GiveUp: final,
		Observe: func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, lost: func(l client.Loss) {
				l.Final = l.Final || final(l)
				o.Lost(l)
			}}
		},
	})
}

// endingWhen replaces the first ending of a subscription that is connected, or of one that is not.
func endingWhen(connected bool, end func(client.Ending)) func(*client.Config) {
	return func(c *client.Config) {
		var open atomic.Bool
		c.Tamper = &client.Tamper{
			Observe: func(_ *client.Client, o client.Observer) client.Observer {
				return &observer{Observer: o, opened: func(r *sse.Response) {
					open.Store(true)
					o.Opened(r)
				}, lost: func(l client.Loss) {
					open.Store(false)
					o.Lost(l)
				}}
			},
			End: func(e client.Ending) {
				if e.Times == 1 && open.Load() == connected {
					end(e)
					return
				}
				e.Quiet()
				e.Stop()
			},
		}
	}
}

// doubling opens one more connection with each of the first losses.
func doubling(c *client.Client, o client.Observer) client.Observer {
	const most = 3
	twins := 0
	var start func(twin *client.Client)
	return &observer{
		Observer: o,
		request: func(ctx context.Context, position string) (*sse.Request, error) {
			start = func(twin *client.Client) {
				if ctx.Err() == nil {
					twin.Start(ctx, func(error) {})
					context.AfterFunc(ctx, twin.Stop)
				}
			}
			return o.Request(ctx, position)
		},
		lost: func(l client.Loss) {
			o.Lost(l)
			if twins == most || !l.Opened {
				return
			}
			twins++
			plain := *c.Config
			plain.Tamper = nil
			twin := &client.Client{Config: &plain, Observer: o, Dial: c.Dial, Seed: c.Seed + uint64(twins)}
			twin.SetPosition(c.Position())
			start(twin)
		},
	}
}
