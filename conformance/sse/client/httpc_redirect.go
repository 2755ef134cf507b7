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

// redirect answers with a redirect.
func redirect(c *sse.Conn, status int, location string) error {
	return refuse(c, status, "Location: "+location, "Access-Control-Allow-Headers: *")
}

// "301, 302, 303, 307 and 308 are followed."
func redirectsAreFollowed(t *Trial) {
	statuses := []int{301, 302, 303, 307, 308}
	t.each(len(statuses), func(i int) {
		s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
			if v.Request.Target == "/" {
				return redirect(c, statuses[i], "/target?a=b")
			}
			return control(c, "there")
		})
		t.comesFirst(s)
		if !s.has("there", patience) {
			t.Deviation("the events of where it leads are reported", fmt.Sprintf("status %d: %s", statuses[i], s.outcome()), heads(s.all()))
		}
		s.leave()
	})
	t.Count(len(statuses))
	t.Conclude(fmt.Sprintf("each of %v is followed", statuses))
}

// "A redirect without a usable Location, or a loop of them, is an error: no tight loop, no stream."
func brokenRedirectsAreErrors(t *Trial) {
	const most = 21
	forms := []struct {
		name   string
		answer func(c *sse.Conn) error
	}{
		{"301 without Location", func(c *sse.Conn) error { return tempt(c, 301, "Content-Type: text/event-stream") }},
		{"302 with an empty Location", func(c *sse.Conn) error { return tempt(c, 302, "Content-Type: text/event-stream", "Location: ") }},
		{"301 to itself", func(c *sse.Conn) error { return tempt(c, 301, "Content-Type: text/event-stream", "Location: /") }},
	}
	watched := max(3*time.Second, t.quiet(0))
	t.Allow(watched)
	apart := shortestDelay
	if p := t.delay(); p != nil {
		apart = max(apart, allowed(p, 0, 0).low*4/5)
	}
	t.each(len(forms), func(i int) {
		f := forms[i]
		s := t.play(subject.Open{}, func(c *sse.Conn, _ *visit) error { return f.answer(c) })
		t.comesFirst(s)
		visits, _ := s.until(watched, func(visits []visit) bool { return len(visits) > 20*most })
		s.leave()
		t.settle()
		n := burst(visits, apart)
		// A harness that was late can make a row look like two: only pauses of several times its lateness are surely the client's.
		if lag := t.Lag(); n <= most && burst(visits, 3*lag) > most {
			t.Unknown("%s: %s, but this machine was too busy to tell whether there were delays between them: a timer of the harness was %s late", f.name, conformance.Plural(len(visits), "request"), brief(lag))
		}
		if n > most {
			t.Deviation(fmt.Sprintf("at most %s, then a failure", conformance.Plural(most, "request")), fmt.Sprintf("%s: %s in a row", f.name, conformance.Plural(n, "request")), []string{"delays: " + list(gaps(visits))})
		}
		if got := events(s.Reports()); len(got) > 0 {
			t.Deviation("no event", fmt.Sprintf("%s: %s", f.name, got[0]))
		}
		if of(s.Reports(), subject.EvOpen) != nil {
			t.Deviation("no stream", f.name+": the client reports that a stream is open")
		}
	})
	t.Count(len(forms))
	t.Conclude(fmt.Sprintf("never more than %s in a row, and no stream", conformance.Plural(most, "request")))
}

// burst is the largest number of visits that follow each other without a delay of that length.
func burst(visits []visit, apart time.Duration) int {
	most, run := 0, 0
	for i, v := range visits {
		if i > 0 && v.Accepted.Sub(visits[i-1].Accepted) >= apart {
			run = 0
		}
		run++
		most = max(most, run)
	}
	return most
}

// "Last-Event-ID is sent to where a redirect leads, too."
func idFollowsARedirect(t *Trial) {
	s, _ := t.afterRedirect(func(string) string { return "/target" })
	last := s.all()[2]
	if id, _ := last.Request.LastEventID(); id != "5" {
		t.Fail(`Last-Event-ID "5" where the redirect leads`, askedFor(last), heads(s.all()))
	}
	t.Pass("sent to both")
}

// afterRedirect serves a stream, and answers the reconnection with a 307 to the place that is made of the server's address; there it
// serves a stream again. It returns when the third visit has come.
func (t *Trial) afterRedirect(to func(url string) string) (*scene, visit) {
	t.Allow(t.waitFor(0))
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		switch {
		case v.Number == 0:
			return stream(c, fmt.Sprintf("retry: %d\nid: 5\ndata: x\n\n", soon))
		case v.Number == 1:
			return redirect(c, http.StatusTemporaryRedirect, to("http://"+v.Request.Host))
		case v.Number == 2:
			return stream(c, "data: y\n\n")
		}
		return control(c, "the end")
	})
	t.comesFirst(s)
	v, ok := s.comes(3, t.waitFor(0)+patience)
	if !ok {
		t.Unknown("the redirect was not followed: %s", s.outcome())
	}
	return s, v
}

// otherHost is a loopback address that is not the one where servers listen, where the machine has one.
const otherHost = "127.0.0.2:0"

// "Authorization and cookies of one origin are not sent to another one by a redirect."
func credentialsStay(t *Trial) {
	const bearer, cookie = "Bearer of-the-first-origin", "session=of-the-first-origin"
	type place struct {
		name, addr string
		elsewhere  bool
	}
	t.each(2, func(i int) {
		p := []place{{"another host", otherHost, true}, {"another port of the same host", "", false}}[i]
		target, err := sse.Serve(t.Context(), sse.ServerOptions{Addr: p.addr}, func(c *sse.Conn) error {
			if _, err := c.Request(); err != nil {
				return err
			}
			return control(c, "there")
		})
		if err != nil && p.elsewhere {
			target, err = sse.Serve(t.Context(), sse.ServerOptions{Addr: "localhost:0"}, func(c *sse.Conn) error {
				if _, err := c.Request(); err != nil {
					return err
				}
				return control(c, "there")
			})
		}
		if err != nil {
			t.Unknown("%v", err)
		}
		t.Cleanup(target.Close)
		o := t.hurried()
		o.Headers = map[string]string{"Authorization": bearer, "Cookie": cookie}
		s := t.play(o, func(c *sse.Conn, _ *visit) error {
			return redirect(c, http.StatusTemporaryRedirect, target.URL("/there"))
		})
		t.comesFirst(s)
		if first := s.all()[0].Request; first.Header.Get("Authorization") != bearer {
			t.Unknown("the client was told to send Authorization, and did not send it to the first origin either")
		}
		r, ok := t.AwaitRequest(target, 1, t.quiet(0)+patience)
		s.leave()
		if !ok {
			if final := s.final(); final != nil {
				return // refusing to follow sends nothing either
			}
			t.Unknown("the redirect to %s was not followed: %s", p.name, s.outcome())
		}
		var sent []string
		for _, name := range []string{"Authorization", "Cookie"} {
			if strings.Contains(r.Header.Get(name), "of-the-first-origin") {
				sent = append(sent, name)
			}
		}
		if len(sent) == 0 {
			return
		}
		said := fmt.Sprintf("redirected to %s, it sent %s there", p.name, strings.Join(sent, " and "))
		if !p.elsewhere && !slices.Contains(sent, "Authorization") {
			return // cookies know no ports
		}
		if !p.elsewhere {
			t.Tolerated("Authorization stays with its origin, and a port makes another one", said)
			return
		}
		t.Deviation("neither Authorization nor Cookie", said, heads([]visit{{Request: r}}))
	})
	t.Count(2)
	t.Conclude("neither Authorization nor Cookie went to another origin")
}

// "After a connection behind a redirect is lost, the client may ask the original URL again."
func whereItComesBackTo(t *Trial) {
	t.Allow(t.waitFor(0))
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		switch {
		case v.Number == 0:
			return redirect(c, http.StatusTemporaryRedirect, "/target")
		case v.Number == 1:
			return stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", soon))
		}
		return control(c, "the end")
	})
	t.comesFirst(s)
	if _, ok := s.comes(2, patience); !ok {
		t.Unknown("the redirect was not followed: %s", s.outcome())
	}
	v, ok := s.comes(3, t.waitFor(0))
	if !ok {
		t.Unknown("the client did not come back: %s", s.outcome())
	}
	if v.Request.Target == "/" {
		t.Info("it asks the original URL again")
	}
	t.Info("it asks " + v.Request.Target + ", where the redirect led")
}

// "Cookies go to another origin only when credentials were asked for." Without credentials, a cookie that a stream sets must not come
// back to it.
func cookiesNeedCredentials(t *Trial) {
	t.Allow(t.waitFor(0))
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "the end")
		}
		if err := c.Head(200, "Content-Type: text/event-stream", "Connection: close", allowOrigin, "Set-Cookie: streamgauge=1; Path=/"); err != nil {
			return err
		}
		return c.Send(fmt.Sprintf("retry: %d\ndata: x\n\n", soon))
	})
	t.comesFirst(s)
	v, ok := s.comes(2, t.waitFor(0))
	if !ok {
		t.Unknown("the client did not come back: %s", s.outcome())
	}
	if cookies := v.Request.Header.Get("Cookie"); strings.Contains(cookies, "streamgauge=") {
		t.Fail("no Cookie without credentials", "Cookie: "+cookies, heads(s.all()))
	}
	t.Pass("without credentials no cookie is kept and sent")
}

// "A response that fails the CORS check is not delivered, and fails the connection."
func corsIsChecked(t *Trial) {
	forms := []struct {
		name   string
		fields []string
	}{
		{"no Access-Control-Allow-Origin", nil},
		{"another origin allowed", []string{"Access-Control-Allow-Origin: http://elsewhere.test"}},
	}
	t.each(len(forms), func(i int) {
		f := forms[i]
		quiet := t.quiet(0)
		t.Allow(quiet)
		s := t.play(t.hurried(), func(c *sse.Conn, _ *visit) error {
			if err := c.Head(200, append([]string{"Content-Type: text/event-stream", "Connection: close"}, f.fields...)...); err != nil {
				return err
			}
			return c.Send("data: forbidden\n\n")
		})
		t.comesFirst(s)
		s.comes(2, quiet)
		t.settle()
		if got := events(s.Reports()); len(got) > 0 {
			t.Deviation("no event", fmt.Sprintf("%s: %s", f.name, got[0]))
		}
		if n := len(s.all()); n > 1 {
			t.Deviation("no reconnect", fmt.Sprintf("%s: %s", f.name, s.outcome()))
		}
		s.leave()
	})
	t.Count(len(forms))
	t.Conclude("nothing delivered, and no reconnect")
}

// "A Last-Event-ID of more than 128 bytes, or with bytes that CORS calls unsafe, leads to a preflight request to another origin."
func unsafeIDsArePreflighted(t *Trial) {
	ids := []string{"abc", strings.Repeat("a", 255), "e5p3n<3k0k0s"}
	seen := make([]string, len(ids))
	t.each(len(ids), func(i int) {
		t.Allow(t.waitFor(0))
		s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
			if v.Request.Method == http.MethodOptions {
				return refuse(c, http.StatusOK, "Access-Control-Allow-Headers: Last-Event-ID, Cache-Control")
			}
			if v.Number > 0 {
				return control(c, "the end")
			}
			return stream(c, fmt.Sprintf("retry: %d\nid: %s\ndata: x\n\n", soon, ids[i]))
		})
		t.comesFirst(s)
		v, ok := s.comes(2, t.waitFor(0))
		switch {
		case !ok:
			seen[i] = "no request"
		case v.Request.Method == http.MethodOptions:
			seen[i] = "preflight"
		default:
			seen[i] = "none"
		}
		s.leave()
	})
	t.Count(len(ids))
	t.Info(strings.Join(seen, ", ") + `: for "abc", 255 bytes, and "<"`)
}
