package mutant

import (
	"fmt"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// flowMutants are wrong with one delivery in many, which takes many messages to meet.
var flowMutants = []Mutant{
	inFlow("loses", 997, "of each connection", "left out", "delivery.complete", rarely(997, lose)),
	inFlow("repeats", 997, "of each connection", "sent twice", "delivery.unique", rarely(997, repeat)),
	inFlow("swaps", 997, "of each connection", "sent behind its successor", "delivery.ordered", rarely(997, swapNext)),
	inFlow("damages", 997, "of each connection", "changed in one byte", "delivery.intact", rarely(997, damage)),
	inFlow("loses", 333, "of each stream", "left out for everybody", "delivery.complete", rarelyOfStream(333, lose)),
	inFlow("damages", 333, "of each stream", "changed in one byte for everybody", "delivery.intact", rarelyOfStream(333, damage)),
	inFlow("repeats", 100, "of each stream", "sent twice to everybody", "delivery.unique", rarelyOfStream(100, repeat)),
	inFlow("weaves", 100, "of each connection", "written into the next one, behind its id", "delivery.intact", weaving(100, idsFirst)),
	inFlow("names", 100, "of each stream", "given the id of the one before it", "delivery.unique", namingAlike(100)),
	inFlow("swaps", 100, "of each connection", "sent behind its successor", "delivery.ordered", rarely(100, swapNext)),
}

func inFlow(does string, n int, of, what, kills string, broken func(*broker.Config)) Mutant {
	m := Mutant{
		Name: fmt.Sprintf("%s-each-%dth", does, n), Bug: fmt.Sprintf("Each %dth delivery %s is %s.", n, of, what),
		SeenIn: "plausible: what happens when a ring, a counter or a buffer begins again", Kills: []string{kills}, Scenario: "flow", Broker: broken,
	}
	if does == "loses" {
		m.May = late
	}
	return m
}

// rarelyOfStream does something else with each nth message of a stream, for all that receive it.
func rarelyOfStream(n uint64, instead func(ev broker.Event) (now, behind []broker.Event)) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Deliver: func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
			if ev.Number%n != 0 {
				return []broker.Event{ev}
			}
			now, _ := instead(ev)
			return now
		}}
	}
}
