package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "Request headers Last-Event-ID, Accept, Authorization, Cookie, Origin reach the origin unchanged; no duplicate Last-Event-ID."
func gatewayPassesRequestFields(t *Trial) {
	for _, position := range []string{"", "42", "0195-7f;a=b, c/\"d\" 100%", "#7"} {
		options := []Option{With("Authorization", "Bearer "+t.Unique()), With("Cookie", "a=b; c="+t.Unique()), With("Origin", "https://app.example")}
		if position != "" {
			options = append(options, From(position))
		}
		p := t.Through(options...)
		u := p.Upstream()
		t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
		u.Finish()
		sent := p.Client().Request
		for _, name := range []string{"Accept", "Authorization", "Cookie", "Origin", "Last-Event-Id"} {
			t.sameField(u, name, sentField(sent, name))
		}
	}
	t.unicodePosition()
	t.Count(5)
	t.Conclude("every field reached the origin as it was sent")
}

func sentField(req *sse.Request, name string) []string {
	switch {
	case name == "Last-Event-Id" && req.LastEventID == "":
		return nil
	case name == "Last-Event-Id":
		return []string{req.LastEventID}
	case name == "Accept" && req.Header[name] == nil:
		return []string{"text/event-stream"}
	}
	return req.Header[name]
}

func (t *Trial) sameField(u *Upstream, name string, sent []string) {
	got := u.Request.Header[name]
	if slices.Equal(got, sent) {
		return
	}
	if name == "Authorization" || name == "Cookie" {
		t.Deviation(name+" at the origin as the client sent it", fmt.Sprintf("%d fields of that name, with another value", len(got)), u.Evidence())
		return
	}
	t.Deviation(fmt.Sprintf("%s %q at the origin, as the client sent it", name, sent), fmt.Sprintf("%s %q at the origin", name, got), u.Evidence())
}

// unicodePosition: HTML has a position sent as UTF-8, and RFC 9110, 5.5, has bytes outside of ASCII treated as opaque, as a SHOULD.
func (t *Trial) unicodePosition() {
	const position = "é-日本"
	p := t.Through(From(position))
	u, forwarded := p.Forwarded(stuck)
	if !forwarded {
		t.Tolerated("a Last-Event-ID outside of ASCII at the origin", "the gateway did not forward the request", p.Evidence())
		return
	}
	defer u.Break()
	if got := u.Request.Header["Last-Event-Id"]; !slices.Equal(got, []string{position}) {
		t.Tolerated(fmt.Sprintf("Last-Event-ID %q at the origin", position), fmt.Sprintf("Last-Event-ID %q", got), u.Evidence())
	}
}

// Evidence shows the head of the request as it reached the origin, without what identifies a session.
func (u *Upstream) Evidence() []string {
	lines := []string{u.Request.Method + " " + u.Request.Target + " " + u.Request.Proto}
	for _, name := range slices.Sorted(keys(u.Request.Header)) {
		for _, value := range u.Request.Header[name] {
			if name == "Authorization" || name == "Cookie" {
				value = "***"
			}
			lines = append(lines, name+": "+value)
		}
	}
	return lines
}

// "Streams are not cached or shared between clients unless explicitly cacheable."
func gatewayGivesEachClientItsOwnStream(t *Trial) {
	for _, control := range []string{"Cache-Control: no-store", "Cache-Control: no-cache", "Cache-Control: private"} {
		first := t.Through()
		mine := "data: " + t.Unique() + "\n\n"
		t.respond(first.Upstream(), control, mine)
		first.same("the first client's stream", []byte(mine))
		t.itsOwn(first, control, "after the first client's had ended")
	}
	t.itsOwn(t.carry().Passage, noStoreField, "while the first client's was open")
	t.Count(4)
	t.Conclude("every client got a stream of its own")
}

// respond has the origin send a whole response.
func (t *Trial) respond(u *Upstream, control, body string) {
	t.originSent(u.Answer(http.StatusOK, typeField, control, chunkedField))
	t.originSent(u.Send(body))
	u.Finish()
}

// itsOwn repeats a request, as another client would.
func (t *Trial) itsOwn(first *Passage, control, when string) {
	began, again := time.Now(), first.Again()
	u, forwarded := again.Forwarded(stuck)
	if tap, ok := again.Tap(0); !forwarded && ok && tap.Status() >= http.StatusInternalServerError {
		t.Unknown("the second client's request was answered with status %d %s: an error shows nothing of another's stream", tap.Status(), when)
	}
	if !forwarded {
		t.deviate(began, stuck, "each client's request at the origin, whose response has "+control,
			"the second client's request did not reach the origin "+when, again.Evidence())
		return
	}
	body := "data: " + t.Unique() + "\n\n"
	t.respond(u, control, body)
	again.same("the second client's stream "+when, []byte(body))
}

// "h1 to h2 translation removes connection-specific headers and Transfer-Encoding."
func gatewayRemovesConnectionFields(t *Trial) {
	var h sse.HTTP2
	t.Cleanup(func() { _ = h.Close() }) // nothing is left to be said on it
	options := []Option{OverHTTP2(&h)}
	if t.Subject.Secure != "" {
		options = append(options, At(t.Subject.Secure))
	}
	p := t.Through(options...)
	u, forwarded := p.Forwarded(stuck)
	if !forwarded {
		t.Skip("the gateway does not speak HTTP/2 at this address: %s", p.silence())
	}
	t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, "Connection: keep-alive, X-Hop", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "X-Hop: 1", chunkedField))
	t.originSent(u.Send(padding))
	u.Finish()
	began := time.Now()
	tap, ok := p.Tap(stuck)
	if !ok {
		t.deviate(began, stuck, "a response over HTTP/2", "none came: "+p.silence())
		t.Conclude("")
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade"} {
		if values := tap.Response.Header.Values(name); len(values) > 0 {
			t.Deviation("no "+name+" over HTTP/2", fmt.Sprintf("%s: %s", name, strings.Join(values, ", ")), tap.Head())
		}
	}
	t.Conclude("no field of the connection came over HTTP/2")
}

// "Statuses 204, 401, 403, 429, 503 and Retry-After pass through unchanged (no HTML page with 200, no automatic retry storm)."
func gatewayPassesStatuses(t *Trial) {
	for _, status := range []int{204, 401, 403, 429, 503} {
		retry := ""
		if status == 429 || status == 503 {
			retry = "7"
		}
		t.passesStatus(status, retry)
		t.Count(1)
	}
	t.Conclude("204, 401, 403, 429 and 503 came as the origin answered, with Retry-After")
}

func (t *Trial) passesStatus(status int, retryAfter string) {
	fields, body := []string{closeField}, ""
	if status != http.StatusNoContent {
		body = fmt.Sprintf("{\"error\":%d}", status)
		fields = append(fields, "Content-Type: application/problem+json", fmt.Sprintf("Content-Length: %d", len(body)))
	}
	if retryAfter != "" {
		fields = append(fields, "Retry-After: "+retryAfter)
	}
	p := t.Through()
	u := p.Upstream()
	t.originSent(u.Answer(status, fields...))
	t.originSent(u.Send(body))
	u.Finish()
	repeated := p.refuseMore(status)
	tap := p.Client()
	if tap.Status() != status {
		t.Deviation(fmt.Sprintf("status %d, as the origin answered", status), fmt.Sprintf("status %d instead of %d", tap.Status(), status), tap.Head())
	}
	if got := tap.Header("Retry-After"); got != retryAfter {
		t.Deviation(fmt.Sprintf("Retry-After %q with status %d, as the origin answered", retryAfter, status), fmt.Sprintf("Retry-After %q", got), tap.Head())
	}
	switch {
	case repeated > 2:
		t.Deviation("one request at the origin", fmt.Sprintf("after status %d the gateway sent the request again %s", status, conformance.Plural(repeated, "time")))
	case repeated > 0:
		t.Tolerated("one request at the origin", fmt.Sprintf("after status %d the gateway sent the request again", status))
	}
}

// refuseMore answers further requests until the client has its response, and returns how many there were.
func (p *Passage) refuseMore(status int) (repeated int) {
	timer := time.NewTimer(p.t.arrival)
	defer timer.Stop()
	for {
		select {
		case u := <-p.requests:
			repeated++
			_ = u.Answer(status, "Content-Length: 0", closeField) // the gateway may be gone
			u.Finish()
		case <-p.opened:
			return repeated
		case <-timer.C:
			return repeated
		}
	}
}

// "HTTP/1.1 upstream connection limits and pools do not block new streams (1000 streams through one gateway)."
func gatewayCarriesManyStreams(t *Trial) {
	bound, streams := t.Duration("within"), int(t.Number("streams"))
	expected := fmt.Sprintf("%s at once, each at the origin within %v", conformance.Plural(streams, "stream"), bound)
	times, first := make([]time.Duration, streams), time.Now()
	for i := range times {
		t.Allow(stuck)
		began := time.Now()
		p := t.Through()
		u, forwarded := p.Forwarded(stuck)
		if !forwarded {
			if err := p.failure(); err != nil && sse.CauseOf(err).Own() {
				t.Unknown("stream %d could not be opened by the harness: %v", i+1, err)
			}
			t.deviate(began, stuck, expected, fmt.Sprintf("with %s open, the next one was not at the origin after %v", conformance.Plural(i, "stream"), stuck), p.Evidence())
			t.Conclude("")
		}
		times[i] = time.Since(began)
		t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
	}
	t.Count(streams)
	slices.Sort(times)
	p99 := times[len(times)*99/100]
	if p99 > bound {
		t.deviate(first, p99-bound, expected, fmt.Sprintf("one in a hundred took at least %v", round(p99)))
	}
	t.Conclude(fmt.Sprintf("%d streams were open at once, and 99 in 100 were at the origin within %v", streams, round(p99)))
}
