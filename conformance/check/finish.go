package check

import (
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Report is what is said of a run.
type Report struct {
	Verdicts  []conformance.Verdict
	Measures  []conformance.Measure
	Expected  uint64 // owed deliveries
	Delivered uint64 // owed deliveries that arrived
	Published uint64 // acknowledged messages
}

// Finish judges a run that ended at end. Nothing may be observed any more.
func (j *Judge) Finish(end time.Duration, health conformance.Health) Report {
	return j.Tally(end).Report(&j.cfg, health)
}

// Tally sums up a run that ended at end. Nothing may be observed any more. Where publishers are remote, their ledgers must
// have been joined before.
func (j *Judge) Tally(end time.Duration) *Tally {
	t := &Tally{
		End: end, SteadyAt: j.clock.began(steady), SettleAt: j.clock.began(settle),
		Settled:     j.clock.from[over].Load() > 0 && !j.clock.interrupt.Load(),
		Interrupted: j.clock.interrupt.Load(),
		Planned:     uint64(len(j.subs)),
		Opened:      j.counts.opened.Load(), Ready: j.counts.ready.Load(), Failed: j.counts.failed.Load(),
		Connections: j.counts.connections.Load(), Schemas: j.counts.schemas.Load(), Greetings: j.counts.greetings.Load(), Resumes: j.counts.resumes.Load(),
		Announced: uint64(j.counts.announced.Load()), Silence: time.Duration(j.counts.silence.Load()),
		Sessions: uint64(j.counts.sessions.Load()), Expiries: j.counts.expiries.Load(), Idle: j.counts.idle.Load(), Bites: make([]uint64, len(j.counts.bites)),
		Anomalies: j.incidents.tally(), Memory: j.memory.samples,
		Delivered: j.deliveries.counts(end), Connected: j.connected.counts(end), Returns: j.returns.counts(end),
	}
	for i := range t.Bites {
		t.Bites[i] = j.counts.bites[i].Load()
	}
	for _, n := range t.Delivered {
		t.Deliveries += uint64(n)
	}
	for i := range j.ledgers {
		j.ledgers[i].close()
		if !j.ledgers[i].joined {
			t.publishing(&j.ledgers[i])
		}
	}
	sum := summing{judge: j, tally: t}
	for i := range j.subs {
		sum.subscriber(j.cfg.First+int32(i), &j.subs[i])
	}
	t.LostMessages = union(t.LostMessages)
	t.Distributions = j.distributions()
	return t
}

func (t *Tally) publishing(l *ledger) {
	t.Published += l.acknowledged(1, math.MaxUint64)
	for _, e := range l.exceptions {
		if e.rejected {
			t.Rejected += e.hi - e.lo
		} else {
			t.Indeterminate += e.hi - e.lo
		}
	}
}

func (j *Judge) distributions() map[string]*Distribution {
	all := make(map[string]*Distribution)
	for name, h := range map[string]*histogram{
		latencyRamp: &j.latency[ramp], latencySteady: &j.latency[steady], latencySettle: &j.latency[settle],
		latencyOver: &j.latency[over], latencyUncorrected: &j.uncorrected, latencyCatchUp: &j.catchUp, latencySlow: &j.slowReaders,
		latencyCalm: &j.calm, latencyStorm: &j.storm, timeConnect: &j.connect, timeFirstEvent: &j.firstEvent,
		timeReconnect: &j.reconnect, timeResumeGap: &j.resumeGap, timeBackoff: &j.backoff,
	} {
		if d := h.snapshot(); d.Samples > 0 {
			all[name] = &d
		}
	}
	if j.spread != nil {
		if d := j.spread.snapshot(); d.Samples > 0 {
			all[timeSpread] = &d
		}
	}
	return all
}
