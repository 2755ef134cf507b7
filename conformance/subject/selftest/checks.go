package selftest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

func hello(t *trial) error {
	h := t.session.Hello()
	var problems []error
	if h.Name == "" {
		problems = append(problems, errors.New("it names no client (name)"))
	}
	oneOf := func(field, word string, words ...string) {
		if word != "" && !slices.Contains(words, word) {
			problems = append(problems, fmt.Errorf("its %s is %q, want one of %s", field, word, strings.Join(words, ", ")))
		}
	}
	oneOf("profile", h.Profile, "sdk-client", "whatwg-client")
	if h.Policy != nil && h.Policy.Backoff != nil {
		oneOf("policy.backoff.spread", h.Policy.Backoff.Spread, "up", "down", "both", "full")
		oneOf("policy.backoff.reset", h.Policy.Backoff.Reset, "on-open", "on-event", "never")
	}
	for _, field := range h.Unsaid {
		oneOf("unsaid", field, "fatal", "cause", "closed", "last_event_id")
	}
	for _, c := range h.Caps {
		if !slices.Contains(subject.Capabilities, subject.Capability(c)) {
			problems = append(problems, fmt.Errorf("there is no capability %q", c))
		}
	}
	t.detail = strings.Join(slices.DeleteFunc([]string{strings.TrimSpace(h.Name + " " + h.Version), h.Lang, h.Profile, strings.Join(h.Caps, " ")},
		func(s string) bool { return s == "" }), ", ")
	return errors.Join(problems...)
}

func answersSync(t *trial) error {
	for range 3 {
		if err := t.sync(); err != nil {
			return err
		}
	}
	return nil
}

// sample is an event that must come through unchanged.
type sample struct {
	name, sent, kind, data, id string
}

var corpus = []sample{
	{"a plain event", "data: hello\n\n", "message", "hello", ""},
	{"a named event", "event: greeting\ndata: hello\n\n", "greeting", "hello", ""},
	{"an id", "id: 7\ndata: a\n\n", "message", "a", "7"},
	{"several lines", "data: a\ndata:  b\ndata: c \n\n", "message", "a\n b\nc ", ""},
	{"empty data", "data:\n\n", "message", "", ""},
	{"Unicode", "data: " + unicodeText + "\n\n", "message", unicodeText, ""},
	{"characters that JSON escapes", "data: " + escapedText + "\n\n", "message", escapedText, ""},
	{"NUL", "data: a\x00b\n\n", "message", "a\x00b", ""},
	{"1 MiB", "data: " + longText + "\n\n", "message", longText, ""},
}

const (
	unicodeText = "grüße, 你好, مرحبا, 🌊🌊, e\u0301, \u2028\u2029, \ufeff, \U0010ffff"
	escapedText = "\"quoted\" back\\slash </script> & \x01\x08\x0b\x0c\x1f\x7f \t."
)

var longText = strings.Repeat("0123456789abcdef", 1<<16)

// fence comes behind a sample, so that a sample that did not come is known to be missing at once.
const fence = "streamgauge fence"

func echo(t *trial, want sample) error {
	_, c, err := t.follow(subject.Open{Listen: []string{"message", "greeting"}}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		sent := "data: " + fence + "\n\n"
		if c.Number == 0 { // a client that broke off at the sample has missed it
			sent = want.sent + sent
		}
		if err := c.Send(sent); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	if err != nil {
		return err
	}
	reports, err := t.await(c, "the event behind", func(r []subject.Report) bool {
		return slices.ContainsFunc(r, func(r subject.Report) bool { return bytes.Equal(r.Bytes(), []byte(fence)) })
	})
	if err != nil {
		return err
	}
	got := eventsOf(reports)
	if len(got) != 2 {
		return fmt.Errorf("want this event and the one behind, got %s", list(got))
	}
	e := got[0]
	if e.Type == "" {
		e.Type = "message"
	}
	if e.Type != want.kind || string(e.Bytes()) != want.data || e.LastEventID != want.id {
		return fmt.Errorf("want %s with the last event id %q, got %s with %q", short(want.kind, []byte(want.data)), want.id, short(e.Type, e.Bytes()), e.LastEventID)
	}
	return nil
}

// speaksTheProtocol has all samples on one stream: whatever the client makes of them, its adapter writes nothing but reports.
func speaksTheProtocol(t *trial) error {
	_, c, err := t.follow(subject.Open{Listen: []string{"message", "greeting"}}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		for _, one := range corpus {
			if err := c.Segments(between, []byte(one.sent), nil); err != nil {
				return err
			}
		}
		if err := c.Send("data: " + fence + "\n\n"); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.ctx, soonEnough)
	defer cancel()
	_, err = c.Await(ctx, func(r []subject.Report) bool {
		return slices.ContainsFunc(r, func(r subject.Report) bool { return r.Ev == subject.EvError || bytes.Equal(r.Bytes(), []byte(fence)) })
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil // a client need not report anything of it here: that is for the cases
}

// soonEnough is how long a client has to show what its adapter makes of a stream.
const soonEnough = 3 * time.Second

func eventsOf(reports []subject.Report) []subject.Report {
	return slices.DeleteFunc(slices.Clone(reports), func(r subject.Report) bool { return r.Ev != subject.EvEvent })
}

// order sends events of two types by turns: a handler for each must not change their order.
func order(t *trial) error {
	const count = 500
	kinds := []string{"message", "greeting", "message", "message", "greeting"}
	_, c, err := t.follow(subject.Open{Listen: []string{"message", "greeting"}}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		var all strings.Builder
		for i := range count {
			fmt.Fprintf(&all, "event: %s\ndata: %d\n\n", kinds[i%len(kinds)], i)
		}
		if err := c.Send(all.String()); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	if err != nil {
		return err
	}
	reports, err := t.await(c, fmt.Sprintf("the last of %d events", count), func(r []subject.Report) bool { return len(eventsOf(r)) >= count })
	if err != nil {
		return err
	}
	for i, e := range eventsOf(reports) {
		if e.Type == "" {
			e.Type = "message"
		}
		if want := fmt.Sprint(i); string(e.Bytes()) != want || e.Type != kinds[i%len(kinds)] {
			return fmt.Errorf("event %d of %d was reported as %s, want %s", i, count, short(e.Type, e.Bytes()), short(kinds[i%len(kinds)], []byte(want)))
		}
	}
	return nil
}

// closeSilences closes in the middle of a stream that goes on.
func closeSilences(t *trial) error {
	s, c, err := t.follow(subject.Open{}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		const plenty = 2000
		for range plenty {
			if err := c.Segments(between, []byte("data: a\n\n"), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := t.await(c, "a third event", func(r []subject.Report) bool { return len(eventsOf(r)) >= 3 }); err != nil {
		return err
	}
	if err := c.Close(); err != nil {
		return err
	}
	closed := func(r subject.Report) bool { return r.Ev == subject.EvClosed }
	if _, err := t.await(c, "closed", func(r []subject.Report) bool { return slices.ContainsFunc(r, closed) }); err != nil {
		return err
	}
	// Another stream passes, which takes the time that a late report would need.
	if err := echo(t, corpus[0]); err != nil {
		return fmt.Errorf("another stream after it: %w", err)
	}
	if err := t.sync(); err != nil {
		return err
	}
	reports := c.Reports()
	at := slices.IndexFunc(reports, closed)
	if late := reports[at+1:]; len(late) > 0 {
		return fmt.Errorf("%d reports after closed: %s", len(late), list(late))
	}
	t.detail = fmt.Sprintf("after %d requests", len(s.Requests()))
	return nil
}

func lossIsReported(t *trial) error {
	_, c, err := t.follow(subject.Open{}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if err := c.Send("retry: 10\ndata: a\n\n"); err != nil || c.Number == 0 {
			return err
		}
		c.Hold(nil)
		return nil
	})
	if err != nil {
		return err
	}
	reports, err := t.await(c, "the end of the stream, as an error,", func(r []subject.Report) bool {
		return slices.ContainsFunc(r, func(r subject.Report) bool { return r.Ev == subject.EvError })
	})
	if err != nil {
		return err
	}
	loss := reports[slices.IndexFunc(reports, func(r subject.Report) bool { return r.Ev == subject.EvError })]
	if loss.Fatal {
		return fmt.Errorf("the end of a good stream was reported as fatal: %s", list(reports))
	}
	if loss.Cause != "" && !slices.Contains(subject.Causes, loss.Cause) {
		return fmt.Errorf("the end of a stream was reported with the cause %q, which is none of %q", loss.Cause, subject.Causes)
	}
	return nil
}

func heedsIdleTimeout(t *trial) error {
	timeout := 300 // milliseconds
	_, c, err := t.follow(subject.Open{IdleTimeoutMS: &timeout}, oneEvent)
	if err != nil {
		return err
	}
	_, err = t.await(c, fmt.Sprintf("the loss of a silent connection, with an idle_timeout_ms of %d, as an error,", timeout), func(r []subject.Report) bool {
		return slices.ContainsFunc(r, func(r subject.Report) bool { return r.Ev == subject.EvError })
	})
	return err
}
