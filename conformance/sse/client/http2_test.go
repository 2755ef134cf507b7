package client_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// twoSpeaker reads streams over HTTP/2 with the standard library. It comes back as often as it is allowed to.
type twoSpeaker struct{ losses int }

func (twoSpeaker) Hello() subject.Hello {
	return subject.Hello{Name: "over HTTP/2", Caps: []string{"h2", "tls-ca", "multi"}}
}

func (c twoSpeaker) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	pool := x509.NewCertPool()
	if o.TLSCA != "" && !pool.AppendCertsFromPEM([]byte(o.TLSCA)) {
		return nil, errors.New("no certificate")
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(o.TLSCA != "")
	protocols.SetHTTP1(o.TLSCA == "")
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer transport.CloseIdleConnections()
		for attempt := 0; attempt <= c.losses && ctx.Err() == nil; attempt++ {
			c.read(ctx, transport, o.URL, to)
		}
		to.Failed(true, subject.CauseNetwork, 0, "it has given up")
	}()
	return closing(func() { cancel(); <-over }), nil
}

type closing func()

func (c closing) Close() { c() }

func (twoSpeaker) read(ctx context.Context, transport *http.Transport, url string, to *subject.Reporter) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		to.Failed(false, subject.CauseNetwork, 0, err.Error())
		return
	}
	defer response.Body.Close()
	to.Opened()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			to.Event("message", []byte(data), "")
		}
	}
	to.Failed(false, subject.CauseNetwork, 0, "the stream ended")
}

func TestStreamsOverHTTP2AreLostAsOthersAre(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		losses int
		want   conformance.Outcome
	}{{1000, conformance.Pass}, {0, conformance.Fail}} {
		before := time.Now()
		verdicts, _, _, err := client.Check(t.Context(), subject.Local(twoSpeaker{c.losses}), client.Cases, client.Options{Only: []string{"SSE-HTTPC-025"}})
		if err != nil {
			t.Fatal(err)
		}
		if len(verdicts) == 1 && undecided(verdicts[0]) {
			t.Skip(describe(verdicts[0]))
		}
		if len(verdicts) != 1 || verdicts[0].Outcome != c.want {
			t.Errorf("a client that comes back %d times: %v after %v, want %v", c.losses, verdicts, time.Since(before), c.want)
		}
	}
}
