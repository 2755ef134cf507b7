package mutant

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverReplayMutants change what a replay holds: events that are not those that were sent live, or not those of the stream.
var serverReplayMutants = []Mutant{
	{
		Name: "forgets-types-in-replay", Bug: "What is replayed has lost its event type, so that no handler of that type hears it.",
		SeenIn: "plausible: the history keeps ids and data", Kills: []string{"SSE-RESUME-023"},
		Broker: replaying(func(ev *broker.Event) { ev.Type = "" }),
	},
	{
		Name: "numbers-replays-anew", Bug: "What is replayed has other ids than it had live.",
		SeenIn: "plausible: ids are given when an event is written", Kills: []string{"SSE-RESUME-023"},
		May:    slices.Concat(replaysWrong, because("what was replayed cannot be resumed from", "SSE-RESUME", "SSE-HTTPS-020", "SSE-FORM-014", "SSE-DELIV-006")),
		Broker: replaying(func(ev *broker.Event) { ev.ID = "again-" + ev.ID }),
	},
	{
		Name: "quotes-replays", Bug: "What is replayed is the payload as a JSON text, which it was not live.",
		SeenIn: "plausible: a history of serialised messages", Kills: []string{"SSE-RESUME-023"},
		Broker: replaying(func(ev *broker.Event) { ev.Data, _ = json.Marshal(string(ev.Data)) }), // never fails
	},
	{
		Name: "trims-replays", Bug: "What is replayed has lost the blanks and line ends behind it.",
		SeenIn: "plausible: a column of fixed width, whose padding is taken off", Kills: []string{"SSE-RESUME-023"},
		Broker: replaying(func(ev *broker.Event) { ev.Data = bytes.TrimRight(ev.Data, " \t\n") }),
	},
	{
		Name: "cuts-replays-at-64k", Bug: "Of what is replayed come at most 65,535 bytes.",
		SeenIn: "plausible: a TEXT column of MySQL", Kills: []string{"SSE-RESUME-023"},
		Broker: replaying(func(ev *broker.Event) { ev.Data = ev.Data[:min(len(ev.Data), 1<<16-1)] }),
	},
	{
		Name: "leaves-large-out-of-replay", Bug: "Events of 16 KiB and more are sent live and are not in a replay.",
		SeenIn: "plausible: a row that is too long is not written, and nobody looks", Kills: []string{"SSE-RESUME-023"}, May: replaysWrong,
		Broker: delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if to.Resume == broker.ResumeExact && ev.Sequence <= to.Sequence && len(ev.Data) >= 16<<10 {
				return nil
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name: "replays-one-page", Bug: "Of a history only the first five hundred events behind the position are replayed, and then come live ones.",
		SeenIn: "plausible: LIMIT 500, and nobody asks for the next page", Kills: []string{"SSE-RESUME-017"}, May: replaysWrong,
		Broker: func(c *broker.Config) {
			const page = 500
			replayed := new(each[int])
			delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if n := replayed.of(to); to.Resume == broker.ResumeExact && ev.Sequence <= to.Sequence {
					if *n++; *n > page {
						return nil
					}
				}
				return []broker.Event{ev}
			})(c)
		},
	},
	{
		Name: "replays-names-loosely", Bug: "The history is looked up by a pattern in which _ stands for any character and a blank at the end for nothing.",
		SeenIn: "plausible: WHERE stream LIKE ?", Kills: []string{"SSE-ISO-003"},
		Broker: replayingToo(others(func(ev broker.Event, to *broker.Subscriber) bool {
			return to.Resume == broker.ResumeExact && isLike(strings.TrimRight(ev.Stream, " "), to.Streams[0])
		})),
	},
	{
		Name: "replays-all-behind-unknown-position", Bug: "Behind a position that is not in the history comes all that was published in any stream.",
		SeenIn: "plausible: the stream is part of the condition that finds the position", Kills: []string{"SSE-RESUME-013", "SSE-ISO-003"},
		May: because("other streams come with it", "SSE-ISO-004", "SSE-ISO-002"),
		Broker: replayingToo(others(func(ev broker.Event, to *broker.Subscriber) bool {
			return to.Resume == broker.ResumeUnknown && len(ev.Data) < 100
		})),
	},
}

// replaying changes what is sent of the history to a subscriber that comes back.
func replaying(change func(ev *broker.Event)) func(*broker.Config) {
	return delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
		if to.Resume == broker.ResumeExact && ev.Sequence <= to.Sequence {
			change(&ev)
		}
		return []broker.Event{ev}
	})
}

// replayingToo puts before the first event of who comes back what is found in the history of all streams.
func replayingToo(found func(history []broker.Event, to *broker.Subscriber) []broker.Event) func(*broker.Config) {
	return func(c *broker.Config) {
		var mu sync.Mutex
		var history []broker.Event
		done := new(each[bool])
		c.Tamper = &broker.Tamper{
			Store: func(ev broker.Event) bool {
				mu.Lock()
				defer mu.Unlock()
				history = append(history, ev)
				return true
			},
			Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if replayed := done.of(to); to.LastEventID != "" && !*replayed {
					*replayed = true
					mu.Lock()
					defer mu.Unlock()
					return append(found(history, to), ev)
				}
				return []broker.Event{ev}
			},
		}
	}
}

// others are those events of streams that were not asked for of which a condition holds.
func others(holds func(ev broker.Event, to *broker.Subscriber) bool) func(history []broker.Event, to *broker.Subscriber) []broker.Event {
	return func(history []broker.Event, to *broker.Subscriber) (events []broker.Event) {
		for _, ev := range history {
			if ev.Stream != to.Streams[0] && holds(ev, to) {
				events = append(events, ev)
			}
		}
		return events
	}
}

// behind are the events of a position's stream that follow it, when it is not the stream that was asked for.
func behind(history []broker.Event, to *broker.Subscriber) (events []broker.Event) {
	stream := to.Streams[0]
	for _, ev := range history {
		if stream != to.Streams[0] && ev.Stream == stream {
			events = append(events, ev)
		}
		if ev.ID == to.LastEventID {
			stream = ev.Stream
		}
	}
	return events
}

// isLike says whether a name matches one in which each _ stands for any byte.
func isLike(name, pattern string) bool {
	if len(name) != len(pattern) {
		return false
	}
	for i := range len(name) {
		if name[i] != pattern[i] && pattern[i] != '_' {
			return false
		}
	}
	return true
}
