package client

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// missed notes that a retry: field was not followed, which is tolerated of a client whose declared policy says so.
func (t *Trial) missed(expected, actual string, evidence ...[]string) {
	if p := t.delay(); p != nil && p.OwnTime {
		t.Tolerated(expected, actual+"; its declared policy does not follow retry", evidence...)
		return
	}
	t.Deviation(expected, actual, evidence...)
}

// tooShort notes that a delay was shorter than retry: jitter below it is tolerated where it is declared.
func (t *Trial) tooShort(shortest, retry time.Duration, said string, evidence []string) {
	expected := brief(retry-50*time.Millisecond) + " or more"
	if p := t.delay(); p != nil && t.profile == conformance.ProfileSDK && shortest >= allowed(p, 0, retry).low-50*time.Millisecond {
		t.Tolerated(expected, said+"; its policy declares jitter below retry", evidence)
		return
	}
	t.missed(expected, said, evidence)
}

// jitterOf is the declared share by which a delay may be longer.
func (t *Trial) jitterOf() float64 {
	if p := t.delay(); p != nil {
		return p.Jitter
	}
	return 0
}

// tooBusy ends a case as unknown when this process was late by more than 30 % of a tolerance since the case began, unless what was measured
// lies so far beyond it that no such lateness explains it; nor does less than half a second say anything of a client on a machine that had
// nothing to spare. The first time it is unknown in any case, so that it is measured once more: a lost SYN, which the kernel repeats after
// a second, must not decide.
func (t *Trial) tooBusy(tolerance, beyond time.Duration, actual string) {
	if !t.own {
		t.Unknown("%s, which is to be measured once more", actual)
	}
	if lag := t.Lag(); lag > tolerance*3/10 && beyond < 4*lag {
		t.Unknown("%s, but this machine was too busy to tell: a timer of the harness was %s late", actual, brief(lag))
	}
	if share := t.load.Share(); share > saturated && beyond < time.Second/2 {
		t.Unknown("%s, but this machine was too busy to tell: %.0f%% of its processor time was spent", actual, 100*share)
	}
}

// saturated is the share of this machine's processor time above which a client here may not have got what it needed.
const saturated = 0.9

// "The client waits at least as long as retry says before the next attempt."
func waitsForRetry(t *Trial) {
	short, long := 10, 10
	if !t.Can(subject.Multi) {
		long = 2
		t.Allow(20 * time.Second)
	}
	t.Allow(20 * time.Second)
	t.each(2, func(i int) {
		if i == 0 {
			t.judgeRetry(500*time.Millisecond, short)
		} else {
			t.judgeRetry(3*time.Second, long)
		}
	})
	t.Conclude("each wait as long as retry says")
}

// judgeRetry measures how long n subscriptions stay away after a retry: field.
func (t *Trial) judgeRetry(retry time.Duration, n int) {
	early, late, tooLate := t.Duration("early"), t.Number("late"), t.Number("too_late")
	measured := t.losses(n, subject.Open{}, fmt.Sprintf("retry: %d\ndata: x\n\n", retry.Milliseconds()), 5*retry+5*time.Second)
	high := time.Duration(float64(retry) * (1 + t.jitterOf()))
	b := band{retry, high}.around(early, late)
	evidence := table(t.keep(measured, b))
	said := fmt.Sprintf("retry: %d: %s", retry.Milliseconds(), list(measured))
	if shortest := slices.Min(measured); shortest < b.low {
		t.tooShort(shortest, retry, said, evidence)
		return
	}
	typical := median(measured)
	if typical <= b.high {
		return
	}
	t.tooBusy(b.high-high, typical-b.high, said)
	if typical > time.Duration(tooLate*float64(high))+allowance {
		t.missed(fmt.Sprintf("%v after retry: %d", b, retry.Milliseconds()), said, evidence)
		return
	}
	t.Tolerated(fmt.Sprintf("%v after retry: %d", b, retry.Milliseconds()), said, evidence)
}

// "retry is in milliseconds." A client that comes back after a time of the right order is not one that reads another unit.
func retryIsInMilliseconds(t *Trial) {
	const retry = 2 * time.Second
	body := "retry: 2000\ndata: x\n\n"
	t.Allow(10 * retry)
	measured := make([]time.Duration, 3)
	t.each(len(measured), func(i int) {
		s := t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "again")
			}
			return stream(c, body)
		})
		t.comesFirst(s)
		if v, ok := s.comes(2, 6*retry); ok {
			measured[i] = v.Accepted.Sub(s.all()[0].Lost)
		}
		s.leave()
	})
	back := slices.DeleteFunc(slices.Clone(measured), func(d time.Duration) bool { return d == 0 })
	t.Count(len(measured))
	b := band{retry, time.Duration(float64(retry) * (1 + t.jitterOf()))}.around(50*time.Millisecond, 0.25)
	t.keep(back, b)
	typical := median(back)
	switch {
	case len(back) == 0:
		t.Late(4*retry, "back after about 2 s", fmt.Sprintf("not back %v after retry: 2000", 6*retry))
	case typical < retry/10:
		t.missed("back after about 2 s", fmt.Sprintf("back after %s: retry: 2000 is ignored, or taken for less", list(back)))
		t.Conclude("")
	case !b.holds(typical):
		t.Info(fmt.Sprintf("back after %s: another unit it is not; SSE-RECON-004 judges the time itself", list(back)))
	}
	t.Pass("back after " + list(back))
}

// "retry holds for all later reconnections, until it changes."
func retryHolds(t *Trial) {
	const losses = 4
	retry := tellingRetry(t.delay())
	body := fmt.Sprintf("retry: %d\ndata: x\n\n", retry.Milliseconds())
	t.Allow(90 * time.Second)
	n := 3
	if !t.Can(subject.Multi) {
		n = 1
	}
	rows := make([][]time.Duration, n)
	t.each(n, func(i int) {
		s := t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
			switch v.Number {
			case 0:
				return stream(c, body)
			case losses:
				return control(c, "again")
			}
			return stream(c, "data: x\n\n")
		})
		t.comesFirst(s)
		for k := 2; k <= losses+1; k++ {
			if _, ok := s.comes(k, returnWithin); !ok {
				t.Deviation("the client comes back after each loss", fmt.Sprintf("after loss %d: %s", k-1, s.outcome()))
				break
			}
		}
		rows[i] = gaps(s.all())
		s.leave()
	})
	b := band{low: retry - 50*time.Millisecond}
	for i, row := range rows {
		t.Count(len(row))
		evidence := table(t.keepRow(i+1, row, func(int) band { return b }))
		if early := slices.IndexFunc(row, func(d time.Duration) bool { return d < b.low }); early >= 0 {
			t.tooShort(slices.Min(row), retry, fmt.Sprintf("after loss %d only %s", early+1, brief(row[early])), evidence)
		} else if forgotten(row, retry) {
			t.missed("retry decides every delay", fmt.Sprintf("the first delay follows retry: %d, the later ones do not: %s", retry.Milliseconds(), list(row)), evidence)
		}
	}
	t.Conclude(fmt.Sprintf("after each of %s: %s", conformance.Plural(losses, "loss"), list(rows[0])))
}

// tellingRetry is a reconnection time that no delay of the client's own can be taken for.
func tellingRetry(p *subject.Delay) time.Duration {
	const usual, most = 700 * time.Millisecond, 5 * time.Second
	if p == nil {
		return usual
	}
	own, told := allowed(p, 0, 0), allowed(p, 0, time.Second)
	if told.low <= 0 {
		return usual
	}
	needed := 1.2 * float64(own.high) * float64(time.Second) / float64(told.low)
	return min(max(usual, time.Duration(needed)).Round(10*time.Millisecond), most)
}

// forgotten says that a client obeyed once and then went back to a longer time of its own: all later delays are alike, which
// those of a backoff are not.
func forgotten(row []time.Duration, retry time.Duration) bool {
	if len(row) < 4 || row[0] > retry*3/2 {
		return false
	}
	later := row[1:]
	shortest, longest := slices.Min(later), slices.Max(later)
	return shortest > 2*retry && float64(longest) < 1.2*float64(shortest)
}

// "Backoff and jitter never make the wait shorter than retry."
func neverShorterThanRetry(t *Trial) {
	const retry = 2 * time.Second
	t.Allow(60 * time.Second)
	n, losses := 6, 3
	if !t.Can(subject.Multi) {
		n, losses = 1, 5
	}
	rows := make([][]time.Duration, n)
	t.each(n, func(i int) {
		s := t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
			switch {
			case v.Number == 0:
				return stream(c, "retry: 2000\ndata: x\n\n")
			case v.Number >= losses:
				return control(c, "again")
			case v.Number%2 == 1:
				return v.reset(c)
			}
			return stream(c, "data: x\n\n")
		})
		t.comesFirst(s)
		// A backoff makes the later delays longer than what is to be seen here.
		s.until(time.Duration(losses)*retry*3/2, func(visits []visit) bool { return len(visits) > losses })
		rows[i] = gaps(s.all())
		s.leave()
	})
	var all []time.Duration
	low := retry - 50*time.Millisecond
	var evidence []string
	for i, row := range rows {
		all = append(all, row...)
		evidence = append(evidence, table(t.keepRow(i+1, row, func(int) band { return band{low: low} }))...)
	}
	t.Count(len(all))
	if len(all) < n {
		t.Unknown("the client came back %s only", conformance.Plural(len(all), "time"))
	}
	shortest := slices.Min(all)
	said := fmt.Sprintf("the shortest of %s is %s", conformance.Plural(len(all), "delay"), brief(shortest))
	if shortest >= low {
		t.Pass(said)
	}
	t.tooShort(shortest, retry, said, evidence)
	t.Conclude("")
}
