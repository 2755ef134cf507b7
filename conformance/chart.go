package conformance

import (
	"encoding/json"
	"fmt"
	"math"
)

// Never is the text that stands in JSON for an infinite sample: something expected that did not come.
const Never = "never"

// Sample is one value of a chart. NaN says that nothing was measured and is null in JSON; +Inf says that what was expected did not
// come and is the text "never".
type Sample float64

// MarshalJSON writes a number, null or "never".
func (s Sample) MarshalJSON() ([]byte, error) {
	switch v := float64(s); {
	case math.IsNaN(v):
		return []byte("null"), nil
	case math.IsInf(v, 1):
		return json.Marshal(Never)
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Sample) UnmarshalJSON(text []byte) error {
	switch string(text) {
	case "null":
		*s = Sample(math.NaN())
		return nil
	case `"` + Never + `"`:
		*s = Sample(math.Inf(1))
		return nil
	}
	var v float64
	if err := json.Unmarshal(text, &v); err != nil {
		return fmt.Errorf("sample %s: want a number, null or %q: %w", text, Never, err)
	}
	*s = Sample(v)
	return nil
}

// Series is one line of a run's timeline: one sample for each step of time, from the run's start.
type Series struct {
	Name   string   `json:"name"`    // connected, deliveries, reconnects, lost, latency.p50, latency.p99, latency.max
	Unit   string   `json:"unit"`    // "1", "1/s" or "ms"
	StepMS float64  `json:"step_ms"` // length of a step: a second, or more in a long run
	Values []Sample `json:"values"`
}

// Curve is a distribution by percentile over the samples that were expected, the missing ones at its end.
type Curve struct {
	Name    string       `json:"name"`              // latency, latency.uncorrected
	Unit    string       `json:"unit"`              // ms
	Samples uint64       `json:"samples"`           // that came
	Missing uint64       `json:"missing,omitempty"` // expected samples that never came
	Points  []CurvePoint `json:"points"`            // by rising quantile
}

// CurvePoint says that a share of the expected samples, from 0 to 1, was at most Value.
type CurvePoint struct {
	Quantile float64 `json:"q"`
	Value    Sample  `json:"v"`
}

// FaultBand is one fault of a run's timeline, as it was carried out. Times are in milliseconds from the run's start.
type FaultBand struct {
	Fault    string  `json:"fault"`
	FromMS   float64 `json:"from_ms"`
	UntilMS  float64 `json:"until_ms,omitempty"` // absent for a fault of one moment
	Affected int     `json:"affected"`           // connections that it hit
	Text     string  `json:"text,omitempty"`     // as the scenario says it
}

// Effect is what was seen of one thing that the scenario did to connections or to the target: without enough of it, the verdicts that rest on
// it are unknown.
type Effect struct {
	Fault   string  `json:"fault"`          // reset, slow, …
	Text    string  `json:"text,omitempty"` // as the scenario says it
	AtMS    float64 `json:"at_ms"`          // when it was planned
	Planned int     `json:"planned"`        // subscribers that it concerns; 0: the target
	Reached int     `json:"reached"`        // subscribers on which it was seen to take effect
	Enough  bool    `json:"enough"`
	Seen    string  `json:"seen,omitempty"` // what was seen on them
}
