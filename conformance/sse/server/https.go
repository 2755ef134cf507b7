package server

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// httpsCases are those of the area HTTPS: the HTTP side of a stream. https_origin.go holds those about other origins,
// https_life.go those about the life of a connection, https_two.go those about HTTP/2.
var httpsCases = []Case{
	{Requirement: "SSE-HTTPS-001", On: anAnswer, Run: streamIsAnsweredWith200},
	{Requirement: "SSE-HTTPS-002", Run: contentTypeIsEventStream},
	{Requirement: "SSE-HTTPS-003", On: anAnswer, Run: headComesBeforeTheFirstEvent},
	{Requirement: "SSE-HTTPS-004", Run: lengthIsLeftOpen},
	{Requirement: "SSE-HTTPS-005", Run: http10GetsNoChunks},
	{Requirement: "SSE-HTTPS-006", Run: cachesDoNotStore},
	{Requirement: "SSE-HTTPS-007", Run: intermediariesDoNotTransform},
	{Requirement: "SSE-HTTPS-008", Run: nginxDoesNotBuffer},
	{Requirement: "SSE-HTTPS-009", On: openStream, Run: compressionIsAccepted},
	{Requirement: "SSE-HTTPS-010", On: anAnswer, Run: headEnds},
	{Requirement: "SSE-HTTPS-011", On: anAnswer, Run: otherMethodsAreRefused},
	{Requirement: "SSE-HTTPS-012", On: openStream, Run: acceptIsHeeded},
	{Requirement: "SSE-HTTPS-013", Turn: provoking, Run: errorsAreNoStreams},
	{Requirement: "SSE-HTTPS-014", Run: allowedOriginIsNamed},
	{Requirement: "SSE-HTTPS-015", Run: otherOriginsGetNoCredentials},
	{Requirement: "SSE-HTTPS-016", Run: preflightSucceeds},
	{Requirement: "SSE-HTTPS-017", On: anAnswer, Run: finishedStreamIsAnsweredWith204},
	{Requirement: "SSE-HTTPS-018", On: openStream, Turn: demanding, Run: overloadSaysWhenToComeBack},
	{Requirement: "SSE-HTTPS-019", On: openStream, Turn: demanding, Run: vanishedClientsAreNoticed},
	{Requirement: "SSE-HTTPS-020", On: delivery, Turn: waiting, Run: streamOutlivesTimeouts},
	{Requirement: "SSE-HTTPS-021", Turn: provoking, Run: malformedRequestsDoNoHarm},
	{Requirement: "SSE-HTTPS-022", On: openStream, Run: http2HasNoConnectionFields},
	{Requirement: "SSE-HTTPS-023", On: openStream, Run: http2IsOffered},
	{Requirement: "SSE-HTTPS-024", On: delivery, Turn: stalling, Run: unreadStreamStallsNoOther},
	{Requirement: "SSE-HTTPS-025", On: delivery, Run: oneClientHasTwoStreams},
	{Requirement: "SSE-HTTPS-026", On: openStream, Run: codingDelaysNothing},
	{Requirement: "SSE-HTTPS-027", On: openStream, Run: endsWithItsClient},
	{Requirement: "SSE-HTTPS-028", On: openStream, Turn: demanding, Run: resetStreamsFreeTheirSlots},
	{Requirement: eachOpening, On: openStream, Turn: waiting, Run: everyOpeningIsAStream},
}

// "A stream is answered with status 200."
func streamIsAnsweredWith200(t *Trial) {
	p, err := t.Open([]string{t.Stream()}, Insisting())
	if err != nil {
		t.interrupted()
		t.Absent("status 200", "no response: "+err.Error())
	}
	if location := p.Header("Location"); p.Status()/100 == 3 && location != "" {
		t.Warn("status 200", fmt.Sprintf("status %d: every client needs one request more; the stream itself was not judged, check the address it redirects to", p.Status()), p.Head())
	}
	if p.Status() != http.StatusOK {
		t.Fail("status 200", fmt.Sprintf("status %d", p.Status()), append(p.Head(), p.Curl()))
	}
	t.Pass("status 200")
}

// "Content-Type is text/event-stream; a charset parameter, if any, is utf-8."
func contentTypeIsEventStream(t *Trial) {
	const expected = "text/event-stream, with charset utf-8 or without"
	t.eachHead(func(p *Tap) (seen string) {
		value := p.Header("Content-Type")
		essence, parameters, err := mime.ParseMediaType(value)
		charset, given := parameters["charset"]
		if err != nil || essence != "text/event-stream" || given && !strings.EqualFold(charset, "utf-8") {
			t.Fail(expected, fmt.Sprintf("Content-Type: %s", value), append(p.Head(), p.Curl()))
		}
		return value
	})
}

// "Status line and headers are flushed at once, before the first event exists."
func headComesBeforeTheFirstEvent(t *Trial) {
	const attempts = 3
	within := t.Duration("within")
	best := time.Duration(-1)
	for range attempts {
		p, err := t.Open([]string{t.Stream()}, Unprimed(), Insisting(), Waiting(4*within))
		if err != nil {
			t.interrupted()
			continue
		}
		if took := p.Response.Timing.Head; best < 0 || took < best {
			best = took
		}
		p.Close()
	}
	t.Count(attempts)
	expected := fmt.Sprintf("a response's head within %v of its request, on a stream without events", within)
	switch {
	case best < 0:
		t.Late(3*within, expected, fmt.Sprintf("no head within %v, %s", 4*within, conformance.Plural(attempts, "time")), []string{curl(t.Subject, t.Request([]string{t.Stream()}))})
	case best > within:
		t.Late(best-within, expected, fmt.Sprintf("%v at best", best.Round(time.Millisecond)))
	}
	t.Pass(fmt.Sprintf("the head came after %v", best.Round(100*time.Microsecond)))
}

// "No Content-Length on an open-ended stream; HTTP/1.1 uses chunked or close-delimited framing."
func lengthIsLeftOpen(t *Trial) {
	const expected = "no Content-Length, and Transfer-Encoding chunked or none"
	t.eachHead(func(p *Tap) (seen string) {
		coding := p.Header("Transfer-Encoding")
		if p.Header("Content-Length") != "" || coding != "" && !strings.EqualFold(coding, "chunked") {
			t.Fail(expected, fmt.Sprintf("Content-Length: %s, Transfer-Encoding: %s", p.Header("Content-Length"), coding), append(p.Head(), p.Curl()))
		}
		if coding == "" {
			return "the body ends with the connection"
		}
		return "chunked"
	})
}

// "To an HTTP/1.0 request the server sends no Transfer-Encoding."
func http10GetsNoChunks(t *Trial) {
	req := t.Request([]string{t.Stream()})
	x := t.Dial(req)
	if err := x.Write(http.MethodGet, "HTTP/1.0", req); err != nil {
		t.Unknown("the request could not be sent: %v", err)
	}
	a, err := x.Answer(http.MethodGet, t.arrival)
	switch {
	case err != nil:
		t.interrupted()
		t.Unknown("no response to an HTTP/1.0 request: %v", err)
	case a.Header.Get("Transfer-Encoding") != "":
		t.Fail("no Transfer-Encoding", "Transfer-Encoding: "+a.Header.Get("Transfer-Encoding"), a.Evidence())
	case a.Status != http.StatusOK:
		t.Info(fmt.Sprintf("HTTP/1.0 is refused with status %d", a.Status))
	}
	t.Pass("the body ends with the connection")
}

// "Responses are not stored by caches: Cache-Control no-store (or no-cache/private)."
func cachesDoNotStore(t *Trial) {
	t.eachHead(func(p *Tap) (seen string) {
		has := cacheControl(p)
		t.Classify(named("Cache-Control", p), append(p.Head(), p.Curl()),
			conformance.Class{Outcome: conformance.Pass, Text: "no-store", Holds: has["no-store"]},
			conformance.Class{Outcome: conformance.Warn, Text: "no-cache or private", Holds: has["no-cache"] || has["private"]})
		return named("Cache-Control", p)
	})
}

// "Cache-Control includes no-transform (stops compressing/buffering intermediaries)."
func intermediariesDoNotTransform(t *Trial) {
	t.eachHead(func(p *Tap) (seen string) {
		if !cacheControl(p)["no-transform"] {
			t.Fail("Cache-Control with no-transform", named("Cache-Control", p), append(p.Head(), p.Curl()))
		}
		return named("Cache-Control", p)
	})
}

// cacheControl is the directives of a response.
func cacheControl(p *Tap) map[string]bool {
	has := map[string]bool{}
	for _, directive := range strings.Split(strings.ToLower(p.Header("Cache-Control")), ",") {
		name, _, _ := strings.Cut(directive, "=")
		has[strings.TrimSpace(name)] = true
	}
	return has
}

// named is a header field in words.
func named(name string, p *Tap) string {
	if p.Header(name) == "" {
		return "no " + name
	}
	return name + ": " + p.Header(name)
}

// "X-Accel-Buffering: no is sent."
func nginxDoesNotBuffer(t *Trial) {
	t.eachHead(func(p *Tap) (seen string) {
		if !strings.EqualFold(p.Header("X-Accel-Buffering"), "no") {
			t.Fail("X-Accel-Buffering: no", named("X-Accel-Buffering", p)+": nginx buffers the stream unless it is configured not to", p.Head())
		}
		return "X-Accel-Buffering: no"
	})
}

// "HEAD returns the same headers and ends without streaming."
//
// Whether the response has ended is seen from a second one on the same connection, or from the connection's end.
func headEnds(t *Trial) {
	const expected = "a head and nothing behind it, or 404, 405 or 501"
	req := t.Request([]string{t.Stream()})
	x := t.Dial(req)
	if err := x.Write(http.MethodHead, "HTTP/1.1", req); err != nil {
		t.Unknown("the request could not be sent: %v", err)
	}
	a, err := x.Answer(http.MethodHead, t.arrival)
	if err != nil {
		t.interrupted()
		t.Absent(expected, fmt.Sprintf("no head within %v: %v", t.arrival, err), []string{curl(t.Subject, req, "-I")})
	}
	if slices.Contains(methodRefused, a.Status) {
		t.Pass(fmt.Sprintf("status %d", a.Status))
	}
	_ = x.Write(http.MethodHead, "HTTP/1.1", req) // a connection that ended is an answer too
	next, err := x.Next(t.arrival)
	t.interrupted()
	switch {
	case err == nil && strings.HasPrefix(string(next), "HTTP/1."), err != nil && !timedOut(err):
	case err != nil:
		t.Fail(expected, fmt.Sprintf("status %d, and the response had not ended after %v", a.Status, t.arrival), a.Evidence())
	default:
		t.Fail(expected, "a body that begins "+sse.Escape(next[:min(len(next), 60)]), a.Evidence())
	}
	get := answered(t)
	if a.Status != get.Status() || !strings.EqualFold(a.Header.Get("Content-Type"), get.Header("Content-Type")) {
		t.Fail("the status and the content type of GET", fmt.Sprintf("HEAD: status %d, Content-Type %q; GET: status %d, Content-Type %q",
			a.Status, a.Header.Get("Content-Type"), get.Status(), get.Header("Content-Type")), a.Evidence(), get.Head())
	}
	t.Pass("the head of a stream, and nothing behind it")
}

// methodRefused is how servers say that they have no use for a method: none is better than another.
var methodRefused = []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}

// timedOut says whether nothing came, as opposed to an end.
func timedOut(err error) bool {
	cause := sse.CauseOf(&sse.Error{Phase: sse.PhaseHead, Err: err})
	return cause == sse.CauseHeadTimeout
}

// "A method that is not supported is refused, and not answered with a stream; a 405 names in Allow what is supported."
func otherMethodsAreRefused(t *Trial) {
	var answers []string
	for _, method := range []string{http.MethodPatch, "STREAMGAUGE"} {
		p, err := t.Open([]string{t.Stream()}, Editing(func(r *sse.Request) { r.Method = method }))
		t.interrupted()
		if err != nil {
			t.Tolerated("a refusal", fmt.Sprintf("%s: no response: %v", method, err))
			continue
		}
		actual := fmt.Sprintf("%s: status %d, %s", method, p.Status(), named("Allow", p))
		answers = append(answers, actual)
		t.Classify(actual, p.Head(), passes("a status from 400 on; 405 with Allow",
			p.Status() >= 400 && (p.Status() != http.StatusMethodNotAllowed || len(p.Response.Header.Values("Allow")) > 0)))
		p.Close()
	}
	t.Count(2)
	t.Conclude(strings.Join(answers, "; "))
}

// "Requests with Accept: text/event-stream, */*, absent, or with q-values are served; a type that excludes it may get 406."
func acceptIsHeeded(t *Trial) {
	t.Subscribe([]string{t.Stream()}).Close() // without any stream there is nothing to tell apart
	for _, accept := range []string{"text/event-stream", "*/*", "", "text/html;q=0.5, text/event-stream;q=0.9", "application/json"} {
		p, err := t.Open([]string{t.Stream()}, With("Accept", accept))
		t.interrupted()
		if err != nil {
			t.Absence("status 200", fmt.Sprintf("Accept %q: no response: %v", accept, err))
			continue
		}
		served := p.Status()/100 == 2 && p.Response.EventStream()
		t.Classify(fmt.Sprintf("Accept %q: status %d, %s", accept, p.Status(), named("Content-Type", p)), append(p.Head(), p.Curl()),
			conformance.Class{Outcome: conformance.Pass, Text: "a stream", Holds: served},
			conformance.Class{Outcome: conformance.Pass, Text: "any answer to a type that excludes it", Holds: accept == "application/json" && p.Status() < 500})
		p.Close()
	}
	t.Count(5)
	t.Conclude("served whenever text/event-stream is acceptable")
}

// "Errors before the stream starts use an HTTP error status, not 200 with an error event."
func errorsAreNoStreams(t *Trial) {
	provoked := []provocation{
		{what: "a malformed query", options: []Option{Editing(func(r *sse.Request) { r.URL.RawQuery = "%zz&" + r.URL.RawQuery })}},
		{what: "no query", options: []Option{Editing(func(r *sse.Request) { r.URL.RawQuery = "" })}},
		{what: "a type that excludes streams", options: []Option{With("Accept", "application/json")}},
	}
	if t.Subject.protected() {
		provoked = append(provoked, provocation{what: "no credentials", options: []Option{Anonymous()}}, provocation{what: "wrong credentials", options: []Option{Mistaken()}})
	}
	refused := 0
	for _, provoke := range provoked {
		if provoke.judge(t) {
			refused++
		}
	}
	if refused == 0 && !t.Deviated() {
		t.Info("nothing that was tried is an error to this target")
	}
	t.Count(len(provoked))
	t.Conclude(fmt.Sprintf("%d requests were refused, each with an error status", refused))
}

// provocation is a request that deserves an error.
type provocation struct {
	what    string
	options []Option
}

// judge says whether the request was refused, and notes when it was refused by a stream.
func (v provocation) judge(t *Trial) (refused bool) {
	const expected = "a status from 400 on, with another content type than text/event-stream"
	p, err := t.Open([]string{t.Stream()}, v.options...)
	t.interrupted()
	if err != nil {
		return false
	}
	defer p.Close()
	stream := p.Response.EventStream()
	actual := fmt.Sprintf("%s: status %d, %s", v.what, p.Status(), named("Content-Type", p))
	switch {
	case p.Status() >= 400 && stream:
		t.Deviation(expected, actual, append(p.Head(), p.Curl()))
	case p.Status() >= 400:
		return true
	case p.Status() == http.StatusOK && stream && v.fails(t, p):
		t.Deviation(expected, actual, append(p.Head(), p.Curl()), p.Evidence())
	}
	return false
}

// fails says whether a stream tells of an error and ends. One that stays open was not refused.
func (v provocation) fails(t *Trial, p *Tap) bool {
	told := func(r *Record) bool {
		return slices.ContainsFunc(r.Events, func(e Event) bool { return strings.Contains(strings.ToLower(e.Type), "error") })
	}
	p.Await(t.Context(), lookFor, func(r *Record) bool { return r.Ended || told(r) })
	t.interrupted()
	failed := false
	p.Look(func(r *Record) { failed = told(r) })
	return failed
}

// lookFor is how long a stream is watched for an error that it may tell.
const lookFor = time.Second

// eachHead has the head of a new stream judged, and that of one that resumed. What was seen is told once where it is the same.
func (t *Trial) eachHead(judge func(p *Tap) (seen string)) {
	told := []string{judge(answered(t))}
	t.Count(1)
	if p := t.returned(); p != nil && !t.Deviated() {
		told = append(told, judge(p))
		t.Count(1)
	}
	t.Conclude(strings.Join(slices.Compact(told), "; on one that resumed: "))
}

// answered is a subscription with status 200, whatever its head says; without one the case is unknown.
func answered(t *Trial, options ...Option) *Tap {
	p, err := t.Open([]string{t.Stream()}, options...)
	if err != nil {
		t.interrupted()
		t.Unknown("no response: %v", err)
	}
	if p.Status() != http.StatusOK {
		t.Unknown("no stream could be opened: the answer was status %d", p.Status())
	}
	return p
}
