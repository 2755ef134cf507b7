package check

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

const (
	calmAgain   = time.Second // after the last disturbance, before it is calm
	calmSamples = 100         // at least, and three beyond the percentile
)

// calmBudget is over the deliveries of the steady phase's calm times: no fault in effect, nobody slow, away or catching up.
func calmBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	if len(c.Expect.Calm) == 0 {
		return nil
	}
	d := *t.distribution(latencyPeace)
	d.Missing = t.LostBy.Bystander
	var verdicts []conformance.Verdict
	for _, q := range c.Expect.Calm {
		b := bound{
			title: "Deliveries arrive soon while nothing goes wrong.",
			next:  "Look at what holds single messages up although nothing is amiss: a timer that batches, a collection, a lock that many share.",
			doubt: unsettledDoubt(t), missing: Lost,
		}
		least := uint64(max(calmSamples, math.Ceil(3/(1-min(q.Percent, 99.9)/100)-1e-6)))
		if q.Percent == 100 {
			least = calmSamples
		}
		if d.Samples < least && d.Missing == 0 {
			b.doubt = firstOf(b.doubt, fewCalm(d.Samples, least))
		}
		verdicts = append(verdicts, b.quantiles("calm.latency_", &d, []Quantile{q}, c, t, h)...)
	}
	return verdicts
}

// fewCalm says what would bring enough deliveries of calm times.
func fewCalm(had, least uint64) string {
	text := fmt.Sprintf("the calm times of the steady phase had %s, at least %d are needed: ", conformance.Plural(had, "delivery"), least)
	if had == 0 {
		return text + "raise duration, so that some of it is a second or more away from every fault and disconnect"
	}
	return text + fmt.Sprintf("raise load.publish.rate or load.subscribers about %d-fold, or duration until there are enough", (least+had-1)/had)
}

// calm is when nothing is wrong with any subscriber, nor with the target by our own doing.
type calm struct {
	mu          sync.Mutex
	disturbed   int
	from, until atomic.Int64 // the newest calm time; until is 0 while it goes on
}

// change notes that one disturbance more, or one less, goes on.
func (c *calm) change(n int, at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.disturbed
	c.disturbed = max(before+n, 0)
	switch {
	case before == 0 && c.disturbed > 0:
		c.until.Store(max(int64(at), 1))
	case before > 0 && c.disturbed == 0:
		c.from.Store(int64(at + calmAgain))
		c.until.Store(0)
	}
}

// holds says whether all of the time from due to at was calm.
func (c *calm) holds(due, at time.Duration) bool {
	until := c.until.Load()
	return int64(due) >= c.from.Load() && (until == 0 || int64(at) < until)
}

// unrest follows whether a subscriber disturbs the calm.
func (j *Judge) unrest(s *subscriber, at time.Duration) {
	t := s.trouble
	restless := !s.gone.Load() && !s.final && (s.disturbed() || t.lost != silent || t.behind > 0)
	if restless == t.restless {
		return
	}
	t.restless = restless
	if restless {
		j.peace.change(1, at)
	} else {
		j.peace.change(-1, at)
	}
}

// measureCalm counts a delivery of a calm time.
func (j *Judge) measureCalm(o *history.Observation) {
	if j.clock.at(o.Due) == steady && j.peace.holds(o.Due, o.At) {
		j.undisturbed.record(o.At - o.Due)
	}
}
