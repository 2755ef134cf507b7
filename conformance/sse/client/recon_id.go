package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// life is what one connection of a resuming client is given before it is lost, and what its request had to say.
type life struct {
	body  string
	want  string // Last-Event-ID of its request; "" for none
	free  bool   // the request's id is not looked at
	reset bool   // the loss is a reset instead of an end; then each life so far must have one event
}

// resume gives a client one life after the other, and a control event at the end. It returns what it asked for each time, as far as
// it came.
func (t *Trial) resume(lives []life) []visit {
	t.Allow(returnWithin * 2)
	known := make([]chan struct{}, len(lives))
	for i := range known {
		known[i] = make(chan struct{})
	}
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number >= len(lives) {
			return control(c, "the end")
		}
		l := lives[v.Number]
		if err := stream(c, fmt.Sprintf("retry: %d\n\n", soon)+l.body); err != nil || !l.reset {
			return err
		}
		c.Hold(known[v.Number]) // what was not read yet would be lost with the reset
		return v.reset(c)
	})
	t.comesFirst(s)
	for n := 2; n <= len(lives)+1; n++ {
		if lives[n-2].reset {
			s.Await(patience, func(r []subject.Report) bool { return len(t.visible(events(r))) >= n-1 })
			close(known[n-2])
		}
		if _, ok := s.comes(n, t.waitFor(n)); !ok {
			t.Deviation("the client comes back after each loss", fmt.Sprintf("after connection %d, which sent %q: %s", n-1, lives[n-2].body, s.outcome()))
			t.Conclude("")
		}
	}
	if !s.has("the end", patience) {
		t.Deviation("the control event of the last connection is reported", "the client came back, and then reported nothing")
	}
	t.Count(len(lives))
	s.leave()
	return s.all()
}

// askedFor says which position a request asks for.
func askedFor(v visit) string {
	if v.Request == nil {
		return "something that is no header field"
	}
	id, ok := v.Request.LastEventID()
	if !ok {
		return "none"
	}
	return sse.Escape([]byte(id))
}

// judgeIDs compares the Last-Event-ID of each request after the first with what it has to be.
func (t *Trial) judgeIDs(visits []visit, lives []life) {
	var evidence []string
	wrong := -1
	for i, v := range visits[:len(lives)] {
		l := lives[i]
		id, ok := v.Request.LastEventID()
		evidence = append(evidence, fmt.Sprintf("request %d: Last-Event-ID %s; then sent: %s", i+1, askedFor(v), sse.Escape([]byte(l.body))))
		if wrong < 0 && i > 0 && !l.free && (id != l.want || ok != (l.want != "")) {
			wrong = i
		}
	}
	if wrong < 0 {
		return
	}
	want := "no Last-Event-ID"
	if lives[wrong].want != "" {
		want = fmt.Sprintf("Last-Event-ID %q", lives[wrong].want)
	}
	t.Deviation(fmt.Sprintf("%s in request %d", want, wrong+1), fmt.Sprintf("request %d: %s", wrong+1, askedFor(visits[wrong])), evidence)
}

// follow plays the lives and judges the ids.
func (t *Trial) follow(lives ...life) {
	t.judgeIDs(t.resume(lives), lives)
	t.Conclude(fmt.Sprintf("as it should be on each of %s", conformance.Plural(len(lives), "connection")))
}

// "A reconnection sends the last committed id as Last-Event-ID." Whatever ends the connection.
func sendsTheCommittedID(t *Trial) {
	t.each(2, func(i int) {
		lives := []life{{body: "id: abc\ndata: x\n\n", reset: i == 1}, {body: "data: y\n\n", want: "abc"}, {body: "data: z\n\n", free: true}}
		t.judgeIDs(t.resume(lives), lives)
	})
	t.Conclude(`"abc", after an end and after a reset`)
}

// "The header holds the id in UTF-8, byte for byte: no Latin-1, no percent-encoding, no crash."
func sendsIDsInUTF8(t *Trial) {
	ids := []string{"\u2026", "caf\u00e9", "\U0001f600", "%E2%80%A6", "a b&c=d;e,\"f\""}
	t.each(len(ids), func(i int) {
		id := ids[i]
		lives := []life{{body: "id: " + id + "\ndata: x\n\n"}, {body: "data: y\n\n", want: id}, {body: "data: z\n\n", want: id}}
		t.judgeIDs(t.resume(lives), lives)
	})
	t.Conclude(fmt.Sprintf("%s, each as its bytes", conformance.Plural(len(ids), "id")))
}

// "No Last-Event-ID is sent when the last id is the empty string, also when an earlier reconnection sent one."
func sendsNoEmptyID(t *Trial) {
	forms := []string{"id:\ndata: x\n\n", "id\ndata: x\n\n", "id: \ndata: x\n\n"}
	t.each(len(forms), func(i int) {
		lives := []life{{body: "id: 1\ndata: x\n\n"}, {body: forms[i], want: "1"}, {body: "data: y\n\n"}, {body: "data: z\n\n"}}
		t.judgeIDs(t.resume(lives), lives)
	})
	t.Conclude("none after each form of an empty id")
}

// "The id survives connections that send none: every further reconnection sends it, and events there report it."
func idSurvivesConnections(t *Trial) {
	t.Allow(returnWithin * 2)
	const id = "keep-me"
	var seen []string
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		switch v.Number {
		case 0:
			return stream(c, fmt.Sprintf("retry: %d\nid: %s\ndata: first\n\n", soon, id))
		case 1, 2:
			return stream(c, fmt.Sprintf("data: life %d\n\n", v.Number))
		}
		return control(c, "the end")
	})
	t.comesFirst(s)
	for n := 2; n <= 4; n++ {
		v, ok := s.comes(n, t.waitFor(n))
		if !ok {
			t.Fail("the client comes back after each loss", s.outcome())
		}
		if got, _ := v.Request.LastEventID(); got != id {
			t.Deviation(fmt.Sprintf("Last-Event-ID %q in request %d", id, n), fmt.Sprintf("request %d: %s", n, askedFor(v)))
		}
	}
	if !s.has("the end", patience) {
		t.Fail("events of the last connection are reported", "the client came back, and then reported nothing")
	}
	for _, e := range events(s.Reports()) {
		seen = append(seen, e.String())
		if e.id != id && !t.ownID() && !t.Deviated() {
			t.Deviation(fmt.Sprintf("each event reports the id %q", id), "reported: "+e.String(), seen)
		}
	}
	t.Count(3)
	if t.ownID() {
		t.Conclude("sent with each of 3 requests")
	}
	t.Conclude("sent with each of 3 requests, and reported with each of their events")
}

// "Every reconnection sends the newest committed id."
func sendsTheNewestID(t *Trial) {
	lives := []life{{body: "id: 1\ndata: x\n\n"}}
	for n := 2; n <= 5; n++ {
		lives = append(lives, life{body: fmt.Sprintf("id: %d\ndata: x\n\n", n), want: fmt.Sprint(n - 1)})
	}
	several := []life{
		{body: "id: 1\ndata: x\n\nid: 2\ndata: x\n\nid: 10\ndata: x\n\n"}, {body: "id: 9\ndata: x\n\n", want: "10"},
		{body: "id: 8\n\nid: 7\ndata: x\n\ndata: y\n\n", want: "9"}, {body: "data: z\n\n", want: "7"},
	}
	rows := [][]life{lives, several}
	t.each(len(rows), func(i int) { t.judgeIDs(t.resume(rows[i]), rows[i]) })
	t.Conclude("the newest each time, on 9 connections")
}

// "The id of an event that was cut off is not sent."
func sendsNoCutID(t *Trial) {
	t.follow(
		life{body: "id: 1\ndata: x\n\nid: 2\ndata: cut"},
		life{body: "id: 3\ndata: cut\n", want: "1"},
		life{body: "id: 4\n", want: "1"},
		life{body: "data: z\n\n", want: "1"},
	)
}

// "A client that can be given an id sends it with the first request."
func sendsTheGivenID(t *Trial) {
	s := t.play(subject.Open{LastEventID: "abc"}, func(c *sse.Conn, _ *visit) error { return control(c, "x") })
	t.comesFirst(s)
	if id, _ := s.all()[0].Request.LastEventID(); id != "abc" {
		t.Fail(`Last-Event-ID "abc" in the first request`, askedFor(s.all()[0]))
	}
	t.Pass(`"abc"`)
}

// "Ids with spaces at their ends or control characters do not crash the client."
func survivesStrangeIDs(t *Trial) {
	ids := []string{"  7 ", "\x01", "a\tb", "\x7f"}
	values := make([]string, len(ids))
	t.each(len(ids), func(i int) {
		t.Allow(returnWithin * 2)
		s := t.playBlind(t.hurried(), func(c *sse.Conn, v *visit) error {
			r, _ := c.Request() // a header that HTTP forbids is worse than none, and still no crash
			v.asked(r)
			if v.Number > 0 {
				return control(c, "the end")
			}
			return stream(c, fmt.Sprintf("retry: %d\nid: %s\ndata: x\n\n", soon, ids[i]))
		})
		t.comesFirst(s)
		shown := sse.Escape([]byte(ids[i]))
		v, ok := s.comes(2, t.waitFor(0))
		if !ok {
			t.Deviation("the client comes back", fmt.Sprintf("after the id %s: %s", shown, s.outcome()))
			return
		}
		if !s.has("the end", patience) {
			t.Deviation("the client goes on", fmt.Sprintf("after the id %s it came back, and reported nothing more", shown))
		}
		values[i] = fmt.Sprintf("%s was sent as %s", shown, askedFor(s.all()[v.Number]))
	})
	t.Count(len(ids))
	values = slices.DeleteFunc(values, func(v string) bool { return v == "" })
	t.Conclude(strings.Join(values, ", "))
}
