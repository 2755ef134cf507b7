// Package capacity finds the most that a target carries while every expectation of a scenario holds. It is pure: what a run shows comes in
// through a function, and the numbers go out as a conformance.Capacity.
package capacity

import (
	"context"
	"errors"
	"math"

	"github.com/streamgauge/streamgauge/conformance"
)

// Trial is one run that the search wants.
type Trial struct {
	Value  float64
	Number int    // of the trials at this value, from 1
	Phase  string // raise | close-in | repeat
}

// The phases of a search.
const (
	Raise   = "raise"    // the load is multiplied until it is not carried
	CloseIn = "close-in" // between what is carried and what is not
	Again   = "repeat"   // next to the line, to see what of it is noise
)

// Step carries out one trial and says what came out. An error is the harness's own and ends the search.
type Step func(context.Context, Trial) (conformance.CapacityStep, error)

// ErrOver beside a step ends the search with it: the target cannot be judged any more.
var ErrOver = errors.New("the search is over")

// Search is how the line is looked for.
type Search struct {
	From, To  float64 // the range, 0 < From ≤ To
	Factor    float64 // above 1, by which the load is raised
	Precision float64 // relative, above 0: the search stops when what is carried and what is not are no further apart
	Repeat    int     // trials at each value next to the line, at least 1
	AtLeast   float64 // a value that is tried itself, so that it is not missed by the precision; 0: none
	Quantum   float64 // values are multiples of it; 0: any number, of four digits
	Step      Step
}

// Find raises the load from From until it is not carried, closes in by bisection, and repeats the trials next to the line. It fills in what
// a Capacity says of the range, the line and the steps.
//
// What is carried. A trial in which a guarantee failed (CapacityStep.Final) ends the matter for its value and all above it, whatever other
// trials there say. A budget of time or memory may be missed by chance: what most trials at a value say counts, and a tie is not carried.
// A trial that could not be judged is repeated once; a value of which most trials could not be judged is not carried, and limits the
// search by the harness where that was the reason.
func (s *Search) Find(ctx context.Context) (*conformance.Capacity, error) {
	r := &ruling{search: s}
	for {
		next, done := r.next()
		if done {
			break
		}
		step, err := s.Step(ctx, next)
		over := errors.Is(err, ErrOver)
		if err != nil && !over {
			return nil, err
		}
		step.Value, step.Trial, step.Phase = next.Value, next.Number, next.Phase
		r.note(step, ctx.Err() != nil)
		if over {
			break
		}
	}
	return r.conclude(), nil
}

// Round is the nearest value that may be tried.
func (s *Search) Round(v float64) float64 {
	if s.Quantum > 0 {
		return math.Round(v/s.Quantum) * s.Quantum
	}
	if v <= 0 {
		return v
	}
	digit := math.Pow(10, math.Floor(math.Log10(v))-3)
	if digit < 1 { // dividing by a whole number rounds less than multiplying by a fraction
		return math.Round(v*math.Round(1/digit)) / math.Round(1/digit)
	}
	return math.Round(v/digit) * digit
}

// between is a value between two, next to their geometric mean; 0 when there is none.
func (s *Search) between(low, high float64) float64 {
	v := s.Round(math.Sqrt(low * high))
	if s.Quantum > 0 && v <= low {
		v += s.Quantum
	}
	if s.Quantum > 0 && v >= high {
		v -= s.Quantum
	}
	if v <= low || v >= high {
		return 0
	}
	return v
}

// Estimate is how many trials the search takes: if the line is near From and nothing is noisy, and if it is near To and both its sides are
// repeated. A noisy target takes more.
func (s *Search) Estimate() (least, most int) {
	raises := 1
	if s.To > s.From {
		raises += int(math.Ceil(math.Log(s.To/s.From)/math.Log(s.Factor) - 1e-9))
	}
	halvings := 0
	if gap := min(s.Factor, s.To/s.From); gap > 1 {
		halvings = max(0, int(math.Ceil(math.Log2(math.Log(gap)/math.Log1p(s.Precision)))))
	}
	return min(raises, 2) + halvings + s.Repeat - 1, raises + halvings + 2*(s.Repeat-1) + 1
}
