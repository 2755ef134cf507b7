package capacity

import (
	"fmt"
	"math"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// Load is what a run was to put on the target, and what the target took of it.
type Load struct {
	Subscribers, Ready uint64
	Acknowledged       uint64 // messages
	Rejected           uint64
	Indeterminate      uint64
	Unsent             uint64  // the target took too long to take those before them
	Rate               float64 // messages a second, as planned
	Disturbed          bool    // the scenario itself makes the target refuse messages
}

// Verdicts say whether the target took the load at all. A run judges deliveries of what was accepted; a target that turns subscribers or
// messages away carries less than it was given, however well it serves the rest.
func (l *Load) Verdicts(health conformance.Health) []conformance.Verdict {
	connected := conformance.Verdict{
		ID: "load.connected", Title: "Every subscriber gets a connection.", Level: conformance.Must, Outcome: conformance.Pass,
		Checked: l.Subscribers, Expected: fmt.Sprintf("%d ready", l.Subscribers), Actual: fmt.Sprintf("%d ready", l.Ready),
		Next: "See in the history what ended the attempts that failed (kind refused): cause, status and text of each; then look at the target and at what is in front of it.",
	}
	all := []conformance.Verdict{judged(connected, l.Ready < l.Subscribers, health)}
	lost := l.Rejected + l.Indeterminate + l.Unsent
	if l.Disturbed || l.Acknowledged+lost == 0 {
		return all
	}
	published := conformance.Verdict{
		ID: "load.published", Title: "Every message is accepted.", Level: conformance.Must, Outcome: conformance.Pass,
		Checked: l.Acknowledged + lost, Expected: fmt.Sprintf("%d accepted", l.Acknowledged+lost),
		Actual: fmt.Sprintf("%d accepted, %d refused, %d without an answer, %d not sent in time", l.Acknowledged, l.Rejected, l.Indeterminate, l.Unsent),
		Next:   "Look for a limit of the publishing rate, or for what holds up the answers.",
	}
	v := judged(published, lost > 0, health)
	if together := l.bunched(health); v.Outcome == conformance.Fail && l.Rejected == lost && lost <= together {
		v.Outcome, v.Next = conformance.Unknown, ""
		v.Reason = fmt.Sprintf("the harness itself was held up for as long as %.0f ms and then sent up to %s at once: a limit of the rate may have refused those",
			health.LagMax, conformance.Plural(together, "message"))
	}
	return append(all, v)
}

// bunched is how many messages may have been refused only because the harness was late with them, and sent them in a bunch: twice as many
// as fall into its longest hold-up, since there may have been more than one.
func (l *Load) bunched(health conformance.Health) uint64 {
	return uint64(math.Ceil(2 * l.Rate * health.LagMax / 1000))
}

// judged gives a verdict its outcome. What the harness may have caused itself is unknown.
func judged(v conformance.Verdict, broken bool, health conformance.Health) conformance.Verdict {
	switch {
	case !broken:
		v.Next = ""
	case len(health.Problems) > 0:
		v.Outcome, v.Reason, v.Next = conformance.Unknown, "the harness itself was the bottleneck: "+strings.Join(health.Problems, "; "), ""
	default:
		v.Outcome = conformance.Fail
	}
	return v
}

// measured are the areas of budgets on a time, a rate or a size, of which a single miss may be chance. All other promises are about what
// happened, and hold or do not.
var measured = []string{"latency.", "calm.", "first_event.", "reconnect.", "resume.", "heartbeat.", "fan_out.", "bystanders.", "memory.", "connect.p", "connect.max"}

// IsFinal says of a failed verdict that repeating the run cannot excuse it: a guarantee, a count, or a sample that never came.
func IsFinal(v *conformance.Verdict) bool {
	for _, area := range measured {
		if strings.HasPrefix(v.ID, area) {
			return strings.HasPrefix(v.Actual, "∞")
		}
	}
	return true
}

// NewStep is what a judged run says of the value it was run at. The verdicts are all those that count.
func NewStep(run conformance.ScenarioRun, verdicts []conformance.Verdict, measures []conformance.Measure, strict bool) conformance.CapacityStep {
	step := conformance.CapacityStep{
		Outcome: conformance.Overall(verdicts, strict), Subscribers: run.Subscribers, Published: run.Published,
		Expected: run.Expected, Delivered: run.Delivered, HarnessCPU: run.Health.CPU, Duration: run.Duration,
	}
	for i := range verdicts {
		v := &verdicts[i]
		if v.Outcome != conformance.Fail && (v.Outcome != conformance.Warn || !strict) {
			continue
		}
		step.Failed = append(step.Failed, v.ID)
		if final := IsFinal(v); step.Broken == nil || final && !step.Final {
			step.Broken, step.Final = v, final
		}
	}
	if step.Outcome == conformance.Unknown || step.Outcome == conformance.Skip {
		step.Reason, step.Harness = undecided(run, verdicts)
	}
	for i := range measures {
		if m := &measures[i]; m.Name == "latency" {
			step.LatencyP50, step.LatencyP99 = percentile(m, "p50"), percentile(m, "p99")
		}
	}
	return step
}

// undecided is why nothing could be said, and whether the harness was the reason.
func undecided(run conformance.ScenarioRun, verdicts []conformance.Verdict) (reason string, harness bool) {
	for i := range verdicts {
		v := &verdicts[i]
		if v.Outcome != conformance.Unknown && v.Outcome != conformance.Skip {
			continue
		}
		own := strings.Contains(v.Reason, "the harness")
		if reason == "" || own && !harness {
			reason, harness = v.ID+": "+v.Reason, own
		}
	}
	if run.Reason != "" {
		reason = run.Reason
	}
	if reason == "" {
		reason = "nothing was judged"
	}
	return reason, harness || !run.Health.OK
}

// percentile is +Inf where so many deliveries are missing, and nil without any.
func percentile(m *conformance.Measure, name string) *conformance.Sample {
	v, finite := m.Quantile[name]
	switch {
	case m.Samples+m.Missing == 0:
		return nil
	case !finite:
		v = math.Inf(1)
	}
	s := conformance.Sample(v)
	return &s
}
