package check

import (
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// fault notes a fault of ours on a subscriber's connection.
func (j *Judge) fault(s *subscriber, o *history.Observation) {
	if o.Kind == history.FaultBite {
		j.effects.reach(o.Step, o.Size)
		return
	}
	step := Step{}
	if o.Step >= 0 && int(o.Step) < len(j.cfg.Steps) {
		step = j.cfg.Steps[o.Step]
	}
	faults := &s.passing
	if step.Lasting {
		faults = &s.lasting
	}
	if o.Kind == history.FaultBegin {
		*faults++
		j.disturb(s, o.At)
		s.troubled().way.again()
	} else {
		*faults = max(*faults-1, 0)
		s.recover(o.At)
	}
	if step.Slows {
		j.slow(s, o.Kind == history.FaultBegin, o)
	}
}

// disturb notes the first disturbance of the subscriber, and of the run.
func (j *Judge) disturb(s *subscriber, at time.Duration) {
	s.touched = true
	j.clock.disturbed.CompareAndSwap(0, max(int64(at), 1))
}

// recover restarts the clocks that a disturbance of ours kept from running fairly.
func (s *subscriber) recover(at time.Duration) {
	s.steady = max(s.steady, at)
	if s.heard != silent {
		s.heard = max(s.heard, at)
	}
	t := s.troubled()
	t.lifted = at
	t.way.again()
}

// slow notes that the subscriber begins or stops to read slowly, for one of the reasons that there may be.
func (j *Judge) slow(s *subscriber, begins bool, o *history.Observation) {
	if begins {
		j.disturb(s, o.At)
		s.slows++
		s.troubled().rate = o.Size
		s.wasSlow = true
		s.lazy.Store(true)
		return
	}
	if s.slows = max(s.slows-1, 0); s.slows == 0 && s.wasSlow {
		s.lazy.Store(false)
		s.troubled().slowEnd = o.At
	}
	s.recover(o.At)
}

// observeTarget takes what concerns the target itself, and when a step of the timeline began.
func (j *Judge) observeTarget(o *history.Observation) {
	if o.Kind == history.FaultBegin || o.Kind == history.SlowBegin {
		j.clock.disturbed.CompareAndSwap(0, max(int64(o.At), 1))
	}
	if o.Kind == history.FaultBegin || o.Kind == history.FaultEnd {
		j.bands.observe(o)
	}
	if o.Step >= 0 && int(o.Step) < len(j.cfg.Steps) && j.cfg.Steps[o.Step].Subscribers > 0 {
		return // it is on subscribers, each of which has observations of its own
	}
	switch o.Kind {
	case history.FaultBegin:
		j.clock.faults.Add(1)
		j.peace.change(1, o.At)
		j.clock.onTarget.Store(o.Step + 1)
	case history.FaultBite:
		j.effects.carriedOut(o.Step)
	case history.FaultEnd:
		if j.clock.faults.Add(-1) < 0 {
			j.clock.faults.Store(0)
		} else {
			j.peace.change(-1, o.At)
		}
		j.clock.lifted.Store(int64(o.At))
	}
}
