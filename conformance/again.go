package conformance

import (
	"strings"
	"time"
)

// A requirement that fails is tried again by itself before it fails, and both attempts are told. What the second one decides depends on the
// evidence of the first. Bytes that are wrong, a message that is lost, doubled or shown to the wrong reader stay what they are, however
// seldom: that it went well the next time makes it rare. A time, an error answer, or that something did not come can be the load's doing,
// that of the other cases too: there the second attempt decides alone.

// longFirst and mostAgain bound what is spent on what stays as it is.
const (
	longFirst = 10 * time.Second // an attempt that took longer is not repeated for the sake of the report, or of a warning
	mostAgain = 30 * time.Second // spent on such repeats in all
)

// attempt is what came of carrying out a case once.
type attempt struct {
	verdict Verdict
	weak    bool // a failure rests on a time, an error answer or an absence
	took    time.Duration
	settled bool  // another one would come to the same
	lost    bool  // nothing could be judged any more
	halt    *halt // the subject stopped answering meanwhile, and there is no verdict for that
}

// missed says whether the subject is blamed.
func (a *attempt) missed() bool {
	return a.verdict.Outcome == Fail || a.verdict.Outcome == Warn && a.weak
}

// open says whether the attempt is to be repeated.
func (r *round) open(a *attempt) bool {
	switch {
	case r.Once || r.ctx.Err() != nil:
		return false
	case a.halt != nil:
		return a.halt.back
	case a.verdict.Outcome == Unknown:
		return !a.settled
	case !a.missed():
		return false
	case a.weak && a.verdict.Outcome == Fail:
		return true
	case a.weak:
		return a.took < longFirst
	}
	return a.took < longFirst && time.Duration(r.again.Load()) < mostAgain
}

// merged is the verdict of two attempts.
func merged(first, second *attempt) Verdict {
	v := second.verdict
	before := first.verdict.Reason
	switch {
	case first.halt != nil:
	case first.missed() && !first.weak: // it was seen
		v, before = first.verdict, ""
		v.Reason = joined(v.Reason, seenOnce(second.verdict))
	case first.missed():
		before = "the first attempt: " + told(first.verdict)
		if !second.missed() {
			before += ", which alone does not count: it can be the load's doing"
		}
	case v.Outcome != Unknown:
		before = "the first attempt was unknown: " + before
	case before == v.Reason:
		before = ""
	default:
		before = "and at the first attempt: " + before
	}
	v.Reason = joined(v.Reason, before)
	return v
}

// seenOnce says what a second attempt adds to what the first one showed.
func seenOnce(second Verdict) string {
	switch second.Outcome {
	case Fail:
		return "tried again by itself: " + told(second)
	case Unknown:
		return "seen once, which is enough; tried again by itself it could not be told: " + told(second)
	}
	return "seen once, which is enough; tried again by itself it did not show (" + told(second) +
		"), so it is rare, or depends on what else the target has to do"
}

// told is a verdict in a clause.
func told(v Verdict) string {
	for _, text := range []string{v.Actual, v.Reason} {
		if text != "" {
			return v.Outcome.String() + ", " + text
		}
	}
	return v.Outcome.String()
}

func joined(texts ...string) string {
	var parts []string
	for _, text := range texts {
		if text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; ")
}
