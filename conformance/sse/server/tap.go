package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// Tap is one connection of a subscriber, with everything that came over it. It is filled by a goroutine of its own and closed when
// the case ends; its methods may be called from any goroutine.
type Tap struct {
	Streams  []string
	Request  *sse.Request
	Response *sse.Response // the head; never nil

	subject   *Subject
	stream    *sse.Stream
	client    string // who subscribes
	token     string
	began     time.Time // when the request was begun
	done      chan struct{}
	returning bool             // the client has had a connection before
	most      int              // bytes of the body that are read
	stock     *stock           // what all connections of the check keep
	giveUp    func(why string) // ends the case that is given more than it can take; nil: there is none
	sign      func()           // called when an event has come; nil: nobody is told
	cost      int64            // of that, what this one keeps
	resumed   bool             // it came with a position
	sent      *retries         // reconnection times of the whole check; nil: nobody keeps them

	mu      sync.Mutex
	record  Record
	raw     []byte                 // what came of a body that is decoded for the record, as far as it is kept
	id      string                 // the last event id so far
	retries map[time.Duration]bool // that came
	arrived chan struct{}          // closed and replaced whenever the record has changed
}

func newTap(subject *Subject, streams []string, req *sse.Request, stream *sse.Stream, position string) *Tap {
	response := stream.Response()
	return &Tap{
		Streams: streams, Request: req, Response: response, subject: subject, stream: stream, began: response.Timing.Start,
		id: position, done: make(chan struct{}), arrived: make(chan struct{}),
	}
}

// read fills the record until the stream ends. Of a body in a content coding the record holds what is coded, unless it cannot be read.
func (p *Tap) read() {
	defer close(p.done)
	coding := p.Header("Content-Encoding")
	r := &recorder{Record: &p.record, limit: max(p.most, maxBody)}
	if !p.Response.EventStream() {
		r.limit = maxOther
	}
	r.decoder.SetLastEventID(p.id)
	err := p.drain(coding, r)
	_ = p.stream.Close() // it has ended
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record.Ended, p.record.End, p.record.EndedAt = true, err, time.Now()
	p.changed()
	if tooMuch(err) && p.giveUp != nil && p.Response.EventStream() {
		p.giveUp(err.Error())
	}
}

// drain reads the body into a record.
func (p *Tap) drain(coding string, r *recorder) error {
	if !coded(coding) || !readable(coding) {
		return p.stream.Body(func(b []byte) error { return p.take(r, b, p.stream.LastRead(), coded(coding)) })
	}
	d := decode(coding, func(b []byte) error { return p.take(r, b, time.Now(), false) })
	err := p.stream.Body(func(b []byte) error {
		p.mu.Lock()
		p.raw = append(p.raw, b[:min(len(b), max(0, keptBytes-len(p.raw)))]...)
		p.changed()
		p.mu.Unlock()
		_, err := d.in.Write(b)
		return err
	})
	if broken := d.end(); errors.Is(err, io.EOF) && !errors.Is(broken, io.EOF) && !errors.Is(broken, io.ErrUnexpectedEOF) {
		return broken
	}
	return err
}

// take adds a piece of a body to the record; opaque is one of which nothing can be read.
func (p *Tap) take(r *recorder, b []byte, at time.Time, opaque bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.changed()
	if opaque {
		r.decoder.Reset()
	}
	known, retries := len(p.record.Events), len(p.record.Retries)
	err := r.take(b, at)
	if p.sent != nil {
		p.sent.note(p, p.record.Retries[retries:])
	}
	if p.sign != nil && len(p.record.Events) > known {
		p.sign()
	}
	p.id = r.decoder.LastEventID()
	if full := p.keeps(int64(r.cost)); full != nil {
		return full
	}
	return err
}

// shows says whether a text is in what can be read so far, also where it was flushed in a way that the record does not know. It is for
// conditions that are awaited: the caller holds p.mu.
func (p *Tap) shows(text string) bool {
	return bytes.Contains(p.record.Body(), []byte(text)) || len(p.raw) > 0 && bytes.Contains(inflate(p.Header("Content-Encoding"), p.raw), []byte(text))
}

// received is how many bytes of the body have come as they were sent. The caller holds p.mu.
func (p *Tap) received() int {
	return max(len(p.raw), p.record.Bytes)
}

// keeps notes what this connection keeps, and says why it may not. The caller holds p.mu.
func (p *Tap) keeps(cost int64) error {
	more := cost - p.cost
	p.cost = cost
	return p.stock.keep(more)
}

// discard ends the connection for good: what it keeps is no longer looked at.
func (p *Tap) discard() {
	p.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.keeps(0) // less is allowed
	p.record.Segments, p.record.Events, p.record.Comments, p.raw = nil, nil, nil, nil
}

// changed wakes who waits. The caller holds p.mu.
func (p *Tap) changed() {
	close(p.arrived)
	p.arrived = make(chan struct{})
}

// Status is the response's.
func (p *Tap) Status() int { return p.Response.Status }

// Header is a field of the response's head.
func (p *Tap) Header(name string) string { return strings.Join(p.Response.Header.Values(name), ", ") }

// unasked is a content coding that the request did not ask for and the harness cannot read; "" for none.
func (p *Tap) unasked() string {
	coding := p.Header("Content-Encoding")
	if readable(coding) || p.Request.Header.Get("Accept-Encoding") != "" {
		return ""
	}
	return coding
}

// Began is when the request was begun.
func (p *Tap) Began() time.Time { return p.began }

// LastEventID is where this subscriber would resume.
func (p *Tap) LastEventID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id
}

// Close ends the connection from this side.
func (p *Tap) Close() {
	_ = p.stream.Close() // twice is harmless
	<-p.done
}

// Look calls f with the record, which f must neither keep nor change. Slices in it are only ever added to.
func (p *Tap) Look(f func(r *Record)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.record)
}

func (p *Tap) has(holds func(*Record) bool) (met bool) {
	p.Look(func(r *Record) { met = holds(r) })
	return met
}

// Events are the events so far.
func (p *Tap) Events() (events []Event) {
	p.Look(func(r *Record) { events = append(events, r.Events...) })
	return events
}

// count is how many events there are so far.
func (p *Tap) count() (n int) {
	p.Look(func(r *Record) { n = len(r.Events) })
	return n
}

// Fields are the complete lines so far.
func (p *Tap) Fields() (fields []Field) {
	p.Look(func(r *Record) { fields = r.Fields() })
	return fields
}

// Body is the bytes so far, as far as they were kept.
func (p *Tap) Body() (body []byte) {
	p.Look(func(r *Record) { body = r.Body() })
	return body
}

// rawBody is Body as it was sent, where the record holds what was coded.
func (p *Tap) rawBody() (body []byte) {
	p.Look(func(r *Record) {
		if body = p.raw; body == nil {
			body = r.Body()
		}
	})
	return body
}

// Bytes is how many bytes of the body have come.
func (p *Tap) Bytes() (n int) {
	p.Look(func(r *Record) { n = r.Bytes })
	return n
}

// Ended says whether the stream has ended, and how.
func (p *Tap) Ended() (ended bool, err error) {
	p.Look(func(r *Record) { ended, err = r.Ended, r.End })
	return ended, err
}

// Await waits until the condition holds, and says whether it did before the stream ended, the context did, or the time was over.
func (p *Tap) Await(ctx context.Context, within time.Duration, holds func(r *Record) bool) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	for known := -1; ; {
		p.mu.Lock()
		met, over, arrived, whole := holds(&p.record), p.record.Ended, p.arrived, p.record.whole()
		p.mu.Unlock()
		if met || over {
			return met
		}
		if whole == known { // a piece of something: of one byte, there are thousands in a millisecond
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				return false
			case <-timer.C:
				return false
			}
		}
		known = whole
		select {
		case <-arrived:
		case <-ctx.Done():
			return false
		case <-timer.C:
			return false
		}
	}
}

// Head shows the response's head.
func (p *Tap) Head() []string {
	lines := headEvidence(p.Response.Proto, p.Response.Status, p.Response.Header)
	for i := range lines {
		lines[i] = p.redact(lines[i])
	}
	return lines
}

func (p *Tap) redact(text string) string { return p.subject.redact(text) }

func (s *Subject) redact(text string) string {
	if s.Redact == nil {
		return text
	}
	return s.Redact(text)
}
