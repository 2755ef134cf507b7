package conformance

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
)

// ResultVersion is the version of result.json. Fields are only ever added.
const ResultVersion = 1

// Kind names the command family that made a result.
type Kind string

const (
	KindRun         Kind = "run"
	KindCheck       Kind = "check"
	KindCheckClient Kind = "check-client"
	KindCapacity    Kind = "capacity"
	KindMutants     Kind = "mutants"
)

// Result is one judged execution: what result.json holds and what every report is made from.
type Result struct {
	Version  int           `json:"version"`
	Kind     Kind          `json:"kind"`
	Outcome  Outcome       `json:"outcome"`
	Subject  Subject       `json:"subject"`
	Seed     uint64        `json:"seed"`
	Started  time.Time     `json:"started"`
	Duration Duration      `json:"duration"`
	Verdicts []Verdict     `json:"verdicts"`
	Measures []Measure     `json:"measures"`
	Health   Health        `json:"health"`
	Runs     []ScenarioRun `json:"runs,omitempty"`
	Matrix   []MatrixRow   `json:"matrix,omitempty"`
	Command  string        `json:"command,omitempty"` // the command line that repeats it
	Tool     string        `json:"tool,omitempty"`    // name and version of the harness

	Capacity   *Capacity   `json:"capacity,omitempty"`   // what a search for the most that is carried has found
	Comparison *Comparison `json:"comparison,omitempty"` // what `compare` found
	Storms     []Storm     `json:"storms,omitempty"`     // as they were simulated, one for each policy
}

// Subject is what was judged.
type Subject struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`              // target | client | reference
	Protocol string `json:"protocol"`          // sse
	URL      string `json:"url,omitempty"`     // without secrets
	Version  string `json:"version,omitempty"` // as it reported itself
}

// ScenarioRun is the outcome of one scenario of a result.
type ScenarioRun struct {
	Scenario    string   `json:"scenario"`
	About       string   `json:"about,omitempty"`
	Outcome     Outcome  `json:"outcome"`
	Reason      string   `json:"reason,omitempty"`
	Plan        string   `json:"plan"` // fingerprint of the plan: equal for equal scenario, target and seed
	Subscribers int      `json:"subscribers"`
	Streams     int      `json:"streams"`
	Published   uint64   `json:"published"`             // acknowledged messages
	Expected    uint64   `json:"expected"`              // owed deliveries
	Delivered   uint64   `json:"delivered"`             // owed deliveries that arrived
	Lost        uint64   `json:"lost,omitempty"`        // owed deliveries that never arrived
	Outstanding uint64   `json:"outstanding,omitempty"` // owed deliveries that had not arrived when the run ended
	Held        uint64   `json:"held,omitempty"`        // of the outstanding ones, those that the harness itself kept back: a slow reader, a fault in effect
	Duration    Duration `json:"duration"`
	Interrupted bool     `json:"interrupted,omitempty"`
	Health      Health   `json:"health"`

	Source string      `json:"source,omitempty"` // the scenario as it was run, in YAML, without secrets
	Series []Series    `json:"series,omitempty"` // second by second
	Curves []Curve     `json:"curves,omitempty"` // by percentile
	Faults []FaultBand `json:"faults,omitempty"` // in the order they began

	Effects []Effect `json:"effects,omitempty"` // what was seen of the effect of faults, and of what else the load does to connections
}

// Verdict is what is said of one promise: a requirement, a guarantee or a budget.
type Verdict struct {
	ID       string    `json:"id"`                 // delivery.complete, latency.p99, SSE-FORM-003, …
	Scenario string    `json:"scenario,omitempty"` // which scenario it was judged in
	Title    string    `json:"title,omitempty"`    // the promise in one sentence
	Source   string    `json:"source,omitempty"`   // where the promise is written down
	Level    Level     `json:"level"`
	Outcome  Outcome   `json:"outcome"`
	Reason   string    `json:"reason,omitempty"` // required for unknown and skip
	Checked  uint64    `json:"checked"`          // samples the verdict rests on
	Expected string    `json:"expected"`
	Actual   string    `json:"actual"`
	Next     string    `json:"next,omitempty"` // what to do next, one sentence
	Findings []Finding `json:"findings,omitempty"`
	Repeat   []string  `json:"repeat,omitempty"` // command lines that show it again, to be copied
	Delays   []Delay   `json:"delays,omitempty"` // of a client's reconnections, where they were measured
	Power    *Power    `json:"power,omitempty"`  // of a pass that rests on samples: what would have shown
}

// Delay is how long a client stayed away before one attempt, from the loss of its connection or the failure of the attempt before, beside
// what it was allowed. Times are in milliseconds.
type Delay struct {
	Client  int     `json:"client,omitempty"` // which of several subscriptions, from 1; absent where there was one
	Attempt int     `json:"attempt"`          // 1 is the first after its first loss
	MS      float64 `json:"ms"`
	LowMS   float64 `json:"low_ms"`
	HighMS  float64 `json:"high_ms,omitempty"` // absent: no bound
}

// Finding is one kind of misbehaviour with its count and one worked example.
type Finding struct {
	Name        string   `json:"name"`                  // the anomaly: lost, duplicated, … or a short name of the deviation
	Count       uint64   `json:"count"`                 // how often it was seen
	Text        string   `json:"text"`                  // what happened, in one sentence
	Pattern     string   `json:"pattern,omitempty"`     // what all of them have in common, in one sentence, where chance does not explain it
	AtMS        float64  `json:"at_ms,omitempty"`       // when the example was, from the run's start; of what was lost, when it was due
	Subscribers int      `json:"subscribers,omitempty"` // how many it happened to, where that was counted
	Subscriber  string   `json:"subscriber,omitempty"`
	Connection  int      `json:"connection,omitempty"` // 1 is the subscriber's first
	Stream      string   `json:"stream,omitempty"`
	Number      uint64   `json:"number,omitempty"` // the message's number in its stream
	Expected    string   `json:"expected,omitempty"`
	Actual      string   `json:"actual,omitempty"`
	Evidence    []string `json:"evidence,omitempty"` // the observations or bytes around it, in order
}

// Measure is one measured quantity. Value is in Unit; durations are in milliseconds ("ms").
type Measure struct {
	Name     string             `json:"name"` // latency, latency.uncorrected, connect, resume.gap, publish.rate, …
	Scenario string             `json:"scenario,omitempty"`
	Unit     string             `json:"unit"`
	Samples  uint64             `json:"samples"`
	Missing  uint64             `json:"missing,omitempty"` // expected samples that never came: infinitely late
	Value    float64            `json:"value"`             // the mean for distributions
	Min      float64            `json:"min,omitempty"`
	Max      float64            `json:"max,omitempty"`
	Quantile map[string]float64 `json:"quantile,omitempty"` // p50, p90, p99, p99.9; absent where infinite
	Series   []float64          `json:"series,omitempty"`   // one value per second of the run, where kept
}

// Health is the harness's account of itself.
type Health struct {
	OK             bool     `json:"ok"`
	Problems       []string `json:"problems,omitempty"` // each one sentence: what was saturated and what it makes unknown
	PublishLateP99 float64  `json:"publish_late_p99_ms"`
	LagP50         float64  `json:"lag_p50_ms"` // how late a timer of ours fired
	LagP99         float64  `json:"lag_p99_ms"`
	LagMax         float64  `json:"lag_max_ms"` // including publishes that our own fault delayed
	CPU            float64  `json:"cpu"`        // share of all cores used by this process, 0 to 1
	GCPauseMax     float64  `json:"gc_pause_max_ms"`
	MemoryBytes    uint64   `json:"memory_bytes"` // largest resident size seen
	SendFailures   uint64   `json:"send_failures"`
	KernelDrops    uint64   `json:"kernel_drops,omitempty"`     // packets of this machine that its kernel dropped
	ListenOverflow uint64   `json:"listen_overflows,omitempty"` // connections that it did not take, since the queue of those that wait was full
	Contention     []HeldUp `json:"contention,omitempty"`       // by the length of a period; absent where next to nothing was held up
	Drops          uint64   `json:"drops"`                      // observations the harness could not keep
	Goroutines     int      `json:"goroutines"`
	Crash          string   `json:"crash,omitempty"` // what the harness itself panicked with
}

// Crashed notes a crash of the harness; nil is none.
func (h *Health) Crashed(c *crash.Crash) {
	if c == nil {
		return
	}
	h.OK, h.Crash = false, c.Text
	h.Problems = append(h.Problems, c.Error())
}

// Duration is a time.Duration that is written as text ("1.5s") in JSON.
type Duration time.Duration

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes the duration as time.Duration does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}
