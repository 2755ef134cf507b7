package server

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// "History retention is at least what is documented (count, age, bytes)."
func keepsDeclaredHistory(t *Trial) {
	h := t.Subject.History
	if h == 0 || h > mostFilled {
		t.Skip("no history of at most %s is declared: describe history in the target file", conformance.Plural(mostFilled, "event"))
	}
	c := t.course()
	t.Allow(time.Duration(h) * 5 * time.Millisecond)
	c.fill(max(h/10, enough))
	c.mustHaveIDs()
	var usual []*follower
	if h > atEdge {
		usual = t.usual(c)
	}
	c.publish(atEdge) // one after the other: so it is known which of them leaves the history before which
	c.fill(max(1, h-atEdge/2))
	c.mustHaveIDs()
	order := c.series.numbers(0, c.observer.seen)
	oldest := len(order) - h // of what must be kept
	c.keeps(order, oldest+1)
	if usual != nil && !t.suite.held && !t.Subject.Shared { // else the edge moves
		c.keepsOrTells(order, oldest, "of the oldest event that is kept", usual)
		c.keepsOrTells(order, oldest-1, "of the event before the oldest that is kept", usual)
		if c.behind(order, 0, usual).honest() { // else SSE-RESUME-008 tells that no hole is told of
			c.keepsOrTells(order, oldest-2, "of an event before those that are kept", usual)
		}
	}
	c.publish(1)
	if r := c.from(c.published); !r.refused() && r.heard && !r.exact() {
		t.Deviation("message "+spans(r.expected)+", published after it was back", "with the history full, and the newest position, came "+r.outcome(), r.evidence())
	}
	t.Conclude(fmt.Sprintf("the newest %d of %s could be resumed from, and behind older positions nothing was missing without a sign", h-1, conformance.Plural(c.published, "message")))
}

// atEdge is how many messages are published in order where the history ends.
const atEdge = 8

// keeps notes what does not come behind a place of the order that is within the history.
func (c *course) keeps(order []int, place int) {
	if e := c.behind(order, place, nil); !e.whole() {
		c.t.Deviation(fmt.Sprintf("the %s behind a position that is within the declared history of %d", conformance.Plural(len(e.expected), "message"), c.t.Subject.History),
			fmt.Sprintf("%d of them", len(e.expected)-len(e.missed)), e.evidence())
	}
}

// keepsOrTells notes what does not come behind a place of the order, where the client is not told that something is missing.
func (c *course) keepsOrTells(order []int, place int, where string, usual []*follower) {
	if e := c.behind(order, place, usual); !e.honest() {
		c.t.Deviation(fmt.Sprintf("the %s behind the position %s, or a sign that some are missing", conformance.Plural(len(e.expected), "message"), where),
			fmt.Sprintf("%d of them, without a sign: %s missing", len(e.expected)-len(e.missed), spans(e.missed)), e.evidence())
	}
}

// edge is a replay near the edge of the history.
type edge struct {
	*replay

	told bool // that something may be missing
}

func (e edge) whole() bool { return !e.refused() && len(e.missed) == 0 }

func (e edge) honest() bool { return e.whole() || e.told }

// behind resumes at a place of the order, without publishing more: that would move the edge.
func (c *course) behind(order []int, place int, usual []*follower) edge {
	f := c.t.follower([]string{c.stream})
	f.position = c.ids[order[place]]
	e := edge{replay: &replay{after: order[place], expected: order[place+1:], follower: f}}
	if f.open() {
		f.hears(c.text(order[len(order)-1]))
	}
	e.judge(c.series.numbers(0, f.seen))
	c.t.Count(len(e.expected))
	jumps := place < len(order)-c.t.Subject.History && c.counts() && c.t.Subject.Gap == "" // which tells
	e.told = usual != nil && (e.refused() || len(c.t.notices(f, usual...)) > 0 || jumps)
	return e
}
