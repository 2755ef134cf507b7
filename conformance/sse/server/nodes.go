package server

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// "Resume works on any replica behind the load balancer."
//
// What a position is behind may reach another node a moment later, so a replay that lacks only the newest gets a second try.
func resumesAtEachNode(t *Trial) {
	c := t.course()
	c.publish(10)
	c.mustResume()
	for i, node := range t.Subject.Nodes {
		r := c.from(4, At(node))
		if !r.exact() && !r.refused() {
			t.wait(quiet)
			r = c.from(4, At(node))
		}
		t.Count(1)
		if !r.exact() {
			t.Deviation("messages "+spans(r.expected), fmt.Sprintf("at node %d of %d, with a position that another one gave, came %s", i+1, len(t.Subject.Nodes), r.outcome()), r.evidence())
		}
	}
	t.Conclude(fmt.Sprintf("one position was resumed from at each of %s", conformance.Plural(len(t.Subject.Nodes), "node")))
}

// "Events are delivered to subscribers on every replica."
func deliversAtEachNode(t *Trial) {
	const messages = 20
	stream, s := t.Stream(), t.series()
	followers := make([]*follower, len(t.Subject.Nodes))
	for i, node := range t.Subject.Nodes {
		followers[i] = t.follow([]string{stream}, At(node))
	}
	for n := 1; n <= messages; n++ {
		t.Send(stream, s.text(0, n))
	}
	for i, f := range followers {
		for n := 1; n <= messages && f.hears(s.text(0, n)); n++ { // each of them: the last one need not come last
		}
		t.Count(messages)
		if lost, _ := f.lacks(s, 0, messages); lost != "" {
			f.mustOwe()
			t.Absence(fmt.Sprintf("messages 1–%d at each node", messages), fmt.Sprintf("at node %d of %d %s", i+1, len(followers), lost), f.evidence(1))
		}
	}
	t.Conclude(fmt.Sprintf("%s came at each of %s", conformance.Plural(messages, "message"), conformance.Plural(len(followers), "node")))
}
