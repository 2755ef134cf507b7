package check

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// budget judges one part of Config.Expect. It returns no verdict when the scenario does not ask for it.
type budget func(*Config, *Tally, *conformance.Health) []conformance.Verdict

// budgets are all budgets, in the order in which they are reported.
var budgets = []budget{
	latencyBudget, calmBudget, connectBudget, firstEventBudget, reconnectWithin, reconnectBackoff, reconnectPeak, resumeGapBudget,
	heartbeatBudget, fanOutBudget, bystandersBudget, memoryBudget, sessionsBudget, expiryBudget, greetingBudget, connectionsEnded,
}

// bound is a budget's comparison before anything that may make it unknown is looked at.
type bound struct {
	id, title, next  string
	checked          uint64
	unit             string // of what was checked, where not one may be faulty; "" for a percentile or a total
	expected, actual string
	exceeded         bool
	findings         []conformance.Finding
	// lag says that a slow harness makes this worse, never better: a failure is then unknown, a pass stays one.
	lag     bool
	figure  time.Duration // the time that is bounded; 0: not known
	excess  time.Duration // how far it is beyond its bound; 0: not known
	percent float64       // of the percentile that is bounded; 0: the worst of all
	missing Anomaly       // what a sample that never came is called
	// doubt is why the bound cannot be judged at all.
	doubt string
}

func (b bound) verdict(c *Config, t *Tally, h *conformance.Health) conformance.Verdict {
	v := conformance.Verdict{
		ID: b.id, Scenario: c.Scenario, Title: b.title, Level: conformance.Must, Checked: b.checked,
		Expected: b.expected, Actual: b.actual, Findings: b.findings,
	}
	reason := firstOf(certainty(t, h), b.doubt)
	if reason == "" && b.exceeded && b.lag {
		reason = b.excuse(h)
	}
	if reason == "" && b.exceeded && b.lag && b.dropped(h) {
		reason = fmt.Sprintf("the kernel of this machine dropped %s, and each is sent again 200 ms later or more", conformance.Plural(h.KernelDrops, "packet"))
	}
	if reason == "" && !b.exceeded {
		reason = bitten(c, t, b.id)
	}
	switch {
	case reason != "":
		v.Outcome, v.Reason = conformance.Unknown, reason
	case b.exceeded:
		v.Outcome, v.Next = conformance.Fail, b.next
	default:
		v.Outcome = conformance.Pass
		if b.unit != "" {
			v.Power = conformance.PowerOf(b.checked, b.unit)
		}
	}
	return v
}

// dropped says whether packets that the kernel dropped are enough of them to have moved what is bounded.
func (b bound) dropped(h *conformance.Health) bool {
	above := 1.0 // samples beyond the bound that it takes
	if b.percent > 0 {
		above = max(1, float64(b.checked)*(100-b.percent)/100)
	}
	return float64(h.KernelDrops) >= above
}

// excuse is why a failure is none for sure: without the harness's own lateness the figure could lie within its bound, or where there is
// no figure, the harness was in trouble.
func (b bound) excuse(h *conformance.Health) string {
	switch {
	case b.excess == 0 && len(h.Problems) > 0:
		return "the harness itself was the bottleneck: " + strings.Join(h.Problems, "; ")
	case b.excess > 0:
		return excused(b.excess, b.late(h), h.HeldUp(max(b.figure, b.excess), b.percent))
	}
	return ""
}

// excused says why an excess may be none: the harness itself was late, or others kept harness and target from their processors.
func excused(excess, late, held time.Duration) string {
	switch {
	case excess <= late:
		return fmt.Sprintf("the excess of %s is no more than the %s that the harness itself was held up", brief(excess), brief(late))
	case held >= leastHeld && excess <= late+held:
		return fmt.Sprintf("this machine was too busy to tell: other programs kept the target or the harness from its processors, for up to %s meanwhile, and the excess is %s",
			brief(held), brief(excess))
	}
	return ""
}

// leastHeld is what no machine is without.
const leastHeld = 5 * time.Millisecond

// worst is by how much the worst example of an anomaly is beyond what is allowed.
func (t *Tally) worst(a Anomaly) time.Duration {
	if s := t.Anomalies[a]; s != nil && len(s.Examples) > 0 {
		return time.Duration(s.Examples[0].Excess)
	}
	return 0
}

// late is how far the harness itself may have moved what is bounded: a median by as much as its timers usually are late, a
// high percentile by as much as they were at worst, since one long stall of ours delays everything that falls into it.
func (b bound) late(h *conformance.Health) time.Duration {
	ms := h.LagMax
	switch {
	case b.percent == 0:
	case b.percent < 90:
		ms = max(h.LagP50, h.PublishLateP99)
	case b.percent < 99:
		ms = max(h.LagP99, h.PublishLateP99)
	}
	return time.Duration(ms * float64(time.Millisecond))
}

func firstOf(reasons ...string) string {
	for _, r := range reasons {
		if r != "" {
			return r
		}
	}
	return ""
}

// finding returns the one finding for an anomaly, if there was one.
func (t *Tally) finding(c *Config, a Anomaly) []conformance.Finding {
	if s := t.Anomalies[a]; s != nil {
		return []conformance.Finding{c.finding(a, s)}
	}
	return nil
}

// quantiles judges the percentiles of one distribution. Their ids begin with prefix: p99, p99.9, max.
func (b bound) quantiles(prefix string, d *Distribution, want []Quantile, c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	var all []conformance.Verdict
	for _, q := range want {
		one := b
		one.id, one.percent, one.checked, one.lag = prefix+percentile(q.Percent), q.Percent, d.Samples+d.Missing, true
		one.expected = "at most " + brief(q.AtMost)
		got, finite := d.Quantile(q.Percent)
		switch {
		case one.checked == 0:
			one.doubt, one.actual = firstOf(b.doubt, "there were no samples"), "no samples"
		case finite:
			one.exceeded, one.actual, one.figure, one.excess = got > q.AtMost, brief(got), got, got-q.AtMost
		default:
			one.exceeded, one.lag = true, false
			one.actual = fmt.Sprintf("∞ (%d of %d never came)", d.Missing, one.checked)
			one.findings = t.finding(c, b.missing)
		}
		all = append(all, one.verdict(c, t, h))
	}
	return all
}

// percentile is a percentile's name: p99, p99.9, max.
func percentile(p float64) string {
	if p == 100 {
		return "max"
	}
	return "p" + strconv.FormatFloat(p, 'f', -1, 64)
}

// brief writes a duration to about three digits.
func brief(d time.Duration) string {
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 1000*unit && d > -1000*unit || unit >= time.Second {
			return d.Round(unit).String()
		}
	}
}
