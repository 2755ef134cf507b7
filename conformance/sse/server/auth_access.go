package server

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// "Revocation (logout, scope change) stops an open stream within the documented bound."
func stopsWhenRightsAreWithdrawn(t *Trial) {
	within := t.Duration("within")
	t.Allow(within)
	streams := []string{t.Stream()}
	grant := Grant{User: t.Unique(), Subscribe: streams}
	token := minted(t, grant)
	p := t.Subscribe(streams, Bearing(token))
	if _, arrived := t.Fence(p); !arrived {
		silent(t, p)
	}
	t.Doing("rights are withdrawn")
	if err := t.Subject.Revoke(t.Context(), grant, token); err != nil {
		t.interrupted()
		t.Unknown("the rights could not be withdrawn: %v", err)
	}
	withdrawn := time.Now()
	over := func(r *Record) bool { return r.Ended }
	for !p.Await(t.Context(), 200*time.Millisecond, over) && time.Since(withdrawn) < within+time.Second {
		t.Send(streams[0], t.Unique())
	}
	t.interrupted()
	events := p.Events()
	ended, _ := p.Ended()
	late := events[len(events)-1].At.Sub(withdrawn)
	expected := fmt.Sprintf("no event later than %v after the rights were withdrawn, and the end of the stream", within)
	t.Count(len(events))
	switch {
	case late > within:
		t.Late(late-within, expected, fmt.Sprintf("an event arrived %v after that", late.Round(time.Millisecond)), p.Evidence())
	case !ended:
		t.Warn(expected, "delivery stopped, and the stream stayed open", p.Evidence())
	}
	t.Pass(fmt.Sprintf("the last event came %v after the rights were withdrawn, and the stream ended", max(0, late).Round(time.Millisecond)))
}

// "Cookie-authenticated publish endpoints verify Origin/CSRF token."
func cookiesAloneDoNotPublish(t *Trial) {
	stream := t.Stream()
	token := minted(t, Grant{Subscribe: []string{stream}, Publish: []string{stream}})
	from := func(origin string) Receipt {
		return t.Publish(Message{Stream: stream, Data: t.Unique(), Token: token, Edit: func(r *http.Request) {
			r.Header.Del("Authorization")
			r.AddCookie(&http.Cookie{Name: t.Subject.Cookie, Value: token})
			r.Header.Set("Origin", origin)
		}})
	}
	own := t.Text("origin")
	if u, err := url.Parse(t.Subject.URL); own == "" && err == nil {
		own = u.Scheme + "://" + u.Host
	}
	if r := from(own); r.Acceptance != Acknowledged {
		t.interrupted()
		t.Skip("not even a page of %s may publish with nothing but the cookie: %s; --set %s.origin=ORIGIN names one that may", own, r.String(), t.Requirement.ID)
	}
	strangers := []string{"https://evil.example", "null", own + ".evil.example"}
	for _, origin := range strangers {
		if r := from(origin); r.Acceptance == Acknowledged {
			t.Deviation("status 403 for a publish with the cookie from a page of another origin", fmt.Sprintf("from a page of %s: %s", origin, r.String()))
		}
	}
	t.Count(len(strangers))
	t.Conclude("a publish with the cookie was accepted from " + own + " and from no other origin")
}
