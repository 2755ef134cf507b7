package run_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// Each stream has one publisher and at most one subscriber, so that a stream's name tells the subscriber. The broker ends each connection
// now and then, after everything was sent, so that subscribers reconnect and resume while messages are tampered with.
const tampered = `
name: tampered
load:
  ramp: {arrivals: at-once}
  publish: {size: 200B}
  reconnect: {base: 20ms, jitter: 100%}
broker: {farewell: bye}
settle: 10s
expect:
  delivery: [ordered, unique, complete, isolated, intact]
`

// meddler is a broker's Tamper that does one bad thing to chosen messages of each stream and remembers to which.
type meddler struct {
	misdeed func(stream string) string

	mu   sync.Mutex
	done map[message]string // name of the misdeed
	held map[string]broker.Event
}

type message struct {
	stream string
	number uint64
}

func (m *meddler) deliver(_ *broker.Subscriber, ev broker.Event) []broker.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	if held, ok := m.held[ev.Stream]; ok && held.Number+1 == ev.Number {
		delete(m.held, ev.Stream)
		return []broker.Event{ev, held}
	}
	if !chosen(ev.Number) {
		return []broker.Event{ev}
	}
	name := m.misdeed(ev.Stream)
	m.done[message{ev.Stream, ev.Number}] = name
	return misdeeds[name](m, ev)
}

// committed counts the misdeeds by name. What is still held back was not reordered.
func (m *meddler) committed() map[string]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := map[string]uint64{}
	for done, name := range m.done {
		if held, ok := m.held[done.stream]; !ok || held.Number != done.number {
			n[name]++
		}
	}
	return n
}

// chosen leaves out the first numbers, which may be on their way before a subscription is ready, and the last, which have no
// successor.
func chosen(number uint64) bool { return number == 7 || number == 10 }

// misdeeds are named as what must be found.
var misdeeds = map[string]func(m *meddler, ev broker.Event) []broker.Event{
	"lost":       func(*meddler, broker.Event) []broker.Event { return nil },
	"duplicated": func(_ *meddler, ev broker.Event) []broker.Event { return []broker.Event{ev, ev} },
	"reordered": func(m *meddler, ev broker.Event) []broker.Event {
		m.held[ev.Stream] = ev
		return nil
	},
	"corrupted": func(_ *meddler, ev broker.Event) []broker.Event {
		ev.Data = bytes.Clone(ev.Data)
		ev.Data[len(ev.Data)-8] ^= 1 // in the padding
		return []broker.Event{ev}
	},
	"phantom": func(_ *meddler, ev broker.Event) []broker.Event {
		return []broker.Event{ev, forged(ev, 0, 1_000_000)}
	},
	// Its stream's number 1 was begun long before, or the message would be a phantom.
	"leaked": func(_ *meddler, ev broker.Event) []broker.Event {
		return []broker.Event{ev, forged(ev, 1, 1-ev.Number)}
	},
}

// forged is an event without an id whose token is right and names another stream, or another number.
func forged(ev broker.Event, streams int32, numbers uint64) broker.Event {
	start := bytes.Index(ev.Data, []byte("~sg1."))
	runID, _, _ := strings.Cut(string(ev.Data[start+len("~sg1."):]), ".")
	m, _ := token.Scan(ev.Data, runID)
	m.Stream ^= streams
	m.Number += numbers
	return broker.Event{Stream: ev.Stream, Data: token.Append(nil, m, nil, nil, 200)}
}

func TestExactlyTheChosenMessagesAreBlamed(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Sorted(maps.Keys(misdeeds)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blamed(t, 1, func(string) string { return name },
				"load.streams=2", "load.publish.rate=10/s", "broker.session=1s", "duration=3s")
		})
	}
}

func TestExactlyTheChosenMessagesAreBlamedAmongAThousandSubscribers(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(misdeeds))
	blamed(t, 1000, func(stream string) string {
		index, err := strconv.Atoi(strings.TrimPrefix(stream, "s"))
		if err != nil {
			t.Errorf("stream %q: %v", stream, err)
		}
		return names[index%len(names)]
	}, "load.streams=1000", "load.publish.rate=1000/s", "broker.session=5s", "duration=12s")
}

// blamed runs the scenario and compares what was found with what was done.
func blamed(t *testing.T, subscribers int, misdeed func(stream string) string, overrides ...string) {
	t.Helper()
	for range 2 {
		if blames(t, subscribers, misdeed, overrides...) {
			return
		}
	}
	t.Skip("this machine was too busy to publish in time, so that the run ended before the messages that come after those chosen")
}

// blames is false where the machine did not let all messages of the scenario be published, and something else was found.
func blames(t *testing.T, subscribers int, misdeed func(stream string) string, overrides ...string) bool {
	t.Helper()
	m := &meddler{misdeed: misdeed, done: map[message]string{}, held: map[string]broker.Event{}}
	s := scenario(t, tampered, append(overrides, fmt.Sprint("load.subscribers=", subscribers))...)
	o, err := run.New(run.Options{
		Plan:   scenarios.NewPlan(s, nil, 3),
		Mutate: func(c *broker.Config) { c.Tamper = &broker.Tamper{Deliver: m.deliver} },
		Log:    func(line string) { t.Log(line) },
	}).Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]uint64{}
	for _, v := range o.Verdicts {
		for _, f := range v.Findings {
			got[f.Name] += f.Count
		}
	}
	unsent := slices.ContainsFunc(o.Measures, func(m conformance.Measure) bool { return m.Name == "publish.unsent" })
	if want := m.committed(); unsent && !maps.Equal(got, want) {
		return false
	} else if !maps.Equal(got, want) || len(want) == 0 {
		t.Errorf("found %v, want %v", got, want)
	}
	if connections := o.Tally.Connections; connections < uint64(2*subscribers) {
		t.Errorf("%d connections of %d subscribers, want reconnects", connections, subscribers)
	}
	return true
}
