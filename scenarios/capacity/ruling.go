package capacity

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// ruling is what the trials so far say of each value.
type ruling struct {
	search      *Search
	steps       []conformance.CapacityStep
	values      []*value // ascending
	interrupted bool
	gone        string // why a target that carried a value can no longer be judged at it
}

// value is what the trials at one value have shown.
type value struct {
	at                    float64
	carried, missed, dark int // dark: could not be judged
	final                 bool
	harness               int // of dark
	reason                string
}

// standing is what a value amounts to.
type standing uint8

const (
	blocked standing = iota // nothing could be said
	carried
	beyond // a promise was broken
)

func (v *value) standing() standing {
	switch {
	case v.final:
		return beyond
	case v.carried > v.missed+v.dark:
		return carried
	case v.missed >= v.dark && v.missed > 0:
		return beyond
	}
	return blocked
}

func (v *value) trials() int { return v.carried + v.missed + v.dark }

// patience is how many trials at a value may be of no use before it is given up.
const patience = 2

// spare is how many trials more than asked for a value gets, when some could not be judged.
const spare = 2

// settled says that more trials would not be used: enough were judged, or too many could not be.
func (v *value) settled(repeat int) bool {
	switch {
	case v.final, v.carried+v.missed >= repeat, v.trials() >= repeat+spare:
		return true
	case v.standing() == beyond:
		return v.missed > repeat/2
	case v.standing() == blocked:
		return v.dark >= patience
	}
	return false
}

// note takes a step. After an interruption only what was broken for good counts.
func (r *ruling) note(step conformance.CapacityStep, interrupted bool) {
	r.steps = append(r.steps, step)
	r.interrupted = r.interrupted || interrupted
	v := r.value(step.Value)
	switch {
	case step.Outcome == conformance.Fail && step.Final:
		v.final = true
	case interrupted:
		return
	case step.Outcome == conformance.Fail:
		v.missed++
	case passed(step.Outcome):
		v.carried++
	default:
		v.dark++
		v.reason = step.Reason
		if step.Harness {
			v.harness++
		}
	}
	if v.carried > 0 && v.dark > 1 && v.standing() == blocked && !v.byHarness() {
		r.gone = v.reason
	}
}

func (r *ruling) value(at float64) *value {
	i, found := slices.BinarySearchFunc(r.values, at, func(v *value, at float64) int { return cmp.Compare(v.at, at) })
	if !found {
		r.values = slices.Insert(r.values, i, &value{at: at})
	}
	return r.values[i]
}

// bracket is the highest value that is carried, below whatever was broken for good, and the lowest above it that is not; nil where
// there is none.
func (r *ruling) bracket() (low, high *value) {
	for _, v := range r.values {
		switch {
		case v.trials() == 0 && !v.final: // interrupted
		case v.standing() == carried:
			low, high = v, nil
		case high == nil:
			high = v
		}
		if v.final {
			break
		}
	}
	return low, high
}

// next is the trial to be run, unless the search is over.
func (r *ruling) next() (Trial, bool) {
	s := r.search
	if r.interrupted || r.gone != "" {
		return Trial{}, true
	}
	low, high := r.bracket()
	switch {
	case low == nil && high == nil:
		return r.trial(s.From, Raise), false
	case low == nil:
		return r.again(high)
	case high == nil && low.at >= s.To:
		return r.again(low)
	case high == nil:
		return r.trial(r.raised(low.at), Raise), false
	}
	if high.standing() == blocked {
		if !high.settled(s.Repeat) {
			return r.again(high)
		}
		if wall := r.wall(low); wall != nil {
			return r.both(low, wall)
		}
		if high.byHarness() {
			return r.again(low)
		}
	}
	if v := r.middle(low.at, high.at); v > 0 {
		return r.trial(v, CloseIn), false
	}
	return r.both(low, high)
}

// both repeats what is carried and then what is not, until both are settled.
func (r *ruling) both(low, high *value) (Trial, bool) {
	if !low.settled(r.search.Repeat) {
		return r.again(low)
	}
	return r.again(high)
}

// wall is the lowest value above low that was seen to be beyond the line, when it is near enough to state the line between them, although
// what lies between them could not be judged; else nil.
func (r *ruling) wall(low *value) *value {
	for _, v := range r.values {
		if v.at > low.at && v.standing() == beyond {
			if v.at-low.at <= 2*r.search.Precision*low.at {
				return v
			}
			return nil
		}
	}
	return nil
}

func (v *value) byHarness() bool { return v.harness > 0 && 2*v.harness >= v.dark }

func (r *ruling) trial(at float64, phase string) Trial {
	n := r.value(at).trials() + 1
	if n > 1 {
		phase = Again
	}
	return Trial{Value: at, Number: n, Phase: phase}
}

// again repeats a value until it is settled; then the search is over.
func (r *ruling) again(v *value) (Trial, bool) {
	if v.settled(r.search.Repeat) {
		return Trial{}, true
	}
	return r.trial(v.at, Again), false
}

func (r *ruling) raised(from float64) float64 {
	s := r.search
	to := max(s.Round(from*s.Factor), s.Round(from+s.Quantum))
	if s.AtLeast > from && s.AtLeast < to {
		to = s.AtLeast
	}
	return min(to, s.To)
}

// middle is the value to be tried between two, 0 when they are close enough.
func (r *ruling) middle(low, high float64) float64 {
	s := r.search
	if s.AtLeast > low && s.AtLeast < high {
		return s.AtLeast
	}
	if high-low <= s.Precision*low {
		return 0
	}
	return s.between(low, high)
}

// conclude says where the line is.
func (r *ruling) conclude() *conformance.Capacity {
	s := r.search
	c := &conformance.Capacity{
		From: s.From, To: s.To, Precision: s.Precision, Repeat: s.Repeat, AtLeast: s.AtLeast, Steps: brief(r.steps),
	}
	low, high := r.bracket()
	if low != nil {
		c.Line = low.at
		if wall := r.wall(low); high != nil && high.standing() == blocked && wall != nil {
			high = wall
		}
	}
	for _, v := range r.values {
		if v.at <= c.Line && v.carried > 0 && v.carried == v.trials() {
			c.Low = v.at
		}
	}
	if high != nil {
		c.High = high.at
		if high.standing() == beyond {
			c.Beyond = r.broken(high.at)
		}
	}
	c.Limit, c.Reason = r.limit(low, high)
	return c
}

// broken is the promise that failed at a value: a guarantee before a budget.
func (r *ruling) broken(at float64) (first *conformance.Verdict) {
	final := false
	for i := range r.steps {
		step := &r.steps[i]
		if step.Value == at && step.Broken != nil && (first == nil || step.Final && !final) {
			first, final = step.Broken, step.Final
		}
	}
	return first
}

// brief are the steps without the evidence of what failed in each: that of the first promise beyond the line is enough.
func brief(steps []conformance.CapacityStep) []conformance.CapacityStep {
	steps = slices.Clone(steps)
	for i := range steps {
		if steps[i].Broken == nil {
			continue
		}
		v := *steps[i].Broken
		v.Findings = slices.Clone(v.Findings)
		for k := range v.Findings {
			v.Findings[k].Evidence = nil
		}
		steps[i].Broken = &v
	}
	return steps
}

func (r *ruling) limit(low, high *value) (conformance.CapacityLimit, string) {
	switch {
	case r.gone != "":
		return conformance.LimitUnknown, "what was carried before could not be judged again: " + r.gone
	case r.interrupted:
		return conformance.LimitInterrupted, "the search was interrupted"
	case high == nil:
		return conformance.LimitRange, "everything up to the end of the range was carried"
	case high.standing() == blocked && high.byHarness():
		return conformance.LimitHarness, "the harness itself was the limit: " + high.reason
	case high.standing() == blocked:
		return conformance.LimitUnknown, "beyond it nothing could be judged: " + high.reason
	case high.final:
		return conformance.LimitTarget, "beyond it a guarantee fails"
	case low == nil:
		return conformance.LimitTarget, "a budget is missed where the search begins"
	}
	return conformance.LimitTarget, fmt.Sprintf("beyond it a budget is missed in most runs, %d of %d", high.missed, high.trials())
}
