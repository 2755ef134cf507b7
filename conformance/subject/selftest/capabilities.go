package selftest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// between is the pause between two segments of a stream.
const between = 5 * time.Millisecond

// oneEvent is a stream with a comment and one event.
func oneEvent(c *sse.Conn) error {
	if _, err := c.Stream(); err != nil {
		return err
	}
	if err := c.Send("retry: 10\n: a comment\nid: 1\ndata: a\n\n"); err != nil {
		return err
	}
	c.Hold(nil)
	return nil
}

func followOne(t *trial, o subject.Open) (*sse.Server, *subject.Conn, []subject.Report, error) {
	s, c, err := t.follow(o, oneEvent)
	if err != nil {
		return nil, nil, nil, err
	}
	reports, err := t.await(c, "the event", func(r []subject.Report) bool { return len(eventsOf(r)) > 0 })
	return s, c, reports, err
}

func reportsOpen(t *trial) error {
	_, _, reports, err := followOne(t, subject.Open{})
	if err != nil {
		return err
	}
	before := slices.IndexFunc(reports, func(r subject.Report) bool { return r.Ev == subject.EvOpen })
	event := slices.IndexFunc(reports, func(r subject.Report) bool { return r.Ev == subject.EvEvent })
	if before < 0 || before > event {
		return fmt.Errorf("open was not reported before the first event: %s", list(reports))
	}
	return nil
}

func reportsComments(t *trial) error {
	_, _, reports, err := followOne(t, subject.Open{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(reports, func(r subject.Report) bool { return r.Ev == subject.EvComment }) {
		return fmt.Errorf("the comment was not reported: %s", list(reports))
	}
	return nil
}

func takesHeaders(t *trial) error {
	s, _, _, err := followOne(t, subject.Open{Headers: map[string]string{"X-Streamgauge": "here"}})
	if err != nil {
		return err
	}
	if got := s.Requests()[0].Header.Get("X-Streamgauge"); got != "here" {
		return fmt.Errorf("the request has the header X-Streamgauge: %q, want %q", got, "here")
	}
	return nil
}

func takesPosition(t *trial) error {
	s, _, _, err := followOne(t, subject.Open{LastEventID: "position"})
	if err != nil {
		return err
	}
	if got, _ := s.Requests()[0].LastEventID(); got != "position" {
		return fmt.Errorf("the first request has the header Last-Event-ID: %q, want %q", got, "position")
	}
	return nil
}

func takesMethod(t *trial) error { return takes(t, "REPORT") }

func takesPost(t *trial) error { return takes(t, "POST") }

func takes(t *trial, method string) error {
	s, _, _, err := followOne(t, subject.Open{Method: method, Body: "a body"})
	if err != nil {
		return err
	}
	if r := s.Requests()[0]; r.Method != method || string(r.Body) != "a body" {
		return fmt.Errorf("the request is %s with the body %q, want %s with %q", r.Method, r.Body, method, "a body")
	}
	return nil
}

func restarts(t *trial) error {
	s, c, _, err := followOne(t, subject.Open{})
	if err != nil {
		return err
	}
	if err := c.Restart(); err != nil {
		return err
	}
	return t.request(s, 2)
}

func followsTwo(t *trial) error {
	one, two := make(chan struct{}), make(chan struct{})
	first, err := t.serve(waitFor(one))
	if err != nil {
		return err
	}
	second, err := t.serve(waitFor(two))
	if err != nil {
		return err
	}
	a, err := t.session.Open(subject.Open{URL: first.URL("/")})
	if err != nil {
		return err
	}
	b, err := t.session.Open(subject.Open{URL: second.URL("/")})
	if err != nil {
		return err
	}
	if err := t.request(first, 1); err != nil {
		return fmt.Errorf("the first of two: %w", err)
	}
	if err := t.request(second, 1); err != nil {
		return fmt.Errorf("the second of two: %w", err)
	}
	arrived := func(r []subject.Report) bool { return len(eventsOf(r)) > 0 }
	close(two)
	if _, err := t.await(b, "the event of the second of two", arrived); err != nil {
		return err
	}
	if len(eventsOf(a.Reports())) > 0 {
		return errors.New("an event of one connection was reported for another")
	}
	close(one)
	_, err = t.await(a, "the event of the first of two", arrived)
	return err
}

// waitFor sends an event once it may.
func waitFor(ready <-chan struct{}) sse.Script {
	return func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		c.Hold(ready)
		if err := c.Send("data: a\n\n"); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	}
}

// during has the client follow a stream on which nothing comes, and then ends the adapter.
func during(t *trial, end func() error) error {
	if _, _, err := t.follow(subject.Open{}, silence); err != nil {
		return err
	}
	if err := t.sync(); err != nil { // by now it has been told to follow it
		return err
	}
	t.ended = true
	return end()
}

func exits(t *trial) error { return during(t, func() error { return t.session.End() }) }

func endsWithItsInput(t *trial) error { return during(t, func() error { return t.session.Leave() }) }

func silence(c *sse.Conn) error {
	if _, err := c.Stream(); err != nil {
		return err
	}
	c.Hold(nil)
	return nil
}
