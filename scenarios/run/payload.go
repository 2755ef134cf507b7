package run

import (
	"bytes"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/scenarios"
)

// payload is the data of a message: its token, dressed as the plan wants it.
func (e *engine) payload(dst []byte, stream, publisher int32, m scenarios.Message, sent time.Duration) []byte {
	t := token.Message{Run: e.plan.Run, Stream: stream, Publisher: publisher, Number: m.Number, Due: m.Due, Sent: sent}
	c := e.contents.Content(stream, publisher, m.Number, m.Type)
	return token.Append(dst, t, c.Before, c.After, c.Size)
}

// examine notes what the wire says of a message beside its numbers.
func (e *engine) examine(o *history.Observation, m token.Message, event *sse.Event, state token.State) {
	switch state {
	case token.Damaged:
		o.Mark = history.Foreign
	case token.Corrupted, token.Enveloped:
		if where := e.differs(m, event); where != "" {
			o.Mark, o.Data = history.Corrupted|history.Compared, where
		}
	}
	if o.Mark == 0 && e.mistyped(event) {
		o.Mark, o.Data = history.Corrupted|history.Compared, "another type than on other connections\none that was published\n"+excerpt(event.Type)
	}
	if o.Mark == 0 && event.Mixed {
		o.Mark, o.Data = history.Corrupted|history.Compared, "two events were written into one another\none id and one type in an event\ntwo that differ"
	}
	if len(e.schemas) > 0 && !e.schemas.wellFormed(event.Type, event.Data) {
		o.Mark |= history.Malformed
	}
	if o.Mark != 0 && o.Data == "" {
		o.Data = excerpt(event.Data)
	}
}

// mistyped says whether an event has no type that was published, although the target has been seen to hand types on: many put them into an
// envelope, or nowhere.
func (e *engine) mistyped(event *sse.Event) bool {
	types := e.plan.Scenario.Load.Publish.Types
	if len(types) == 0 {
		return false
	}
	if _, planned := types[string(event.Type)]; planned {
		if !e.typed.Load() {
			e.typed.Store(true)
		}
		return false
	}
	return e.typed.Load()
}

// differs says where an event's data first differs from the message as it was published, "" when they are the same: as it was, inside
// something larger, or escaped.
func (e *engine) differs(m token.Message, event *sse.Event) string {
	published := e.published(m, event)
	if published == nil {
		return "the numbers of no message that the plan has\na message of the plan\n" + excerpt(event.Data)
	}
	nearest := comparison{published: token.Joined(published)}
	if nearest.carried(event.Data) {
		return ""
	}
	return nearest.difference(e.target.RedactPieces)
}

// published is a message's payload. Its type is not in the token: of those that the plan has, it is the one with which the payload's token
// is the one that came.
func (e *engine) published(m token.Message, event *sse.Event) []byte {
	if m.Stream < 0 || int(m.Stream) >= len(e.plan.Streams) {
		return nil
	}
	kinds := []string{string(event.Type), ""}
	for kind := range e.plan.Scenario.Load.Publish.Types {
		kinds = append(kinds, kind)
	}
	var made []byte
	header := token.Header(event.Data)
	for _, kind := range kinds {
		made = e.payload(nil, m.Stream, m.Publisher, scenarios.Message{Number: m.Number, Due: m.Due, Type: kind}, m.Sent)
		if bytes.Equal(token.Header(made), header) {
			break
		}
	}
	return made
}
