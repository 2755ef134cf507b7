package client_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// inflater is a client on top of net/http, which asks for gzip of its own accord. It follows a stream once.
type inflater struct {
	buffer int // bytes that it waits for before it looks at them; 0 for none
}

func (inflater) Hello() subject.Hello {
	return subject.Hello{Name: "net/http", Caps: []string{"multi"}}
}

func (c inflater) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, http.NoBody)
	if err != nil {
		cancel()
		return nil, err
	}
	transport := &http.Transport{}
	s := &inflating{cancel: cancel, over: make(chan struct{})}
	go func() {
		defer close(s.over)
		defer transport.CloseIdleConnections()
		response, err := transport.RoundTrip(request)
		if err != nil {
			return
		}
		defer response.Body.Close()
		body := io.Reader(response.Body)
		if c.buffer > 0 {
			body = &hoarder{from: body, least: c.buffer}
		}
		for lines := bufio.NewScanner(body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				to.Event("message", []byte(data), "")
			}
		}
	}()
	return s, nil
}

type inflating struct {
	cancel context.CancelFunc
	over   chan struct{}
}

func (s *inflating) Close() {
	s.cancel()
	<-s.over
}

// hoarder hands nothing on before it has enough.
type hoarder struct {
	from  io.Reader
	least int
}

func (h *hoarder) Read(p []byte) (int, error) { return io.ReadAtLeast(h.from, p, min(h.least, len(p))) }

func TestCompressedStreamsAreJudged(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		client inflater
		want   conformance.Outcome
	}{{inflater{}, conformance.Pass}, {inflater{buffer: 2 << 10}, conformance.Fail}} {
		verdicts, _, _, err := client.Check(t.Context(), subject.Local(c.client), client.Cases, client.Options{Only: []string{"SSE-PARSE-042"}})
		if err != nil {
			t.Fatal(err)
		}
		v := verdicts[0]
		if undecided(v) {
			t.Skip(describe(v))
		}
		if v.Outcome != c.want {
			t.Errorf("with a buffer of %d bytes: %s", c.client.buffer, describe(v))
		}
	}
}
