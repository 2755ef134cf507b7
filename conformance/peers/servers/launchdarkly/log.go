package main

import (
	"slices"
	"strings"
	"sync"

	"github.com/launchdarkly/eventsource"
)

// log is a repository that replays what follows an id, and holds no lock while a subscriber reads.
type log struct {
	mu     sync.Mutex
	events map[string][]eventsource.Event
}

func newLog() *log { return &log{events: map[string][]eventsource.Event{}} }

// Add keeps an event. One publisher at a time adds to a channel, so ids ascend.
func (l *log) Add(channel string, e eventsource.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events[channel] = append(l.events[channel], e)
}

// Replay sends the events after id. The channel holds all of them, so nobody waits if the subscriber leaves in the middle.
func (l *log) Replay(channel, id string) chan eventsource.Event {
	l.mu.Lock()
	kept := l.events[channel]
	l.mu.Unlock()
	at, found := slices.BinarySearchFunc(kept, id, func(e eventsource.Event, id string) int { return strings.Compare(e.Id(), id) })
	if found {
		at++
	}
	out := make(chan eventsource.Event, len(kept)-at)
	for _, e := range kept[at:] {
		out <- e
	}
	close(out)
	return out
}
