package client

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// "An explicit restart reconnects with the current id, without waiting for the backoff."
func restartsAtOnce(t *Trial) {
	const bound = 500 * time.Millisecond
	left := make(chan struct{})
	s := t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "again")
		}
		if err := stream(c, "retry: 5000\nid: 7\ndata: x\n\n"); err != nil {
			return err
		}
		c.Hold(left)
		return nil
	})
	t.Cleanup(func() { close(left) })
	t.comesFirst(s)
	if !s.has("x", patience) {
		t.Unknown("the event before the restart was not reported within %v", patience)
	}
	asked := time.Now()
	if err := s.Restart(); err != nil {
		t.lost(err)
	}
	v, ok := s.comes(2, 20*time.Second)
	if !ok {
		t.Fail("a new request", "none within 20s of the restart")
	}
	took := v.Accepted.Sub(asked)
	said := fmt.Sprintf("after %s, with Last-Event-ID %s", brief(took), askedFor(v))
	if id, _ := v.Request.LastEventID(); id != "7" {
		t.Deviation(`Last-Event-ID "7"`, said)
	}
	if took > bound {
		t.tooBusy(bound, took-bound, said)
		t.Deviation(fmt.Sprintf("a new request within %v, although retry: 5000 was sent", bound), said)
	}
	t.Conclude(said)
}

// "A client that offers to drop duplicates drops a replayed event whose id it has delivered, and no other."
func dropsDuplicates(t *Trial) {
	event := func(id int) string { return fmt.Sprintf("id: %d\ndata: event %d\n\n", id, id) }
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		switch v.Number {
		case 0:
			return stream(c, fmt.Sprintf("retry: %d\n", soon)+event(1)+event(2)+event(3)+event(4)+event(5))
		case 1:
			return stream(c, event(3)+event(4)+event(5)+event(6))
		}
		return stream(c, event(5)+event(6)+event(7)+"data: the end\n\n")
	})
	t.comesFirst(s)
	if !s.has("the end", returnWithin) {
		t.Fail("the client comes back twice", s.outcome())
	}
	var got []string
	for _, e := range events(s.Reports()) {
		if got = append(got, e.data); e.data == "the end" {
			break
		}
	}
	want := []string{"event 1", "event 2", "event 3", "event 4", "event 5", "event 6", "event 7", "the end"}
	t.Count(len(want))
	if !slices.Equal(got, want) {
		t.Fail(fmt.Sprint(want), fmt.Sprint(got))
	}
	t.Pass("each event once, in order")
}

// "A limit of attempts or time, where one is set, is kept, and reported as final."
func keepsItsLimit(t *Trial) {
	const limit = 3
	o := t.hurried()
	o.MaxAttempts = limit
	s := t.play(o, func(c *sse.Conn, v *visit) error { return v.reset(c) })
	t.comesFirst(s)
	if _, more := s.comes(limit+2, t.waitFor(limit)); more {
		t.Fail(fmt.Sprintf("at most %s", conformance.Plural(limit+1, "request")), s.outcome())
	}
	if s.final() == nil {
		t.Fail("the end is reported as final", s.outcome())
	}
	t.Pass(s.outcome())
}
