package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// "Streams live longer than the server's ordinary write/request timeout; no silent "deaf" stream."
//
// One stream has events all the while. Another one is quiet most of the time: what ends a silence must come as well.
func streamOutlivesTimeouts(t *Trial) {
	t.eitherWay(func(w way) string {
		lively := w.open(t, []string{t.Stream()})
		if lively == nil {
			return ""
		}
		still := w.open(t, []string{t.Stream()})
		if still == nil {
			return ""
		}
		return outlivesTimeouts(&heldStream{t: t, how: w.how, p: lively}, &heldStream{t: t, how: w.how, p: still})
	})
}

// outlivesTimeouts holds streams open, sends events on one of them all the while, and says for how long.
func outlivesTimeouts(lively, still *heldStream) string {
	t := lively.t
	hold := t.Duration("hold")
	for _, p := range []*Tap{lively.p, still.p} {
		if _, ok := t.Fence(p); !ok {
			silent(t, p)
		}
	}
	over := make(chan struct{})
	var beside sync.WaitGroup
	t.Beside(&beside, func() { still.breaksSilences(hold/4, over) })
	every := time.NewTicker(hold / 10)
	defer every.Stop()
	for until := time.Now().Add(hold); time.Now().Before(until) || t.othersGoOn() && !t.slow() && time.Since(lively.p.Began()) < mostHeld; { // it costs little while others go on
		t.Allow(hold)
		if !lively.carries(1) {
			break
		}
		t.Doing("a stream is held open for %v", hold)
		select {
		case <-every.C:
		case <-t.Context().Done():
			t.interrupted()
		}
	}
	close(over)
	beside.Wait()
	t.interrupted()
	t.Count(len(lively.sent) + len(still.sent))
	if ended := cmp.Or(lively.ended, still.ended); ended != "" {
		return ended
	}
	return fmt.Sprintf("held for %v: %s, all of them on one connection, and %s on one that was quiet for up to %v",
		time.Since(lively.p.Began()).Round(time.Second), conformance.Plural(len(lively.sent), "event"), conformance.Plural(len(still.sent), "event"), still.silence.Round(time.Second))
}

// mostHeld is how long a stream is held at most for no other reason than that others go on.
const mostHeld = 3 * time.Minute

func (t *Trial) othersGoOn() bool {
	select {
	case <-t.Others():
		return false
	default:
		return true
	}
}

// heldStream is one that is held open for long.
type heldStream struct {
	t       *Trial
	how     string // it began
	p       *Tap
	sent    []string
	silence time.Duration // the longest that ended with events which came
	ended   string        // how the stream ended, without loss
}

// breaksSilences publishes a few events after a time in which there were none, and again when the others are over.
func (s *heldStream) breaksSilences(first time.Duration, over <-chan struct{}) {
	const few = 3
	for _, end := range []<-chan time.Time{time.After(first), nil} {
		began := time.Now()
		select {
		case <-end:
		case <-over:
		case <-s.t.Context().Done():
			return
		}
		if silence := time.Since(began); s.carries(few) {
			s.silence = max(s.silence, silence)
		} else {
			return
		}
	}
}

// carries publishes so many events, one right behind the other, and says whether they came. They need not where the stream ended as it may.
func (s *heldStream) carries(events int) bool {
	t, p := s.t, s.p
	first := len(s.sent)
	for range events {
		marker := t.Unique()
		t.Send(p.Streams[0], marker)
		s.sent = append(s.sent, marker)
	}
	last := s.sent[len(s.sent)-1]
	age := func() time.Duration { return time.Since(p.Began()).Round(time.Second) }
	if t.Await(p, "an event is awaited", func(r *Record) bool { return r.contains(last) }) {
		for i, marker := range s.sent[first:] {
			if !t.AwaitFor(p, "an event is awaited", quiet, func(r *Record) bool { return r.contains(marker) }) {
				t.Deviation("all events", fmt.Sprintf("%s: of %d events that were published after a silence number %d did not come, and a later one did; the stream was %v old", s.how, events, i+1, age()), p.Evidence())
				t.Conclude("")
			}
		}
		return true
	}
	ended, err := p.Ended()
	switch {
	case !ended:
		t.Absent("all events, or an end of the stream", fmt.Sprintf("%s: after about %v events stopped coming, and the stream stayed open", s.how, age()), p.Evidence())
	case !errors.Is(err, io.EOF):
		t.Absent("all events, or a clean end of the stream", fmt.Sprintf("%s: after about %v the stream broke: %v", s.how, age(), err), p.Evidence())
	}
	s.resumes(first)
	s.ended = fmt.Sprintf("the stream ended cleanly after about %v, and resuming it lost nothing", age())
	return false
}

// resumes notes what a subscriber lost that came back where its stream ended.
func (s *heldStream) resumes(first int) {
	t, p := s.t, s.p
	if !t.Subject.Can("resume") {
		t.Tolerated("a stream that stays open, or can be resumed", "the stream ended, and the target does not claim resume", p.Evidence())
		return
	}
	next := t.Subscribe(p.Streams, Again(p), From(p.LastEventID()))
	for _, marker := range s.sent[first:] {
		came := func(r *Record) bool { return r.contains(marker) }
		if !p.has(came) && !t.Await(next, "the event that was missed is awaited", came) {
			t.Absence("the event that was published as the stream ended", fmt.Sprintf("it did not come within %v of resuming", t.arrival), p.Evidence(), next.Evidence())
			return
		}
	}
}
