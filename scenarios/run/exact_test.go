package run_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// Each stream has one subscriber, so that a stream's name tells the subscriber. The broker ends each connection now and then, after
// everything was sent, so that subscribers reconnect and resume while messages are tampered with.
const tampered = `
name: tampered
load:
  ramp: {arrivals: at-once}
  publish: {size: 200B}
  reconnect: {base: 20ms, jitter: 100%}
broker: {session: 1s, farewell: bye}
duration: 3s
settle: 6s
expect:
  delivery: [ordered, unique, complete, isolated, intact]
`

// meddler is a broker's Tamper that does one bad thing to chosen messages and remembers to which.
type meddler struct {
	do func(m *meddler, ev broker.Event) []broker.Event

	mu   sync.Mutex
	done map[string]bool // stream and number
	held map[string]broker.Event
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
	m.done[fmt.Sprint(ev.Stream, " ", ev.Number)] = true
	return m.do(m, ev)
}

// chosen leaves out the first numbers, which may be on their way before a subscription is ready, and the last, which have no
// successor.
func chosen(number uint64) bool { return number == 7 || number == 10 }

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
	"leaked": func(_ *meddler, ev broker.Event) []broker.Event {
		return []broker.Event{ev, forged(ev, 1, 0)}
	},
}

// forged is an event without an id whose token is right and names another stream, or a later number.
func forged(ev broker.Event, streams int32, numbers uint64) broker.Event {
	start := bytes.Index(ev.Data, []byte("~sg1."))
	runID, _, _ := strings.Cut(string(ev.Data[start+len("~sg1."):]), ".")
	m, _ := token.Scan(ev.Data, runID)
	m.Stream ^= streams
	m.Number += numbers
	return broker.Event{Stream: ev.Stream, Data: token.Append(nil, m, nil, nil, 200)}
}

// A message that leaks was begun by its own stream's publisher too, or it would be a phantom: streams go in pairs, and
// the forged number may be one that the other stream has not reached. Those count as phantoms, and rightly so.
func TestExactlyTheChosenMessagesAreBlamed(t *testing.T) {
	t.Parallel()
	for _, subscribers := range []int{2, 100} {
		for _, name := range slices.Sorted(maps.Keys(misdeeds)) {
			t.Run(fmt.Sprint(name, "/", subscribers), func(t *testing.T) {
				t.Parallel()
				m := &meddler{do: misdeeds[name], done: map[string]bool{}, held: map[string]broker.Event{}}
				s := scenario(t, tampered, fmt.Sprint("load.streams=", subscribers), fmt.Sprint("load.subscribers=", subscribers),
					fmt.Sprint("load.publish.rate=", 5*subscribers, "/s"))
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
				want := map[string]uint64{name: uint64(len(m.done) - len(m.held))}
				if name == "leaked" && got["phantom"] > 0 {
					got["leaked"] += got["phantom"]
					delete(got, "phantom")
				}
				if !maps.Equal(got, want) || want[name] == 0 {
					t.Errorf("found %v, want %v", got, want)
				}
				if connections := o.Tally.Connections; connections < uint64(2*subscribers) {
					t.Errorf("%d connections of %d subscribers, want reconnects", connections, subscribers)
				}
			})
		}
	}
}
