package conformance

import "time"

// KindCompare is of a result that compares others.
const KindCompare Kind = "compare"

// Trend is what became of something from one run to another.
type Trend string

const (
	TrendWorse   Trend = "worse"   // by more than is tolerated and more than chance explains
	TrendUnclear Trend = "unclear" // it may be worse, and the samples cannot tell
	TrendBetter  Trend = "better"  // by more than is tolerated and more than chance explains
	TrendSame    Trend = "same"    // no worse than is tolerated, as far as the samples tell
	TrendShown   Trend = "shown"   // not judged: nothing says how much it varies, or there is nothing to compare it with
)

// Outcome is what a trend means for whoever waits for a release.
func (t Trend) Outcome() Outcome {
	switch t {
	case TrendWorse:
		return Fail
	case TrendBetter, TrendSame:
		return Pass
	case TrendShown:
		return Info
	default:
		return Unknown
	}
}

// Comparison is what became of every promise and measure from a baseline of runs to a new run.
type Comparison struct {
	Old        []ComparedRun   `json:"old"`
	New        ComparedRun     `json:"new"`
	Tolerance  float64         `json:"tolerance"`  // by which share a measure may grow
	Confidence float64         `json:"confidence"` // of the intervals, 0 to 1
	Forced     []string        `json:"forced,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
	Verdicts   []VerdictChange `json:"verdicts"` // of every promise; the worst trend first
	Measures   []MeasureChange `json:"measures"` // the worst trend first
}

// ComparedRun names one of the results that were compared.
type ComparedRun struct {
	Name    string    `json:"name"` // as it was given: a directory or a file
	Tool    string    `json:"tool,omitempty"`
	Version string    `json:"version,omitempty"` // of the subject
	Seed    uint64    `json:"seed"`
	Started time.Time `json:"started"`
	Outcome Outcome   `json:"outcome"`
}

// VerdictChange is what became of one promise. Of several old runs the worst outcome stands for all.
type VerdictChange struct {
	ID        string  `json:"id"`
	Scenario  string  `json:"scenario,omitempty"`
	Title     string  `json:"title,omitempty"`
	Old       Outcome `json:"old"`
	New       Outcome `json:"new"`
	OldActual string  `json:"old_actual,omitempty"`
	NewActual string  `json:"new_actual,omitempty"`
	Trend     Trend   `json:"trend"`
	Text      string  `json:"text,omitempty"` // why it is judged so, where that is not plain
}

// MeasureChange is what became of one figure. Change, Low and High are shares of Old: 0.2 is a fifth more. They are NaN where there is none.
type MeasureChange struct {
	Name     string `json:"name"`
	Scenario string `json:"scenario,omitempty"`
	Quantile string `json:"quantile,omitempty"` // p50, p99; "" is the measure's value
	Unit     string `json:"unit"`
	Old      Sample `json:"old"` // of several old runs their geometric mean
	New      Sample `json:"new"`
	Change   Sample `json:"change"`
	Low      Sample `json:"low"` // the interval of the change
	High     Sample `json:"high"`
	Limit    Sample `json:"limit"` // the largest New that is tolerated
	Basis    string `json:"basis"` // what the interval rests on: seconds | runs | "" for none
	Trend    Trend  `json:"trend"`
	Text     string `json:"text,omitempty"` // why it is judged so, where that is not plain
}
