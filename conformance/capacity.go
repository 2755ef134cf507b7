package conformance

import (
	"strconv"
	"strings"
)

// CapacityLimit says what ended the search for a line.
type CapacityLimit string

const (
	LimitTarget      CapacityLimit = "target"      // beyond the line the target breaks a promise
	LimitHarness     CapacityLimit = "harness"     // the harness could not put on more load, or not judge it
	LimitRange       CapacityLimit = "range"       // the highest load that was asked for was carried
	LimitUnknown     CapacityLimit = "unknown"     // beyond the line nothing could be judged, and not by the harness's fault
	LimitInterrupted CapacityLimit = "interrupted" // somebody ended the search
)

// Capacity is the most that a target carries while every expectation of a scenario holds, and what that rests on. Values of the varied key
// are numbers; Unit is what follows them in a scenario file.
type Capacity struct {
	Scenario  string  `json:"scenario"`
	Key       string  `json:"key"`            // the scenario key that was varied: load.subscribers
	Unit      string  `json:"unit,omitempty"` // "" for a count, "/s" for a rate
	From      float64 `json:"from"`
	To        float64 `json:"to"`
	Precision float64 `json:"precision"` // relative width at which the search stops, 0 to 1
	Repeat    int     `json:"repeat"`    // runs at each value next to the line
	AtLeast   float64 `json:"at_least,omitempty"`
	Reserve   float64 `json:"reserve"` // share of each node that the extrapolation keeps free, 0 to 1

	Line   float64       `json:"line"`           // the highest value that was carried; 0: none of those tried
	Low    float64       `json:"low,omitempty"`  // the highest value at which every run held; 0: there is none
	High   float64       `json:"high,omitempty"` // the lowest value above Line that was not carried; 0: there is none
	Limit  CapacityLimit `json:"limit"`
	Reason string        `json:"reason"`           // why the search ended there, one sentence
	Beyond *Verdict      `json:"beyond,omitempty"` // the first promise that breaks at High, as it was judged there

	Headroom      []CapacityHeadroom      `json:"headroom,omitempty"` // at Line, the scarcest first
	Observed      string                  `json:"observed,omitempty"` // how the target's memory and CPU were seen; "" when they were not
	Costs         []CapacityCost          `json:"costs,omitempty"`
	Scaling       *CapacityScaling        `json:"scaling,omitempty"`
	Extrapolation []CapacityExtrapolation `json:"extrapolation,omitempty"`
	Assumptions   []string                `json:"assumptions,omitempty"` // of the extrapolation, each one sentence
	Steps         []CapacityStep          `json:"steps"`                 // in the order they were run
}

// CapacityStep is one judged run at one value.
type CapacityStep struct {
	Value   float64  `json:"value"`
	Trial   int      `json:"trial"` // 1 is the first at this value
	Phase   string   `json:"phase"` // raise | close-in | repeat
	Seed    uint64   `json:"seed"`
	Outcome Outcome  `json:"outcome"`
	Reason  string   `json:"reason,omitempty"`  // why nothing could be said
	Final   bool     `json:"final,omitempty"`   // a guarantee failed: nothing above this value can be the line, whatever repeats say
	Harness bool     `json:"harness,omitempty"` // nothing could be said because of the harness
	Broken  *Verdict `json:"broken,omitempty"`  // the first promise that failed
	Failed  []string `json:"failed,omitempty"`  // the ids of all that failed

	Subscribers int      `json:"subscribers"`
	Published   uint64   `json:"published"`                // acknowledged messages
	Expected    uint64   `json:"expected"`                 // owed deliveries
	Delivered   uint64   `json:"delivered"`                // owed deliveries that arrived
	Throughput  float64  `json:"deliveries_per_s"`         // over the steady phase; 0: not known
	LatencyP50  *Sample  `json:"latency_p50_ms,omitempty"` // of expected deliveries; absent without any
	LatencyP99  *Sample  `json:"latency_p99_ms,omitempty"`
	MemoryBytes uint64   `json:"memory_bytes,omitempty"` // resident memory of the target: median over the steady phase
	CPU         float64  `json:"cpu_cores,omitempty"`    // processors the target kept busy over the steady phase
	HarnessCPU  float64  `json:"harness_cpu"`            // share of all cores used by the harness, 0 to 1
	Duration    Duration `json:"duration"`
	File        string   `json:"file,omitempty"` // beside result.json, with the whole result of this run
}

// CapacityHeadroom is how far one budget was from its bound at the line: the run that came closest.
type CapacityHeadroom struct {
	ID       string  `json:"id"` // of the budget: latency.p99
	Expected string  `json:"expected"`
	Actual   string  `json:"actual"`
	Left     float64 `json:"left"` // share of the bound that was not used, 0 to 1
}

// CapacityCost is a straight line through what the target used: Base + Slope × value. The bounds are those of a 95 % confidence interval.
type CapacityCost struct {
	Of        string  `json:"of"`   // memory | cpu
	Unit      string  `json:"unit"` // bytes | cores
	Per       string  `json:"per"`  // what one of the varied key is: connection
	Base      float64 `json:"base"`
	BaseLow   float64 `json:"base_low"`
	BaseHigh  float64 `json:"base_high"`
	Slope     float64 `json:"slope"`
	SlopeLow  float64 `json:"slope_low"`
	SlopeHigh float64 `json:"slope_high"`
	R2        float64 `json:"r2"`
	Points    int     `json:"points"`
}

// CapacityScaling is the Universal Scalability Law, fitted to throughput: X(N) = λN / (1 + σ(N−1) + κN(N−1)), with N the varied key.
// The bounds are those of a 95 % confidence interval; a coefficient at its bound of zero has none.
type CapacityScaling struct {
	Lambda     float64 `json:"lambda"` // deliveries a second of one unit of load, alone
	Sigma      float64 `json:"sigma"`  // contention
	SigmaLow   float64 `json:"sigma_low"`
	SigmaHigh  float64 `json:"sigma_high"`
	Kappa      float64 `json:"kappa"` // coherency
	KappaLow   float64 `json:"kappa_low"`
	KappaHigh  float64 `json:"kappa_high"`
	Peak       float64 `json:"peak,omitempty"`            // the N at which throughput is highest; absent without coherency cost
	PeakX      float64 `json:"peak_throughput,omitempty"` // deliveries a second there
	R2         float64 `json:"r2"`
	Points     int     `json:"points"`
	Saturating bool    `json:"saturating"` // the points show throughput falling behind the load; without it σ and κ say nothing about what lies beyond them
}

// CapacityExtrapolation is what a multiple of the line would take, under Capacity.Assumptions. Bounds come from the interval of the line
// and those of the costs; absent figures were not measured.
type CapacityExtrapolation struct {
	Factor         float64 `json:"factor"`
	Value          float64 `json:"value"`
	NodesLow       float64 `json:"nodes_low,omitempty"`  // if each node carries High
	Nodes          float64 `json:"nodes"`                // if each node carries Line
	NodesHigh      float64 `json:"nodes_high,omitempty"` // if each node carries Low
	MemoryLow      float64 `json:"memory_low_bytes,omitempty"`
	Memory         float64 `json:"memory_bytes,omitempty"`
	MemoryHigh     float64 `json:"memory_high_bytes,omitempty"`
	CPULow         float64 `json:"cpu_low_cores,omitempty"`
	CPU            float64 `json:"cpu_cores,omitempty"`
	CPUHigh        float64 `json:"cpu_high_cores,omitempty"`
	DeliveriesPerS float64 `json:"deliveries_per_s"`
	BandwidthPerS  float64 `json:"payload_bytes_per_s"` // leaving the nodes
}

// Amount is a value of the varied key for people: "1,500 subscribers", "250/s".
func (c *Capacity) Amount(value float64) string {
	switch {
	case c.Key != subscribersKey:
		return c.Number(value)
	case value == 1:
		return "1 subscriber"
	}
	return c.Number(value) + " subscribers"
}

// Number writes a value with its unit, in groups of three.
func (c *Capacity) Number(value float64) string {
	whole, fraction, found := strings.Cut(strconv.FormatFloat(value, 'f', -1, 64), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if found {
		whole += "." + fraction
	}
	return whole + c.Unit
}

// Answer says where the line is, in a few words: "1,500 subscribers (1,450 to 1,560)", "at least 1,500 subscribers".
func (c *Capacity) Answer() string {
	switch {
	case c.NothingCarried():
		return "not even " + c.Amount(c.High)
	case c.Line == 0:
		return "not known"
	case c.Limit != LimitTarget || c.High == 0:
		return "at least " + c.Amount(c.Line)
	}
	low := "below " + c.Number(c.From)
	if c.Low > 0 {
		low = c.Number(c.Low)
	}
	return c.Amount(c.Line) + " (" + low + " to " + c.Number(c.High) + ")"
}

// NothingCarried says that the least that was tried broke a promise, which is more than that no line is known.
func (c *Capacity) NothingCarried() bool {
	return c.Line == 0 && c.High > 0 && (c.Limit == LimitTarget || c.Beyond != nil)
}

// One is what a single unit of the varied key is called.
func (c *Capacity) One() string {
	if c.Key == subscribersKey {
		return "subscriber"
	}
	return "1" + c.Unit + " of " + c.Key
}

const subscribersKey = "load.subscribers"
