package server

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// Case decides one requirement of a server.
type Case struct {
	Requirement string
	On          string           // the ground it stands on; "" for that of its area
	Turn        conformance.Turn // beside whom it runs
	Asks        int              // about how many messages it publishes, where those are hundreds
	Run         func(t *Trial)
}

// The turns, in one word.
const (
	waiting    = conformance.Waiting
	provoking  = conformance.Provoking
	stalling   = conformance.Stalling
	demanding  = conformance.Demanding
	disturbing = conformance.Disturbing
)

// Options are how the cases are run. The zero value runs all that apply to a broker.
type Options struct {
	Profile   conformance.Profile // "" means sse-broker
	Only      []string            // ids and areas
	Parallel  int                 // cases at once; 0 means 16
	Once      bool                // the caller repeats what is unknown, if it matters
	Arrival   time.Duration       // how long something may take that must come; 0 means 10 s
	Hold      time.Duration       // how long streams are held at least, and what takes long is waited for; 0 means as long as a check takes anyway
	Memory    *memory.Budget      // nil: that of the process
	Seed      uint64
	Parameter func(requirement, name string) (value string, ok bool)
	Next      func(r *conformance.Requirement) string
	Report    func(v conformance.Verdict)
}

// suite is one check of one subject.
type suite struct {
	subject *Subject
	arrival time.Duration
	hold    time.Duration
	run     string // in every name, so that two checks of one subject do not meet
	names   atomic.Uint64
	stock   stock           // what connections and subscribers keep
	owners  sync.Map        // token → client
	clients sync.Map        // that have subscribed
	asked   map[string]bool // the requirements that are judged
	primer  string          // begins the data of what is published to make a head come

	held      bool  // the subject holds the head back until there is an event
	obstacle  error // why no stream could be opened; nil when one could
	mute      bool  // not even the head of a response comes
	delivers  bool  // plain messages arrive
	patience  patience
	streams   atomic.Int64 // open and read by cases
	openings  openings
	multitude atomic.Pointer[multitude] // the newest that nobody has judged for what was late
	retries   retries
	room      room
	joined    *conformance.Suite
}

// Check judges the subject by all cases that apply, in the order of the catalogue, and says how the harness fared.
func Check(ctx context.Context, subject *Subject, cases []Case, o Options) ([]conformance.Verdict, conformance.Health, error) {
	s := &suite{subject: subject, arrival: cmp.Or(o.Arrival, usualArrival), hold: o.Hold, run: fmt.Sprintf("%06x", (o.Seed^uint64(time.Now().UnixNano()))&0xffffff)}
	s.stock.budget = o.Memory
	s.primer = "streamgauge-" + s.run + "-primer"
	joined := s.join(o)
	s.asked = askedOf(subject, cases, joined)
	if subject.Shared && subject.Publish != nil {
		joined.Parallel = 1 // everything that one case publishes is seen by the others
	}
	for _, c := range cases {
		joined.Cases = append(joined.Cases, conformance.Case{
			Requirement: c.Requirement, On: c.On, Turn: c.Turn, Asks: c.Asks,
			Run: func(t *conformance.Trial) {
				c.Run(&Trial{Trial: t, Subject: subject, suite: s, turn: c.Turn, arrival: s.patience.now(s.arrival)})
			},
		})
	}
	return joined.Run(ctx)
}

// Levels are those that the requirements have for the subject, checked with these options.
func Levels(subject *Subject, o Options) func(r *conformance.Requirement) conformance.Level {
	s := &suite{subject: subject, hold: o.Hold}
	return s.join(o).LevelOf
}

// join makes the suite of all subjects one for this one, without its cases.
func (s *suite) join(o Options) *conformance.Suite {
	s.joined = &conformance.Suite{
		Profile: cmp.Or(o.Profile, conformance.ProfileBroker), Only: o.Only, Holds: s.subject.Declares, Lacks: s.subject.lacks,
		Parameter: s.parameters(o.Parameter), Next: o.Next, Parallel: o.Parallel, Once: o.Once, Report: o.Report,
		Grounds: s.grounds(), Lost: s.lost, Answers: s.answers, Revive: s.subject.Restart, Processor: s.subject.Processor, Contention: conformance.NewContention(s.subject.Processes),
	}
	return s.joined
}

// name makes a name that is safe wherever it may be put, and that no other name begins with.
func (s *suite) name(kind string) string {
	return fmt.Sprintf("streamgauge-%s-%d%s", s.run, s.names.Add(1), kind)
}

func (s *suite) parameters(set func(id, name string) (string, bool)) func(id, name string) (string, bool) {
	return func(id, name string) (string, bool) {
		if set != nil {
			if value, ok := set(id, name); ok {
				return value, true
			}
		}
		value, ok := s.subject.Parameters[id][name]
		if slices.Contains(held, name) && s.hold > s.usual(id, name, value) {
			return s.hold.String(), true
		}
		return value, ok
	}
}

// usual is how long a stream is held without being asked to: as declared, or by default.
func (s *suite) usual(id, name, declared string) time.Duration {
	if r := conformance.RequirementByID(id); declared == "" && r != nil {
		declared = r.Parameters[name]
	}
	d, _ := time.ParseDuration(declared) // what is no duration is no bound
	return d
}

// held are the parameters that say how long a stream is held.
var held = []string{"hold", "lifetime"}

// usualHold is what a check waits for when nothing more is asked for: so long it takes anyway.
const usualHold = 40 * time.Second

// longest is how much of a long wait there is time for.
func (t *Trial) longest(wanted time.Duration) time.Duration {
	return min(wanted, max(usualHold, t.suite.hold))
}
