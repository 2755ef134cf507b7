package scenarios

import "time"

// Plan is everything a run will do, decided before it starts: one scenario, one target and one seed always give the same plan.
type Plan struct {
	Scenario    *Scenario
	Target      *Target // nil: the embedded reference broker
	Seed        uint64
	Run         string // short id of the run, derived from the seed
	Streams     []string
	Subscribers []Subscriber
	Publishers  []Publisher
	Timeline    []PlannedStep
}

// Subscriber is the plan of one subscriber.
type Subscriber struct {
	Index   int32
	Start   time.Duration // when it first connects
	Streams []int32       // what it follows
	Group   int32         // index into Load.Groups, −1 without
	Slow    bool
	Seed    uint64 // decides its reconnect jitter

	Compressed bool // it accepts compression
}

// Publisher publishes to one stream, one message after the other.
type Publisher struct {
	Stream int32
	Index  int32 // among the stream's publishers
	Seed   uint64
	Rate   float64 // messages per second
}

// PlannedStep is a timeline step with the subscribers it concerns, in ascending order.
type PlannedStep struct {
	Step
	Index       int32
	Subscribers []int32
	Seed        uint64
}
