package client

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

const (
	// herd is how many subscriptions lose their streams at once.
	herd = 200
	// herdRetry is the first delay of the herd where it can be set: much longer than what the machine adds to it.
	herdRetry   = time.Second
	longestHerd = 8 * time.Second
	// leastVariation is the least coefficient of variation, and mostTogether the largest share of the attempts in one tenth of the window.
	leastVariation = 0.1
	mostTogether   = 0.4
)

// "Delays are jittered: clients that lose their connections at once do not come back at once."
func delaysAreSpread(t *Trial) {
	if !t.Can(subject.Multi) {
		t.judgeSpread(t.oneByOne(), nil, 0, time.Now())
	}
	// A machine that is late makes a herd of what is none, and hides one: then the delays must be longer to tell.
	for retry := herdRetry; ; retry *= 2 {
		began := time.Now()
		delays, at := t.scatter(t.herdDelay(retry))
		window := slices.Max(delays) - slices.Min(delays)
		if p := t.delay(); p != nil {
			b := allowed(p, 0, t.herdDelay(retry))
			window = b.high - b.low
		}
		calm := t.lateSince(began) <= max(window*3/10, retry/100) && (t.load.Share() <= saturated || window > time.Second)
		if calm || retry >= longestHerd {
			t.judgeSpread(delays, at, t.herdDelay(retry), began)
		}
	}
}

// judgeSpread ends the case by the delays of a herd that was told to come back after a time, 0 for one of its own, and the instants of its
// coming back.
func (t *Trial) judgeSpread(delays []time.Duration, at []time.Time, retry time.Duration, began time.Time) {
	p := t.delay()
	t.Count(len(delays))
	least := leastVariation
	if p != nil && p.Jitter > 0 {
		least = min(least, 0.6*expectedVariation(p)) // less than what is declared would be blamed on the declaration
	}
	window := slices.Max(delays) - slices.Min(delays)
	spread, together := variation(delays), fullest(delays)
	said := fmt.Sprintf("%s from %s to %s: coefficient of variation %.3f, at most %.0f%% of them in one tenth of the window",
		conformance.Plural(len(delays), "delay"), brief(slices.Min(delays)), brief(slices.Max(delays)), spread, 100*together)
	if len(at) > 0 {
		slices.SortFunc(at, time.Time.Compare)
		said += fmt.Sprintf(", at most %d of %d within 10 ms", mostIn(10*time.Millisecond, at), len(at))
	}
	var b band
	if p != nil {
		b = allowed(p, 0, retry).around(50*time.Millisecond, 0.25)
	}
	t.keep(delays, b)
	good := spread >= least && together <= mostTogether
	lag, share := t.lateSince(began), t.load.Share()
	switch {
	case window < time.Second && share > saturated:
		t.Unknown("%s, but this machine was too busy to tell: %.0f%% of its processor time was spent", said, 100*share)
	case good && lag > window*3/10:
		t.Unknown("%s, but this machine was too busy to tell: a timer of the harness was %s late, and the spread may be its own", said, brief(lag))
	case good:
		t.Pass(said)
	case p != nil && p.Jitter == 0 && p.Spread != "full":
		t.Warn("delays that are spread", "its policy declares no jitter: "+said, histogram(delays))
	case lag > time.Duration(leastVariation*float64(median(delays))):
		t.Unknown("%s, but this machine was too busy to tell: a timer of the harness was %s late, and that they came together may be its doing", said, brief(lag))
	}
	t.Fail(fmt.Sprintf("a coefficient of variation of at least %.3f, and at most %.0f%% in one tenth of the window", least, 100*mostTogether), said, histogram(delays))
}

// lateSince is how late this process was at worst since then: a timer, or a byte on its way.
func (t *Trial) lateSince(began time.Time) time.Duration {
	return max(t.LagSince(began), t.suite.echo.worst(began))
}

// herdDelay is the reconnection time that the herd is told, 0 for the client's own.
func (t *Trial) herdDelay(retry time.Duration) time.Duration {
	if p := t.delay(); p != nil && p.OwnTime {
		return 0
	}
	return retry
}

// scatter has many subscriptions lose their streams at one instant; they are told to come back after a time, unless that is 0.
func (t *Trial) scatter(retry time.Duration) ([]time.Duration, []time.Time) {
	t.Allow(time.Minute + 2*retry)
	t.meet()
	drop := make(chan struct{})
	body := "data: x\n\n"
	if retry > 0 {
		body = fmt.Sprintf("retry: %d\n%s", retry.Milliseconds(), body)
	}
	scenes := make([]*scene, herd)
	for i := range scenes {
		scenes[i] = t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "again")
			}
			if err := stream(c, body); err != nil {
				return err
			}
			c.Hold(drop)
			return nil
		})
	}
	for _, s := range scenes {
		t.comesFirst(s)
		s.has("x", patience)
	}
	close(drop)
	var delays []time.Duration
	var at []time.Time
	within := t.waitFor(0) + 2*retry
	until := time.Now().Add(within)
	for _, s := range scenes {
		if v, ok := s.comes(2, time.Until(until)); ok {
			delays = append(delays, v.Accepted.Sub(s.all()[0].Lost))
			at = append(at, v.Accepted)
		}
		s.leave()
		s.server.Close() // hundreds of those, and again for each longer delay
	}
	if len(delays) < herd/2 {
		t.Fail("the clients come back", fmt.Sprintf("%d of %d came back within %v", len(delays), herd, within))
	}
	return delays, at
}

// oneByOne measures the delays of one subscription that is told to come back soon.
func (t *Trial) oneByOne() []time.Duration {
	const most, retry = 100, 100 * time.Millisecond
	t.Allow(3 * most * retry)
	s := t.play(subject.Open{}, func(c *sse.Conn, _ *visit) error {
		return stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", retry.Milliseconds()))
	})
	t.comesFirst(s)
	visits, enough := s.until(3*most*retry, func(visits []visit) bool { return len(visits) > most })
	s.leave()
	row := gaps(visits)
	if !enough || row[len(row)-1] > 3*row[0] {
		t.Skip("it follows one stream at a time, and cannot be made to come back %s soon: %s", conformance.Plural(most, "time"), list(row))
	}
	return row
}

// histogram shows how many delays lie in each tenth of their window.
func histogram(all []time.Duration) []string {
	first, last := slices.Min(all), slices.Max(all)
	step := max(1, (last-first)/10)
	var tenths [10]int
	for _, d := range all {
		tenths[min(9, int((d-first)/step))]++
	}
	var lines []string
	for i, n := range tenths {
		lines = append(lines, fmt.Sprintf("from %s: %d", brief(first+time.Duration(i)*step), n))
	}
	return lines
}
