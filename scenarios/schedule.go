package scenarios

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Message is one entry of a publisher's schedule.
type Message struct {
	Number uint64        // from 1, dense per stream and publisher
	Due    time.Duration // since the start of the run
	Type   string        // event type, "" for none
}

// Schedule yields the messages of one publisher in order, fixed before the run: it never looks at a clock, so a publisher that
// falls behind still knows when each message was due. It is not safe for concurrent use and takes constant memory.
type Schedule struct {
	rnd      *rand.Rand
	rate     float64 // per second
	poisson  bool
	end      time.Duration
	types    []weighted
	weight   int
	number   uint64
	phase    float64 // uniform: the share of an interval before the first message
	arrivals float64 // poisson: intervals passed so far, in units of the mean
}

type weighted struct {
	name   string
	weight int
}

// Schedule returns the schedule of one of the plan's publishers, from the start of the run to the scenario's duration.
func (p *Plan) Schedule(publisher Publisher) *Schedule {
	load := p.Scenario.Load.Publish
	rnd := random(publisher.Seed)
	s := &Schedule{rnd: rnd, rate: publisher.Rate, poisson: load.Arrivals == Poisson, end: p.Scenario.Duration, phase: rnd.Float64()}
	for _, name := range slices.Sorted(maps.Keys(load.Types)) {
		s.weight += load.Types[name]
		s.types = append(s.types, weighted{name, s.weight})
	}
	return s
}

// Next returns the next message, or false when the schedule is over.
func (s *Schedule) Next() (Message, bool) {
	if s.rate <= 0 {
		return Message{}, false
	}
	due := s.due()
	if due >= s.end {
		return Message{}, false
	}
	s.number++
	return Message{Number: s.number, Due: due, Type: s.draw()}, true
}

// due computes from the start of the schedule, not from the message before, so that nothing adds up.
func (s *Schedule) due() time.Duration {
	at := s.phase + float64(s.number)
	if s.poisson {
		s.arrivals += s.rnd.ExpFloat64()
		at = s.arrivals
	}
	seconds := at / s.rate
	if seconds >= s.end.Seconds() {
		return s.end
	}
	return time.Duration(seconds * float64(time.Second))
}

func (s *Schedule) draw() string {
	if s.weight == 0 {
		return ""
	}
	drawn := s.rnd.IntN(s.weight)
	i, _ := slices.BinarySearchFunc(s.types, drawn+1, func(w weighted, want int) int { return cmp.Compare(w.weight, want) })
	return s.types[i].name
}
