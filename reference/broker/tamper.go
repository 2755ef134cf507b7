package broker

import (
	"net/http"
	"time"

	"github.com/tmaxmax/go-sse"
)

// Tamper breaks one promise of a broker on purpose, for mutants. A nil *Tamper and nil fields are correct. Hooks are
// called from many goroutines at once, some under a subscriber's lock, so they do not call into the Broker.
type Tamper struct {
	// Epoch replaces the name of this life of the broker.
	Epoch string
	// Handler wraps the whole HTTP handler. A wrapped ResponseWriter that cannot be hijacked is served by net/http.
	Handler func(http.Handler) http.Handler
	// Header changes the headers of a stream, an acknowledgement or a refusal.
	Header func(r *http.Request, h http.Header)
	// Store says whether an acknowledged message is kept and delivered at all.
	Store func(ev Event) bool
	// Start replaces the number of the first event of a stream that a new subscriber is sent; oldest to newest are held.
	Start func(ask Ask, stream string, first, oldest, newest uint64) uint64
	// Deliver replaces one event by those sent instead of it, now; Subscriber.Send sends others later.
	Deliver func(to *Subscriber, ev Event) []Event
	// Leak says whether an event also goes to a subscriber that does not follow its stream.
	Leak func(to *Subscriber, ev Event) bool
	// Encode replaces the bytes of an event on the wire.
	Encode func(ev Event) []byte
	// Heartbeat replaces the bytes sent after a silence; nil bytes are not sent.
	Heartbeat func() []byte
	// Gap says whether a gap is told.
	Gap func(to *Subscriber, stream, reason string) bool
	// Behind is called for each event that a subscriber stuck in a write cannot take yet, by the goroutine that carries
	// events to the others.
	Behind func(to *Subscriber)
	// Authorize replaces the answer to whether a subscriber may follow a stream.
	Authorize func(stream string, allowed bool) bool
	// Expires replaces the time when a token ends its stream; the zero time is never.
	Expires func(at time.Time) time.Time
	// Revoke says whether a subscriber whose rights were withdrawn is told to leave.
	Revoke func(to *Subscriber) bool
	// Drain says whether a subscriber is told to leave.
	Drain func(to *Subscriber) bool
	// HTTP1 keeps a server from offering HTTP/2.
	HTTP1 bool
	// Serve changes how a server takes connections and requests.
	Serve func(*http.Server)
}

// Ask is what a subscriber asked for.
type Ask struct {
	User        string
	Streams     []string
	LastEventID string
	Resume      Resume
}

// Subscriber is one connection as a Tamper sees it.
type Subscriber struct {
	Ask

	Joined   time.Time
	Sequence uint64 // of the newest event when it joined; later ones are live

	s     *subscriber
	extra []byte // encoded, to go out next; guarded by s.mu
}

// Send sends events that the subscriber is not owed. It may be called at any time, from any goroutine but a hook's own.
func (to *Subscriber) Send(events ...Event) {
	to.s.mu.Lock()
	defer to.s.mu.Unlock()
	for _, ev := range events {
		to.extra = appendFramed(to.extra, to.encode(ev), to.s.conn.chunked())
	}
	to.s.kick()
}

// Close ends the connection at once, from any goroutine but a hook's own.
func (to *Subscriber) Close() { to.s.end(endCut) }

// Finish ends the connection as a rotation would: cleanly, behind what was published so far. From any goroutine but a hook's own.
func (to *Subscriber) Finish() {
	b := to.s.broker
	to.s.finish(endRotated, b.sequence.Load(), nil, b.config.WriteTimeout)
}

func (to *Subscriber) encode(ev Event) []byte {
	if tamper := to.s.broker.config.Tamper; tamper.Encode != nil {
		return tamper.Encode(ev)
	}
	return EncodeEvent(ev)
}

// tampered joins events as the Tamper wants them.
func (to *Subscriber) tampered(out []byte, events []*event, chunked bool) []byte {
	deliver := to.s.broker.config.Tamper.Deliver
	for _, e := range events {
		instead := []Event{*e.source}
		if deliver != nil {
			instead = deliver(to, *e.source)
		}
		for _, ev := range instead {
			if text := to.encode(ev); len(text) > 0 {
				out = appendFramed(out, text, chunked)
			}
		}
	}
	return out
}

func (to *Subscriber) behind() {
	if hook := to.s.broker.config.Tamper.Behind; hook != nil {
		hook(to)
	}
}

// EncodeEvent returns the bytes of an event on the wire, as a correct broker sends them.
func EncodeEvent(ev Event) []byte {
	m := newMessage(ev.Type, ev.Data)
	if ev.ID != "" {
		m.ID = sse.ID(ev.ID)
	}
	text, _ := m.MarshalText() // never fails
	return text
}
