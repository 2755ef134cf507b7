// Package scenarios holds the scenario and target formats: parsing, validation and planning. It is pure: it opens no socket,
// reads no clock, and one seed decides everything random in a plan.
package scenarios

import (
	"time"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

// Scenario is a workload with its expectations, as a scenario file describes it after defaults were filled in.
type Scenario struct {
	Name     string
	About    string
	Needs    []Capability
	Load     Load
	Broker   Broker // settings of the embedded reference broker; a real target is configured by its owner
	Timeline []Step
	Duration time.Duration
	Settle   time.Duration
	Expect   Expect
	Source   string // the document this was read from, after overrides, in canonical YAML; variables are not replaced in it
}

// Capability is an optional ability that a target declares.
type Capability string

const (
	CanPublish   Capability = "publish"
	CanResume    Capability = "resume"
	CanHeartbeat Capability = "heartbeat"
	CanAuth      Capability = "auth"
	CanRestart   Capability = "restart"
	CanDrain     Capability = "drain"
	CanGreet     Capability = "greet"    // sends an event of its own at the start of each connection
	CanPing      Capability = "ping"     // sends application-visible pings
	CanFarewell  Capability = "farewell" // announces the end of a session in-band
	CanObserve   Capability = "observe"  // its memory can be seen
	CanDurable   Capability = "durable"  // what it acknowledged survives its restart
)

// Load is what subscribers and publishers do.
type Load struct {
	Streams          int
	Subscribers      int
	Follow           int // streams per subscriber
	Groups           []string
	Ramp             Ramp
	Publish          Publish
	Reconnect        policy.Policy
	HeartbeatTimeout time.Duration // 0: none
	TimeScale        float64       // multiplies the policy's times and the heartbeat timeout
	Slow             Slow
	Compressed       Share         // of the subscribers, which ask for what a browser asks for
	ReturnOn         string        // event type after which a subscriber closes and comes back
	TokenLife        time.Duration // how long a minted token lives
	ConnectTimeout   time.Duration
}

// Arrivals is how points in time are spread.
type Arrivals string

const (
	Uniform Arrivals = "uniform"
	Poisson Arrivals = "poisson"
	AtOnce  Arrivals = "at-once"
)

// Ramp is how subscribers arrive.
type Ramp struct {
	Over     time.Duration
	Arrivals Arrivals
}

// Publish is the open-loop publishing load over all streams together.
type Publish struct {
	Rate       float64 // messages per second, all streams together
	Arrivals   Arrivals
	Size       int64          // bytes of each payload; 0: they vary
	Types      map[string]int // event type → weight; empty: no type
	Publishers int            // per stream; with more than one, order is judged per publisher
	Payload    Payload
}

// Payload is the shape of what is published.
type Payload string

const (
	PayloadToken Payload = "token" // the token and text, as far as the target carries it
	PayloadJSON  Payload = "json"  // a JSON object that carries type, stream, number and the token, which holds text as well

	PayloadText  Payload = "text"  // of a target: any text but NUL
	PayloadLine  Payload = "line"  // of a target: text without line breaks
	PayloadASCII Payload = "ascii" // of a target: letters, digits and signs that no envelope escapes
)

// Slow is a share of subscribers that reads slowly at the socket for the whole run.
type Slow struct {
	Share Share
	Read  Bytes // per second
}

// Share is a fraction of a whole, 0 to 1.
type Share float64

// Bytes is a size, or a rate where a field says per second.
type Bytes int64

// SlowPolicy is what a target promises to do with a subscriber that does not keep up.
type SlowPolicy string

const (
	SlowDisconnect SlowPolicy = "disconnect"
	SlowDrop       SlowPolicy = "drop"
	SlowCoalesce   SlowPolicy = "coalesce"
	SlowBlock      SlowPolicy = "block"
)

// Broker configures the embedded reference broker for a scenario. Zero values are the broker's own defaults.
type Broker struct {
	Heartbeat  time.Duration
	History    int
	SlowPolicy SlowPolicy
	Queue      int
	Retry      time.Duration
	Greeting   string // data of the event sent first on each connection
	Ping       time.Duration
	Session    time.Duration // after which the broker says farewell and ends the connection
	Farewell   string        // type of the farewell event
}

// Step is one entry of the timeline.
type Step struct {
	At      time.Duration
	Fault   string
	Share   Share // of the subscribers; 0 for faults on the target
	For     time.Duration
	Delay   time.Duration // latency
	Jitter  time.Duration // latency
	Read    Bytes         // slow: bytes per second
	Command []string      // restart, drain: overrides the target's own
	Line    int           // where it stands in the file
}

// Expect is what must hold. A nil field is not judged.
type Expect struct {
	Delivery   []string          // guarantees: ordered, unique, complete, isolated, intact, resumable, alive, latest
	Schemas    map[string]string // event type → JSON Schema text; judged as well-formed
	Greeting   string            // data of the first event of each connection
	Latency    Quantiles         // over expected deliveries, from the due time
	FirstEvent Quantiles         // time to first event
	Connect    *ConnectBudget
	Reconnect  *ReconnectBudget
	Resume     *ResumeBudget
	Heartbeat  *HeartbeatBudget
	Calm       *CalmBudget
	FanOut     *FanOutBudget
	Bystanders *BystandersBudget
	Memory     *MemoryBudget
	Sessions   *SessionsBudget
	Expiry     *ExpiryBudget
	Stalled    time.Duration // alive: how long an owed message may be missing on an open connection
}

// Quantiles maps a percentile in (0, 100] to the most it may be; max is 100.
type Quantiles map[float64]time.Duration

// ConnectBudget bounds first connections.
type ConnectBudget struct {
	Latency Quantiles
	Failed  *int // most failed first attempts
}

// ReconnectBudget bounds coming back after a loss.
type ReconnectBudget struct {
	Within  time.Duration // loss to ready, 0: not judged
	Backoff bool          // delays conform to load.reconnect
	Peak    Share         // largest share of subscribers reconnecting in any second, 0: not judged
}

// ResumeBudget bounds catching up after a loss.
type ResumeBudget struct {
	Gap Quantiles // loss of a connection to the last missed message's arrival
}

// HeartbeatBudget bounds silence.
type HeartbeatBudget struct {
	Every time.Duration // longest silence on an open connection
}

// CalmBudget bounds latency while nothing goes wrong.
type CalmBudget struct {
	Latency Quantiles
}

// FanOutBudget bounds how far apart the subscribers of a stream receive one message.
type FanOutBudget struct {
	Spread Quantiles // first to last delivery of one message
}

// BystandersBudget bounds what slow or disturbed subscribers cost the others.
type BystandersBudget struct {
	LatencyP99 float64 // factor against the same run's undisturbed phase
}

// MemoryBudget bounds the memory of the target. A zero is not judged.
type MemoryBudget struct {
	Max    Bytes
	Growth Share // over the steady phase
}

// ExpiryBudget bounds how long a stream may outlive the token that it was opened with.
type ExpiryBudget struct {
	Within time.Duration
}

// SessionsBudget bounds the connections of one subscriber.
type SessionsBudget struct {
	Live int // most live connections of one subscriber
}
