package server

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "Ids are unique within a stream and never reused for different content."
func idsNameOneEvent(t *Trial) {
	stream := []string{t.Stream()}
	observers := []*follower{t.follow(stream), t.follow(stream)}
	first := observers[0]
	start, end, n := t.Unique(), t.Unique(), int(t.Number("events"))
	t.Send(stream[0], start)
	if !first.hears(start) {
		silent(t, first.tap())
	}
	position := first.position
	for range n {
		t.Send(stream[0], t.Unique())
	}
	t.Send(stream[0], end)
	if position != "" && t.Subject.Can("resume") {
		back := t.follower(stream)
		back.position = position
		if back.open() {
			observers = append(observers, back)
		}
	}
	content := map[string]string{}
	for i, f := range observers {
		if !f.hears(end) {
			t.Unknown("subscriber %d did not get the last of %d events", i+1, n)
		}
		seen, last := map[string]string{}, f.asked
		for _, e := range f.seen {
			identified := e.HasID || e.ID != last
			last = e.ID
			if !identified || e.ID == "" {
				continue
			}
			if data, again := seen[e.ID]; again && data != e.Data {
				t.Deviation("one event for each id", fmt.Sprintf("the id %s came with %s and with %s", sse.Escape([]byte(e.ID)), sse.Escape([]byte(data)), sse.Escape([]byte(e.Data))), f.tap().Evidence())
			}
			seen[e.ID] = e.Data
			if data, known := content[e.ID]; known && data != e.Data {
				t.Deviation("the same event for the same id at every subscriber", fmt.Sprintf("the id %s is %s for one subscriber and %s for another", sse.Escape([]byte(e.ID)), sse.Escape([]byte(data)), sse.Escape([]byte(e.Data))), f.tap().Evidence())
			}
			content[e.ID] = e.Data
		}
	}
	if len(content) == 0 {
		t.Info("no ids were sent")
	}
	t.Count(len(content))
	t.Conclude(fmt.Sprintf("%d ids, each for one event, at %d subscribers", len(content), len(observers)))
}

// "An event published with an explicitly empty id emits an empty id field (reset), distinguishable from no id."
func emptyIDIsWritten(t *Trial) {
	if !t.Subject.IDs {
		t.Skip("a publisher of this target gives no ids: there is no {{.ID}} in its publish request")
	}
	p := t.Subscribe([]string{t.Stream()})
	given, empty := t.Unique(), ""
	seen := map[string]Event{}
	for name, id := range map[string]*string{"an id": &given, "an empty id": &empty, "no id": nil} {
		data := t.Unique()
		if r := t.Publish(Message{Stream: p.Streams[0], Data: data, ID: id}); r.Acceptance != Acknowledged {
			t.interrupted()
			t.Unknown("a publish with %s was not acknowledged: %s", name, t.Subject.redact(r.String()))
		}
		if !t.Await(p, "an event is awaited", func(r *Record) bool { return r.contains(data) }) {
			silent(t, p)
		}
		p.Look(func(r *Record) { seen[name] = r.Events[r.index(data)] })
	}
	if e := seen["an id"]; e.ID != given {
		t.Skip("the target gives ids of its own: %s instead of %s", sse.Escape([]byte(e.ID)), sse.Escape([]byte(given)))
	}
	if e := seen["an empty id"]; !e.HasID || e.ID != "" {
		t.Deviation("an empty id field, because the event was published with an empty id", map[bool]string{true: "the id " + sse.Escape([]byte(e.ID)), false: "no id field"}[e.HasID], p.Evidence())
	}
	if e := seen["no id"]; e.HasID && e.ID == "" {
		t.Deviation("no empty id field, because the event was published without an id", "an empty id field", p.Evidence())
	}
	t.Count(len(seen))
	t.Conclude("an empty id is written, and is no missing one")
}
