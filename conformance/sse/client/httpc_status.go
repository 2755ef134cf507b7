package client

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// refuse answers with a status and no body.
func refuse(c *sse.Conn, status int, fields ...string) error {
	return c.Head(status, append([]string{"Content-Length: 0", "Connection: close", allowOrigin}, fields...)...)
}

// tempt answers with a status and the body of a good stream.
func tempt(c *sse.Conn, status int, fields ...string) error {
	const body = "id: 66\ndata: forbidden\n\n"
	fields = append([]string{fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close", allowOrigin}, fields...)
	if err := c.Head(status, fields...); err != nil {
		return err
	}
	return c.Send(body)
}

// unheard gives a client an answer of which nothing may be reported. When it tries again it is sent a control event instead; when it
// does not, that is waited for.
func (t *Trial) unheard(name string, answer func(c *sse.Conn) error) *scene {
	quiet := t.quiet(0)
	t.Allow(quiet)
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number == 0 {
			return answer(c)
		}
		return control(c, "the end")
	})
	t.comesFirst(s)
	if _, again := s.comes(2, quiet); again {
		s.has("the end", patience)
	}
	t.settle()
	var got []string
	for _, e := range events(s.Reports()) {
		if e.data != "the end" {
			got = append(got, e.String())
		}
	}
	if len(got) > 0 {
		t.Deviation("no event", fmt.Sprintf("%s: %s", name, strings.Join(got, ", ")))
	}
	return s
}

// "A status other than 200 fails the attempt: no event of its body is dispatched."
func refusalsHaveNoEvents(t *Trial) {
	statuses := []int{201, 202, 206, 300, 400, 404, 500, 503}
	t.each(len(statuses), func(i int) {
		t.unheard(fmt.Sprintf("status %d", statuses[i]), func(c *sse.Conn) error {
			return tempt(c, statuses[i], "Content-Type: text/event-stream")
		}).leave()
	})
	t.Count(len(statuses))
	t.Conclude(fmt.Sprintf("no event at %s", conformance.Plural(len(statuses), "status")))
}

// afterLoss gives a client a stream, takes it away, and then answers with what it wants to see. It returns the scene and how long the
// client stayed away the first time.
func (t *Trial) afterLoss(answer func(c *sse.Conn, number int) error) (*scene, time.Duration) {
	t.Allow(t.waitFor(0))
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number == 0 {
			return stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", soon))
		}
		v.lose() // an answer without a body ends the attempt at once
		return answer(c, v.Number)
	})
	t.comesFirst(s)
	v, ok := s.comes(2, t.waitFor(0))
	if !ok {
		t.Unknown("the client did not come back after the loss that comes before: %s", s.outcome())
	}
	return s, v.Accepted.Sub(s.all()[0].Lost)
}

// stops says that no request follows the one that was answered, waiting for long enough.
func (t *Trial) stops(s *scene, after int, observed time.Duration) bool {
	quiet := t.quiet(observed)
	t.Allow(quiet)
	visits, more := s.until(quiet, func(visits []visit) bool { return len(visits) > after })
	s.leave()
	_ = visits
	return !more
}

// "204 tells the client to stop: no request follows."
func noContentMeansStop(t *Trial) {
	t.each(2, func(i int) {
		if i == 0 {
			s, away := t.afterLoss(func(c *sse.Conn, _ int) error { return c.Head(http.StatusNoContent, "Connection: close", allowOrigin) })
			if !t.stops(s, 2, away) {
				t.Deviation("no request after a 204", "after a stream and a 204: "+s.outcome())
			}
			return
		}
		s := t.play(t.hurried(), func(c *sse.Conn, _ *visit) error {
			return c.Head(http.StatusNoContent, "Connection: close", allowOrigin)
		})
		t.comesFirst(s)
		if !t.stops(s, 1, 0) {
			t.Deviation("no request after a 204", "after a 204 at once: "+s.outcome())
		}
	})
	t.Count(2)
	t.Conclude("no request follows a 204, at once or after a stream")
}

// "A client that follows HTML to the letter stops for good at any other status but 200."
func anyOtherStatusIsFinal(t *Trial) {
	statuses := []int{404, 410, 500, 503}
	t.each(2*len(statuses), func(i int) {
		status := statuses[i/2]
		if i%2 == 0 {
			s, away := t.afterLoss(func(c *sse.Conn, _ int) error { return refuse(c, status) })
			if !t.stops(s, 2, away) {
				t.Deviation("no request follows", fmt.Sprintf("after a stream and a %d: %s", status, s.outcome()))
			}
			return
		}
		s := t.play(t.hurried(), func(c *sse.Conn, _ *visit) error { return refuse(c, status) })
		t.comesFirst(s)
		if !t.stops(s, 1, 0) {
			t.Deviation("no request follows", fmt.Sprintf("after a %d at once: %s", status, s.outcome()))
		}
	})
	t.Count(2 * len(statuses))
	t.Conclude(fmt.Sprintf("no request follows any of %v", statuses))
}

// declares says whether the adapter declared a status as one to retry, or to stop at.
func (t *Trial) declares(status int) (retry, stop bool) {
	if p := t.hello.Policy; p != nil {
		return slices.Contains(p.RetryStatus, status), slices.Contains(p.StopStatus, status)
	}
	return false, false
}

// "A resilient client retries 408, 425, 429, 500, 502, 503 and 504, with backoff."
func retriesWhatMayPass(t *Trial) {
	const times = 3
	statuses := []int{408, 425, 429, 500, 502, 503, 504}
	rows := make([][]time.Duration, len(statuses))
	t.each(len(statuses), func(i int) {
		status := statuses[i]
		s, _ := t.afterLoss(func(c *sse.Conn, number int) error {
			if number > times {
				return control(c, "the end")
			}
			return refuse(c, status)
		})
		t.Allow(times * t.waitFor(times) / 2)
		for n := 3; n <= times+2; n++ {
			if _, ok := s.comes(n, t.waitFor(n-2)); !ok {
				said := fmt.Sprintf("status %d: %s", status, s.outcome())
				retry, stop := t.declares(status)
				if stop {
					said += "; its policy declares that it stops there"
				}
				if retry {
					t.Breach(fmt.Sprintf("%s, as its policy declares", conformance.Plural(times+2, "request")), said)
					return
				}
				t.Deviation(conformance.Plural(times+2, "request"), said)
				return
			}
		}
		if !s.has("the end", patience) {
			t.Deviation("events of the stream behind are reported", fmt.Sprintf("status %d: %s", status, s.outcome()))
		}
		rows[i] = gaps(s.all())
		s.leave()
	})
	t.Count(len(statuses))
	for i, row := range rows { // the stream before asked for no more than a retry of so many milliseconds
		if len(row) > times && slices.Max(row[1:]) < soon*time.Millisecond/2 && !t.Can("retry") {
			t.Deviation("the attempts are spaced by a backoff", fmt.Sprintf("status %d: %s", statuses[i], list(row)))
		}
	}
	t.Conclude(fmt.Sprintf("each of %v is retried %s", statuses, conformance.Plural(times, "time")))
}

// "A resilient client stops at 400, 401, 403, 404, 405, 410 and 422, or leaves it to the application; it never loops unattended faster
// than its backoff allows."
func leavesItAtRefusals(t *Trial) {
	most := int(t.Number("retries"))
	statuses := []int{400, 401, 403, 404, 405, 410, 422}
	t.each(len(statuses), func(i int) {
		status := statuses[i]
		s, away := t.afterLoss(func(c *sse.Conn, _ int) error { return refuse(c, status) })
		quiet := 2 * t.quiet(away)
		t.Allow(quiet)
		visits, more := s.until(quiet, func(visits []visit) bool { return len(visits) > 2+most+20 })
		s.leave()
		further := len(visits) - 2
		if further <= most {
			return
		}
		said := fmt.Sprintf("status %d: %s more in %s: %s", status, conformance.Plural(further, "request"),
			brief(visits[len(visits)-1].Accepted.Sub(visits[1].Accepted)), list(gaps(visits)))
		retry, stop := t.declares(status)
		if retry && !more {
			t.Tolerated(fmt.Sprintf("at most %s", conformance.Plural(most, "further request")), said+"; its policy declares that it tries again")
			return
		}
		if stop {
			t.Breach(fmt.Sprintf("at most %s, because its policy declares that it stops there", conformance.Plural(most, "further request")), said)
			return
		}
		t.Deviation(fmt.Sprintf("at most %s", conformance.Plural(most, "further request")), said)
	})
	t.Count(len(statuses))
	t.Conclude(fmt.Sprintf("at most %s after each of %v", conformance.Plural(most, "request"), statuses))
}

// "Retry-After of a 429 or 503, in seconds or as a date, decides the next delay once."
func followsRetryAfter(t *Trial) {
	const after = 2 * time.Second
	type form struct {
		name   string
		status int
		field  func() string
		low    time.Duration
	}
	seconds := func() string { return "Retry-After: 2" }
	forms := []form{
		{"503 with Retry-After: 2", 503, seconds, after},
		{"429 with Retry-After: 2", 429, seconds, after},
		// A date has whole seconds, so this one is up to a second nearer.
		{"503 with a date", 503, func() string {
			return "Retry-After: " + time.Now().Add(after+time.Second).UTC().Format(http.TimeFormat)
		}, after},
	}
	t.each(len(forms), func(i int) {
		f := forms[i]
		s, _ := t.afterLoss(func(c *sse.Conn, number int) error {
			switch number {
			case 1:
				return refuse(c, f.status, f.field())
			case 2:
				return stream(c, "data: x\n\n")
			}
			return control(c, "the end")
		})
		t.Allow(t.waitFor(3))
		if _, ok := s.comes(3, after+t.waitFor(1)); !ok {
			if f.status != 503 {
				return // whether it tries again at all is another requirement's matter
			}
			t.Deviation("another attempt", f.name+": "+s.outcome())
			return
		}
		_, again := s.comes(4, t.waitFor(2))
		row := gaps(s.all())
		s.leave()
		b := band{f.low, f.low + time.Second}.around(50*time.Millisecond, 0.25+t.jitterOf())
		evidence := table(t.keepRow(i+1, row, func(n int) band {
			if n == 1 {
				return b
			}
			return band{}
		}))
		if waited := row[1]; waited < b.low {
			t.Deviation(b.String(), fmt.Sprintf("%s: another attempt after %s", f.name, brief(waited)), evidence)
		} else if waited > b.high {
			t.tooBusy(time.Second, waited-b.high, fmt.Sprintf("%s: another attempt after %s", f.name, brief(waited)))
			t.Deviation(b.String(), fmt.Sprintf("%s: another attempt after %s", f.name, brief(waited)), evidence)
		}
		if again && row[2] >= after && row[0] < after/2 && (t.delay() == nil || allowed(t.delay(), 2, 0).high < after/2) {
			t.Deviation("the normal delay at the next loss", fmt.Sprintf("%s: %s at the loss after that, too", f.name, brief(row[2])), evidence)
		}
	})
	t.Count(len(forms))
	t.Conclude("2 s, in seconds and as a date, and once only")
}

// "A response of another media type than text/event-stream fails the attempt; nothing of it is parsed."
func otherTypesAreNoStreams(t *Trial) {
	types := []string{"text/plain", "x bogus", "", "text/event-streamx", "application/json", "text/html; charset=utf-8", "text/event-stream-x; a=b"}
	t.each(len(types), func(i int) {
		var fields []string
		if types[i] != "" {
			fields = append(fields, "Content-Type: "+types[i])
		}
		s := t.unheard(fmt.Sprintf("type %q", types[i]), func(c *sse.Conn) error { return tempt(c, http.StatusOK, fields...) })
		if again := len(s.all()) > 1; again && t.profile == conformance.ProfileBrowser {
			t.Deviation("no reconnect", fmt.Sprintf("type %q: %s", types[i], s.outcome()))
		}
		s.leave()
	})
	t.Count(len(types))
	t.Conclude(fmt.Sprintf("nothing of %s is parsed", conformance.Plural(len(types), "other type")))
}

// "The media type is compared without regard to case, and its parameters are ignored."
func typeIsComparedLoosely(t *Trial) {
	types := []string{
		"text/event-stream;", "text/event-stream; charset=utf-8", "text/event-stream;charset=UTF-8", "Text/Event-Stream;foo=bar", "TEXT/EVENT-STREAM",
	}
	t.each(len(types), func(i int) {
		s := t.play(t.hurried(), func(c *sse.Conn, _ *visit) error {
			if err := c.Head(http.StatusOK, "Content-Type: "+types[i], "Connection: close", allowOrigin); err != nil {
				return err
			}
			if err := c.Send("data: x\n\n"); err != nil {
				return err
			}
			c.Hold(nil)
			return nil
		})
		t.comesFirst(s)
		if !s.has("x", patience) {
			t.Deviation("its event is reported", fmt.Sprintf("type %q: no event; %s", types[i], s.outcome()))
		}
		s.leave()
	})
	t.Count(len(types))
	t.Conclude(fmt.Sprintf("a stream with each of %s", conformance.Plural(len(types), "type")))
}
