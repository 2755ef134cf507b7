package server

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// proxyCases are those of the area PROXY: what a gateway does to the streams that go through it. The harness is its client and the
// server behind it.
var proxyCases = []Case{
	{Requirement: "SSE-PROXY-001", Run: gatewayPassesEventsAtOnce},
	{Requirement: "SSE-PROXY-002", Run: gatewayPassesHeadBeforeBody},
	{Requirement: "SSE-PROXY-003", Run: gatewayKnowsStreamsByMediaType},
	{Requirement: "SSE-PROXY-004", Run: gatewayKeepsNoTransform},
	{Requirement: "SSE-PROXY-005", Run: gatewayFlushesWhatItCompresses},
	{Requirement: "SSE-PROXY-006", Run: gatewayPassesBytesUnchanged},
	{Requirement: "SSE-PROXY-007", Run: gatewayPassesHeartbeats},
	{Requirement: "SSE-PROXY-008", Run: gatewayKeepsStreamsOpen},
	{Requirement: "SSE-PROXY-009", Run: gatewayPassesRequestFields},
	{Requirement: "SSE-PROXY-010", Run: gatewayPassesDisconnectsOn},
	{Requirement: "SSE-PROXY-011", Run: gatewayPassesEndsOn},
	{Requirement: "SSE-PROXY-012", Run: gatewayGivesEachClientItsOwnStream},
	{Requirement: "SSE-PROXY-013", Run: gatewayRemovesConnectionFields},
	{Requirement: "SSE-PROXY-014", Run: gatewayPassesStatuses},
	{Requirement: "SSE-PROXY-015", Turn: disturbing, Run: gatewayDrainsStreams},
	{Requirement: "SSE-PROXY-016", Turn: demanding, Run: gatewayBoundsWhatItKeeps},
	{Requirement: "SSE-PROXY-017", Run: gatewayNeverRepeatsARequest},
	{Requirement: "SSE-PROXY-018", Turn: demanding, Run: gatewayCarriesManyStreams},
	{Requirement: "SSE-PROXY-019", Run: gatewayKeepsCharactersWhole},
}

// Fields of the origin's responses.
const (
	typeField    = "Content-Type: text/event-stream"
	noStoreField = "Cache-Control: no-store"
	chunkedField = "Transfer-Encoding: chunked"
	closeField   = "Connection: close"
)

// stuck is after how long a piece counts as held back, and not as late.
const stuck = 3 * time.Second

// "Each event is forwarded when it arrives (no response buffering)."
func gatewayPassesEventsAtOnce(t *Trial) {
	bound := t.Duration("added_p99")
	for _, framing := range []struct{ name, line string }{
		{"a chunked body", "HTTP/1.1 200 OK\r\n" + chunkedField + "\r\n"},
		{"a body that lasts until the connection is closed", "HTTP/1.1 200 OK\r\n" + closeField + "\r\n"},
		{"an HTTP/1.0 response", "HTTP/1.0 200 OK\r\n"},
	} {
		f := flow{head: framing.line + typeField + "\r\n" + noStoreField + "\r\n\r\n", count: int(t.Number("events")), gap: t.Duration("gap")}
		if late := t.flows(f, bound); late != nil {
			if t.flowsUnbuffered(f, bound) {
				late.text += "; when the origin's response has X-Accel-Buffering: no, events do come at once"
			}
			late.report(t, framing.name)
			continue
		}
		f.together, f.count = true, min(f.count, 2)
		if late := t.flows(f, bound); late != nil {
			late.report(t, framing.name+", whose first event was sent together with the head")
		}
	}
	t.Conclude(fmt.Sprintf("every event came within %v, from each kind of body", bound))
}

// flowsUnbuffered says whether it is X-Accel-Buffering: no that makes events come at once which come late without: twice they do with it, and
// between the two they do not without.
func (t *Trial) flowsUnbuffered(f flow, bound time.Duration) bool {
	f.count = min(f.count, 5)
	unbuffered := f
	unbuffered.head = strings.TrimSuffix(f.head, "\r\n") + "X-Accel-Buffering: no\r\n\r\n"
	return t.flows(unbuffered, bound) == nil && t.flows(f, bound) != nil && t.flows(unbuffered, bound) == nil
}

// "Streaming is recognised also with media type parameters and any case."
func gatewayKnowsStreamsByMediaType(t *Trial) {
	bound := t.Duration("added_p99")
	for _, mediaType := range []string{"text/event-stream;charset=utf-8", "text/event-stream; charset=UTF-8", "Text/Event-Stream"} {
		f := flow{
			head:  "HTTP/1.1 200 OK\r\nContent-Type: " + mediaType + "\r\n" + noStoreField + "\r\n" + chunkedField + "\r\n\r\n",
			count: int(t.Number("events")), gap: t.Duration("gap"),
		}
		if late := t.flows(f, bound); late != nil {
			late.report(t, "Content-Type: "+mediaType)
		}
	}
	t.Conclude(fmt.Sprintf("every event came within %v, however the media type was written", bound))
}

// "Heartbeat comments are forwarded (not swallowed, not delayed)."
func gatewayPassesHeartbeats(t *Trial) {
	f := flow{
		head:  "HTTP/1.1 200 OK\r\n" + typeField + "\r\n" + noStoreField + "\r\n" + chunkedField + "\r\n\r\n",
		count: int(t.Number("heartbeats")), gap: t.Duration("gap"), word: "heartbeat",
		piece: func(i int) string { return []string{": hb\n\n", ":\n\n", ":\n"}[i%3] },
	}
	bound := t.Duration("within")
	if late := t.flows(f, bound); late != nil {
		late.report(t, "heartbeat comments")
	}
	t.Conclude(fmt.Sprintf("every heartbeat came within %v", bound))
}

// "Response headers are forwarded before the first body byte, for every Accept-Encoding (none, gzip, br, zstd)."
func gatewayPassesHeadBeforeBody(t *Trial) {
	for _, coding := range []string{"", "gzip", "br", "zstd"} {
		t.headBeforeBody(coding, t.Duration("within"))
	}
	t.Count(4)
	t.Conclude(fmt.Sprintf("the head came within %v, before any body", t.Duration("within")))
}

func (t *Trial) headBeforeBody(coding string, bound time.Duration) {
	name := "with Accept-Encoding: " + coding
	if coding == "" {
		name = "without Accept-Encoding"
	}
	var late *heldBack
	for range attempts {
		if late = t.headOnce(coding, bound); late == nil || late.doubt == "" {
			break
		}
	}
	if late != nil {
		late.report(t, name)
	}
}

func (t *Trial) headOnce(coding string, bound time.Duration) *heldBack {
	p := t.Through(With("Accept-Encoding", coding))
	u := p.Upstream()
	defer p.End(u)
	began := time.Now()
	t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
	_, came := p.Tap(stuck)
	took := time.Since(began) // the head has come before it was seen
	if came && took <= bound {
		return nil
	}
	late := &heldBack{
		expected: fmt.Sprintf("the head within %v, before any body", bound), doubt: t.doubt(began, took-bound),
		text: fmt.Sprintf("the head took %v", round(took)),
	}
	if !came {
		late.text = fmt.Sprintf("no head came within %v of the origin's", stuck)
		if u.Send("data: first\n\n") == nil {
			if _, came := p.Tap(stuck); came {
				late.text += ", but then with the first byte of the body"
			}
		}
	}
	late.evidence = p.Evidence()
	return late
}
