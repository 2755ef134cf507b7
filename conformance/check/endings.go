package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// ending is by whom or by what a connection ended. Every end of one is of exactly one of them.
type ending uint8

const (
	endedByRun     ending = iota // it was open when the run ended
	endedByUs                    // a fault of ours, our client, or something that was agreed: a farewell, an expired token, a slow reader
	endedByPatient               // given up by our client for a silence that the target had not promised to break
	endedByTarget                // the target ended the response
	endedBroken                  // it was reset, or broke off within the response
	endedSilent                  // it went dead: nothing came for longer than the target promises, or not what was owed, until our client gave it up
	endings
)

// endingNames are those of the measures with the ages of the connections.
var endingNames = [endings]string{"ended.run", "ended.harness", "ended.given_up", "ended.target", "ended.broken", "ended.silent"}

// endingWords say what the connections did that ended by themselves.
var endingWords = map[ending]string{endedByTarget: "ended by the target", endedBroken: "broke", endedSilent: "went silent without an end"}

// atAge is how close to each other ages are that the same limit explains: as a share of the age, and at least a moment.
const atAge, atAgeLeast = 0.1, 250 * time.Millisecond

// account notes the end of a connection with its age: for one that fell silent, that of its last byte.
func (j *Judge) account(s *subscriber, o *history.Observation, heard time.Duration, calm bool) (how ending) {
	how = j.endingOf(s, o, heard, calm)
	age := o.At - s.began
	if how == endedSilent {
		age = heard - s.began
	}
	j.ended[how].record(age)
	if how != endedSilent {
		return how
	}
	j.report(Vanished, o, func() Example {
		return Example{
			Stream: -1, Text: fmt.Sprintf("connection %d brought its last byte %s after it was opened, and no end: it was given up %s later", o.Connection, brief(age), brief(o.At-heard)),
			Expected: "open until somebody ends it", Actual: "silent, while no fault of ours was in effect",
		}
	})
	return how
}

func (j *Judge) endingOf(s *subscriber, o *history.Observation, heard time.Duration, calm bool) ending {
	lifted := max(time.Duration(j.clock.lifted.Load()), liftedFrom(s))
	switch o.Cause {
	case history.CauseEnd:
		return endedByRun
	case history.CauseFault, history.CauseFarewell, history.CauseExpired, history.CauseHarness:
		return endedByUs
	}
	switch {
	case !calm, s.expires != 0 && o.At >= s.expires-expiryEarly, lifted > 0 && o.At-lifted <= j.stalled, s.wasSlow && s.behindBySlowness(o.At, j.stalled):
		return endedByUs
	case o.Cause == history.CauseIdle && (j.quiet > 0 && o.At-heard > j.quiet || j.published(s, o.At-lasting)):
		return endedSilent
	case o.Cause == history.CauseIdle:
		return endedByPatient
	case o.Cause == history.CauseEOF:
		return endedByTarget
	}
	return endedBroken
}

// liftedFrom is when the last fault of ours was lifted from the subscriber; 0: none was.
func liftedFrom(s *subscriber) time.Duration {
	if s.trouble == nil {
		return 0
	}
	return s.trouble.lifted
}

// connectionsEnded tells of the connections that ended by themselves. A target may end streams: where it resumes, that is its own affair.
func connectionsEnded(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	v := conformance.Verdict{
		ID: "connections.ended", Scenario: c.Scenario, Level: conformance.Should, Checked: t.Connections,
		Title:    "A connection stays open until its subscriber leaves, or its end is seen at both sides.",
		Expected: "none ends by itself, without a fault of ours", Outcome: conformance.Info, Reason: certainty(t, h),
		Findings: t.finding(c, Vanished),
	}
	var told []string
	for how := endedSilent; endingWords[how] != ""; how-- {
		if d := t.distribution(endingNames[how]); d.Samples > 0 {
			told = append(told, fmt.Sprintf("%d of %d connections %s, %s", d.Samples, t.Connections, endingWords[how], ages(d)))
		}
	}
	v.Actual = strings.Join(told, "; ")
	switch {
	case len(told) == 0:
		return nil
	case v.Reason != "":
		v.Outcome = conformance.Unknown
	case t.distribution(endingNames[endedSilent]).Samples > 0:
		v.Outcome = conformance.Warn
		v.Next = "Look for what forgets connections at that age: an idle or lifetime limit of a proxy, a load balancer or a NAT. A heartbeat keeps idle ones, and an end of the response tells the subscriber."
	case !c.Target.Resume:
		v.Outcome = conformance.Warn
		v.Next = "What is published between the end and the return is lost where a target does not resume: find out what limits the age, or let subscribers resume."
	}
	return []conformance.Verdict{v}
}

// ages says at which age most connections ended, or between which.
func ages(d *Distribution) string {
	middle, _ := d.Quantile(50)
	low, _ := d.Quantile(10)
	high, _ := d.Quantile(90)
	switch alike := high-low <= max(time.Duration(atAge*float64(middle)), atAgeLeast); {
	case d.Samples == 1:
		return fmt.Sprintf("at an age of %.1f s", middle.Seconds())
	case alike:
		return fmt.Sprintf("most at an age of about %.1f s", middle.Seconds())
	}
	return fmt.Sprintf("at ages from %.1f s to %.1f s, half of them up to %.1f s", d.Min.Seconds(), d.Max.Seconds(), middle.Seconds())
}

// endingsOf are the ages by ending.
func (j *Judge) endingsOf(all map[string]*Distribution) {
	for how, name := range endingNames {
		if d := j.ended[how].snapshot(); d.Samples > 0 {
			all[name] = &d
		}
	}
}

func endingMeasures(t *Tally) (list []conformance.Measure) {
	for _, name := range slices.Sorted(slices.Values(endingNames[:])) {
		list = append(list, distribution(name, t.distribution(name)))
	}
	return list
}
