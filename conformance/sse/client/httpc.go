package client

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

var followsRedirects = []subject.Capability{subject.Redirects}

// httpcCases are about HTTP, the client's side.
var httpcCases = []Case{
	{Requirement: "SSE-HTTPC-001", Run: requestsAreGET},
	{Requirement: "SSE-HTTPC-002", Run: acceptsEventStreams},
	{Requirement: "SSE-HTTPC-003", Run: goesPastCaches},
	{Requirement: "SSE-HTTPC-004", Run: beginsWithoutAnID},
	{Requirement: "SSE-HTTPC-005", Run: refusalsHaveNoEvents},
	{Requirement: "SSE-HTTPC-006", Run: noContentMeansStop},
	{Requirement: "SSE-HTTPC-007", Run: anyOtherStatusIsFinal},
	{Requirement: "SSE-HTTPC-008", Run: retriesWhatMayPass},
	{Requirement: "SSE-HTTPC-009", Run: leavesItAtRefusals},
	{Requirement: "SSE-HTTPC-010", Run: followsRetryAfter},
	{Requirement: "SSE-HTTPC-011", Run: otherTypesAreNoStreams},
	{Requirement: "SSE-HTTPC-012", Run: typeIsComparedLoosely},
	{Requirement: "SSE-HTTPC-013", Needs: followsRedirects, Run: redirectsAreFollowed},
	{Requirement: "SSE-HTTPC-014", Run: brokenRedirectsAreErrors},
	{Requirement: "SSE-HTTPC-015", Needs: followsRedirects, Run: idFollowsARedirect},
	{Requirement: "SSE-HTTPC-016", Needs: []subject.Capability{subject.Redirects, subject.Headers}, Run: credentialsStay},
	{Requirement: "SSE-HTTPC-017", Needs: followsRedirects, Run: whereItComesBackTo},
	{Requirement: "SSE-HTTPC-018", Run: cookiesNeedCredentials},
	{Requirement: "SSE-HTTPC-019", Needs: []subject.Capability{subject.CORS}, Run: corsIsChecked},
	{Requirement: "SSE-HTTPC-020", Needs: []subject.Capability{subject.CORS}, Run: unsafeIDsArePreflighted},
	{Requirement: "SSE-HTTPC-021", Run: chunksAreDecoded},
	{Requirement: "SSE-HTTPC-022", Run: otherFramingsAreStreams},
	{Requirement: "SSE-HTTPC-023", Run: brokenOffStreams},
	{Requirement: "SSE-HTTPC-024", Run: interimResponsesAreSkipped},
	{Requirement: "SSE-HTTPC-025", Needs: []subject.Capability{subject.HTTP2, subject.TLSCA}, Run: worksOverHTTP2},
	{Requirement: "SSE-HTTPC-026", Needs: []subject.Capability{subject.Headers}, Run: repeatsWhatItWasGiven},
	{Requirement: "SSE-HTTPC-027", Needs: []subject.Capability{subject.Tokens}, Run: asksForCredentialsAnew},
	{Requirement: "SSE-HTTPC-028", Run: certificatesAreChecked},
	{Requirement: "SSE-HTTPC-029", Waits: true, Run: silentServersAreLeft},
	{Requirement: "SSE-HTTPC-030", Needs: []subject.Capability{subject.Headers}, Run: keepsCredentialsToItself},
	{Requirement: "SSE-HTTPC-031", Run: letsGoOfRefusals},
}

// quiet is how long is waited before a client counts as one that does not come back: several times what its delay may be. A delay that was
// observed says most.
func (t *Trial) quiet(observed time.Duration) time.Duration {
	switch p := t.delay(); {
	case observed > 0:
		return min(6*observed+2*time.Second, returnWithin)
	case t.Can(subject.Retry):
		return 2 * time.Second
	case p != nil:
		return min(3*allowed(p, 1, 0).high+time.Second, 2*returnWithin)
	}
	return 10 * time.Second
}

// twice has the client send a first request and, after a loss, a second one; both are streams.
func (t *Trial) twice(o subject.Open) []visit {
	t.Allow(t.waitFor(0))
	if t.Can(subject.Retry) {
		o.RetryMS = soon
	}
	s := t.play(o, func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "the end")
		}
		return stream(c, fmt.Sprintf("retry: %d\nid: 1\ndata: x\n\n", soon))
	})
	t.comesFirst(s)
	s.comes(2, t.waitFor(0))
	s.leave()
	return s.all()
}

// heads shows the heads of requests.
func heads(visits []visit) []string {
	var lines []string
	for i, v := range visits {
		if v.Request == nil {
			continue
		}
		lines = append(lines, fmt.Sprintf("request %d: %s %s %s", i+1, v.Request.Method, v.Request.Target, v.Request.Proto))
		var names []string
		for name := range v.Request.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			lines = append(lines, fmt.Sprintf("  %s: %s", name, strings.Join(v.Request.Header[name], " | ")))
		}
	}
	return lines
}

// "The request is a GET without a body, unless the application wants another."
func requestsAreGET(t *Trial) {
	visits := t.twice(subject.Open{})
	for i, v := range visits {
		if r := v.Request; r.Method != http.MethodGet || len(r.Body) > 0 {
			t.Fail("GET without a body", fmt.Sprintf("request %d: %s with %s", i+1, r.Method, conformance.Plural(len(r.Body), "byte")), heads(visits))
		}
	}
	t.Count(len(visits))
	t.Pass("GET without a body")
}

// "Accept allows text/event-stream."
func acceptsEventStreams(t *Trial) {
	visits := t.twice(subject.Open{})
	for i, v := range visits {
		accept := strings.Join(v.Request.Header.Values("Accept"), ", ")
		if !strings.Contains(strings.ToLower(accept), "text/event-stream") {
			t.Fail("Accept names text/event-stream", fmt.Sprintf("request %d: Accept %q", i+1, accept), heads(visits))
		}
	}
	t.Count(len(visits))
	t.Pass("Accept: " + visits[0].Request.Header.Get("Accept"))
}

// "The request goes past caches: Cache-Control is no-cache or no-store, on the first request and later ones."
func goesPastCaches(t *Trial) {
	visits := t.twice(subject.Open{})
	t.Count(len(visits))
	for i, v := range visits {
		control := strings.ToLower(strings.Join(v.Request.Header.Values("Cache-Control"), ", "))
		if strings.Contains(control, "no-cache") || strings.Contains(control, "no-store") {
			continue
		}
		said := fmt.Sprintf("request %d: Cache-Control %q", i+1, control)
		if t.profile == conformance.ProfileSDK {
			t.Warn("no-cache or no-store", said, heads(visits))
		}
		t.Fail("no-cache or no-store", said, heads(visits))
	}
	t.Pass("Cache-Control: " + visits[0].Request.Header.Get("Cache-Control"))
}

// "The first request has no Last-Event-ID, unless the application set one."
func beginsWithoutAnID(t *Trial) {
	s := t.play(subject.Open{}, func(c *sse.Conn, _ *visit) error { return control(c, "x") })
	t.comesFirst(s)
	if _, sent := s.all()[0].Request.LastEventID(); sent {
		t.Fail("no Last-Event-ID", "Last-Event-ID: "+askedFor(s.all()[0]), heads(s.all()))
	}
	t.Pass("none")
}

// "Headers, method and body of the application are sent with every attempt."
func repeatsWhatItWasGiven(t *Trial) {
	o := subject.Open{Headers: map[string]string{"X-Streamgauge": "with every attempt", "Authorization": "Bearer given"}}
	method := http.MethodGet
	if t.Can(subject.Method) || t.Can(subject.Post) {
		method = http.MethodPost
		o.Method, o.Body = method, `{"topic":"a"}`
		o.Headers["Content-Type"] = "application/json"
	}
	visits := t.twice(o)
	if len(visits) < 2 {
		t.Fail("a second request", "none")
	}
	for i, v := range visits {
		r := v.Request
		for name, want := range o.Headers {
			if got := r.Header.Get(name); got != want {
				t.Fail(fmt.Sprintf("%s: %s with each request", name, want), fmt.Sprintf("request %d: %q", i+1, got), heads(visits))
			}
		}
		if r.Method != method || string(r.Body) != o.Body {
			t.Fail(fmt.Sprintf("%s with the body %q", method, o.Body), fmt.Sprintf("request %d: %s with %q", i+1, r.Method, r.Body), heads(visits))
		}
	}
	t.Count(len(visits))
	t.Pass(fmt.Sprintf("%s with the same headers and body twice", method))
}

// "Credentials are asked for anew at each attempt, not kept from the first."
func asksForCredentialsAnew(t *Trial) {
	visits := t.twice(subject.Open{Tokens: []string{"t1", "t2"}})
	if len(visits) < 2 {
		t.Fail("a second request", "none")
	}
	for i, want := range []string{"Bearer t1", "Bearer t2"} {
		if got := visits[i].Request.Header.Get("Authorization"); got != want {
			t.Fail(want, fmt.Sprintf("request %d: %q", i+1, got), heads(visits))
		}
	}
	t.Count(2)
	t.Pass("t1, then t2")
}

// "The client puts no credentials into the URL or a log of its own accord."
func keepsCredentialsToItself(t *Trial) {
	const secret = "sg-0d9f1c-credential"
	t.Allow(t.waitFor(0))
	o := t.hurried()
	o.Headers = map[string]string{"Authorization": "Bearer " + secret}
	s := t.play(o, func(c *sse.Conn, v *visit) error {
		switch v.Number {
		case 0:
			return stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", soon))
		case 1:
			return v.reset(c)
		}
		return c.Head(http.StatusUnauthorized, "Content-Length: 0", "Connection: close", allowOrigin)
	})
	t.comesFirst(s)
	s.comes(3, t.waitFor(1))
	s.comes(4, time.Second) // whatever it has to say about the refusal
	t.settle()
	visits := s.all()
	for i, v := range visits {
		if strings.Contains(v.Request.Target, secret) {
			t.Fail("no credentials in the URL", fmt.Sprintf("request %d: %s", i+1, strings.ReplaceAll(v.Request.Target, secret, "[the token]")))
		}
	}
	for _, r := range s.Reports() {
		if strings.Contains(r.Message, secret) || strings.Contains(r.Text, secret) {
			t.Fail("no credentials in a message", "reported: "+strings.ReplaceAll(r.Message+r.Text, secret, "[the token]"))
		}
	}
	if says := t.session.Says(); strings.Contains(says, secret) {
		t.Fail("no credentials in a log", "standard error: "+strings.ReplaceAll(says, secret, "[the token]"))
	}
	t.Count(len(visits))
	t.Pass("neither in the URL, in a message nor on standard error")
}
