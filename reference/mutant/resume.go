package mutant

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// seam is how long the moment lasts in which replay and live delivery meet.
const seam = 150 * time.Millisecond

// resumeMutants break what a subscriber gets when it comes back.
var resumeMutants = []Mutant{
	{
		Name:   "ignores-last-event-id",
		Bug:    "A subscriber that comes back gets events from now on, and is not told what it missed.",
		SeenIn: "r3labs/sse#61",
		Kills:  []string{"delivery.complete", "delivery.resumable"},
		May: []May{
			{"latency.p99", "a lost message is infinitely late"},
			{"resume.gap_p99", "the gap is never closed"},
		},
		Scenario: "drops",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Start: func(ask broker.Ask, _ string, first, _, newest uint64) uint64 {
				if ask.Resume == broker.ResumeExact {
					return newest + 1
				}
				return first
			}}
		},
	},
	{
		Name:     "replays-without-types",
		Bug:      "What is replayed has lost its event type, so that no handler of that type hears it.",
		SeenIn:   "plausible: the history keeps ids and data",
		Kills:    []string{"delivery.intact"},
		May:      because("a message that arrives changed has not arrived", "delivery.complete", "delivery.resumable", "latency.p99", "resume.gap_p99"),
		Scenario: "drops",
		Broker: delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if ev.Sequence <= to.Sequence {
				ev.Type = ""
			}
			return []broker.Event{ev}
		}),
	},
	{
		Name:   "lost-window-at-resume",
		Bug:    "History is read first and the live subscription registered afterwards; what is published between is lost.",
		SeenIn: "dunglas/mercure#178 (PRs 179, 200, 202)",
		Kills:  []string{"delivery.complete"},
		May: []May{
			{"delivery.resumable", "delivery does not go on where it stopped"},
			{"latency.p99", "a lost message is infinitely late"},
			{"resume.gap_p99", "the gap is never closed"},
		},
		Scenario: "drops",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if atSeam(to, ev) {
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:     "duplicates-at-seam",
		Bug:      "The live subscription is registered first and history replayed without dropping what both hold.",
		SeenIn:   "dunglas/mercure PR 202: small risk of duplicate updates",
		Kills:    []string{"delivery.unique"},
		Scenario: "drops",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if atSeam(to, ev) {
					return []broker.Event{ev, ev}
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name:     "inclusive-replay",
		Bug:      "Replay begins with the event whose id was sent, instead of the one after it.",
		SeenIn:   "MAIF/izanami#51",
		Kills:    []string{"delivery.unique"},
		May:      []May{{"delivery.resumable", "delivery does not go on where it stopped"}},
		Scenario: "drops",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Start: func(ask broker.Ask, _ string, first, oldest, _ uint64) uint64 {
				if ask.Resume == broker.ResumeExact {
					return max(oldest, first-1)
				}
				return first
			}}
		},
	},
	{
		Name:   "replays-everything",
		Bug:    "A subscriber that comes back gets the whole history, whatever position it names.",
		SeenIn: "feder-cr/invisible_playwright_mcp#1263",
		Kills:  []string{"delivery.unique"},
		May: []May{
			{"delivery.resumable", "delivery does not go on where it stopped"},
			{"delivery.ordered", "what was published before the first subscription comes behind what was published after it"},
		},
		Scenario: "drops",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Start: func(ask broker.Ask, _ string, first, oldest, _ uint64) uint64 {
				if ask.Resume == broker.ResumeExact {
					return oldest
				}
				return first
			}}
		},
	},
	{
		Name:   "forgets-early",
		Bug:    "The history holds two messages of a stream where ten thousand are promised.",
		SeenIn: "plausible: a limit in bytes evicts before the promised number is reached",
		Kills:  []string{"delivery.complete"},
		May: []May{
			{"delivery.resumable", "delivery does not go on where it stopped"},
			{"latency.p99", "a lost message is infinitely late"},
			{"resume.gap_p99", "the gap is never closed"},
		},
		Scenario: "drops",
		Broker:   func(c *broker.Config) { c.HistoryEvents = 2 },
	},
	{
		Name:     "silent-gap-after-eviction",
		Bug:      "A subscriber whose position is too old gets the oldest retained event next and is not told of the hole.",
		SeenIn:   "whatwg/html#8297; slact/nchan#305",
		Kills:    []string{"delivery.resumable"},
		Scenario: "eviction",
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Gap: func(*broker.Subscriber, string, string) bool { return false }}
		},
	},
	{
		Name:     "slow-replay",
		Bug:      "What a subscriber missed comes three seconds after it is back.",
		SeenIn:   "lezli01/vincent#188: replay waits for the only database connection",
		Kills:    []string{"resume.gap_p99"},
		Scenario: "patient-drops",
		Broker: func(c *broker.Config) {
			lanes := new(each[lane])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if to.Resume != broker.ResumeExact {
					return []broker.Event{ev}
				}
				lanes.of(to).hold(to, ev, max(0, 3*time.Second-time.Since(to.Joined)))
				return nil
			}}
		},
	},
	{
		Name:   "drain-drops-queue",
		Bug:    "What is queued when the broker drains is thrown away, and so is the history that could replace it.",
		SeenIn: "plausible: shutdown throws queues away with the process that held them",
		Kills:  []string{"delivery.complete"},
		May: []May{
			{"delivery.resumable", "delivery does not go on where it stopped"},
			{"latency.p99", "a lost message is infinitely late"},
			{"resume.gap_p99", "the gap is never closed"},
		},
		Scenario: "deploy",
		Broker:   dropAtDrain,
	},
}

// atSeam says whether ev was published while to, which resumed, was being placed.
func atSeam(to *broker.Subscriber, ev broker.Event) bool {
	return to.Resume == broker.ResumeExact && ev.Sequence > to.Sequence && time.Since(to.Joined) < seam
}

// dropAtDrain sends every message a little later, so that there is always a queue, and drops queue and history at a drain.
func dropAtDrain(c *broker.Config) {
	lanes := new(each[lane])
	var newest, drained atomic.Uint64
	c.Tamper = &broker.Tamper{
		Store: func(ev broker.Event) bool {
			newest.Store(ev.Sequence)
			return true
		},
		Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			lanes.of(to).hold(to, ev, seam)
			return nil
		},
		Drain: func(to *broker.Subscriber) bool {
			lanes.of(to).discard()
			drained.Store(newest.Load())
			return true
		},
		Start: func(ask broker.Ask, _ string, first, _, newest uint64) uint64 {
			if ask.Resume == broker.ResumeExact && sequenceOf(ask.LastEventID) < drained.Load() {
				return newest + 1
			}
			return first
		},
	}
}

// sequenceOf reads the sequence out of a position of the reference broker.
func sequenceOf(id string) uint64 {
	_, digits, _ := strings.Cut(id, "-")
	sequence, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0
	}
	return sequence
}
