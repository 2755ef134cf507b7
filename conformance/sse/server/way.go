package server

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// way is how a connection begins. What is owed on one that is new is owed on one that came back with a position as well: who writes a server of its own
// often writes the two apart.
type way struct {
	how     string
	resumes bool
}

// ways are those in which a subject lets a connection begin. Coming back is one where it is promised and messages arrive at all.
func (t *Trial) ways() []way {
	ways := []way{{how: "a new connection"}}
	if t.Subject.Publish != nil && t.claimsResume() && t.suite.delivers {
		ways = append(ways, way{"a connection that resumed", true})
	}
	return ways
}

// eitherWay has a case judge connections that begin in all ways, at once. What judge returns says what was seen when all is well; "" says that
// nobody could come in that way.
func (t *Trial) eitherWay(judge func(w way) string) {
	ways := t.ways()
	told := make([]string, len(ways))
	var judging sync.WaitGroup
	for i, w := range ways {
		t.Beside(&judging, func() {
			if told[i] = judge(w); told[i] != "" && len(ways) > 1 {
				told[i] = w.how + ": " + told[i]
			}
		})
	}
	judging.Wait()
	t.interrupted()
	t.Conclude(strings.Join(slices.DeleteFunc(told, func(text string) bool { return text == "" }), "; "))
}

// open opens a connection of a client of its own that is ready; nil when it was to resume and did not, which is for other cases to tell.
func (w way) open(t *Trial, streams []string, options ...Option) *Tap {
	if !w.resumes {
		return t.Subscribe(streams, options...)
	}
	p, missed := t.comeBack(streams, options...)
	if p == nil || p.Status() != http.StatusOK || !p.Response.EventStream() || !t.ready(p) {
		return nil
	}
	if !t.Await(p, "what was missed is awaited", func(r *Record) bool { return r.contains(missed) }) {
		return nil
	}
	return p
}

// inTurn opens the n-th of several connections: each begins in another way than the one before it, where there is another.
func (t *Trial) inTurn(n int, streams []string, options ...Option) *Tap {
	ways := t.ways()
	if p := ways[n%len(ways)].open(t, streams, options...); p != nil {
		return p
	}
	return t.Subscribe(streams, options...)
}

// returned is the answer with status 200 to a client that came back; nil where none does.
func (t *Trial) returned(options ...Option) *Tap {
	if len(t.ways()) == 1 {
		return nil
	}
	p, _ := t.comeBack([]string{t.Stream()}, options...)
	if p == nil || p.Status() != http.StatusOK {
		return nil
	}
	return p
}

// comeBack lets a client leave a stream and come back when it has missed a message; p is nil when it has no position, or there was no answer.
func (t *Trial) comeBack(streams []string, options ...Option) (p *Tap, missed string) {
	before := t.Subscribe(streams, options...)
	if _, ok := t.Fence(before); !ok {
		silent(t, before)
	}
	position := before.LastEventID()
	before.Close()
	if position == "" {
		return nil, ""
	}
	missed = t.Unique()
	t.Send(streams[0], missed)
	p, err := t.Open(streams, append(slices.Clone(options), Again(before), From(position))...)
	for attempt := 1; err == nil && t.turnedAway(p) && attempt < timesTurnedAway; attempt++ { // its place may not be free yet
		t.wait(comesBackAfter(p))
		p.discard()
		p, err = t.Open(streams, append(slices.Clone(options), Again(before), From(position))...)
	}
	if err != nil {
		t.interrupted()
		return nil, ""
	}
	return p, missed
}
