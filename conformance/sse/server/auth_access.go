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
	t.eitherWay(func(w way) string {
		streams := []string{t.Stream()}
		grant := Grant{User: t.Unique(), Subscribe: streams}
		token := minted(t, grant)
		p := w.open(t, streams, Bearing(token))
		if p == nil {
			return ""
		}
		if _, arrived := t.Fence(p); !arrived {
			silent(t, p)
		}
		t.Doing("rights are withdrawn")
		if err := t.Subject.Revoke(t.Context(), grant, token); err != nil {
			t.interrupted()
			t.Unknown("the rights could not be withdrawn: %v", err)
		}
		s := cutOff{t: t, how: w.how, tap: p, what: "the rights had been withdrawn", by: "the rights were withdrawn", at: time.Now(), grace: within}
		last := s.watch()
		s.judge()
		return fmt.Sprintf("the last event came %v after the rights were withdrawn, and the stream ended", max(0, last).Round(time.Millisecond))
	})
}

// cutOff is a stream that a subscriber must not be sent any more from some time on.
type cutOff struct {
	t        *Trial
	how      string // the connection began
	tap      *Tap
	what, by string // happened, and from when on
	at       time.Time
	grace    time.Duration
}

// watch publishes until the stream ends, or has had the time for it, and returns when the last event came, counted from the time when it was to end.
func (s cutOff) watch() (last time.Duration) {
	over := func(r *Record) bool { return r.Ended }
	for !s.tap.Await(s.t.Context(), 200*time.Millisecond, over) && time.Now().Before(s.at.Add(s.grace+s.enough())) {
		s.t.Send(s.tap.Streams[0], s.t.Unique())
	}
	s.t.interrupted()
	return s.last()
}

// enough is how long behind the grace it is watched: so long that what comes then is not explained by how late this machine has been.
func (s cutOff) enough() time.Duration {
	const longest = 10 * time.Second
	return min(time.Second+3*s.t.Lag(), longest)
}

func (s cutOff) last() time.Duration {
	events := s.tap.Events()
	if len(events) == 0 {
		silent(s.t, s.tap)
	}
	return events[len(events)-1].At.Sub(s.at)
}

func (s cutOff) endedAt() (at time.Time) {
	s.tap.Look(func(r *Record) { at = r.EndedAt })
	return at
}

// judge notes what came too late, and that the stream stayed open.
func (s cutOff) judge() {
	t, late := s.t, s.last()
	ended, _ := s.tap.Ended()
	t.Count(s.tap.count())
	expected := fmt.Sprintf("no event later than %v after %s, and the end of the stream", s.grace, s.by)
	switch {
	case late > s.grace:
		t.Late(late-s.grace, expected, fmt.Sprintf("%s: an event arrived %v after %s", s.how, late.Round(time.Millisecond), s.what), s.tap.Evidence())
	case !ended:
		t.Tolerated(expected, s.how+": delivery stopped, and the stream stayed open", s.tap.Evidence())
	}
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
