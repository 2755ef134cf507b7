package conformance

import (
	"strings"
	"testing"
	"time"
)

// pace is what happens in each hundred milliseconds of a machine with two processors.
type pace struct {
	idle, others, waited time.Duration
	blind                bool
}

const ms = time.Millisecond

// contended is a contention of so many seconds of each pace.
func contended(start time.Time, seconds int, paces ...pace) *Contention {
	c := &Contention{}
	s := spent{at: start}
	c.note(s)
	for _, p := range paces {
		for range seconds * 10 {
			s.at = s.at.Add(contentionEvery)
			s.busy += 200*ms - p.idle
			s.idle, s.others, s.waited, s.blind = s.idle+p.idle, s.others+p.others, s.waited+p.waited, p.blind
			c.note(s)
		}
	}
	return c
}

var (
	quiet = pace{idle: 170 * ms, others: ms, waited: 2 * ms}
	busy  = pace{others: 150 * ms, waited: 60 * ms} // three quarters of that wait are the others' doing
)

func TestOnlyWhatOthersTookIsTheirDoing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		paces []pace
		want  time.Duration // within a second
	}{
		"nothing going on":                     {[]pace{quiet}, 0},
		"others keep every processor":          {[]pace{busy}, 450 * ms},
		"others keep one, the other is free":   {[]pace{{idle: 100 * ms, others: 100 * ms, waited: 5 * ms}}, 0},
		"others that give way":                 {[]pace{{others: 190 * ms}}, 0},
		"the target itself keeps them all":     {[]pace{{waited: 300 * ms}}, 0},
		"the target, and others a little":      {[]pace{{others: 10 * ms, waited: 300 * ms}}, 100 * ms},
		"others, and waits cannot be seen":     {[]pace{{others: 80 * ms, blind: true}}, 800 * ms},
		"waits cannot be seen, all is free":    {[]pace{{idle: 190 * ms, others: 5 * ms, blind: true}}, 0},
		"others for some time, then no more":   {[]pace{quiet, busy, quiet}, 450 * ms},
		"more threads wait than there is time": {[]pace{{others: 200 * ms, waited: 900 * ms}}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := Health{Contention: contended(time.Now(), 10, c.paces...).HeldUp()}
			if got := h.HeldUp(time.Second/2, 0); (got - c.want).Abs() > 5*ms {
				t.Errorf("%v, want %v: %+v", got, c.want, h.Contention)
			}
		})
	}
}

func TestContentionIsThatOfItsTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	c := contended(start, 10, quiet, busy, quiet)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	for _, test := range []struct {
		from, to     float64
		sum, longest time.Duration
	}{{0, 9, 9 * ms, 5 * ms}, {12, 14, 900 * ms, 225 * ms}, {9.5, 20.5, 4500 * ms, 225 * ms}, {21, 29, 8 * ms, 5 * ms}, {14, 14.1, 45 * ms, 45 * ms}} {
		if got := c.sum(at(test.from), at(test.to)); (got - test.sum).Abs() > 120*ms {
			t.Errorf("from %v to %v s: %v, want %v", test.from, test.to, got, test.sum)
		}
		if got := c.longest(at(test.from), at(test.to)); (got - test.longest).Abs() > 65*ms {
			t.Errorf("from %v to %v s: %v at most, want %v", test.from, test.to, got, test.longest)
		}
	}
	h := Health{Contention: c.HeldUp()}
	if usual, worst := h.HeldUp(time.Second/2, 50), h.HeldUp(10*time.Second, 0); usual > 25*ms || worst < 4*time.Second {
		t.Errorf("a median is moved by %v, a maximum of 20 s by %v", usual, worst)
	}
}

// TestLatenessOfAStarvedSubjectIsUnknown where other programs can have caused it, and nowhere else.
func TestLatenessOfAStarvedSubjectIsUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pace   pace
		excess time.Duration
		want   Outcome
	}{
		"a busy machine":              {busy, 400 * ms, Unknown},
		"far more than that explains": {busy, 5 * time.Second, Fail},
		"a quiet machine":             {quiet, 500 * ms, Fail},
		"the subject's own work":      {pace{waited: 300 * ms}, 500 * ms, Fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := decide(t, must, func(trial *Trial) {
				trial.began = trial.began.Add(-10 * time.Second)
				trial.pulse = &pulse{first: trial.began, contention: contended(trial.began, 10, c.pace)}
				trial.Late(c.excess, "in time", "late")
			})
			if v.Outcome != c.want || c.want == Unknown && !strings.Contains(v.Reason, "too busy") {
				t.Errorf("%v (%s), want %v", v.Outcome, v.Reason, c.want)
			}
		})
	}
}

// TestWhatDidNotComeToAStoppedHarnessIsUnknown, as after SIGSTOP.
func TestWhatDidNotComeToAStoppedHarnessIsUnknown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		late time.Duration
		weak bool
		want Outcome
	}{"stopped": {2 * time.Second, true, Unknown}, "seen all the same": {2 * time.Second, false, Fail}, "not stopped": {50 * ms, true, Fail}} {
		p := &pulse{first: now}
		p.note(now.Add(3*time.Second), c.late)
		a := &attempt{verdict: Verdict{Outcome: Fail, Actual: "nothing came"}, weak: c.weak}
		p.doubt(a, now, now.Add(4*time.Second))
		if a.verdict.Outcome != c.want {
			t.Errorf("%s: %v (%s)", name, a.verdict.Outcome, a.verdict.Reason)
		}
	}
}

// TestWhatAStarvedSubjectDidNotDoIsUnknown, but bytes that are wrong are wrong.
func TestWhatAStarvedSubjectDidNotDoIsUnknown(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		pace pace
		weak bool
		want Outcome
	}{"starved": {busy, true, Unknown}, "seen all the same": {busy, false, Fail}, "not starved": {quiet, true, Fail}} {
		p := &pulse{contention: contended(now, 4, c.pace)}
		a := &attempt{verdict: Verdict{Outcome: Fail, Actual: "nothing came"}, weak: c.weak}
		p.doubt(a, now, now.Add(4*time.Second))
		if a.verdict.Outcome != c.want {
			t.Errorf("%s: %v (%s)", name, a.verdict.Outcome, a.verdict.Reason)
		}
	}
}

// TestWhatWasWhileNobodyLookedCountsForNobody: one account serves all checks of a process, one after the other.
func TestWhatWasWhileNobodyLookedCountsForNobody(t *testing.T) {
	t.Parallel()
	s := spent{at: time.Unix(1, 0)}
	c := &Contention{read: func() (spent, bool) { return s, true }}
	pass := func(d time.Duration) {
		s.at, s.busy, s.others, s.waited = s.at.Add(d), s.busy+2*d, s.others+2*d, s.waited+d
	}
	c.arrive()
	pass(contentionEvery)
	c.note(s)
	c.leave()
	if held := c.sum(time.Unix(1, 0), s.at); held != contentionEvery {
		t.Errorf("held up for %v while somebody looked, want %v", held, contentionEvery)
	}
	pass(time.Minute)
	c.arrive()
	defer c.leave()
	if held := c.sum(s.at.Add(-time.Minute), s.at); held != 0 {
		t.Errorf("held up for %v while nobody looked", held)
	}
}
