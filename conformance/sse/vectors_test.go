package sse

import (
	"time"

	shared "github.com/streamgauge/streamgauge/conformance/sse/vectors"
)

// event is an Event as an application sees it: text, and type and id spelled out.
type event struct{ kind, data, id string }

// vector is a stream and what it means.
type vector struct {
	name     string
	in       string
	events   []event
	retry    time.Duration // the last reported; 0 means none
	comments []string      // compared unless nil
	lastID   string        // at the end, when it is not that of the last event
}

var vectors = func() (all []vector) {
	for _, v := range shared.All {
		all = append(all, vector{v.Name, v.In, eventsOf(v.Events), v.Retry, v.Comments, v.LastID})
	}
	return all
}()

// sequence is a row of streams that follow one another; only the last one's events are compared.
type sequence struct {
	name   string
	conns  []string
	events []event
}

var reconnections = func() (all []sequence) {
	for _, s := range shared.Reconnections {
		all = append(all, sequence{s.Name, s.Conns, eventsOf(s.Events)})
	}
	return all
}()

func eventsOf(all []shared.Event) (events []event) {
	for _, e := range all {
		events = append(events, event{e.Type, e.Data, e.ID})
	}
	return events
}

func messages(data ...string) []event {
	events := make([]event, len(data))
	for i, d := range data {
		events[i] = event{"message", d, ""}
	}
	return events
}
