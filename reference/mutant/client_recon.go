package mutant

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientReconMutants do not come back, or not to where they were.
var clientReconMutants = []Mutant{
	{
		Name:   "old-connection-is-left-open",
		Bug:    "It comes back from a connection that stands, and ends that one ten seconds later.",
		SeenIn: "oguzbilgic/kern-ai#16",
		Kills:  []string{"SSE-RECON-026"},
		Client: tampered(client.Tamper{Close: leaving(true)}),
	},
	{
		Name: "end-of-stream-is-success", ID: "MC-22",
		Bug:    "It takes the clean end of a stream for the end of the subscription.",
		SeenIn: "r3labs/sse#147",
		Kills:  []string{"SSE-RECON-001"},
		May:    []May{{"SSE-RECON", "whatever is to be seen behind a loss is not"}, {"SSE-API-011", "there is no new connection"}, {"SSE-HTTPC-022", "such streams end there"}},
		Client: givingUp(func(l client.Loss) bool { return errors.Is(l.Err, io.EOF) }),
	},
	{
		Name:   "first-attempt-is-the-only-one",
		Bug:    "When its very first attempt fails, it gives up.",
		SeenIn: "plausible: the constructor throws",
		Kills:  []string{"SSE-RECON-003"},
		Client: func(c *client.Config) {
			attempts := 0
			givingUp(func(l client.Loss) bool { return attempts == 1 && l.Status == 0 })(c)
			wrap := c.Tamper.Observe
			c.Tamper.Observe = func(cl *client.Client, o client.Observer) client.Observer {
				o = wrap(cl, o)
				return &observer{Observer: o, request: func(ctx context.Context, position string) (*sse.Request, error) {
					attempts++
					return o.Request(ctx, position)
				}}
			}
		},
	},
	{
		Name:   "no-last-event-id",
		Bug:    "It never sends a Last-Event-ID.",
		SeenIn: "plausible: the id is shown to the application and forgotten",
		Kills:  []string{"SSE-RECON-015"},
		May:    []May{{"SSE-RECON", "it asks for no position anywhere"}, {"SSE-HTTPC-015", "it asks for no position"}, {"SSE-HBC", "it asks for no position"}},
		Client: positioned(func() func(string) string { return func(string) string { return "" } }),
	},
	{
		Name: "id-beyond-latin-1-is-no-header", ID: "MC-16",
		Bug:    "Its HTTP library refuses an id beyond Latin-1, and that ends the subscription.",
		SeenIn: "seen in practice",
		Kills:  []string{"SSE-RECON-016"},
		Client: func(c *client.Config) {
			givingUp(func(l client.Loss) bool { return errors.Is(l.Err, errNoHeader) })(c)
			wrap := c.Tamper.Observe
			c.Tamper.Observe = func(cl *client.Client, o client.Observer) client.Observer {
				o = wrap(cl, o)
				return &observer{Observer: o, request: func(ctx context.Context, position string) (*sse.Request, error) {
					if strings.ContainsFunc(position, func(r rune) bool { return r > 0xff }) {
						return nil, errNoHeader
					}
					return o.Request(ctx, position)
				}}
			}
		},
	},
	{
		Name: "stale-last-event-id", ID: "MC-14",
		Bug:    "After a reset of the id it goes on sending the one before.",
		SeenIn: "seen in practice: the header stays on the request object",
		Kills:  []string{"SSE-RECON-017"},
		Client: positioned(func() func(string) string {
			sent := ""
			return func(position string) string {
				if position != "" {
					sent = position
				}
				return sent
			}
		}),
	},
	{
		Name:   "id-dies-with-its-connection",
		Bug:    "It forgets the id on a connection that sends none.",
		SeenIn: "plausible: HTML read to the letter",
		Kills:  []string{"SSE-RECON-018"},
		May: []May{
			{"SSE-RECON-016", "it looks at the id a second time"}, {"SSE-RECON-020", "it looks at the id a second time"},
		},
		Client: tampered(client.Tamper{Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			d.SetLastEventID("")
			return s.Pump(d, h)
		}}),
	},
	{
		Name: "first-id-for-ever", ID: "MC-15",
		Bug:    "It sends the first id that it had for ever.",
		SeenIn: "EventSource/eventsource#27; joshmossas/event-source-plus#26",
		Kills:  []string{"SSE-RECON-019"},
		May:    []May{{"SSE-RECON-017", "its id is reset later on"}},
		Client: positioned(func() func(string) string {
			first := ""
			return func(position string) string {
				if first == "" {
					first = position
				}
				return first
			}
		}),
	},
	{
		Name:   "given-id-is-not-sent",
		Bug:    "It does not send the id that the application gave it.",
		SeenIn: "plausible: the option is read where it reconnects",
		Kills:  []string{"SSE-RECON-021"},
		Client: positioned(func() func(string) string {
			first := true
			return func(position string) string {
				if first {
					first = false
					return ""
				}
				return position
			}
		}),
	},
	{
		Name:   "strange-id-ends-it",
		Bug:    "An id with a control character ends the subscription.",
		SeenIn: "plausible: an exception in the HTTP library that nobody handles",
		Kills:  []string{"SSE-RECON-022"},
		Client: func(c *client.Config) {
			strange := false
			givingUp(func(client.Loss) bool { return strange })(c)
			c.Tamper.Pump = func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
				err := s.Pump(d, h)
				strange = strings.ContainsFunc(d.LastEventID(), func(r rune) bool { return r < ' ' || r == 0x7f })
				return err
			}
		},
	},
	{
		Name:   "restart-waits",
		Bug:    "Told to restart, it waits a second first.",
		SeenIn: "plausible: a restart is a loss like any other",
		Kills:  []string{"SSE-RECON-023"},
		Client: func(c *client.Config) {
			closed := false
			c.Tamper = &client.Tamper{
				Observe: func(_ *client.Client, o client.Observer) client.Observer {
					return &observer{Observer: o, lost: func(l client.Loss) {
						closed = l.Opened && sse.CauseOf(l.Err) == sse.CauseCanceled
						o.Lost(l)
					}}
				},
				Position: func(_ *client.Client, correct string) string {
					if closed {
						<-time.After(time.Second)
					}
					return correct
				},
			}
		},
	},
}

var errNoHeader = errors.New("not a header value")

// leaving closes what a client is done with ten seconds late, either streams or what was refused.
func leaving(streams bool) func(*sse.Stream) {
	return func(s *sse.Stream) {
		r := s.Response() // a stream that was read has none any more
		if (r == nil || r.Status == http.StatusOK && r.EventStream()) == streams {
			time.AfterFunc(10*time.Second, func() { _ = s.Close() }) // its server may have ended it by then
			return
		}
		_ = s.Close() // it is lost already
	}
}
