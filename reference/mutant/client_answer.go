package mutant

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientAnswerMutants misread a response: its type, where it leads, how its body is framed.
var clientAnswerMutants = []Mutant{
	{
		Name: "any-type-is-a-stream", ID: "MC-27",
		Bug:    "It does not look at the content type.",
		SeenIn: "plausible: a client for one server",
		Kills:  []string{"SSE-HTTPC-011"},
		May:    []May{{"SSE-API-010", "a wrong type is no failure to it"}, {"SSE-HTTPC-031", "what it takes for a stream it holds open"}},
		Client: tampered(client.Tamper{Accept: func(r *sse.Response, _ bool) bool { return r.Status == http.StatusOK }}),
	},
	{
		Name: "type-is-compared-exactly", ID: "MC-27",
		Bug:    "It compares the content type as a string: a parameter or a capital makes it another.",
		SeenIn: "lysine-dev/okhttp#7992; FlowiseAI/FlowiseChatEmbed#274",
		Kills:  []string{"SSE-HTTPC-012"},
		May:    []May{{"SSE-PARSE-019", "its type names a charset"}},
		Client: tampered(client.Tamper{Accept: func(r *sse.Response, correct bool) bool {
			return correct && r.Header.Get("Content-Type") == "text/event-stream"
		}}),
	},
	{
		Name:   "redirects-are-refusals",
		Bug:    "It follows no redirect.",
		SeenIn: "plausible: an HTTP library that does not by default",
		Kills:  []string{"SSE-HTTPC-013"},
		May:    []May{{"SSE-HTTPC-015", "it does not get there"}, {"SSE-HTTPC-016", "it does not get there"}, {"SSE-HTTPC-017", "it does not get there"}},
		Client: tampered(client.Tamper{Redirect: func(*sse.Request, *sse.Response, *sse.Request) *sse.Request { return nil }}),
	},
	{
		Name:   "broken-redirects-in-a-tight-loop",
		Bug:    "A redirect that leads nowhere, or back, is tried again at once and for ever.",
		SeenIn: "plausible: a failure like any other, without a delay",
		Kills:  []string{"SSE-HTTPC-014"},
		Client: func(c *client.Config) {
			redirected := false
			c.Final = func(status int) bool { return (status < 300 || status > 399) && client.FinalStatus(status) }
			c.Tamper = &client.Tamper{
				Redirect: func(req *sse.Request, r *sse.Response, correct *sse.Request) *sse.Request {
					redirected = r.Status/100 == 3
					if correct != nil && *correct.URL == *req.URL {
						return nil
					}
					return correct
				},
				Delay: func(w client.Wait) time.Duration {
					if redirected {
						return time.Millisecond
					}
					return w.Delay
				},
			}
		},
	},
	{
		Name:   "redirect-forgets-the-id",
		Bug:    "It sends no Last-Event-ID to where a redirect leads.",
		SeenIn: "plausible: a new request with the old headers only",
		Kills:  []string{"SSE-HTTPC-015"},
		Client: tampered(client.Tamper{Redirect: func(_ *sse.Request, _ *sse.Response, correct *sse.Request) *sse.Request {
			if correct == nil {
				return nil
			}
			next := *correct
			next.LastEventID = ""
			return &next
		}}),
	},
	{
		Name: "redirect-takes-credentials-along", ID: "MC-28",
		Bug:    "It sends Authorization to another origin that a redirect leads to.",
		SeenIn: "CVE-2022-1650, EventSource/eventsource#273",
		Kills:  []string{"SSE-HTTPC-016"},
		Client: tampered(client.Tamper{Redirect: func(req *sse.Request, _ *sse.Response, correct *sse.Request) *sse.Request {
			if correct == nil {
				return nil
			}
			next := *correct
			next.Header = req.Header
			return &next
		}}),
	},
	{
		Name:   "chunk-extension-is-an-error",
		Bug:    "A chunk with an extension ends the connection.",
		SeenIn: "plausible: a chunk decoder of its own",
		Kills:  []string{"SSE-HTTPC-021"},
		Client: wired(func(p []byte) []byte { return bytes.ReplaceAll(p, []byte(";"), []byte("?")) }, inChunks),
	},
	{
		Name:   "sized-body-is-all-there-is",
		Bug:    "It takes the end of a body with a Content-Length for the end of the subscription.",
		SeenIn: "plausible: a complete response needs no other",
		Kills:  []string{"SSE-HTTPC-022"},
		May:    []May{{"SSE-RECON-001", "so does one of its streams end"}},
		Client: func(c *client.Config) {
			sized := false
			givingUp(func(l client.Loss) bool { return sized && l.Opened && errors.Is(l.Err, io.EOF) })(c)
			c.Tamper.Accept = func(r *sse.Response, correct bool) bool {
				sized = r.Header.Get("Content-Length") != ""
				return correct
			}
		},
	},
	{
		Name:   "broken-off-body-is-final",
		Bug:    "It takes a chunked body that breaks off for a final failure.",
		SeenIn: "plausible: a protocol error is not a network error",
		Kills:  []string{"SSE-HTTPC-023"},
		Client: givingUp(func(l client.Loss) bool { return l.Opened && sse.CauseOf(l.Err) == sse.CauseTruncated }),
	},
	{
		Name:   "interim-response-is-the-response",
		Bug:    "It takes an interim response for the final one.",
		SeenIn: "plausible: an HTTP client of its own",
		Kills:  []string{"SSE-HTTPC-024"},
		Client: wired(func(p []byte) []byte { return bytes.Replace(p, []byte("HTTP/1.1 1"), []byte("HTTP/1.1 5"), 1) }, atOnce),
	},
	{
		Name:   "certificates-are-not-checked",
		Bug:    "It takes any certificate.",
		SeenIn: "plausible: an option of a test that stayed",
		Kills:  []string{"SSE-HTTPC-028"},
		Client: func(c *client.Config) {
			c.Options.TLS = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // that is its defect
		},
	},
	{
		Name:   "head-is-waited-for-for-ever",
		Bug:    "It waits for the head of a response without a limit.",
		SeenIn: "plausible: one timeout for connecting and none behind it",
		Kills:  []string{"SSE-HTTPC-029"},
		Client: func(c *client.Config) { c.Options.HeadTimeout = 24 * time.Hour },
	},
}

// inChunks says that a connection's bytes are those of a chunked body; atOnce that they are the first.
func inChunks(seen []byte) bool {
	return bytes.Contains(bytes.ToLower(seen), []byte("transfer-encoding: chunked")) && bytes.Contains(seen, []byte("\r\n\r\n"))
}

func atOnce(seen []byte) bool { return len(seen) == 0 }

// wired changes the bytes of each connection when what was read before makes it wanted.
func wired(change func(p []byte) []byte, wanted func(seen []byte) bool) func(*client.Config) {
	return tampered(client.Tamper{Dial: func(dial sse.DialFunc) sse.DialFunc {
		return func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &changedConn{Conn: conn, change: change, wanted: wanted}, nil
		}
	}})
}

// changedConn is a connection whose reads are changed. Changes keep the length.
type changedConn struct {
	net.Conn

	change func(p []byte) []byte
	wanted func(seen []byte) bool
	seen   []byte
}

// keptBytes is how much of a connection's beginning is looked at.
const keptBytes = 4 << 10

func (c *changedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.wanted(c.seen) {
		copy(p, c.change(bytes.Clone(p[:n])))
	}
	if room := keptBytes - len(c.seen); room > 0 {
		c.seen = append(c.seen, p[:min(n, room)]...)
	}
	return n, err
}
