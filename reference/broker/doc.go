// Package broker is a server-sent events broker that does it right: small enough to read, strict enough to measure
// others by.
//
// # Over HTTP
//
//	GET  /events?stream=a&stream=b   the events of these streams, as text/event-stream
//	POST /publish?stream=a           the body is the data; optional ?type=; answers {"id": "…", "number": 1}
//	GET  /healthz                    200 while it accepts subscribers, 503 while it drains
//	GET  /metrics                    Prometheus
//
// # Position
//
// Every event has an id "<epoch>-<sequence>". The sequence counts the events of the whole broker and the epoch names one
// life of it, so one id is a position in every stream at once, a connection that follows several streams resumes
// exactly, and an id of an earlier life is never mistaken for a position in this one.
//
// A connection opens with a block of retry and id and no data. It sets the client's position before the first event,
// so that even a client cut off before any event resumes where it began. HTML dispatches no event for such a block.
//
// A position comes from the Last-Event-ID header, or from the query parameter lastEventId when the header is absent or
// empty. The reserved value "earliest" asks for everything retained. The response header Sse-Resume says what became of it:
//
//	fresh     no position was given: events from now on
//	exact     every later event follows
//	earliest  everything retained follows
//	evicted   later events were lost: a gap event names each stream concerned, then everything retained follows
//	unknown   not a position of this broker: a gap event for each stream, then events from now on
//
// # Gaps
//
// A hole is always told in the stream itself, before the event that follows it, by an event without an id:
//
//	event: gap
//	data: {"stream":"a","reason":"evicted","oldest":"k3v9x2ab-107"}
//
// The reasons are evicted, unknown, dropped and coalesced (the last two see below); oldest is the id of the stream's next event, absent when
// there is none yet; missed is the number of events skipped, absent when it cannot be known.
//
// # Slow subscribers
//
// A subscriber is a cursor in the history of its streams, so its queue costs nothing and a slow one delays nobody. When
// more than Config.Queue events wait for it, Config.SlowPolicy decides.
package broker
