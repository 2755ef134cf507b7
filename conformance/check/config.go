package check

import (
	"slices"
	"time"
)

// Config is everything a Judge must know beside the observations: who follows what, what the target promises, what is expected.
// It is plain data, so that a history carries it and can be judged again. Durations are nanoseconds in JSON.
type Config struct {
	Scenario    string        `json:"scenario"`
	Run         string        `json:"run"`
	Streams     []string      `json:"streams"`
	Publishers  []int32       `json:"publishers"` // how many publish to each stream
	Subscribers []Subscriber  `json:"subscribers"`
	First       int32         `json:"first,omitempty"` // index of Subscribers[0] in the whole plan: above 0 in a shard
	Steps       []Step        `json:"steps,omitempty"` // the timeline; every one of them must bite
	Target      Target        `json:"target"`
	Expect      Expect        `json:"expect"`
	Duration    time.Duration `json:"duration"` // planned, with settle: bounds the series kept per second
	// Remote says that some publishers run in another shard. Numbers beyond what this judge knows to be published are then not
	// called phantom when they arrive but when the ledgers have been joined. What is decided on the way by when a publisher
	// sent something, a history limit in time and what a slow policy may leave out, needs the publishers in the same shard; and what a
	// stream that ended in vain should have brought is counted without asking which of it was acknowledged.
	Remote bool `json:"remote,omitempty"`
}

// Subscriber is one planned subscriber. Its index in the whole plan is the one that observations use.
type Subscriber struct {
	Name    string  `json:"name,omitempty"` // empty: its index
	Streams []int32 `json:"streams"`        // what it follows, ascending
	Slow    bool    `json:"slow,omitempty"` // planned to read slowly for some of the run
}

// Step is one planned entry of the timeline.
type Step struct {
	Name        string        `json:"name"`
	At          time.Duration `json:"at"`
	Subscribers int           `json:"subscribers"`    // how many it concerns; 0 for a fault on the target
	Text        string        `json:"text,omitempty"` // as the scenario says it
	// Lasting says that its fault goes on until FaultEnd, whatever becomes of the connection. Any other ends with the connection.
	Lasting bool `json:"lasting,omitempty"`
	// Slows says that it makes its subscribers read slowly, as SlowBegin and SlowEnd do.
	Slows bool `json:"slows,omitempty"`
	// Load names the part of the load that this stands for and that has to take effect as a step has: slow, token_life, return_on.
	Load    string   `json:"load,omitempty"`
	Effect  string   `json:"effect,omitempty"`  // what was seen of it where it took effect
	Without string   `json:"without,omitempty"` // what it means that it took none
	Rests   []string `json:"rests,omitempty"`   // the verdicts that rest on it; none: all
}

// Target is what the target promises.
type Target struct {
	Blind      bool          `json:"blind,omitempty"` // nothing says how its memory is seen
	Resume     bool          `json:"resume"`
	SlowPolicy string        `json:"slow_policy,omitempty"` // disconnect | drop | coalesce | block
	Events     int           `json:"events,omitempty"`      // history limit in messages per stream; 0: none declared
	Age        time.Duration `json:"age,omitempty"`         // history limit in time; 0: none declared
	Announces  bool          `json:"announces,omitempty"`   // tells in-band when it cannot continue from a position
	TotalOrder bool          `json:"total_order"`           // all subscribers of a stream agree on one order
}

// Expect is what must hold. A zero field is not judged.
type Expect struct {
	Delivery   []string        `json:"delivery,omitempty"` // names of Guarantees
	Stalled    time.Duration   `json:"stalled,omitempty"`  // alive: how long an owed message may be missing; 0: DefaultStalled
	Greeting   string          `json:"greeting,omitempty"` // data of the first event of each connection
	Latency    []Quantile      `json:"latency,omitempty"`
	Calm       []Quantile      `json:"calm,omitempty"` // latency while nothing goes wrong
	FirstEvent []Quantile      `json:"first_event,omitempty"`
	Connect    []Quantile      `json:"connect,omitempty"`
	Failed     *int            `json:"connect_failed,omitempty"`    // most subscribers whose first attempt may fail
	Within     time.Duration   `json:"reconnect_within,omitempty"`  // loss to ready
	Backoff    bool            `json:"reconnect_backoff,omitempty"` // delays keep to the bounds that come with each Wait
	Peak       float64         `json:"reconnect_peak,omitempty"`    // most reconnects in any second, as a share of the subscribers
	ResumeGap  []Quantile      `json:"resume_gap,omitempty"`
	Heartbeat  time.Duration   `json:"heartbeat,omitempty"`          // longest silence on an open connection
	Declared   bool            `json:"heartbeat_declared,omitempty"` // it is the target's own promise
	Spread     []Quantile      `json:"fan_out_spread,omitempty"`
	Bystanders float64         `json:"bystanders,omitempty"` // p99 of the undisturbed, as a factor of the undisturbed phase's
	MemoryMax  int64           `json:"memory_max,omitempty"` // bytes
	Growth     float64         `json:"memory_growth,omitempty"`
	Sessions   int             `json:"sessions_live,omitempty"` // most live connections of one subscriber
	Expiry     time.Duration   `json:"expiry,omitempty"`        // longest life of a stream beyond its token's
	Schemas    map[string]bool `json:"schemas,omitempty"`       // event types whose payloads have a schema: judged as well-formed
}

// Quantile bounds one percentile of a distribution.
type Quantile struct {
	Percent float64       `json:"percent"` // in (0, 100]; 100 is the maximum
	AtMost  time.Duration `json:"at_most"`
}

func (e *Expect) stalled() time.Duration {
	if e.Stalled > 0 {
		return e.Stalled
	}
	return DefaultStalled
}

// silence is the longest silence allowed: the interval, and what a correct sender's timer and a busy machine need. 0: any.
func (e *Expect) silence() time.Duration {
	if e.Heartbeat == 0 {
		return 0
	}
	return e.Heartbeat + e.Heartbeat/4 + delayLate
}

// wants says whether a guarantee is asked for. Naming a schema asks for well-formed.
func (e *Expect) wants(guarantee string) bool {
	return slices.Contains(e.Delivery, guarantee) || guarantee == "well-formed" && len(e.Schemas) > 0
}
