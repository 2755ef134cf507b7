package server

import (
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

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
		expected, actual := difference(live.Data, again.Data)
		a.note("data", name, "the data "+excerpt(live.Data)+", "+expected, "other data, "+actual, evidence)
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
	return !bare && live != "" && again != "" && live[0] == again[0] && carries(live, payload) && carries(again, payload)
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
