package client

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// ends judges whether the client ended a connection that it is done with: it is waited for several times as long as it may take.
func (t *Trial) ends(s *scene, number int, since time.Time, within time.Duration, why string) {
	left := func(all []visit) bool { return len(all) > number && !all[number].Gone.IsZero() }
	visits, ok := s.until(4*within, left)
	want := fmt.Sprintf("the end of the connection within %v", within)
	if !ok {
		t.sure(3*within, why+": its connection was not ended")
		t.Deviation(want, fmt.Sprintf("%s: the connection was still open %v later", why, 4*within))
		return
	}
	if took := visits[number].Gone.Sub(since); took > within {
		t.sure(took-within, why+": its connection ended late")
		t.Deviation(want, fmt.Sprintf("%s: the connection ended %s later", why, brief(took)))
	}
}

// "A client that has come back leaves no connection behind": the server did not end the old one, so the client has to.
func leavesNothingBehind(t *Trial) {
	within := t.Duration("within")
	type reason struct {
		why    string
		open   subject.Open
		body   string
		act    func(s *scene) error
		before time.Duration // until it comes back
	}
	var reasons []reason
	if t.Can(subject.IdleTimeout) {
		const silence = 700 * time.Millisecond
		reasons = append(reasons, reason{why: fmt.Sprintf("after a silence of %v", silence), open: t.timeout(silence), before: silence})
	} else if p := t.delay(); p != nil && p.SilenceMS > 0 && p.SilenceMS <= 30_000 {
		silence := time.Duration(p.SilenceMS) * time.Millisecond
		reasons = append(reasons, reason{why: fmt.Sprintf("after a silence of %v", silence), open: t.hurried(), before: silence})
	}
	if t.Can(subject.Restart) {
		reasons = append(reasons, reason{why: "after a restart", open: t.hurried(), act: func(s *scene) error { return s.Restart() }})
	}
	if p := t.delay(); p != nil && p.ComeBackOn != "" {
		o := t.hurried()
		o.Listen = []string{"message", p.ComeBackOn}
		reasons = append(reasons, reason{why: fmt.Sprintf("after the event %q", p.ComeBackOn), open: o, body: fmt.Sprintf("event: %s\ndata: bye\n\n", p.ComeBackOn)})
	}
	if len(reasons) == 0 {
		t.Skip("the adapter declares nothing that makes its client come back from a connection that stands: idle-timeout, restart, silence_ms, come_back_on")
	}
	var judged []string
	var mu sync.Mutex
	t.Allow(time.Duration(len(reasons)) * (t.waitFor(0) + 4*within))
	t.each(len(reasons), func(i int) {
		r := reasons[i]
		s := t.play(r.open, func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "again")
			}
			if err := stream(c, comeBack+"data: x\n\n"+r.body); err != nil {
				return err
			}
			v.awaitGone(c)
			return nil
		})
		t.comesFirst(s)
		if !s.has("x", patience) {
			return
		}
		if r.act != nil {
			if err := r.act(s); err != nil {
				t.lost(err)
			}
		}
		again, ok := s.comes(2, t.waitFor(0)+4*r.before)
		if !ok {
			return // whether it comes back is another requirement's matter
		}
		t.ends(s, 0, again.Accepted, within, r.why)
		t.Count(1)
		mu.Lock()
		defer mu.Unlock()
		judged = append(judged, r.why)
		s.leave()
	})
	if len(judged) == 0 {
		t.Unknown("the client did not come back from a connection that stood, so there was nothing to leave behind")
	}
	t.Conclude("the old connection ended " + strings.Join(judged, ", "))
}

// "What the client does not read as a stream it does not hold open either": bodies that do not end by themselves.
func letsGoOfRefusals(t *Trial) {
	within := t.Duration("within")
	type answer struct {
		why    string
		status int
		fields []string
	}
	answers := []answer{
		{"status 404", http.StatusNotFound, []string{"Content-Type: text/plain"}},
		{"status 503", http.StatusServiceUnavailable, []string{"Content-Type: text/plain"}},
		{"the content type text/html", http.StatusOK, []string{"Content-Type: text/html"}},
	}
	if t.Can(subject.Redirects) {
		target := t.Serve(func(c *sse.Conn) error {
			if _, err := c.Request(); err != nil {
				return err
			}
			return control(c, "behind the redirect")
		})
		answers = append(answers, answer{"a redirect", http.StatusTemporaryRedirect, []string{"Content-Type: text/plain", "Location: " + target.URL("/")}})
	}
	t.Allow(time.Duration(len(answers)) * 5 * within)
	filling := strings.Repeat("no stream ", 8<<10) // more than what is read in passing
	t.each(len(answers), func(i int) {
		a := answers[i]
		given := make(chan time.Time, 1)
		s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return c.Head(http.StatusNoContent, "Connection: close", allowOrigin)
			}
			if err := c.Head(a.status, append([]string{"Connection: close", allowOrigin}, a.fields...)...); err != nil {
				return err
			}
			given <- time.Now()
			_ = c.Send(filling) // it may be gone by then, as it should be
			v.awaitGone(c)
			return nil
		})
		t.comesFirst(s)
		var since time.Time
		select {
		case since = <-given:
		case <-t.Context().Done():
			t.Give()
		}
		t.ends(s, 0, since, within, a.why)
		t.Count(1)
		s.leave()
	})
	t.Conclude("each connection ended")
}

// SSE-API-013: close() before there is a response ends the request.
func closingEndsTheRequest(t *Trial) {
	within := t.Duration("within")
	s := t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
		v.awaitGone(c)
		return nil
	})
	t.comesFirst(s)
	began := time.Now()
	s.closed()
	t.ends(s, 0, began, within, "closed before there was a response")
	t.Conclude("the request ended at once")
}
