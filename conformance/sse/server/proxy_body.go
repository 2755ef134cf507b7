package server

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "With Cache-Control: no-transform the body bytes are unchanged (no compression, no rewriting)."
func gatewayKeepsNoTransform(t *Trial) {
	body := compressible(64)
	p := t.Through(With("Accept-Encoding", "gzip, deflate, br, zstd"))
	u := p.Upstream()
	t.originSent(u.Answer(http.StatusOK, typeField, "Cache-Control: no-cache, no-transform", chunkedField))
	t.originSent(u.Send(body))
	u.Finish()
	tap := p.whole()
	if coding := tap.Header("Content-Encoding"); coding != "" {
		t.Fail("no Content-Encoding, since the origin's response said no-transform", "Content-Encoding: "+coding, tap.Head(), tap.Evidence())
	}
	p.same("a compressible stream", []byte(body))
	t.Conclude(fmt.Sprintf("%s came unchanged, although the client would have taken them compressed", conformance.Plural(len(body), "byte")))
}

// compressible is a number of events that any compression makes much smaller.
func compressible(events int) string {
	var b strings.Builder
	for i := range events {
		fmt.Fprintf(&b, "id: %d\ndata: <html><body>%s</body></html>\n\n", i, strings.Repeat("to be or not to be, ", 20))
	}
	return b.String()
}

// whole is the client's end once the response is over.
func (p *Passage) whole() *Tap {
	tap := p.Client()
	if p.t.Await(tap, "the end of a response is awaited", func(r *Record) bool { return r.Ended }); !p.over() {
		p.t.Unknown("the response did not end within %v of the origin's end", p.t.arrival)
	}
	return tap
}

func (p *Passage) over() bool {
	over, _ := p.tap.Ended()
	return over
}

// same compares what came with what the origin sent.
func (p *Passage) same(what string, sent []byte) {
	tap := p.whole()
	got := tap.Body()
	if bytes.Equal(got, sent) {
		return
	}
	at := 0
	for at < len(got) && at < len(sent) && got[at] == sent[at] {
		at++
	}
	p.t.Deviation(
		fmt.Sprintf("%s: the %s that the origin sent, %s at offset %d", what, conformance.Plural(len(sent), "byte"), sse.Escape(around(sent, at)), at),
		fmt.Sprintf("%s: %s, %s at offset %d", what, conformance.Plural(len(got), "byte"), sse.Escape(around(got, at)), at), tap.Head(), tap.EvidenceFrom(at))
}

func around(p []byte, at int) []byte { return p[min(at, len(p)):min(at+32, len(p))] }

// "Bytes pass unchanged: CR and CRLF line ends, BOM, NUL, invalid UTF-8, comments, 1 MiB lines."
func gatewayPassesBytesUnchanged(t *Trial) {
	random := rand.New(rand.NewPCG(9110, 63)) // the same cuts each time
	for _, sample := range []struct {
		name, body string
		cut        func(p []byte) [][]byte
	}{
		{"CR line ends", "data: a\rdata: b\r\rdata: c\r\r", sse.EachByte},
		{"CRLF line ends", "data: a\r\ndata: b\r\n\r\nid\r\n\r\n", sse.EachByte},
		{"mixed line ends", "data: a\n\r\ndata: b\r\n\n\r\r\n", sse.EachByte},
		{"a BOM", "\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", sse.EachByte},
		{"NUL and control characters", "id: a\x00b\ndata: \x00\x01\x0b\x0c\x1b\x7f\u0085\u2028\n\n", sse.EachByte},
		{"bytes that are not UTF-8", "data: \xff\xfe\xc0\x80\xed\xa0\x80 \xf0\x9f\n\n", sse.EachByte},
		{"comments, unknown fields and empty lines", ":\n: a\n:b:c\nfoo: bar\nfoo\n\n\n\ndata\n\nretry: 1\n: end", sse.EachByte},
		{"markup", "data: <html><head></head><body><a href=\"http://127.0.0.1/\">a</a></body></html>\n\n", sse.EachByte},
		{"a line of 1 MiB", "data: " + strings.Repeat("0123456789abcdef", 1<<16) + "\n\n", func(p []byte) [][]byte { return sse.RandomSplit(random, p, 64) }},
	} {
		p := t.Through()
		u := p.Upstream()
		t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
		t.originSent(u.Segments(sample.cut([]byte(sample.body))...))
		u.Finish()
		p.same(sample.name, []byte(sample.body))
		t.Count(1)
	}
	t.Conclude("every byte came as it was sent")
}

// "If the intermediary compresses, it flushes per event."
func gatewayFlushesWhatItCompresses(t *Trial) {
	usual := t.medianTransit()
	var seen, told []string
	for _, accept := range accepted {
		p := t.Through(With("Accept-Encoding", accept))
		u := p.Upstream()
		t.originSent(u.Answer(http.StatusOK, typeField, "Cache-Control: no-cache", chunkedField))
		t.originSent(u.Send(compressible(64)))
		tap, ok := p.Tap(stuck)
		if !ok {
			t.originSent(u.Send(padding)) // what holds back the head may let it go
			tap = p.Client()
		}
		coding := tap.Header("Content-Encoding")
		if coded(coding) && !slices.Contains(seen, coding) {
			seen = append(seen, coding)
			d := &lateness{within: t.Duration("added_p99"), beside: fmt.Sprintf("what it takes without a coding (%v)", round(usual))}
			told = append(told, t.codingInTime(tap, coding, d, func(e codedEvent) time.Time {
				there := time.Now().Add(usual)
				t.originSent(u.Send("data: " + e.data() + "\n\n"))
				return there
			}))
		}
		p.End(u)
	}
	if len(seen) == 0 {
		t.Skip("the gateway does not compress streams, though %s was accepted", accepted[0])
	}
	t.Conclude(strings.Join(told, "; "))
}
