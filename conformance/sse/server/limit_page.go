package server

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "Over HTTP/1.1 six streams per origin must not starve other requests of the same page: test page/gateway offers h2 or documents
// sharing."
func manyStreamsOfOnePage(t *Trial) {
	const page = 6
	origin := t.Subject.Secure
	if u, err := url.Parse(t.Subject.URL); origin == "" && err == nil && u.Scheme == "https" {
		origin = u.Scheme + "://" + u.Host
	}
	if origin == "" {
		t.Info("only plaintext HTTP/1.1 is offered: a page with six streams blocks its other requests")
	}
	shared := new(sse.HTTP2)
	t.Cleanup(func() { _ = shared.Close() }) // its streams have ended by then
	for n := range page + 1 {
		began := time.Now()
		switch answer := t.streamOfPage(At(origin), OverHTTP2(shared)); {
		case answer == "":
		case n == 0:
			t.Info("HTTP/2 is not offered: a page with six streams blocks its other requests")
		default:
			actual := fmt.Sprintf("request %d over HTTP/2 was not answered with a stream: %s", n+1, answer)
			if t.LagBetween(began, time.Now()) > stuck/2 {
				t.Unknown("%s, but this machine was too busy to tell", actual)
			}
			t.Fail(fmt.Sprintf("an answer beside %s of the same page", conformance.Plural(page, "stream")), actual)
		}
	}
	t.Count(page + 1)
	t.Pass(fmt.Sprintf("beside %s over HTTP/2 another request was answered", conformance.Plural(page, "stream")))
}

// streamOfPage opens one more stream that stays open, and says what came instead.
func (t *Trial) streamOfPage(options ...Option) (instead string) {
	if t.Subject.Origin == nil {
		p, err := t.Open([]string{t.Stream()}, options...)
		t.interrupted()
		switch {
		case err != nil:
			return err.Error()
		case p.Status() != http.StatusOK:
			return answerText(p)
		}
		return ""
	}
	p := t.Through(options...)
	u, forwarded := p.Forwarded(stuck)
	if !forwarded {
		t.interrupted()
		return "the origin was not asked for it: " + p.silence()
	}
	t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
	t.originSent(u.Send(padding))
	if _, ok := p.Tap(stuck); !ok {
		return "the origin's answer did not come: " + p.silence()
	}
	return ""
}
