package conformance

import (
	"fmt"
	"time"
)

// Lag is the longest that this machine may have held something up since the case began: a timer of this process that fired late, and what
// harness and subject waited for a processor because of other programs. What was measured meanwhile is in doubt by about as much.
func (t *Trial) Lag() time.Duration { return t.LagSince(t.began) }

// LagSince is Lag since a later time, give or take half a second.
func (t *Trial) LagSince(began time.Time) time.Duration { return t.pulse.lag(began, time.Now()) }

// LagBetween is Lag between two instants, give or take a tenth of a second.
func (t *Trial) LagBetween(from, to time.Time) time.Duration {
	return t.pulse.lag(from.Add(-pulsePeriod), to.Add(pulsePeriod))
}

func (p *pulse) lag(from, to time.Time) time.Duration {
	return p.worst(from, to) + p.contention.longest(from, to)
}

// starved is the share of a case's time that harness and subject spent waiting for a processor, because of other programs, from which on
// something that did not come is no evidence.
const starved = 1.0 / 3

// stopped is how long the harness stands still at once where it was stopped, as by SIGSTOP, or the whole machine was: nothing that did not come
// meanwhile is evidence, and neither is a subject that gave up on a client that did not read.
const stopped = 500 * time.Millisecond

// doubt makes a failure unknown that rests on a time or an absence, where other programs left the subject too little time.
func (p *pulse) doubt(a *attempt, from, to time.Time) {
	if !a.weak || !a.missed() {
		return
	}
	v := &a.verdict
	if stood := p.worst(from, to); stood >= stopped {
		v.Outcome = Unknown
		v.Reason = joined(v.Reason, fmt.Sprintf("%s, but the harness itself stood still for %v meanwhile", v.Actual, stood.Round(time.Millisecond)))
		return
	}
	passed, held := to.Sub(from), p.contention.sum(from, to)
	if passed < shortWatch || held < time.Duration(starved*float64(passed)) {
		return
	}
	v.Outcome = Unknown
	v.Reason = joined(v.Reason, fmt.Sprintf("%s, but this machine was too busy to tell: other programs kept the subject or the harness from its processors for %v of %v",
		v.Actual, held.Round(time.Millisecond), passed.Round(time.Millisecond)))
}
