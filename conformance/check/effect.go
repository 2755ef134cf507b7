package check

import (
	"fmt"
	"slices"
	"sync"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// effects are what was seen of the effect of each step on the target or on connections.
type effects struct {
	mu   sync.Mutex
	list []Effect
	done []bool // of a step on the target: whoever carries it out says that it was
}

// Effect is what was seen of one step's effect.
type Effect struct {
	Reached uint64 `json:"reached"`         // subscribers that it was seen to take effect on
	Least   int64  `json:"least,omitempty"` // the measure of the effect on them, where it has one
	Most    int64  `json:"most,omitempty"`
}

func newEffects(c *Config) effects {
	return effects{list: make([]Effect, len(c.Steps)), done: make([]bool, len(c.Steps))}
}

func (e *effects) valid(step int32) bool { return step >= 0 && int(step) < len(e.list) }

// reach notes that a step took effect on one more subscriber.
func (e *effects) reach(step int32, measure int64) {
	if !e.valid(step) {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	one := &e.list[step]
	if one.Reached++; one.Reached == 1 {
		one.Least = measure
	}
	one.Least, one.Most = min(one.Least, measure), max(one.Most, measure)
}

// carriedOut notes that a step on the target was carried out. Whether anything came of that, connections tell.
func (e *effects) carriedOut(step int32) {
	if e.valid(step) {
		e.mu.Lock()
		e.done[step] = true
		e.mu.Unlock()
	}
}

// seen is what was seen in all. What was not carried out did not end connections.
func (e *effects) seen(c *Config) []Effect {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := slices.Clone(e.list)
	for i, step := range c.Steps {
		if step.onTarget() && !e.done[i] {
			list[i] = Effect{}
		}
	}
	return list
}

// Merge adds what another shard saw of the same step.
func (e *Effect) Merge(other Effect) {
	if e.Reached == 0 || other.Reached > 0 && other.Least < e.Least {
		e.Least = other.Least
	}
	e.Reached, e.Most = e.Reached+other.Reached, max(e.Most, other.Most)
}

func (s *Step) onTarget() bool { return s.Subscribers == 0 && s.Load == "" }

// enough is on how many subscribers a step has to take effect before anything rests on it.
func (s *Step) enough() uint64 { return max(1, (uint64(s.Subscribers)+1)/2) }

func (s *Step) concerns(verdict string) bool {
	return len(s.Rests) == 0 || slices.Contains(s.Rests, verdict)
}

// bitten says which step took no effect, or too little, of those that a verdict rests on.
func bitten(c *Config, t *Tally, verdict string) string {
	for i := range c.Steps {
		step := &c.Steps[i]
		if i >= len(t.Effects) || t.Effects[i].Reached >= step.enough() || !step.concerns(verdict) {
			continue
		}
		what := fmt.Sprintf("the fault %q planned at %s", step.Name, step.At)
		if step.Load != "" {
			what = "load." + step.Load
		}
		if t.Effects[i].Reached == 0 {
			return joined(what+" took no effect", step.Without)
		}
		return joined(fmt.Sprintf("%s took effect on only %d of %s", what, t.Effects[i].Reached, conformance.Plural(step.Subscribers, "subscriber")), step.Without)
	}
	return ""
}

func joined(text, more string) string {
	if more == "" {
		return text
	}
	return text + ": " + more
}

// effectsOf tells of each step what was seen of it.
func (t *Tally) effectsOf(c *Config) []conformance.Effect {
	var list []conformance.Effect
	for i := range c.Steps {
		if i >= len(t.Effects) {
			break
		}
		step, seen := &c.Steps[i], t.Effects[i]
		e := conformance.Effect{
			Fault: step.Name, Text: step.Text, AtMS: milliseconds(step.At), Planned: step.Subscribers, Reached: int(seen.Reached), //nolint:gosec // subscribers
			Enough: seen.Reached >= step.enough(), Seen: step.Effect,
		}
		if seen.Most > 0 {
			e.Seen += fmt.Sprintf(": %s to %s beyond what the kernels hold", memory.Size(seen.Least), memory.Size(seen.Most))
		}
		list = append(list, e)
	}
	return list
}

// reach notes that a step took effect on a subscriber, once.
func (j *Judge) reach(s *subscriber, step int32) {
	if !j.effects.valid(step) || step >= 64 || s.troubled().reached&(1<<step) != 0 {
		return
	}
	s.trouble.reached |= 1 << step
	j.effects.reach(step, 0)
}

// loadStep is the step that stands for a part of the load, −1 without one.
func (c *Config) loadStep(load string) int32 {
	return int32(slices.IndexFunc(c.Steps, func(s Step) bool { return s.Load == load })) //nolint:gosec // few
}
