package mutant

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// requested changes the requests; attempt counts them from 1. The header is the request's own.
func requested(change func(r *sse.Request, attempt int)) func(*client.Config) {
	return observed(func(_ *client.Client, o client.Observer) client.Observer {
		attempt := 0
		return &observer{Observer: o, request: func(ctx context.Context, position string) (*sse.Request, error) {
			r, err := o.Request(ctx, position)
			if err != nil {
				return nil, err
			}
			own := *r
			if own.Header = r.Header.Clone(); own.Header == nil {
				own.Header = http.Header{}
			}
			attempt++
			change(&own, attempt)
			return &own, nil
		}}
	})
}

// final replaces what the client thinks of a status.
func final(change func(status int, correct bool) bool) func(*client.Config) {
	return func(c *client.Config) {
		c.Final = func(status int) bool { return change(status, client.FinalStatus(status)) }
	}
}

// clientHTTPCMutants ask for the wrong thing, or do not understand a refusal.
var clientHTTPCMutants = []Mutant{
	{
		Name:   "refused-responses-are-left-open",
		Bug:    "It neither reads nor ends the response that it takes for no stream, for ten seconds.",
		SeenIn: "plausible: a body that nobody reads is nobody's to cancel",
		Kills:  []string{"SSE-HTTPC-031"},
		Client: tampered(client.Tamper{Close: leaving(false)}),
	},
	{
		Name:   "asks-with-post",
		Bug:    "It asks with POST.",
		SeenIn: "plausible: a client for the streams of language models",
		Kills:  []string{"SSE-HTTPC-001"},
		May:    []May{{"SSE-HTTPC-026", "the method is another one there, too"}},
		Client: requested(func(r *sse.Request, _ int) { r.Method = http.MethodPost }),
	},
	{
		Name:   "accepts-json",
		Bug:    "Its Accept names application/json alone.",
		SeenIn: "plausible: the default of an HTTP library",
		Kills:  []string{"SSE-HTTPC-002"},
		Client: requested(func(r *sse.Request, _ int) { r.Header.Set("Accept", "application/json") }),
	},
	{
		Name:   "lets-caches-answer",
		Bug:    "It allows caches to answer.",
		SeenIn: "plausible: no Cache-Control",
		Kills:  []string{"SSE-HTTPC-003"},
		Client: requested(func(r *sse.Request, _ int) { r.Header.Set("Cache-Control", "max-age=60") }),
	},
	{
		Name:   "begins-with-an-id",
		Bug:    "Its first request asks to resume from 0.",
		SeenIn: "plausible: a counter instead of an id",
		Kills:  []string{"SSE-HTTPC-004"},
		May:    []May{{"SSE-RECON-021", "it asks for another position than it was given"}},
		Client: requested(func(r *sse.Request, attempt int) {
			if attempt == 1 {
				r.LastEventID = "0"
			}
		}),
	},
	{
		Name:   "events-of-refusals",
		Bug:    "It reads the events of any response, whatever its status.",
		SeenIn: "plausible: the status is not looked at",
		Kills:  []string{"SSE-HTTPC-005"},
		May:    []May{{"SSE-HTTPC-008", "a refusal is a stream to it"}, {"SSE-HTTPC-009", "a refusal is a stream to it"}, {"SSE-HTTPC-006", "a refusal is a stream to it"}, {"SSE-HTTPC-014", "a redirect that leads nowhere is a stream to it"}},
		Client: tampered(client.Tamper{Accept: func(r *sse.Response, _ bool) bool { return r.EventStream() }}),
	},
	{
		Name: "refusals-in-a-tight-loop", ID: "MC-26",
		Bug:    "It answers every status but 200 with another request, at once.",
		SeenIn: "fanout/reconnecting-eventsource#73 (100 a second); EventSource/eventsource#60",
		Kills:  []string{"SSE-HTTPC-006", "SSE-HTTPC-009", "SSE-RECON-008"},
		May:    []May{{"SSE-HTTPC-010", "it does not wait"}, {"SSE-HTTPC-014", "it does not wait"}, {"SSE-API-003", "no status is final to it"}},
		Client: func(c *client.Config) {
			refused := false
			c.Final = func(int) bool { return false }
			c.Tamper = &client.Tamper{
				Observe: func(_ *client.Client, o client.Observer) client.Observer {
					return &observer{Observer: o, lost: func(l client.Loss) {
						refused = !l.Opened && l.Status != 0
						o.Lost(l)
					}}
				},
				Delay: func(w client.Wait) time.Duration {
					if refused {
						return time.Millisecond
					}
					return w.Delay
				},
			}
		},
	},
	{
		Name:   "no-content-is-a-pause",
		Bug:    "It comes back after a 204.",
		SeenIn: "plausible: everything from 200 to 299 is fine",
		Kills:  []string{"SSE-HTTPC-006"},
		May:    []May{{"SSE-API-002", "204 is not final to it"}},
		Client: final(func(status int, correct bool) bool { return status != http.StatusNoContent && correct }),
	},
	{
		Name:   "server-errors-are-final",
		Bug:    "It gives up at a status that says to come back later.",
		SeenIn: "plausible: EventSource's rule in an SDK",
		Kills:  []string{"SSE-HTTPC-008"},
		May:    []May{{"SSE-HTTPC-010", "it gives up there, too"}},
		Client: final(func(int, bool) bool { return true }),
	},
	{
		Name:   "client-errors-are-retried",
		Bug:    "It goes on asking after a status that will not change.",
		SeenIn: "fanout/reconnecting-eventsource#73",
		Kills:  []string{"SSE-HTTPC-009"},
		May:    []May{{"SSE-API-003", "no such status is final to it"}, {"SSE-API-010", "so it goes on"}},
		Client: final(func(status int, correct bool) bool { return correct && (status < 400 || status > 499) }),
	},
	{
		Name:    "browser-that-retries-server-errors",
		Bug:     "Although it follows HTML, it comes back after a status that says to come back later.",
		SeenIn:  "Yaffle/EventSource#88",
		Kills:   []string{"SSE-HTTPC-007"},
		Browser: true,
		Client:  func(c *client.Config) { c.Final = client.FinalStatus },
	},
	{
		Name:   "retry-after-is-ignored",
		Bug:    "It waits its own time, whatever Retry-After says.",
		SeenIn: "plausible",
		Kills:  []string{"SSE-HTTPC-010"},
		Client: delayed(func(c *client.Config, w client.Wait) time.Duration {
			_, high := c.Policy.Bounds(w.Row, w.Retry)
			return min(w.Delay, high)
		}),
	},
	{
		Name:   "headers-of-the-first-request-only",
		Bug:    "It sends the application's headers once.",
		SeenIn: "plausible: the request is built anew from its URL",
		Kills:  []string{"SSE-HTTPC-026"},
		May:    []May{{"SSE-HTTPC-027", "so it does with credentials"}},
		Client: requested(func(r *sse.Request, attempt int) {
			if attempt > 1 {
				r.Header = nil
			}
		}),
	},
	{
		Name:   "token-in-the-url",
		Bug:    "It puts the bearer token into the URL as well.",
		SeenIn: "plausible: how native EventSource clients authenticate",
		Kills:  []string{"SSE-HTTPC-030"},
		Client: requested(func(r *sse.Request, _ int) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			if token == "" {
				return
			}
			next := *r.URL
			next.RawQuery = url.Values{"access_token": {token}}.Encode()
			r.URL = &next
		}),
	},
}
