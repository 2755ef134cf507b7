package mutant

import (
	"context"
	"net"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// OddClient is a client that does what it may, and that few do. A case that accuses it is wrong.
type OddClient struct {
	Name    string
	About   string // what it does, in one sentence
	Client  func(*client.Config)
	Policy  *policy.Policy // that it declares; nil: the reference client's own
	Without []string       // capabilities that it does not declare

	Concerns []string // requirements, and areas, in which it could be taken for a wrong one; empty for all
	May      []May    // verdicts that it earns by what it declares
}

// UnusualClients is every correct client that a case might take for a wrong one.
var UnusualClients = []OddClient{
	{
		Name:     "reads-a-byte-at-a-time",
		About:    "It reads one byte after the other.",
		Concerns: []string{"SSE-PARSE", "SSE-API-004", "SSE-API-011", "SSE-HTTPC-021", "SSE-HTTPC-022", "SSE-HTTPC-023", "SSE-HBC-005"},
		Client: tampered(client.Tamper{Dial: func(dial sse.DialFunc) sse.DialFunc {
			return func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return &byteConn{Conn: conn}, nil
			}
		}}),
	},
	{
		Name:     "sends-extra-headers",
		About:    "It sends headers that nobody asked for, and spells Accept out.",
		Concerns: []string{"SSE-HTTPC", "SSE-RECON-015", "SSE-RECON-021"},
		Client: requested(func(r *sse.Request, _ int) {
			r.Header.Set("User-Agent", "unusual/1.0")
			r.Header.Set("X-Request-Id", "0190163d-8694-739b-aea5-966c26f8ad91")
			r.Header.Set("Accept", "text/event-stream, application/json;q=0.1, */*;q=0.01")
			r.Header.Set("Cache-Control", "no-store")
			r.Header.Set("Pragma", "no-cache")
			r.Header.Set("Accept-Language", "de")
		}),
	},
	{
		Name:     "comes-back-after-a-short-fixed-delay",
		About:    "It declares a fixed delay of 60 ms without jitter, and keeps to it.",
		Concerns: []string{"SSE-RECON", "SSE-API", "SSE-HTTPC"},
		May: []May{
			{"SSE-RECON-010", "its delays do not grow, and it says so"}, {"SSE-RECON-012", "it has no jitter, and says so"},
			{"SSE-RECON-014", "its delays do not grow there either"},
		},
		Policy: &policy.Policy{
			Base: 60 * time.Millisecond, Factor: 1, HonorRetry: true, Reset: policy.OnOpen,
		},
	},
	{
		Name:     "reports-no-comments",
		About:    "It shows no comments; the reference client does.",
		Concerns: []string{"SSE-HBC", "SSE-PARSE-006", "SSE-PARSE-041"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, comment: func([]byte) {}}
		}),
		Without: []string{"comments"},
	},
	{
		Name:     "reports-no-open",
		About:    "It does not say when a connection stands.",
		Concerns: []string{"SSE-API", "SSE-RECON-001", "SSE-HTTPC-013"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, opened: func(*sse.Response) {}}
		}),
		Without: []string{"open"},
	},
}

// byteConn reads a byte at a time, up to a length from which on nobody learns anything new.
type byteConn struct {
	net.Conn

	read int
}

const byteWise = 64 << 10

func (c *byteConn) Read(p []byte) (int, error) {
	if c.read < byteWise {
		p = p[:min(len(p), 1)]
	}
	n, err := c.Conn.Read(p)
	c.read += n
	return n, err
}
