package sse

import "time"

// Event is one dispatched event. Its slices lie in the decoder's buffers and are valid only during
// the call that received them; the receiver must neither keep nor change them.
type Event struct {
	Type  []byte // the event field, "message" when there was none or an empty one
	Data  []byte // the data fields joined with LF: the bytes as sent, see [AppendText]
	ID    []byte // the last event id once this event was dispatched; it sticks from block to block
	HasID bool   // this block carried an id field of its own that was not ignored
	Mixed bool   // this block had two ids, or two types, that differ: nobody writes that who writes one event at a time
}

// Listener is a Handler that is also told of each piece of body that was read, after everything in it was handed on: bytes may
// complete nothing and still be a sign of life.
type Listener interface {
	Handler
	Heard()
}

// Handler receives what a decoder finds, in stream order, on the goroutine that feeds it.
type Handler interface {
	// Event receives one event. An error stops the decoding and comes back from Feed or Pump;
	// the rest of the bytes is dropped.
	Event(e Event) error
	// Comment receives a line that began with a colon, without that colon. A space after it is kept.
	Comment(text []byte)
	// Retry receives a new reconnection time as soon as its line was read, even if the block is
	// never completed. It is at most [MaxRetry].
	Retry(d time.Duration)
}
