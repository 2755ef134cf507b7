package check

import (
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Report is what is said of a run.
type Report struct {
	Verdicts    []conformance.Verdict
	Measures    []conformance.Measure
	Expected    uint64 // owed deliveries: those that arrived, were lost, and are outstanding
	Delivered   uint64 // owed deliveries that arrived
	Lost        uint64 // owed deliveries that never arrived
	Outstanding uint64 // owed deliveries that had not arrived when the run ended
	Held        uint64 // of the outstanding ones, those that the harness itself kept back
	Published   uint64 // acknowledged messages
	Series      []conformance.Series
	Curves      []conformance.Curve
	Faults      []conformance.FaultBand
	Effects     []conformance.Effect
}

// Fill tells a run what the report says of it as a whole.
func (r *Report) Fill(run *conformance.ScenarioRun) {
	run.Expected, run.Delivered, run.Published = r.Expected, r.Delivered, r.Published
	run.Lost, run.Outstanding, run.Held = r.Lost, r.Outstanding, r.Held
	run.Series, run.Curves, run.Faults, run.Effects = r.Series, r.Curves, r.Faults, r.Effects
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
		Death:       j.death.Load(), Planned: uint64(len(j.subs)),
		Opened: j.counts.opened.Load(), Ready: j.counts.ready.Load(), Failed: j.counts.failed.Load(), FirstFailed: j.attempts.sum(),
		Connections: j.counts.connections.Load(), Schemas: j.counts.schemas.Load(), Greetings: j.counts.greetings.Load(), Resumes: j.counts.resumes.Load(), Missed: j.counts.missed.Load(),
		Announced: uint64(j.counts.announced.Load()), Silence: time.Duration(j.counts.silence.Load()),
		Sessions: uint64(j.counts.sessions.Load()), Expiries: j.counts.expiries.Load(), Idle: j.counts.idle.Load(), Fleeting: j.counts.fleeting.Load(),
		Effects: j.effects.seen(&j.cfg), Bands: j.bands.list(),
		Anomalies: j.incidents.tally(), Memory: j.memory.samples,
		Connected: j.connected.sums(end), Returns: j.returns.sums(end), Losses: j.losses.sums(end), LostByStep: j.forgone.sums(end),
	}
	step := j.cfg.chartStep()
	t.Delivered, t.Arrivals = j.arrivals.counts(end, step)
	for _, n := range t.Delivered {
		t.Deliveries += uint64(n)
	}
	for i := range j.ledgers {
		j.ledgers[i].close()
		if !j.ledgers[i].joined {
			t.publishing(&j.ledgers[i])
		}
	}
	t.Foreign = j.foreign()
	sum := summing{judge: j, tally: t, step: step, dues: map[*ledger]*dues{}, lost: newGathering()}
	for i := range j.subs {
		sum.subscriber(j.cfg.First+int32(i), &j.subs[i])
	}
	for a, s := range t.Anomalies {
		s.Subscribers = j.incidents.afflicted(a)
	}
	t.Pattern = sum.lost.result(j.ledgers)
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

// foreign counts the deliveries that would have been wrong: of each acknowledged message to each subscriber that does not follow its stream.
func (j *Judge) foreign() (n uint64) {
	published := make([]uint64, len(j.ledgers))
	for i := range j.ledgers {
		published[i] = j.ledgers[i].acknowledged(1, math.MaxUint64)
		n += published[i] * uint64(len(j.subs))
	}
	for i := range j.subs {
		for k := range j.subs[i].folds {
			n -= published[j.subs[i].folds[k].ledger]
		}
	}
	return n
}

func (j *Judge) distributions() map[string]*Distribution {
	all := make(map[string]*Distribution)
	for name, h := range map[string]*histogram{
		latencyRamp: &j.latency[ramp], latencySteady: &j.latency[steady], latencySettle: &j.latency[settle],
		latencyOver: &j.latency[over], latencyUncorrected: &j.uncorrected, latencyCatchUp: &j.catchUp, latencySlow: &j.slowReaders,
		latencyCalm: &j.calm, latencyStorm: &j.storm, latencyPeace: &j.undisturbed, timeConnect: &j.connect, timeFirstEvent: &j.firstEvent,
		timeReconnect: &j.reconnect, timeResumeGap: &j.resumeGap, timeBackoff: &j.backoff,
	} {
		if d := h.snapshot(); d.Samples > 0 {
			all[name] = &d
		}
	}
	j.endingsOf(all)
	if j.spread != nil {
		if d := j.spread.snapshot(); d.Samples > 0 {
			all[timeSpread] = &d
		}
	}
	return all
}
