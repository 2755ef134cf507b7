package check

import (
	"sync/atomic"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// measureLatency counts an expected delivery that came, and says whether it is among those that latency is judged by. One to a subscriber that reads slowly, or did when it was sent, says how
// slowly it reads, and is counted apart.
func (j *Judge) measureLatency(s *subscriber, o *history.Observation) bool {
	if s.slow() || s.wasSlow && o.Sent < s.trouble.slowEnd {
		j.slowReaders.record(o.At - o.Due)
		return false
	}
	j.latency[j.clock.at(o.At)].record(o.At - o.Due)
	j.uncorrected.record(o.At - o.Sent)
	if o.Sent < s.steady || s.disturbed() {
		j.catchUp.record(o.At - o.Due)
	}
	if len(j.cfg.Expect.Calm) > 0 {
		j.measureCalm(o)
	}
	// What was due in the steady phase counts whenever it came: a target that holds everybody up to the end must not escape.
	if j.cfg.Expect.Bystanders > 0 && !s.touched && j.clock.at(o.Due) >= steady {
		if from := j.clock.disturbed.Load(); from == 0 || int64(o.At) < from {
			j.calm.record(o.At - o.Due)
		} else {
			j.storm.record(o.At - o.Due)
		}
	}
	return true
}

// lower makes a, which holds the complement of a number so that zero means none, at most v.
func lower(a *atomic.Int64, v int64) {
	for old := a.Load(); (old == 0 || ^v > old) && !a.CompareAndSwap(old, ^v); old = a.Load() {
	}
}

// raise makes a at least v.
func raise(a *atomic.Int64, v int64) {
	for old := a.Load(); v > old && !a.CompareAndSwap(old, v); old = a.Load() {
	}
}
