package client

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// hasty is the first delay that a row of failures is told, where that can be: long beside what a connection takes, and short enough to see growth.
const hasty = 100 * time.Millisecond

// hastened tells a first delay that is no longer than wanted, and what is declared of a client that was told so. Where it cannot be told, or
// nothing is declared, it is left as it is.
func (t *Trial) hastened(base time.Duration) (subject.Open, *subject.Delay) {
	p := t.delay()
	switch {
	case !t.Can(subject.Retry):
		return subject.Open{}, p
	case p == nil:
		return subject.Open{RetryMS: int(base.Milliseconds())}, nil
	}
	told := *p
	told.BaseMS = max(1, math.Round(min(p.BaseMS, float64(base.Milliseconds()))))
	return subject.Open{RetryMS: int(told.BaseMS)}, &told
}

// rowTime is how long a row of failures may take of a client that can be told to hurry.
const rowTime = 15 * time.Second

// row loses one stream and then resets the attempts that follow, until enough says so of the delays, or there are most of them, or, from the
// fourth on, they have taken longer than a time above 0.
func (t *Trial) row(o subject.Open, most int, longest time.Duration, enough func(gaps []time.Duration) bool) (*scene, []time.Duration) {
	const least = 4
	began := time.Now()
	s := t.play(o, func(c *sse.Conn, v *visit) error {
		if v.Number == 0 {
			return stream(c, "data: x\n\n")
		}
		return v.reset(c)
	})
	t.comesFirst(s)
	for n := 1; n <= most; n++ {
		within := t.waitFor(n)
		if longest > 0 && n > least {
			within = min(within, max(0, longest-time.Since(began)))
		}
		t.Allow(within)
		if _, ok := s.comes(n+1, within); !ok || enough(gaps(s.all())) {
			break
		}
	}
	s.leave()
	return s, gaps(s.all())
}

// judgeRow compares the delays of a row with what is declared. Only whoever asks about the cap blames those that are too long.
func (t *Trial) judgeRow(p *subject.Delay, row []time.Duration, capped bool) {
	if p == nil {
		t.keepRow(0, row, func(int) band { return band{} })
		return
	}
	bandOf := func(n int) band { return allowedInRow(p, n).around(50*time.Millisecond, 0.25) }
	evidence := table(t.keepRow(0, row, bandOf))
	worst, beyond := -1, time.Duration(0)
	for n, d := range row {
		b := bandOf(n)
		if d < b.low {
			worst, beyond = n, 0
			break
		}
		if capped && d-b.high > beyond {
			worst, beyond = n, d-b.high
		}
	}
	if worst < 0 {
		return
	}
	b, said := bandOf(worst), fmt.Sprintf("attempt %d came after %s", worst+1, brief(row[worst]))
	if beyond > 0 {
		t.tooBusy(b.high-allowedInRow(p, worst).high, beyond, said)
	}
	t.Breach(fmt.Sprintf("%v, as it is declared", b), said, evidence)
}

// "Attempts that fail one after the other are spaced by growing delays."
func delaysGrow(t *Trial) {
	const most = 8
	o, p := t.hastened(hasty)
	longest := rowTime
	if o.RetryMS == 0 {
		longest = 0 // it keeps its own times, and is given what it needs
	}
	s, row := t.row(o, most, longest, func(gaps []time.Duration) bool { return p == nil && grew(gaps) })
	t.Count(len(row))
	if len(row) < 4 {
		t.Fail("one attempt after the other", fmt.Sprintf("after %s: %s", conformance.Plural(len(row), "attempt"), s.outcome()))
	}
	t.judgeRow(p, row, false)
	later := row[min(4, len(row)-1):]
	switch growth := median(later); {
	case t.Deviated():
	case p != nil && p.Factor <= 1:
		t.Tolerated("delays that grow", "constant, as its policy declares: "+list(row))
	case !grew(row) && growth < 2*row[0] && !(p != nil && p.CapMS < 2*p.BaseMS && p.CapMS > 0):
		t.tooBusy(allowance, 2*row[0]-growth, list(row))
		t.Deviation("the delays of attempts 5 to 8 are at least twice the first", list(row))
	}
	t.Conclude(list(row))
}

// boundless says that a declared delay grows without end: no case can wait for that.
func boundless(p *subject.Delay) bool { return p != nil && p.Factor > 1 && p.CapMS <= 0 }

// "Backoff has a cap and stays there; a delay never becomes unbounded or negative."
func backoffIsCapped(t *Trial) {
	const most = 100
	p := t.delay()
	jitter, within := t.Number("jitter"), 45*time.Second // without a declaration
	if p != nil {
		jitter, within = p.Jitter, time.Hour
	}
	if boundless(p) {
		t.Fail("a delay that has a cap", fmt.Sprintf("the client declares that it grows %g-fold after each loss in a row, and no cap", p.Factor))
	}
	if p != nil && t.Can(subject.Retry) && timeToCap(p) > rowTime {
		t.capIsReached(p)
	}
	began := time.Now()
	capped := func(gaps []time.Duration) bool {
		last := gaps[len(gaps)-1]
		if p == nil {
			return settled(gaps, jitter) && last > 2*gaps[0] || time.Since(began) > within
		}
		if last > 3*allowedInRow(p, len(gaps)-1).high+time.Second {
			return true // it is over the cap, and will not come back to it
		}
		// Where many attempts take little time, so many are watched that a doubled integer would have overflowed.
		reached := settled(gaps, jitter) && last >= allowed(p, len(gaps)-1, 0).low*9/10 && undisturbed(p, len(gaps)-3, 0) >= undisturbed(p, most, 0)
		return reached && (len(gaps) >= 70 || time.Since(began) > 10*time.Second || last > 150*time.Millisecond)
	}
	o, _ := t.hastened(hasty)
	if p != nil && o.RetryMS > 0 {
		o.RetryMS = max(1, int(math.Round(p.BaseMS)))
	}
	s, row := t.row(o, most, 0, capped)
	t.Count(len(row))
	if len(row) < 3 {
		t.Fail("one attempt after the other", fmt.Sprintf("after %s: %s", conformance.Plural(len(row), "attempt"), s.outcome()))
	}
	t.judgeRow(p, row, true)
	last := row[len(row)-1]
	switch longest := t.Duration("cap"); {
	case p != nil:
		t.Conclude(fmt.Sprintf("%s, then at most %s: %s", conformance.Plural(len(row), "attempt"), brief(slices.Max(row)), list(row)))
	case slices.Max(row) > time.Duration(float64(longest)*(1+jitter)):
		t.Fail(fmt.Sprintf("at most %s", brief(time.Duration(float64(longest)*(1+jitter)))), list(row))
	case !settled(row, jitter):
		t.Skip("the adapter declares no backoff, and its cap was not reached within %v: %s", within, list(row))
	case last <= 2*row[0]:
		t.Pass("the delay does not grow: " + list(row))
	}
	t.Pass("it stays at " + brief(last) + ": " + list(row))
}

// "Backoff starts again after a connection was healthy, by the rule that the client declares."
func backoffStartsAgain(t *Trial) {
	const failing = 4
	o, p := t.hastened(hasty)
	hold := 300 * time.Millisecond
	if p != nil {
		hold = max(hold, time.Duration(p.ResetAfterMS*1.1*float64(time.Millisecond))+hold)
	}
	if longest := t.Duration("hold"); hold > longest {
		t.Skip("it declares to be healthy after a time that takes %v to see, and %v is waited for: --set %s.hold=%v", hold, longest, t.Requirement.ID, hold.Round(time.Second))
	}
	t.Allow(hold)
	healthy := make(chan struct{})
	s := t.play(o, func(c *sse.Conn, v *visit) error {
		switch {
		case v.Number == 0:
			return stream(c, "data: x\n\n")
		case v.Number <= failing:
			return v.reset(c)
		case v.Number == failing+1:
			if err := stream(c, "data: healthy\n\n"); err != nil {
				return err
			}
			c.Hold(healthy)
			return nil
		}
		return control(c, "again")
	})
	t.comesFirst(s)
	for n := 2; n <= failing+2; n++ {
		within := t.waitFor(n)
		t.Allow(within)
		if _, ok := s.comes(n, within); !ok {
			t.Fail("one attempt after the other", s.outcome())
		}
	}
	timer := time.NewTimer(hold)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Give()
	}
	close(healthy)
	if _, ok := s.comes(failing+3, t.waitFor(failing+1)); !ok {
		t.Fail("the client comes back", s.outcome())
	}
	row := gaps(s.all())
	after, base := row[len(row)-1], row[0]
	if p != nil {
		base = allowed(p, 0, 0).high
	}
	high := base*3/2 + allowance
	evidence := table(t.keepRow(0, row, func(n int) band {
		switch {
		case n == len(row)-1:
			return band{0, high}
		case p != nil:
			return allowedInRow(p, n).around(50*time.Millisecond, 0.25)
		}
		return band{}
	}))
	t.Count(len(row))
	said := fmt.Sprintf("%s after a healthy stream, the row was %s", brief(after), list(row[:len(row)-1]))
	switch {
	case !grew(row[:len(row)-1]) && row[len(row)-2] < 2*row[0]:
		t.Info("its delays do not grow, so there is nothing to set back: " + list(row))
	case p != nil && p.Reset == "never":
		t.Warn("a delay that starts again", "its policy declares that nothing sets it back: "+said)
	case after <= high:
		t.Pass(said)
	case p == nil || p.Reset == "" && p.ResetAfterMS == 0 && !t.Can(subject.Backoff):
		t.Skip("the adapter declares no rule, and a stream of %v did not set the delay back: %s", hold, said)
	}
	t.tooBusy(high-base, after-high, said)
	if p != nil {
		t.Breach("at most "+brief(high)+", by the rule that it declares", said, evidence)
		t.Conclude("")
	}
	t.Fail("at most "+brief(high), said, evidence)
}

// "A server that accepts and closes at once is no recovery that resets the backoff to a tight loop."
func emptyStreamsAreNoRecovery(t *Trial) {
	const most = 20
	o, p := t.hastened(2 * hasty)
	s := t.play(o, func(c *sse.Conn, _ *visit) error { return stream(c, "") })
	t.comesFirst(s)
	until := time.Now().Add(15 * time.Second)
	for n := 2; n <= most+1; n++ {
		within := t.waitFor(n - 2)
		t.Allow(within)
		if _, ok := s.comes(n, within); !ok {
			break
		}
		if row := gaps(s.all()); grew(row) || len(row) >= 5 && time.Now().After(until) {
			break
		}
	}
	s.leave()
	row := gaps(s.all())
	t.Count(len(row))
	if len(row) < 2 {
		t.Fail("the client comes back", s.outcome())
	}
	low := shortestDelay
	if p != nil {
		low = allowed(p, 0, 0).low - 50*time.Millisecond
	}
	evidence := table(t.keepRow(0, row, func(int) band { return band{low: max(0, low)} }))
	if shortest := slices.Min(row); shortest < low {
		t.Fail("never less than "+brief(low), fmt.Sprintf("%s before an attempt", brief(shortest)), evidence)
	}
	if grew(row) || row[len(row)-1] >= 2*row[0] {
		t.Pass("the delays grow: " + list(row))
	}
	said := list(row)
	if p != nil && (p.Factor <= 1 || p.Reset == "on-open") {
		said = "constant, as its policy declares: " + said
	}
	t.Warn("delays that grow; constant ones are tolerated", said, evidence)
}
