package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// captureFor is how long a stream is watched of which nothing is known.
const captureFor = 5 * time.Second

// corpus is text from the whole of Unicode.
var corpus = []string{
	"plain", "ümlaut ß ñ", "日本語 한국어", "עברית العربية", "emoji \U0001f3e9\U0001f468\u200d\U0001f469", "\U0010fffd\uFFFD\u00a0\u007f", "two\nlines",
}

// capture is a stretch of a stream: with a publisher some text of all kinds, without one whatever comes.
func capture(t *Trial) *Tap {
	p := t.Subscribe([]string{t.Stream()})
	if t.Subject.Publish != nil {
		for _, text := range corpus {
			t.Send(p.Streams[0], text+" "+t.Unique())
		}
		if _, ok := t.Fence(p); !ok && p.Bytes() == 0 {
			silent(t, p)
		}
		return p
	}
	t.Hold(p, captureFor)
	if p.Bytes() == 0 {
		if ended, err := p.Ended(); ended {
			t.Unknown("the stream did not stay open: %s", endText(err))
		}
		t.Skip("nothing came while the stream was watched for %v: describe publish in a target file, and there is something to judge", captureFor)
	}
	return p
}

// captures are a capture and, where positions are understood, one of a connection that came back and was replayed what the first one saw.
func captures(t *Trial) []*Tap {
	p := capture(t)
	events := p.Events()
	first := slices.IndexFunc(events, func(e Event) bool { return e.ID != "" && t.ours(e) && !t.primed(e) })
	if len(t.ways()) == 1 || first < 0 {
		return []*Tap{p}
	}
	p.Close()
	again, err := t.Open(p.Streams, Again(p), From(events[first].ID))
	if err != nil || again.Status() != http.StatusOK || !again.Response.EventStream() || !t.ready(again) {
		t.interrupted()
		return []*Tap{p} // that is for other cases
	}
	t.Fence(again)
	return []*Tap{p, again}
}

// arriveUnchanged publishes each payload between two markers; exactly one event must come between them, with the payload as its
// data. {U} in a payload is replaced by a unique text, by which it is told from what others publish to the only stream there is.
func arriveUnchanged(t *Trial, payloads ...string) {
	p := t.Subscribe([]string{t.Stream()})
	if t.Requirement.ID != "SSE-FORM-003" && slices.ContainsFunc(payloads, func(payload string) bool { return strings.Contains(payload, "\n") }) {
		t.mustBreakLines(p)
	}
	rejected, unanswered := 0, ""
	for _, form := range payloads {
		u := t.Unique()
		payload := strings.ReplaceAll(form, "{U}", u)
		if payload == form && t.Subject.Shared {
			continue
		}
		r := delivered(t, p, Message{Data: payload}, func(events []Event, offset int) {
			between := events
			events = concerning(t, slices.Clone(events), u, payload)
			if len(events) != 1 || !carries(events[0].Data, payload) {
				received := describe(events)
				if len(events) == 0 {
					received = t.instead(p, offset, payload, between)
				}
				expected := fmt.Sprintf("one event with the data %s", sse.Escape([]byte(lineEnds.Replace(payload))))
				t.Deviation(expected, "published "+sse.Escape([]byte(payload))+", received "+received, p.EvidenceFrom(offset))
			}
		})
		switch r.Acceptance {
		case Rejected:
			rejected++
		case Indeterminate:
			unanswered = fmt.Sprintf("publishing %s: %s", sse.Escape([]byte(payload)), r.String())
		case Acknowledged:
			t.Count(1)
		}
	}
	if t.Deviated() {
		t.mustBeText(p)
	}
	switch {
	case unanswered != "" && !t.Deviated():
		t.Unknown("%s", unanswered)
	case rejected == len(payloads):
		t.Info("the target rejects such payloads")
	}
	t.Conclude(fmt.Sprintf("%d payloads arrived unchanged", len(payloads)-rejected))
}

// concerning are the events that can have come of a message. On a stream that is shared those are the ones that bear its unique text. On
// any other, what comes beside them as an event of its own is for other cases: a message published elsewhere or before, a signal, the same
// event again.
func concerning(t *Trial, events []Event, unique, payload string) []Event {
	events = slices.DeleteFunc(events, func(e Event) bool {
		foreign := !strings.Contains(e.Type+e.ID+e.Data, unique) && !carries(e.Data, payload)
		return foreign && (t.Subject.Shared || t.ours(e) || e.Type != "message")
	})
	return slices.CompactFunc(events, func(a, b Event) bool {
		return a.HasID && b.HasID && a.ID == b.ID && a.Type == b.Type && a.Data == b.Data
	})
}

// delivered publishes a message between two markers and hands on the events between them, with the offset in the body where they
// begin. A payload that is rejected is not handed on.
func delivered(t *Trial, p *Tap, m Message, judge func(events []Event, offset int)) Receipt {
	before, ok := t.Fence(p)
	if !ok {
		silent(t, p)
	}
	offset := p.Bytes()
	m.Stream = p.Streams[0]
	r := t.Publish(m)
	after, ok := t.Fence(p)
	if !ok {
		endedBy(t, p, m, r)
		silent(t, p)
	}
	if r.Acceptance != Rejected {
		if events := t.Between(p, before, after); r.Acceptance == Acknowledged || len(events) > 0 {
			judge(events, offset)
		}
	}
	return r
}

// endedBy ends the case when a message, and not an accident, ended the stream of each of its subscribers: it does so again, and a plain one
// does not.
func endedBy(t *Trial, p *Tap, m Message, r Receipt) {
	ends := func(m Message) (again bool, end string) {
		taps := []*Tap{t.Subscribe([]string{t.Stream()})}
		taps = append(taps, t.Subscribe(taps[0].Streams))
		for _, p := range taps {
			if _, ok := t.Fence(p); !ok {
				return false, ""
			}
		}
		m.Stream = taps[0].Streams[0]
		t.Publish(m)
		for _, p := range taps {
			t.Fence(p)
			ended, err := p.Ended()
			if !ended {
				return false, ""
			}
			end = endText(err)
		}
		return true, end
	}
	if ended, _ := p.Ended(); !ended {
		return
	}
	again, end := ends(m)
	if !again {
		return
	}
	if usual, _ := ends(Message{Data: t.Unique()}); usual {
		return
	}
	t.Fail("an event, or a rejection with 4xx", fmt.Sprintf("a publish of %s (%s) ended the streams of all its subscribers, each time: %s",
		m.describe(), r.String(), end), p.Evidence())
}

// describe says what is published.
func (m Message) describe() string {
	text := "the data " + sse.Escape([]byte(m.Data))
	if m.Type != "" {
		text += " with the type " + sse.Escape([]byte(m.Type))
	}
	if m.ID != nil {
		text += " with the id " + sse.Escape([]byte(*m.ID))
	}
	return text
}

// silent ends a case that cannot go on because not even a plain message arrives.
func silent(t *Trial, p *Tap) {
	if ended, err := p.Ended(); ended {
		t.Unknown("the stream did not stay open: %s", endText(err))
	}
	t.Unknown("a plain message did not arrive within %v of its acknowledgement", t.arrival)
}

// describe says what came.
func describe(events []Event) string {
	if len(events) == 0 {
		return "nothing"
	}
	words := make([]string, 0, len(events))
	for _, e := range events {
		word := sse.Escape([]byte(e.Data))
		if e.Type != "message" {
			word += " of type " + sse.Escape([]byte(e.Type))
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}
