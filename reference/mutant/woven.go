package mutant

import (
	"bytes"
	"slices"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// woven marks an event whose data are the bytes that go over the wire.
const woven = "woven by two writers"

// weaving writes each nth event of a connection and the one behind it into one another, as two writers without a lock do.
func weaving(n int, weave func(first, second [][]byte) [][]byte) func(*broker.Config) {
	type course struct {
		delivered int
		held      *broker.Event
	}
	return func(c *broker.Config) {
		courses := new(each[course])
		c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
			if ev.Type == woven {
				return ev.Data
			}
			return text
		})
		c.Tamper.Deliver = func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			at := courses.of(to)
			if at.held != nil {
				first, second := broker.EncodeEvent(*at.held), broker.EncodeEvent(ev)
				at.held = nil
				lines := weave(eventLines(first), eventLines(second))
				return []broker.Event{{Type: woven, Data: append(bytes.Join(lines, []byte("\n")), "\n\n"...)}}
			}
			if at.delivered++; at.delivered%n == 0 {
				at.held = &ev
				return nil
			}
			return []broker.Event{ev}
		}
	}
}

// behindItsID writes the second event behind the id of the first.
func behindItsID(first, second [][]byte) [][]byte {
	return slices.Concat(first[:1], second, [][]byte{nil}, first[1:])
}

// idsFirst writes both ids and then the rest of each event, so that data and order are as they should be.
func idsFirst(first, second [][]byte) [][]byte {
	return slices.Concat(first[:1], second[:1], first[1:], [][]byte{nil}, second[1:])
}

// lineByLine writes a line of each in turn.
func lineByLine(first, second [][]byte) (lines [][]byte) {
	for i := range max(len(first), len(second)) {
		for _, one := range [][][]byte{first, second} {
			if i < len(one) {
				lines = append(lines, one[i])
			}
		}
	}
	return lines
}
