package client

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// timeToCap is how long a row of failures takes at most until three of its delays are at the declared cap.
func timeToCap(p *subject.Delay) time.Duration {
	o := own{settable: false, delay: p}
	return o.row(rowToCap(p), false)
}

// beyondCap is by how much the second delay would exceed the cap if there were none, of a client that is told a first one short of the cap.
const beyondCap = 1.14

// besideOthers are the subscriptions of a client that follows several; proofs are as many as show its cap.
const (
	besideOthers = 96
	proofs       = 3
)

// capIsReached is for a client whose cap is far above its first delay: told one just short of the cap, it shows with the second delay whether it
// goes beyond. Jitter hides that in most subscriptions, so there are many side by side, and the shortest delays tell.
func (t *Trial) capIsReached(p *subject.Delay) {
	told := *p
	told.BaseMS = max(p.BaseMS, p.CapMS/p.Factor*beyondCap)
	endless := told
	endless.CapMS = 0
	capped, without := allowed(&told, 1, 0), allowed(&endless, 1, 0)
	within := t.Duration("wait")
	least := allowed(&told, 0, 0).low + capped.low
	if least+2*time.Second > within || without.low-capped.low < 400*time.Millisecond {
		t.Skip("its declared cap is not to be seen within %v: --set %s.wait=%v waits for it", within, t.Requirement.ID, (2*timeToCap(&told)).Round(time.Minute)+time.Minute)
	}
	t.Allow(within)
	n := 1
	if t.Can(subject.Multi) {
		n = besideOthers
	}
	c := &capping{capped: capped, early: without.low - 200*time.Millisecond, until: time.Now().Add(within), shown: make(chan struct{}), proofs: min(n, proofs)}
	t.each(n, func(int) { c.watch(t, int(told.BaseMS)) })
	t.judgeCap(c, &told)
}

// capping is what subscriptions show of a cap: a second delay that is early has not grown beyond it.
type capping struct {
	capped band
	early  time.Duration
	until  time.Time
	proofs int
	shown  chan struct{} // closed when that many delays were early

	mu     sync.Mutex
	found  int
	firsts []time.Duration
	done   []time.Duration // second delays
	due    []time.Duration // how long a second delay was waited for
}

// watch has one subscription lose its stream, and then fail once.
func (c *capping) watch(t *Trial, retry int) {
	s := t.play(subject.Open{RetryMS: retry}, func(conn *sse.Conn, v *visit) error {
		if v.Number == 0 {
			return stream(conn, "data: x\n\n")
		}
		return v.reset(conn)
	})
	t.comesFirst(s)
	for over := false; !over && time.Until(c.until) > 0; {
		if _, over = s.until(t.step(c.until), func(v []visit) bool { return len(v) > 2 }); !over {
			over = isClosed(c.shown) || s.gaveUp() || t.staysAway()
		}
	}
	s.leave()
	visits := s.all()
	row := gaps(visits[:min(3, len(visits))])
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(row) > 0 {
		c.firsts = append(c.firsts, row[0])
	}
	switch {
	case len(row) == 2:
		c.done = append(c.done, row[1])
		if row[1] >= c.capped.low-50*time.Millisecond && row[1] < c.early {
			if c.found++; c.found == c.proofs {
				close(c.shown)
			}
		}
	case len(row) == 1 && !visits[1].Lost.IsZero():
		c.due = append(c.due, time.Since(visits[1].Lost))
	}
}

// chance is that of seeing no early delay in these subscriptions although the client keeps its cap.
func (c *capping) chance(within time.Duration) float64 {
	none := 1.0
	for _, first := range c.firsts {
		seen := min(c.early, within-first)
		if width := c.capped.high - c.capped.low; width > 0 {
			none *= 1 - min(1, max(0, float64(seen-c.capped.low)/float64(width)))
		} else if seen > c.capped.low+allowance {
			none = 0
		}
	}
	return none
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// judgeCap ends the case.
func (t *Trial) judgeCap(c *capping, told *subject.Delay) {
	first, bound, within := allowed(told, 0, 0).around(50*time.Millisecond, 0.25), c.capped.around(50*time.Millisecond, 0.25), t.Duration("wait")
	heeded := len(c.firsts) > 0 && first.holds(median(c.firsts))
	slices.Sort(c.done)
	t.Count(len(c.firsts))
	said := fmt.Sprintf("told a first delay of %v, it waited %s at the second", time.Duration(told.BaseMS)*time.Millisecond, list(c.done))
	if len(c.done) == 0 {
		said = fmt.Sprintf("told a first delay of %v, it was not back from the second", time.Duration(told.BaseMS)*time.Millisecond)
	}
	if len(c.due) > 0 {
		said += fmt.Sprintf(", and longer than %s in %s", brief(slices.Max(c.due)), conformance.Plural(len(c.due), "subscription"))
	}
	longest := slices.Max(append(slices.Concat(c.done, c.due), 0))
	const certain = 0.005
	switch {
	case !heeded:
		t.Skip("it was told a first delay of %v and did not keep it, so that its cap cannot be seen in time", time.Duration(told.BaseMS)*time.Millisecond)
	case longest > bound.high:
		t.tooBusy(allowance, longest-bound.high, said)
		t.Fail("at most "+brief(bound.high), said)
	case c.found > 0:
		t.Pass(said)
	case c.chance(within) < certain:
		t.tooBusy(allowance, c.early-c.capped.low, said)
		t.Fail(fmt.Sprintf("a second delay that is not above its cap, so one of %s to %s here and there", brief(c.capped.low), brief(c.early)), said)
	}
	t.Skip("its declared cap was not seen within %v: --set %s.wait=5m waits longer", within, t.Requirement.ID)
}
