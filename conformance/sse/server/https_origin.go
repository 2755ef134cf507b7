package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "For an allowed Origin the response carries matching Access-Control-Allow-Origin (and Vary: Origin when it depends on it)."
func allowedOriginIsNamed(t *Trial) {
	origin := t.Text("origin")
	p := fromOrigin(t, origin)
	allowed := p.Header("Access-Control-Allow-Origin")
	switch allowed {
	case "":
		t.Skip("no other origin is allowed to read the stream, or not %s: --set %s.origin=ORIGIN names one that is", origin, t.Requirement.ID)
	case "*":
		t.mustNameAgain(origin, p)
		t.Pass("any origin is allowed, without credentials")
	case origin:
	default:
		t.Fail("Access-Control-Allow-Origin: "+origin, "Access-Control-Allow-Origin: "+allowed, append(p.Head(), p.Curl()))
	}
	const stranger = "https://stranger.example"
	other := fromOrigin(t, stranger)
	depends := other.Header("Access-Control-Allow-Origin") != allowed
	if depends && !listed(p.Header("Vary"), "Origin") {
		t.Fail("Vary: Origin, because the answer depends on the origin", named("Vary", p), p.Head(), other.Head())
	}
	t.mustNameAgain(origin, p)
	t.Pass("the origin is named")
}

// mustNameAgain ends the case where a page that may read a stream may not when it comes back.
func (t *Trial) mustNameAgain(origin string, p *Tap) {
	again := t.returned(With("Origin", origin))
	if again == nil {
		return
	}
	t.Count(1)
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
		if again.Header(name) != p.Header(name) {
			t.Fail(named(name, p)+", as on a new stream", "on a stream that resumed: "+named(name, again), append(again.Head(), again.Curl()))
		}
	}
	if listed(p.Header("Vary"), "Origin") && !listed(again.Header("Vary"), "Origin") && p.Header("Access-Control-Allow-Origin") == origin {
		t.Fail("Vary: Origin, as on a new stream", "on a stream that resumed: "+named("Vary", again), append(again.Head(), again.Curl()))
	}
}

// "With credentials: ACAO is not "*", not a reflection of an arbitrary origin, and Access-Control-Allow-Credentials is true."
func otherOriginsGetNoCredentials(t *Trial) {
	strangers := []string{"https://evil.example", "null"}
	if origin := t.Text("origin"); origin != "" {
		strangers = append(strangers, origin+".evil.example", strings.Replace(origin, "://", "://evil-", 1))
	}
	for _, stranger := range strangers {
		answers := []*Tap{fromOrigin(t, stranger, With("Cookie", "streamgauge=1"))}
		if p := t.returned(With("Origin", stranger), With("Cookie", "streamgauge=1")); p != nil {
			answers = append(answers, p)
		}
		for _, p := range answers {
			allowed, credentials := p.Header("Access-Control-Allow-Origin"), p.Header("Access-Control-Allow-Credentials")
			if strings.EqualFold(credentials, "true") && (allowed == "*" || allowed == stranger) {
				t.Deviation("no credentials for an origin that nobody named",
					fmt.Sprintf("to Origin %s: Access-Control-Allow-Origin: %s, Access-Control-Allow-Credentials: %s", stranger, allowed, credentials), append(p.Head(), p.Curl()))
			}
			p.Close()
		}
		t.Count(len(answers))
	}
	t.Conclude("no other origin may use a visitor's credentials")
}

// fromOrigin is the answer to a page of another origin.
func fromOrigin(t *Trial, origin string, options ...Option) *Tap {
	p, err := t.Open([]string{t.Stream()}, append(options, With("Origin", origin))...)
	if err != nil {
		t.interrupted()
		t.Unknown("no response to a request from %s: %v", origin, err)
	}
	return p
}

// "Preflight for Last-Event-ID, Authorization and Cache-Control succeeds for allowed origins."
func preflightSucceeds(t *Trial) {
	origin := t.Text("origin")
	if fromOrigin(t, origin).Header("Access-Control-Allow-Origin") == "" {
		t.Skip("no other origin is allowed to read the stream, or not %s: --set %s.origin=ORIGIN names one that is", origin, t.Requirement.ID)
	}
	wanted := []string{"Authorization", "Cache-Control", "Last-Event-ID"}
	p, err := t.Open([]string{t.Stream()}, Anonymous(), With("Origin", origin), With("Accept", "*/*"),
		With("Access-Control-Request-Method", http.MethodGet), With("Access-Control-Request-Headers", strings.ToLower(strings.Join(wanted, ","))),
		Editing(func(r *sse.Request) { r.Method = http.MethodOptions }))
	if err != nil {
		t.interrupted()
		t.Fail("an answer to a preflight request", err.Error())
	}
	if p.Status()/100 != 2 {
		t.Fail("a status from 200 to 299, also without credentials", fmt.Sprintf("status %d", p.Status()), append(p.Head(), p.Curl()))
	}
	allowed, origins := p.Header("Access-Control-Allow-Headers"), p.Header("Access-Control-Allow-Origin")
	if origins != "*" && origins != origin {
		t.Deviation("Access-Control-Allow-Origin: "+origin, named("Access-Control-Allow-Origin", p), p.Head())
	}
	for _, name := range wanted {
		wildcard := listed(allowed, "*") && name != "Authorization" && !strings.EqualFold(p.Header("Access-Control-Allow-Credentials"), "true")
		if !listed(allowed, name) && !wildcard {
			t.Deviation(name+" in Access-Control-Allow-Headers", named("Access-Control-Allow-Headers", p), p.Head())
		}
	}
	t.Count(len(wanted))
	t.Conclude("Authorization, Cache-Control and Last-Event-ID may be sent")
}

// listed says whether a header field that is a list has an element, whatever its case.
func listed(list, element string) bool {
	for _, one := range strings.Split(list, ",") {
		if strings.EqualFold(strings.TrimSpace(one), element) {
			return true
		}
	}
	return false
}
