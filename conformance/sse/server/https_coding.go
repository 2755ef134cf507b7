package server

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// accepted are what browsers accept; the second is asked for as well, because the harness cannot read what some servers choose of the first.
var accepted = []string{"gzip, deflate, br", "gzip, deflate"}

// "What comes in a content coding comes as soon as without one."
//
// Every browser accepts codings, so what it is sent is what counts. A subscriber without a coding stands beside and tells when an event was
// there to be sent.
func codingDelaysNothing(t *Trial) {
	var seen, told []string
	for _, accept := range accepted {
		p, plain := t.inCoding(accept)
		coding := p.Header("Content-Encoding")
		switch {
		case !coded(coding):
			t.mustBeUncoded(p)
			continue
		case len(seen) > 0 && seen[0] == coding:
			continue
		}
		seen = append(seen, coding)
		told = append(told, t.eventsInTime(p, plain, coding))
		t.beatsInTime(p, plain, coding)
		p.Close()
		t.replayInTime(p, plain, accept)
	}
	if len(seen) == 0 {
		t.Skip("the stream is not compressed, though %s was accepted", accepted[0])
	}
	t.Conclude(strings.Join(told, "; "))
}

// inCoding subscribes as a browser does, and as who accepts no coding.
func (t *Trial) inCoding(accept string) (p *Tap, plain *follower) {
	plain = t.follow([]string{t.Stream()})
	if coded(plain.tap().Header("Content-Encoding")) {
		plain = t.follow(plain.streams, With("Accept-Encoding", "identity"))
	}
	p = t.mustOpen(plain.streams, With("Accept-Encoding", accept))
	if readable(p.Header("Content-Encoding")) && !t.ready(p) {
		t.mustBeInCoding(p, p.Header("Content-Encoding"))
		t.Absent("what makes a subscriber ready as soon as without a coding", fmt.Sprintf("Accept-Encoding: %s, and it did not come within %v", accept, t.arrival), p.Head(), p.Evidence())
	}
	return p, plain
}

// replayInTime has who reads a coding come back: neither what was missed nor what follows waits for something behind it.
func (t *Trial) replayInTime(p *Tap, plain *follower, accept string) {
	position := p.LastEventID()
	if len(t.ways()) == 1 || position == "" {
		return
	}
	missed := codedEvent{marker: t.Unique()}
	t.Send(p.Streams[0], missed.marker)
	again, err := t.Open(p.Streams, Again(p), From(position), With("Accept-Encoding", accept))
	if err != nil || again.Status() != http.StatusOK {
		t.interrupted()
		return // that is for other cases
	}
	coding := again.Header("Content-Encoding")
	if !coded(coding) || !readable(coding) {
		return
	}
	t.Count(1)
	if !t.AwaitFor(again, "what was missed is awaited in a coding", pushedAfter, func(*Record) bool { return missed.came(again, 0) }) {
		t.mustBeInCoding(again, coding)
		t.Send(p.Streams[0], t.Unique())
		if t.AwaitFor(again, "what was missed is awaited in a coding", stuck, func(*Record) bool { return missed.came(again, 0) }) {
			t.Absent("what was missed, as soon as a subscriber is back, in any coding", fmt.Sprintf("Content-Encoding: %s, and it had not come after %v; it came when another event was published", coding, pushedAfter), again.Head(), again.Evidence())
		}
		return // nothing is replayed: that is for other cases
	}
	t.eventsInTime(again, plain, coding)
}

// mustBeUncoded notes a body that is compressed, and whose head does not say so.
func (t *Trial) mustBeUncoded(p *Tap) {
	marker := t.Unique()
	t.Send(p.Streams[0], marker)
	t.Await(p, "an event is awaited", func(r *Record) bool { return r.Bytes > 2 })
	if body := p.Body(); bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		t.Deviation("Content-Encoding: gzip, because the body is in that coding", fmt.Sprintf("%s, and a body that begins % x, as gzip does", named("Content-Encoding", p), body[:2]), p.Head())
		t.Conclude("")
	}
	p.Close()
}

// eventsInTime publishes events, each when the one before it has come without a coding and in it: so each waits for a timer that flushes. It
// returns how late they were, in words.
func (t *Trial) eventsInTime(p *Tap, plain *follower, coding string) string {
	d := &lateness{within: t.Duration("within"), beside: "a subscriber without a coding had them"}
	compared := !coded(plain.tap().Header("Content-Encoding"))
	if !compared {
		d.within, d.beside = d.within+unseenWay, "they were acknowledged"
	}
	return t.codingInTime(p, coding, d, func(e codedEvent) (there time.Time) {
		t.Send(p.Streams[0], e.data())
		if !compared {
			return time.Now()
		}
		if !plain.hears(e.marker) {
			silent(t, plain.tap())
		}
		return plain.seen[len(plain.seen)-1].At
	})
}

// codingInTime sends events until it is clear whether they come in a coding as soon as they are there to be sent. One that does not come is
// pushed by another, so that it is seen what it waited for.
func (t *Trial) codingInTime(p *Tap, coding string, d *lateness, send func(e codedEvent) (there time.Time)) string {
	expected := fmt.Sprintf("each event at most %v after %s", d.within, d.beside)
	for n := 1; !d.decided(); n++ {
		e := newCodedEvent(t, coding)
		t.Allow(pushedAfter + stuck)
		from, began := t.bytesOf(p), time.Now()
		there := send(e)
		t.Count(1)
		came := t.AwaitFor(p, "an event in a coding is awaited", pushedAfter, func(*Record) bool { return e.came(p, from) })
		d.add(max(0, time.Since(there)), t.LagBetween(began, time.Now()), came)
		if came {
			continue
		}
		t.mustBeInCoding(p, coding)
		if pushed := t.pushed(p, e, from, send); d.missing > 1 {
			t.Absent(expected, fmt.Sprintf("Content-Encoding: %s, and event %d had not come %v after %s; %s", coding, n, pushedAfter, d.beside, pushed), p.Head(), p.Evidence())
		}
	}
	what := fmt.Sprintf("Content-Encoding: %s, and %s", coding, d)
	switch {
	case d.failed():
		t.Absent(expected, what, p.Head(), p.Evidence())
	case d.unclear():
		t.Unknown("%s; but this machine was too busy to tell", what)
	}
	return fmt.Sprintf("in the coding %s half of %s came at most %v after %s, allowed %v", coding, conformance.Plural(len(d.took), "event"), shown(d.median()), d.beside, d.within)
}

// pushedAfter is after how long an event in a coding is pushed.
const pushedAfter = time.Second

// unseenWay is what an event may take from its acknowledgement to a subscriber, where no other shows when it was there to be sent.
const unseenWay = 250 * time.Millisecond

// mustBeInCoding ends the case when the body is not in the coding that its head names.
func (t *Trial) mustBeInCoding(p *Tap, coding string) {
	if ended, err := p.Ended(); ended {
		body := p.rawBody()
		t.Fail("a body in the coding that its head names: "+coding, fmt.Sprintf("%s; it begins % x", endText(err), body[:min(len(body), 8)]), p.Head())
	}
}

// pushed sends once more and says whether that brings what had not come.
func (t *Trial) pushed(p *Tap, e codedEvent, from int, send func(e codedEvent) time.Time) string {
	send(codedEvent{marker: t.Unique()})
	if t.AwaitFor(p, "an event that was held back is awaited", stuck, func(*Record) bool { return e.came(p, from) }) {
		return "it came after the next one was sent"
	}
	return fmt.Sprintf("nor %v after the next one was sent", stuck)
}

// codedEvent is an event that is told from others by its text, or, in a coding that cannot be read, by its bulk.
type codedEvent struct{ marker, bulk string }

func newCodedEvent(t *Trial, coding string) codedEvent {
	e := codedEvent{marker: t.Unique()}
	if !readable(coding) {
		e.bulk = filler(e.marker, 0, 8*kib)
	}
	return e
}

func (e codedEvent) data() string { return e.marker + e.bulk }

// came says whether an event is there. Of one with bulk the least that a coding leaves must be, and what may still be to come of it is less than
// what the next one is taken for.
func (e codedEvent) came(p *Tap, from int) bool {
	if e.bulk == "" {
		return p.shows(e.marker)
	}
	return p.received()-from >= len(e.bulk)*7/10
}

// bytesOf is how many bytes of a body have come as they were sent.
func (t *Trial) bytesOf(p *Tap) (n int) {
	p.Look(func(*Record) { n = p.received() })
	return n
}

// beatsInTime waits for a heartbeat of a target that declares them, and has the one in a coding come as well.
func (t *Trial) beatsInTime(p *Tap, plain *follower, coding string) {
	silence := t.Subject.Heartbeat
	if silence == 0 {
		return
	}
	from, began := t.bytesOf(p), time.Now()
	t.Allow(2 * silence)
	seen := plain.tap().Bytes()
	beat := func(r *Record) bool { return r.Bytes > seen }
	if !t.AwaitFor(plain.tap(), "a heartbeat is awaited", silence+silence/3, beat) {
		return // that is for other cases
	}
	t.Count(1)
	limit := began.Add(silence + silence/3 + t.Duration("within"))
	if t.AwaitFor(p, "a heartbeat in a coding is awaited", time.Until(limit), func(*Record) bool { return p.received() > from }) {
		return
	}
	what := fmt.Sprintf("Content-Encoding: %s, and no byte for %v, in which a subscriber without a coding got a heartbeat", coding, time.Since(began).Round(10*time.Millisecond))
	if t.LagBetween(began, time.Now()) > silence/4 {
		t.Unknown("%s; but this machine was too busy to tell", what)
	}
	t.Fail(fmt.Sprintf("a heartbeat at least every %v, as is declared, in any coding", silence), what, p.Head())
}
