package check

import (
	"fmt"
	"math"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// reconnectWithin is over all losses, each until a stream was ready that delivers or lasts.
func reconnectWithin(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if c.Expect.Within == 0 {
		return nil
	}
	d := *t.distribution(timeReconnect)
	d.Missing = t.count(NeverBack) + t.Astray
	b := bound{
		id: "reconnect.within", title: "A subscriber that lost its connection is back soon.",
		next:    "Compare the waits of the client's policy with the target's answers to its attempts.",
		checked: d.Samples + d.Missing, unit: "return", expected: "at most " + brief(c.Expect.Within), lag: true,
		findings: append(t.finding(c, LateReturn), t.finding(c, NeverBack)...),
	}
	longest, finite := d.Quantile(100)
	switch {
	case b.checked == 0:
		b.doubt, b.actual = "no subscriber lost its connection and came back", "no samples"
	case finite:
		b.exceeded, b.actual, b.figure, b.excess = longest > c.Expect.Within, brief(longest), longest, longest-c.Expect.Within
	default:
		b.exceeded, b.lag, b.actual = true, false, fmt.Sprintf("∞ (%d of %d never came back)", d.Missing, b.checked)
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}

// minDelays is how many delays it takes to judge a policy.
const minDelays = 10

// reconnectBackoff compares each delay with the bounds that the client's policy set for it.
func reconnectBackoff(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if !c.Expect.Backoff {
		return nil
	}
	wrong := t.count(BadDelay)
	b := bound{
		id: "reconnect.backoff", title: "Every wait before a reconnect keeps to the client's policy.",
		next:    "Compare the delay in the evidence with the policy's bounds for that attempt: growth, cap, jitter, reset.",
		checked: t.distribution(timeBackoff).Samples, unit: "delay", expected: "each delay within its policy's bounds",
		actual: fmt.Sprintf("%d outside", wrong), exceeded: wrong > 0, lag: true, excess: t.worst(BadDelay), findings: t.finding(c, BadDelay),
	}
	if b.checked < minDelays {
		b.doubt = fmt.Sprintf("there were %s, at least %d are needed", conformance.Plural(b.checked, "delay"), minDelays)
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}

// reconnectPeak looks for the second with the most reconnecting attempts, as a share of all subscribers.
func reconnectPeak(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if c.Expect.Peak == 0 {
		return nil
	}
	most, from, all := peak(t.Returns)
	share := float64(most) / float64(max(t.Planned, 1))
	b := bound{
		id: "reconnect.peak", title: "Subscribers that lost their connections together do not come back together.",
		next:    "Add jitter to the reconnect policy, or let the target hint different retry times.",
		checked: all, expected: fmt.Sprintf("at most %.3g%%/s", 100*c.Expect.Peak),
		actual:   fmt.Sprintf("%.3g%%/s (%d of %d from %s on)", 100*share, most, t.Planned, seconds(from)),
		exceeded: share > c.Expect.Peak,
	}
	if all == 0 {
		b.doubt, b.actual = "no subscriber reconnected", "no samples"
	}
	return []conformance.Verdict{b.verdict(c, t, h)}
}

// peak is the most attempts in any second of a series in peakSteps, when that second began, and how many there were in all.
func peak(returns []int64) (most int64, from time.Duration, all uint64) {
	const width = int(time.Second / peakStep)
	var window int64
	for i, n := range returns {
		all += uint64(n)
		window += n
		if i >= width {
			window -= returns[i-width]
		}
		if window > most {
			most, from = window, time.Duration(max(i-width+1, 0))*peakStep
		}
	}
	return most, from, all
}

// judgeDelay compares the wait before a reconnect with what the client announced under its policy.
func (j *Judge) judgeDelay(t *trouble, o *history.Observation) {
	if t.high == silent {
		return
	}
	low, high := t.low, t.high
	t.high = silent
	delay := o.At - t.undone
	j.backoff.record(delay)
	if !j.cfg.Expect.Backoff {
		return
	}
	least, most := delayBounds(low, high)
	most = clampAdd(most, o.Took) // our own timers' lateness is not the client's
	if delay >= least && delay <= most {
		return
	}
	undone := t.undone
	j.reportBy(BadDelay, o, int64(max(least-delay, delay-most)), func() Example {
		return Example{
			Stream: -1, Text: fmt.Sprintf("attempt %d came %s after the loss", o.Attempt, brief(delay)),
			Expected: fmt.Sprintf("%s to %s", brief(least), brief(most)), Actual: brief(delay),
			Evidence: []string{fmt.Sprintf("lost at %s, dialled at %s, policy allows %s to %s", seconds(undone), seconds(o.At), brief(low), brief(high))},
		}
	})
}

// delayBounds widens a policy's bounds by what a correct client and a busy machine need.
func delayBounds(low, high time.Duration) (least, most time.Duration) {
	return max(low-delayEarly, 0), clampAdd(high+high/4, delayLate)
}

const (
	delayEarly = 50 * time.Millisecond
	delayLate  = 100 * time.Millisecond
)

func clampAdd(a, b time.Duration) time.Duration {
	if a < 0 || a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
