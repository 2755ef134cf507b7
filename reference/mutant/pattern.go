package mutant

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// patternMutants lose messages by a rule that who looks for the cause should be told.
var patternMutants = []Mutant{
	losing("loses-by-replica", "Of two replicas each passes every other message on, and the subscribers are shared out between them.",
		"owncloud/ocis#7382: one replica gets the event", func() func(*broker.Subscriber, broker.Event) bool {
			var joined sync.Map // stream → *atomic.Uint64
			type place struct{ replica uint64 }
			places := new(each[place])
			return func(to *broker.Subscriber, ev broker.Event) bool {
				p := places.of(to)
				if p.replica == 0 {
					n, _ := joined.LoadOrStore(ev.Stream, new(atomic.Uint64))
					p.replica = 1 + n.(*atomic.Uint64).Add(1)%2
				}
				return ev.Number%2 == p.replica-1
			}
		}),
	losing("loses-large", "A message of more than 8 KiB is left out.", "plausible: a limit of a message bus behind the server",
		func() func(*broker.Subscriber, broker.Event) bool {
			return func(_ *broker.Subscriber, ev broker.Event) bool { return len(ev.Data) > 8<<10 }
		}),
	{
		Name: "loses-every-seventh", Bug: "Every seventh message of a stream reaches nobody.", SeenIn: "plausible: one of seven partitions that nobody reads",
		Kills: []string{"delivery.complete"}, Scenario: "losses",
		Broker: func(c *broker.Config) {
			var published sync.Map // stream → *atomic.Uint64
			c.Tamper = &broker.Tamper{Store: func(ev broker.Event) bool {
				n, _ := published.LoadOrStore(ev.Stream, new(atomic.Uint64))
				return n.(*atomic.Uint64).Add(1)%7 != 0
			}}
		},
	},
	losing("loses-on-one-stream", "One stream loses some of its messages, the others none.", "plausible: one shard with a queue that overflows",
		func() func(*broker.Subscriber, broker.Event) bool {
			return func(_ *broker.Subscriber, ev broker.Event) bool {
				return strings.HasSuffix(ev.Stream, "2") && (ev.Sequence*ev.Sequence)%11 == 4
			}
		}),
	losing("loses-after-return", "Who has come back misses some of what is published from then on.", "plausible: the new connection is registered with one of two workers",
		func() func(*broker.Subscriber, broker.Event) bool {
			return func(to *broker.Subscriber, ev broker.Event) bool {
				return to.Resume == broker.ResumeExact && ev.Sequence > to.Sequence && (ev.Sequence*ev.Sequence)%7 == 2
			}
		}),
	losing("loses-each-twentieth", "Every twentieth delivery of each connection is left out.", "plausible: a ring of nineteen places that is written without looking",
		func() func(*broker.Subscriber, broker.Event) bool {
			type course struct{ delivered int }
			courses := new(each[course])
			return func(to *broker.Subscriber, _ broker.Event) bool {
				at := courses.of(to)
				at.delivered++
				return at.delivered%20 == 0
			}
		}),
}

func losing(name, bug, seenIn string, rule func() func(*broker.Subscriber, broker.Event) bool) Mutant {
	return Mutant{
		Name: name, Bug: bug, SeenIn: seenIn, Kills: []string{"delivery.complete"}, Scenario: "losses",
		Broker: func(c *broker.Config) {
			lost := rule()
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if lost(to, ev) {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	}
}
