package mutant

import (
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// each keeps a T for each subscriber, for the life of the broker. What it returns is safe inside hooks that the broker calls
// under its subscriber's lock, such as Deliver and Behind.
type each[T any] struct{ values sync.Map }

func (e *each[T]) of(to *broker.Subscriber) *T {
	value, ok := e.values.Load(to)
	if !ok {
		value, _ = e.values.LoadOrStore(to, new(T))
	}
	return value.(*T)
}

// lane carries events to one subscriber later, in their order.
type lane struct {
	sending sync.Mutex // held while a batch goes out, so that the next one cannot overtake it
	mu      sync.Mutex // guards waiting; the only one that a Deliver hook may take
	waiting []parked
}

type parked struct {
	event broker.Event
	until time.Time
}

// hold sends ev after a delay, but not before what the lane already holds.
func (l *lane) hold(to *broker.Subscriber, ev broker.Event, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, parked{ev, time.Now().Add(delay)})
	time.AfterFunc(delay, func() { l.release(to) })
}

func (l *lane) release(to *broker.Subscriber) {
	l.sending.Lock()
	defer l.sending.Unlock()
	to.Send(l.take(time.Now())...)
}

func (l *lane) take(now time.Time) []broker.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var due []broker.Event
	for len(l.waiting) > 0 && !l.waiting[0].until.After(now) {
		due = append(due, l.waiting[0].event)
		l.waiting = l.waiting[1:]
	}
	return due
}

// discard drops what the lane holds.
func (l *lane) discard() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = nil
}
