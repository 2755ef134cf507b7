package server

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Event is one event as it was received.
type Event struct {
	Type  string
	Data  string
	ID    string // the last event id once it was dispatched
	HasID bool   // it carried an id of its own
	Mixed bool   // it had two ids, or two types, that differ
	At    time.Time
	End   int // offset in the body behind the piece that completed it
}

// Segment is a piece of the body as it arrived: one read, or one chunk of it.
type Segment struct {
	At     time.Time
	Offset int
	Bytes  []byte
}

// Field is one line of the stream, as it was sent. A comment has no name and the text behind its colon.
type Field struct {
	Name    string
	Value   string
	Comment bool
	Blank   bool
	Offset  int       // of its first byte in the body
	At      time.Time // when its end arrived
}

// Record is what one connection has received so far.
type Record struct {
	Segments []Segment
	Events   []Event
	Comments []Event // only Data, At and End
	Retries  []time.Duration
	Bytes    int // of the body
	Ended    bool
	End      error     // io.EOF for an end as HTTP wants it
	EndedAt  time.Time // when it ended
	Pending  bool      // an event was cut by the end

	dropped int // bytes of the oldest segments, no longer kept
}

// Limits of what is kept of a connection, so that a hostile subject costs bounded memory.
const (
	keptBytes    = 4 << 20 // of segments; older ones are dropped
	keptSegments = 50_000  // told apart on one connection; later ones are joined to pieces of joinedBytes
	joinedBytes  = 1 << 10
	maxBody      = 32 << 20  // of a body; beyond it the connection is closed
	maxVolume    = 128 << 20 // of a body of which a case knows how much it publishes
	maxOther     = 64 << 10  // of a body that is no event stream
	maxEvents    = 100_000   // and comments, and retry fields
	maxFields    = 100_000   // lines that are looked at
	maxKept      = 320 << 20 // of all connections and subscribers together, roughly; beyond it those that receive more are closed
)

// What is kept of a piece beside its bytes, roughly.
const (
	segmentCost = 80
	eventCost   = 128
)

// recorder fills a record from the bytes of a body.
type recorder struct {
	*Record
	decoder sse.Decoder
	limit   int // of the body, in bytes
	pieces  int // reads or chunks so far: as many as bytes at most
	cost    int // of all that was kept, in bytes, roughly
	now     time.Time
}

func (r *recorder) take(p []byte, at time.Time) error {
	r.now = at
	if last := len(r.Segments) - 1; last >= keptSegments && len(r.Segments[last].Bytes) < joinedBytes {
		r.cost -= cap(r.Segments[last].Bytes)
		r.Segments[last].Bytes = append(r.Segments[last].Bytes, p...)
		r.cost += cap(r.Segments[last].Bytes)
	} else {
		kept := bytes.Clone(p)
		r.cost += segmentCost + cap(kept)
		r.Segments = append(r.Segments, Segment{At: at, Offset: r.Bytes, Bytes: kept})
	}
	r.Bytes += len(p)
	for r.Bytes-r.dropped > keptBytes && len(r.Segments) > 1 {
		r.dropped += len(r.Segments[0].Bytes)
		r.cost -= segmentCost + cap(r.Segments[0].Bytes)
		r.Segments = r.Segments[1:]
	}
	r.pieces++
	switch {
	case r.Bytes > r.limit:
		return over(memory.Size(int64(r.limit)))
	case r.pieces > r.limit:
		return over(conformance.Plural(r.limit, "piece"))
	case r.whole() > maxEvents:
		return over(conformance.Plural(maxEvents, "event"))
	}
	err := r.decoder.Feed(p, r)
	r.Pending = r.decoder.Pending()
	return err
}

// Event, Comment and Retry are for the decoder.
func (r *recorder) Event(e sse.Event) error {
	r.cost += eventCost + len(e.Type) + len(e.Data) + len(e.ID)
	r.Events = append(r.Events, Event{
		Type: string(e.Type), Data: string(e.Data), ID: string(e.ID), HasID: e.HasID, Mixed: e.Mixed, At: r.now, End: r.Bytes,
	})
	return nil
}

func (r *recorder) Comment(text []byte) {
	r.cost += eventCost + len(text)
	r.Comments = append(r.Comments, Event{Data: string(text), At: r.now, End: r.Bytes})
}

func (r *recorder) Retry(d time.Duration) { r.Retries = append(r.Retries, d) }

// whole is how many events, comments and retry fields have come.
func (r *Record) whole() int { return len(r.Events) + len(r.Comments) + len(r.Retries) }

// Body is the bytes that were kept.
func (r *Record) Body() []byte {
	body := make([]byte, 0, r.Bytes-r.dropped)
	for _, s := range r.Segments {
		body = append(body, s.Bytes...)
	}
	return body
}

// Fields are the complete lines of the body, as far as it was kept.
func (r *Record) Fields() []Field {
	body := r.Body()
	var fields []Field
	for at := 0; at < len(body) && len(fields) < maxFields; {
		end := bytes.IndexAny(body[at:], "\r\n")
		if end < 0 {
			break
		}
		line := string(body[at : at+end])
		f := Field{Offset: r.dropped + at, Blank: line == "", Comment: strings.HasPrefix(line, ":")}
		if r.dropped+at == 0 {
			line = strings.TrimPrefix(line, byteOrderMark)
		}
		f.Name, f.Value, _ = strings.Cut(line, ":")
		f.Value = strings.TrimPrefix(f.Value, " ")
		at += end + 1
		if body[at-1] == '\r' && at < len(body) && body[at] == '\n' {
			at++
		}
		f.At = r.at(r.dropped + at - 1)
		fields = append(fields, f)
	}
	return fields
}

const byteOrderMark = "\uFEFF"

// at is when the byte at an offset arrived.
func (r *Record) at(offset int) time.Time {
	i, found := slices.BinarySearchFunc(r.Segments, offset, func(s Segment, offset int) int { return cmp.Compare(s.Offset, offset) })
	if !found {
		i--
	}
	return r.Segments[max(i, 0)].At
}

// contains says whether an event with these data has come.
func (r *Record) contains(data string) bool { return r.index(data) >= 0 }

// index is where the first event with these data is, or -1.
func (r *Record) index(data string) int {
	is := carrying(data)
	for i := range r.Events {
		if is(r.Events[i].Data) {
			return i
		}
	}
	return -1
}
