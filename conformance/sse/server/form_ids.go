package server

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "A server that claims resume puts an id on every event that can be replayed."
func replayableEventsHaveIDs(t *Trial) {
	if !t.Subject.Can("resume") {
		t.Skip("the target does not claim resume: add it to its capabilities if it can")
	}
	c := t.course()
	c.fill(t.affordable(int(t.Number("events"))))
	f := c.observer
	messages, without, first := 0, 0, -1
	for i, own := range f.identified() {
		if _, _, ours := c.series.find(f.seen[i].Data); !ours {
			continue
		}
		if messages++; own {
			continue
		}
		if without++; first < 0 {
			first = i
		}
	}
	if without > 0 {
		t.Deviation("an id on every message", fmt.Sprintf("%d of %d messages have none, the first of them is %s", without, messages, sse.Escape([]byte(f.seen[first].Data))),
			f.taps[f.at[first]-1].EvidenceFrom(max(0, f.seen[first].End-200)))
	}
	t.Sample(messages, "message")
	t.Conclude(conformance.Plural(messages, "message") + ", each with an id")
}

// identified says which of the seen events have an id of their own: in their block, or in one before them without data.
func (f *follower) identified() []bool {
	own, last := make([]bool, len(f.seen)), f.asked
	for i, e := range f.seen {
		own[i] = e.HasID || e.ID != last
		last = e.ID
	}
	return own
}

// "An id is unique in its stream and never used again for other content."
//
// Observers join at different times, so that ids which are counted anew for each connection, or each replay, differ between them. Several
// publish at once, so that ids which are a time, or are counted for each publisher, come twice.
func idsNameOneEvent(t *Trial) {
	c, n := t.course(), t.affordable(int(t.Number("events")))
	observers := []*follower{c.observer, t.follow([]string{c.stream})}
	joining := func(position string) {
		f := t.follower([]string{c.stream})
		if f.position = position; f.open() {
			observers = append(observers, f)
		}
	}
	c.publish(1)
	begin := c.observer.position
	c.fill(n / 3)
	middle := c.observer.position
	joining("")
	c.fill(n / 3)
	if begin != "" && t.Subject.Can("resume") {
		joining(begin)
		joining(middle)
	}
	c.fill(n / 3)
	joining("")
	c.publish(1)
	known := map[string]string{}
	for i, f := range observers {
		if !f.hears(c.text(c.published)) {
			t.Unknown("subscriber %d did not get the last of %s", i+1, conformance.Plural(c.published, "event"))
		}
		c.judgeIDs(f, known)
	}
	if len(known) == 0 {
		t.Info("no ids were sent")
	}
	t.Sample(len(known), "id")
	t.Conclude(fmt.Sprintf("%s, each for one event, at %d subscribers that joined at different times", conformance.Plural(len(known), "id"), len(observers)))
}

// judgeIDs notes the ids that a subscriber saw with other content than it did before, or another subscriber. Content is which message it is,
// however that is dressed.
func (c *course) judgeIDs(f *follower, known map[string]string) {
	t, seen := c.t, map[string]string{}
	identified, twice, elsewhere := 0, 0, 0
	var expected, actual string
	first := 0
	for i, own := range f.identified() {
		e := f.seen[i]
		if !own || e.ID == "" {
			continue
		}
		identified++
		content := sse.Escape([]byte(e.Data))
		if _, n, ours := c.series.find(e.Data); ours {
			content = fmt.Sprintf("message %d", n)
		}
		id := sse.Escape([]byte(e.ID))
		before, again := seen[e.ID]
		others, shared := known[e.ID]
		switch {
		case again && before != content:
			if twice++; twice == 1 { // it weighs more than what others saw
				expected, actual, first = "one event for each id", fmt.Sprintf("the id %s came with %s and with %s", id, before, content), i
			}
		case shared && others != content:
			if elsewhere++; elsewhere == 1 && twice == 0 {
				expected, first = "the same event for the same id at every subscriber", i
				actual = fmt.Sprintf("the id %s is %s for one subscriber and %s for another", id, others, content)
			}
		}
		seen[e.ID], known[e.ID] = content, content
	}
	if actual == "" {
		return
	}
	if n := max(twice, elsewhere); n > 1 {
		actual += fmt.Sprintf("; %d of %d events came under an id that was another's", n, identified)
	}
	t.Deviation(expected, actual, f.evidence(f.at[first]))
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
			t.Unknown("a publish with %s was not acknowledged: %s", name, r.String())
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
