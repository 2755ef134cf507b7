package server

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "An id is unique in its stream and never used again for other content."
//
// Observers join at different times, so that ids which are counted anew for each connection, or each replay, differ between them.
func idsNameOneEvent(t *Trial) {
	stream := []string{t.Stream()}
	observers := []*follower{t.follow(stream), t.follow(stream)}
	first, n := observers[0], t.affordable(int(t.Number("events")))
	joining := func(position string) {
		f := t.follower(stream)
		if f.position = position; f.open() {
			observers = append(observers, f)
		}
	}
	publish := func(n int) {
		for range n {
			t.Send(stream[0], t.Unique())
		}
		marker := t.Unique()
		t.Send(stream[0], marker)
		if !first.hears(marker) {
			silent(t, first.tap())
		}
	}
	publish(0)
	begin := first.position
	publish(n / 3)
	middle := first.position
	joining("")
	publish(n / 3)
	if begin != "" && t.Subject.Can("resume") {
		joining(begin)
		joining(middle)
	}
	publish(n / 3)
	joining("")
	end := t.Unique()
	t.Send(stream[0], end)
	content := map[string]string{}
	for i, f := range observers {
		if !f.hears(end) {
			t.Unknown("subscriber %d did not get the last of %s", i+1, conformance.Plural(n, "event"))
		}
		judgeIDs(t, f, content)
	}
	if len(content) == 0 {
		t.Info("no ids were sent")
	}
	t.Count(len(content))
	t.Conclude(fmt.Sprintf("%s, each for one event, at %s that joined at different times", conformance.Plural(len(content), "id"), conformance.Plural(len(observers), "subscriber")))
}

// judgeIDs notes the first id that a subscriber saw with other content than it did before, or another subscriber.
func judgeIDs(t *Trial, f *follower, content map[string]string) {
	seen, last := map[string]string{}, f.asked
	for i, e := range f.seen {
		identified := e.HasID || e.ID != last
		last = e.ID
		if !identified || e.ID == "" {
			continue
		}
		id, now := sse.Escape([]byte(e.ID)), sse.Escape([]byte(e.Data))
		if data, again := seen[e.ID]; again && data != e.Data {
			t.Deviation("one event for each id", fmt.Sprintf("the id %s came with %s and with %s", id, sse.Escape([]byte(data)), now), f.evidence(f.at[i]))
			return
		}
		if data, known := content[e.ID]; known && data != e.Data {
			t.Deviation("the same event for the same id at every subscriber",
				fmt.Sprintf("the id %s is %s for one subscriber and %s for another, which joined at another time", id, sse.Escape([]byte(data)), now), f.evidence(f.at[i]))
			return
		}
		seen[e.ID], content[e.ID] = e.Data, e.Data
	}
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
