package mutant

import (
	"bytes"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverRareMutants are wrong with one delivery in many, counted on each connection: what a few dozen messages do not meet.
var serverRareMutants = []Mutant{
	{
		Name: "loses-one-in-997", Bug: "One delivery in 997 of each connection is left out.",
		SeenIn: "blinklabs-io/dingo#2978: a non-blocking send drops in its default case", Kills: []string{"SSE-DELIV-013"},
		Broker: rarely(997, lose),
	},
	{
		Name: "repeats-one-in-997", Bug: "One delivery in 997 of each connection comes twice.",
		SeenIn: "plausible: a write that is repeated after it was interrupted", Kills: []string{"SSE-DELIV-013"},
		Broker: rarely(997, repeat),
	},
	{
		Name: "swaps-one-in-997", Bug: "One delivery in 997 of each connection comes behind its successor.",
		SeenIn: "launchdarkly/dotnet-eventsource#83: handlers run on a thread pool", Kills: []string{"SSE-DELIV-013"},
		Broker: rarely(997, swapNext),
	},
	{
		Name: "damages-one-in-997", Bug: "One delivery in 997 of each connection has a byte changed.",
		SeenIn: "plausible: a buffer that is used again too early", Kills: []string{"SSE-DELIV-013"},
		Broker: rarely(997, damage),
	},
	{
		Name: "holds-up-one-in-997", Bug: "One delivery in 997 of each connection is held up for two seconds, and what follows it on the connection.",
		SeenIn: "plausible: a flush that was forgotten on a rare path, and that a timer makes up for", Kills: []string{"SSE-DELIV-017"},
		Broker: func(c *broker.Config) {
			type course struct {
				lane
				delivered int
			}
			courses := new(each[course])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				at, delay := courses.of(to), time.Duration(0)
				if at.delivered++; at.delivered%997 == 0 {
					delay = 2 * time.Second
				}
				at.hold(to, ev, delay)
				return nil
			}}
		},
	},
	{
		Name: "loses-one-in-333", Bug: "One delivery in 333 of each connection is left out.",
		SeenIn: "blinklabs-io/dingo#2978: a non-blocking send drops in its default case", Kills: []string{"SSE-DELIV-013"},
		May: rareInOthers, Broker: rarely(333, lose),
	},
	{
		Name: "swaps-one-in-100", Bug: "One delivery in a hundred of each connection comes behind its successor.",
		SeenIn: "launchdarkly/dotnet-eventsource#83: handlers run on a thread pool", Kills: []string{"SSE-DELIV-013"},
		May: rareInOthers, Broker: rarely(100, swapNext),
	},
	{
		Name: "damages-one-in-100", Bug: "One delivery in a hundred of each connection has a byte changed.",
		SeenIn: "plausible: a buffer that is used again too early", Kills: []string{"SSE-DELIV-013"},
		May: rareInOthers, Broker: rarely(100, damage),
	},
}

// rareInOthers are cases that send a connection a hundred messages and more.
var rareInOthers = slices.Concat(replaysWrong, losesFirst, because("so many messages come over one connection that one of them is wrong",
	"SSE-DELIV-002", "SSE-DELIV-003", "SSE-DELIV-004", "SSE-DELIV-005", "SSE-DELIV-006", "SSE-FORM-010", "SSE-FORM-012", "SSE-FORM-014",
	"SSE-RESUME-018", "SSE-HBS-003"))

// rarely does something else with one delivery in n of each connection. What it holds back goes out behind the next one.
func rarely(n int, instead func(ev broker.Event) (now, behind []broker.Event)) func(*broker.Config) {
	type course struct {
		delivered int
		held      []broker.Event
	}
	return func(c *broker.Config) {
		courses := new(each[course])
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			at := courses.of(to)
			now, behind := []broker.Event{ev}, at.held
			at.held = nil
			if at.delivered++; at.delivered%n == 0 {
				now, at.held = instead(ev)
			}
			return append(now, behind...)
		}}
	}
}

func lose(broker.Event) (now, behind []broker.Event) { return nil, nil }

func repeat(ev broker.Event) (now, behind []broker.Event) { return []broker.Event{ev, ev}, nil }

func swapNext(ev broker.Event) (now, behind []broker.Event) { return nil, []broker.Event{ev} }

func damage(ev broker.Event) (now, behind []broker.Event) {
	ev.Data = bytes.Clone(ev.Data)
	if len(ev.Data) > 0 {
		ev.Data[len(ev.Data)-1] ^= 1
	}
	return []broker.Event{ev}, nil
}
