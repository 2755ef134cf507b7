package server

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// "However many follow a stream, each of them gets every message."
//
// Nobody asks for more than there is room for. What is published first may be lost to who has just joined, which is another requirement's.
func leavesNobodyOut(t *Trial) {
	c, stream := &crowd{t: t}, t.Stream()
	var refused *Tap
	for wanted := int(t.Number("subscribers")); len(c.members) < wanted && refused == nil; {
		t.Allow(t.arrival)
		t.Doing("%d subscribers join a stream", wanted)
		refused = c.join("a subscriber", []string{stream})
	}
	who := conformance.Plural(len(c.members), "subscriber")
	if refused != nil {
		who += fmt.Sprintf(" (one more was refused: %s)", answerText(refused))
	}
	if len(c.members) == 0 {
		t.Unknown("no stream could be opened: %s", answerText(refused))
	}
	c.post(stream)
	const messages = 3
	var owed []posted
	for range messages {
		owed = append(owed, c.post(stream)...)
	}
	left, places := c.hear(owed)
	here := len(c.here())
	if here <= len(c.members)/2 || len(left) == here {
		silent(t, c.members[0].Tap)
	}
	t.Count(messages * here)
	if len(left) > 0 {
		t.Absent(fmt.Sprintf("%s, each to each of %s", conformance.Plural(messages, "message"), who),
			fmt.Sprintf("subscriber %s of %d lacked some within %v, its stream open, and the others got them", spans(places), len(c.members), t.arrival), append(left[0].Head(), left[0].Evidence()...))
	}
	t.Pass(fmt.Sprintf("each of %s got %s", who, conformance.Plural(messages, "message")))
}

// "The end of a connection, however it comes, silences no other: neither of the same client nor of another one."
//
// A subject may end older connections for a new one: who is told of it is not silenced.
func endSilencesNoOther(t *Trial) {
	stream, other := t.Stream(), t.Stream()
	c, one, two := &crowd{t: t}, t.oneClient(stream, other), t.oneClient(stream)
	for range 4 { // in whatever order they are kept, each end has neighbours
		c.join("of a client", []string{stream}, one)
		c.join("of another client", []string{stream}, two)
	}
	c.join("of the same client for another stream", []string{other}, one)
	c.hear(c.post(stream, other)) // whoever had to make room is gone by then
	if left, _ := c.hear(c.post(stream, other)); len(left) > 0 {
		silent(t, left[0].Tap)
	}
	ends := 0
	for _, at := range []int{2, 5, 0, 7} { // from the midst, the beginning and the end
		here := c.here()
		if len(here) < 2 {
			break
		}
		gone, reset := here[min(at, len(here)-1)], ends%2 == 1
		gone.leave(reset)
		ends++
		c.mustGoOn(gone, reset, stream, other)
	}
	if ends == 0 {
		t.Skip("one connection at a time is served")
	}
	t.Count(ends)
	t.Pass(fmt.Sprintf("%s ended with FIN or RST, one after the other, and those beside it went on", conformance.Plural(ends, "connection")))
}

// mustGoOn sees that those who stay get what is published after one has left. A subject may learn of that by its first write, or its second.
func (c *crowd) mustGoOn(gone *member, reset bool, streams ...string) {
	const messages, apart = 4, 50 * time.Millisecond
	for range messages {
		left, _ := c.hear(c.post(streams...))
		if len(left) == 0 {
			c.t.wait(apart)
			continue
		}
		way := "FIN"
		if reset {
			way = "RST"
		}
		c.t.Absent("every message on each connection that stays open",
			fmt.Sprintf("after a connection %s had ended with %s, %d of %d others, the first %s, got no more within %v, their streams open", gone.whose, way, len(left), len(c.here()), left[0].whose, c.t.arrival),
			append(left[0].Head(), left[0].Evidence()...))
	}
}
