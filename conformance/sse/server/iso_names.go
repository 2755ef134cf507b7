package server

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "Topic names are compared exactly: case, trailing slash, percent-encoding, Unicode form, prefix and wildcard characters do not widen a
// subscription."
//
// A history may look names up in another way than those that wait do, and in yet another one where it does not find the position.
func comparesNamesExactly(t *Trial) {
	mustSeparate(t)
	c := t.oddlyNamed()
	names, reached := lookalikes(c.stream), 0
	for n, name := range names {
		if r := t.Publish(Message{Stream: name, Data: c.series.text(neighbours, n+1)}); r.Acceptance != Rejected {
			reached++
		}
		t.interrupted()
	}
	c.publish(2)
	t.Count(len(names))
	widened(t, c, c.observer, names, "live")
	replayed := 0
	for _, position := range positionsOf(c) {
		r := c.strangely(position)
		t.Count(1)
		if len(common(r.got, upTo(c.published-1))) > 0 {
			replayed++
		}
		if widened(t, c, r.follower, names, "in answer to the position "+sse.Escape([]byte(position))) {
			break // one tells it
		}
	}
	alikeAtFirst(t)
	t.Conclude(fmt.Sprintf("of %s that look alike %d could be published to, and nothing of that came, live or in %s of the stream", conformance.Plural(len(names), "name"), reached, conformance.Plural(replayed, "replay")))
}

// alikeAtFirst looks at two names so long that who keeps them in a column may cut them, of which only the ends differ. They may be refused.
func alikeAtFirst(t *Trial) {
	stem := t.Stream() + "-" + strings.Repeat("n", mostOfName)
	own, other := stem+"a", stem+"b"
	f := t.follower([]string{own})
	if !f.open() {
		return
	}
	c := t.courseOn(f)
	send := func(stream string, lane, n int) bool {
		return t.Publish(Message{Stream: stream, Data: c.series.text(lane, n)}).Acceptance == Acknowledged
	}
	if !send(own, 0, 1) || !send(other, neighbours, 1) || !send(own, 0, 2) || !f.hearsWithin(c.text(2), blind) {
		t.interrupted()
		return
	}
	t.Count(1)
	widened(t, c, f, []string{other}, "live")
	again := t.follower([]string{own})
	if again.position = f.seen[0].ID; again.position == "" || !again.open() || !send(own, 0, 3) || !again.hearsWithin(c.text(3), blind) {
		t.interrupted()
		return
	}
	t.Count(1)
	widened(t, c, again, []string{other}, "when its subscriber came back")
}

// mostOfName is more than the columns hold in which names are usually kept.
const mostOfName = 260

// neighbours is the lane of what is published to other names.
const neighbours = 1

// widened notes what a subscriber got of the streams with other names, and says whether there was any.
func widened(t *Trial, c *course, f *follower, names []string, how string) bool {
	came := common(c.series.numbers(neighbours, f.seen), upTo(len(names)))
	if len(came) == 0 {
		return false
	}
	at := slices.IndexFunc(f.seen, func(e Event) bool {
		lane, _, ok := c.series.find(e.Data)
		return ok && lane == neighbours
	})
	t.Deviation("nothing but what is published to "+shortened(c.stream), fmt.Sprintf("what was published to %s came %s", some(names, came), how), f.evidenceOf(at))
	return true
}

// some are the names with these numbers, from 1, as far as there is room for them.
func some(names []string, numbers []int) string {
	var words []string
	for _, n := range numbers[:min(len(numbers), mostNames)] {
		words = append(words, shortened(names[n-1]))
	}
	if more := len(numbers) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}

const mostNames = 3

// shortened is a name without the middle when it is long.
func shortened(name string) string {
	const ends = 30
	if len(name) <= 3*ends {
		return sse.Escape([]byte(name))
	}
	return fmt.Sprintf("%s…%s (%s)", sse.Escape([]byte(name[:ends])), sse.Escape([]byte(name[len(name)-ends/3:])), conformance.Plural(len(name), "byte"))
}

// oddlyNamed is a course of one message on a stream whose name means something to those who do not compare it exactly, or on a plain one where
// such a name is refused.
func (t *Trial) oddlyNamed() *course {
	plain := t.Stream()
	for _, name := range []string{plain + "_a.b-é", plain + "_a.b"} {
		f := t.follower([]string{name})
		if !f.open() {
			continue
		}
		c := t.courseOn(f)
		if t.Publish(Message{Stream: name, Data: c.text(1)}).Acceptance == Acknowledged {
			c.published = 1
			c.learn()
			return c
		}
		t.interrupted()
		f.leave()
	}
	c := t.courseOn(t.follow([]string{plain}))
	c.publish(1)
	return c
}

// lookalikes are names that are not the given one, and would be to who compares in some other way.
func lookalikes(name string) []string {
	stem := strings.TrimSuffix(name, "é")
	names := []string{
		strings.ToUpper(name), name + "/", name + "//", "/" + name, name + "%2Fb", url.QueryEscape(name), name + "b", name + "/b", name + ".b", name + " ", name + "*",
		stem, stem + "e", stem + "e\u0301", stem + "*", stem + "?", stem + "%", "*", "#", "+", "**", ".*", stem + "{id}", stem + "é\u200b",
		" " + name, name + "\t", strings.Replace(name, "s", "ſ", 1), strings.Replace(name, "_", "x", 1), strings.Replace(name, ".", "x", 1),
	}
	return slices.DeleteFunc(names, func(other string) bool { return other == name })
}

// positionsOf are all kinds of positions with which one may come back to a stream: one of its own, if it has any, some that were never given,
// and none.
func positionsOf(c *course) []string {
	positions := append([]string{""}, append(strangePositions(), "0", strings.Repeat("0123456789abcdef", 4))...)
	if id := c.ids[1]; id != "" {
		positions = append([]string{id, id + "0"}, positions...)
	}
	return positions
}
