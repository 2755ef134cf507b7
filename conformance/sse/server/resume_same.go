package server

import (
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "What is replayed is what live subscribers saw: each event has the id, the type and the data that it had then."
func replaysWhatWasSeen(t *Trial) {
	a := &alterations{t: t}
	if t.Subject.Publish == nil {
		witnessed(t, func(v *comeback) {
			before := a.compared
			for _, e := range v.got {
				if at := slices.IndexFunc(v.witness, func(live Event) bool { return live.ID == e.ID }); at >= 0 {
					a.compare("the event "+sse.Escape([]byte(e.ID)), v.witness[at], e, e.Data, v.evidence)
				}
			}
			if a.report(); a.compared == before && !v.silent() {
				t.seeInstead("SSE-RESUME-001", "no event came after a comeback that a subscriber saw who stayed")
				t.Unknown("no event came after a comeback with an id that a subscriber saw who stayed")
			}
		})
		return
	}
	c, published := t.course(), map[int]string{}
	kinds := replayedKinds(t)
	for i := range t.affordable(5 * len(kinds)) {
		m := kinds[i%len(kinds)]
		m.Stream, m.Data = c.stream, c.text(c.published+1)+m.Data
		switch r := t.Publish(m); r.Acceptance {
		case Acknowledged:
			c.published++
			published[c.published] = m.Data
		case Indeterminate:
			t.interrupted()
			t.Unknown("a publish was not acknowledged: %s", r.String())
		case Rejected:
		}
	}
	if c.published < enough {
		t.Unknown("only %d messages were acknowledged", c.published)
	}
	c.learn()
	c.mustResume()
	live := map[int]Event{}
	for _, e := range c.observer.seen {
		if _, n, ok := c.series.find(e.Data); ok {
			if _, again := live[n]; !again {
				live[n] = e
			}
		}
	}
	for _, n := range []int{1, c.published / 2} {
		r := c.from(n)
		for _, e := range r.follower.seen {
			_, number, ok := c.series.find(e.Data)
			if payload := published[number]; ok && payload != "" {
				a.compare(fmt.Sprintf("message %d", number), live[number], e, payload, r.evidence)
			}
		}
	}
	a.report()
	c.sampled()
	if a.compared == 0 {
		t.seeInstead("SSE-RESUME-001", "nothing was replayed")
		t.Unknown("nothing was replayed")
	}
	t.Count(a.compared)
	t.Conclude(fmt.Sprintf("%d events were replayed as a subscriber had seen them who stayed", a.compared))
}

// replayedKinds are data and types that a second writing would change: what breaks lines, quotes, and is not ASCII. They follow what tells
// them apart.
func replayedKinds(t *Trial) (kinds []Message) {
	for i, data := range []string{"", " plain", "\nsecond  line\n\n fourth", ` {"a": ["b", "\u00e9\n"], "n": 1.0}`, " größer 日本 😀 e\u0301", ` "quoted" \ & <b>%20+</b>`} {
		m := Message{Data: data}
		if t.Subject.Types && i%3 > 0 {
			m.Type = []string{"created", "order.changed"}[i%2]
		}
		kinds = append(kinds, m)
	}
	return kinds
}

// alterations are what distinguishes replayed events from those that were seen live.
type alterations struct {
	t        *Trial
	compared int
	found    []alteration
}

// alteration is one thing that was not the same, with the first event of which it was not.
type alteration struct {
	what             string
	events           int
	expected, actual string
	evidence         []string
}

func (a *alterations) compare(name string, live, again Event, payload string, evidence func() []string) {
	a.compared++
	if live.ID != "" && live.ID != again.ID {
		a.note("id", name, "the id "+sse.Escape([]byte(live.ID)), "the id "+sse.Escape([]byte(again.ID)), evidence)
	}
	if live.Type != again.Type {
		a.note("type", name, "the type "+sse.Escape([]byte(live.Type)), "the type "+sse.Escape([]byte(again.Type)), evidence)
	}
	if live.Data != again.Data && !alikeDressed(live.Data, again.Data, payload) {
		a.note("data", name, "the data "+excerpt(live.Data), "the data "+excerpt(again.Data), evidence)
	}
}

// excerpt is the beginning of a text.
func excerpt(text string) string {
	const most = 100
	if len(text) > most {
		return sse.Escape([]byte(text[:most])) + "…"
	}
	return sse.Escape([]byte(text))
}

// alikeDressed says whether a payload came in the same kind of envelope twice, around which other things may have changed.
func alikeDressed(live, again, payload string) bool {
	bare := live == payload || live == lineEnds.Replace(payload)
	return !bare && again != "" && live[0] == again[0] && carries(live, payload) && carries(again, payload)
}

func (a *alterations) note(what, name, expected, actual string, evidence func() []string) {
	i := slices.IndexFunc(a.found, func(known alteration) bool { return known.what == what })
	if i < 0 {
		i, a.found = len(a.found), append(a.found, alteration{
			what: what, expected: name + " as a subscriber saw it who stayed: " + expected, actual: name + " was replayed with " + actual, evidence: evidence(),
		})
	}
	a.found[i].events++
}

// report notes what was found since the last time.
func (a *alterations) report() {
	for _, f := range a.found {
		a.t.Deviation(f.expected, fmt.Sprintf("%s; the %s was another in %d of %d replayed events", f.actual, f.what, f.events, a.compared), f.evidence)
	}
	a.found = nil
}
