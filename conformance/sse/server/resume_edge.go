package server

import (
	"fmt"
	"slices"
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
	for _, place := range []int{oldest + 1, oldest, oldest - 1, oldest - 2} {
		c.edge(order, place, oldest, usual)
	}
	c.publish(1)
	if r := c.from(c.published); !r.refused() && r.heard && !r.exact() {
		t.Deviation("message "+spans(r.expected)+", published after it was back", "with the history full, and the newest position, came "+r.outcome(), r.evidence())
	}
	t.Conclude(fmt.Sprintf("the newest %d of %s could be resumed from, and behind older positions nothing was missing without a sign", h-1, conformance.Plural(c.published, "message")))
}

// atEdge is how many messages are published in order where the history ends.
const atEdge = 8

// edge resumes at a place of the order at or near the oldest that must be kept, without publishing more: that would move the edge. All must come behind a
// position that has another kept before it; else all, or a sign that something is missing.
func (c *course) edge(order []int, place, oldest int, usual []*follower) {
	t := c.t
	if place <= oldest && (usual == nil || t.suite.held || t.Subject.Shared) { // where others publish too, or what makes a head come, the edge moves
		return
	}
	f := t.follower([]string{c.stream})
	f.position = c.ids[order[place]]
	want := order[place+1:]
	r := &replay{after: order[place], expected: want, follower: f}
	if f.open() {
		f.hears(c.text(order[len(order)-1]))
	}
	r.judge(c.series.numbers(0, f.seen))
	t.Count(len(want))
	came := len(common(want, r.got))
	told := r.refused() || len(t.notices(f, usual...)) > 0 || c.counts() && t.Subject.Gap == "" && place < oldest // the jump tells
	switch {
	case came == len(want), told && place <= oldest:
	case place > oldest:
		t.Deviation(fmt.Sprintf("the %s behind a position that is within the declared history of %d", conformance.Plural(len(want), "message"), t.Subject.History),
			fmt.Sprintf("%d of them", came), r.evidence())
	default:
		where := map[int]string{oldest: "of the oldest event that is kept", oldest - 1: "of the event before the oldest that is kept", oldest - 2: "of an event before those that are kept"}[place]
		t.Deviation(fmt.Sprintf("the %s behind the position %s, or a sign that some are missing", conformance.Plural(len(want), "message"), where),
			fmt.Sprintf("%d of them, without a sign: %s is missing", came, "message "+spans(slices.DeleteFunc(slices.Clone(want), func(n int) bool { return slices.Contains(r.got, n) }))), r.evidence())
	}
}
