package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// Attempts are first attempts to connect that failed, by what ended them.
type Attempts struct {
	By   map[string]uint64 `json:"by,omitempty"`   // in words
	Late uint64            `json:"late,omitempty"` // for want of time
	Own  uint64            `json:"own,omitempty"`  // by the harness, which was out of files or ports
}

// attempts counts them.
type attempts struct {
	mu sync.Mutex
	Attempts
}

// mostEnds bounds how many ends are told apart.
const mostEnds = 32

func (a *attempts) add(o *history.Observation) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch o.Cause {
	case history.CauseTimeout:
		a.Late++
	case history.CauseHarness:
		a.Own++
	}
	if a.By == nil {
		a.By = map[string]uint64{}
	}
	end := endOf(o)
	if _, known := a.By[end]; !known && len(a.By) >= mostEnds {
		end = "others"
	}
	a.By[end]++
}

func (a *attempts) sum() Attempts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Attempts{By: maps.Clone(a.By), Late: a.Late, Own: a.Own}
}

// Merge adds those of another shard.
func (a *Attempts) Merge(other *Attempts) {
	a.Late, a.Own = a.Late+other.Late, a.Own+other.Own
	for end, n := range other.By {
		if a.By == nil {
			a.By = map[string]uint64{}
		}
		a.By[end] += n
	}
}

// endOf words what ended an attempt.
func endOf(o *history.Observation) string {
	const longest = 120
	text := strings.ToValidUTF8(o.Text[:min(len(o.Text), longest)], "")
	switch o.Cause {
	case history.CauseStatus:
		return fmt.Sprintf("status %d", o.Status)
	case history.CauseType:
		return fmt.Sprintf("status %d, and the %s", cmp.Or(o.Status, 200), cmp.Or(text, "content type is not text/event-stream"))
	case history.CauseTimeout:
		return "no connection, or no head, in time"
	case history.CauseRefused:
		return "connection refused"
	case history.CauseReset:
		return "connection reset"
	case history.CauseFault:
		return "a fault of the scenario's own"
	case history.CauseHarness:
		return "this machine was out of files or ports"
	}
	return o.Cause.String()
}

// String names the ends, the most frequent first.
func (a *Attempts) String() string {
	ends := slices.SortedFunc(maps.Keys(a.By), func(x, y string) int { return cmp.Or(cmp.Compare(a.By[y], a.By[x]), strings.Compare(x, y)) })
	const most = 6
	for i, end := range ends {
		ends[i] = fmt.Sprintf("%d × %s", a.By[end], end)
	}
	if len(ends) > most {
		ends = append(ends[:most], "…")
	}
	return strings.Join(ends, "; ")
}

// failedBudget is over the first attempts to connect. Being turned away is no matter of time, whatever the harness was busy with.
func failedBudget(c *Config, t *Tally, h *conformance.Health) conformance.Verdict {
	most := uint64(max(0, *c.Expect.Failed)) //nolint:gosec // not negative
	b := bound{
		id: "connect.failed", title: "Subscribers connect at the first attempt.",
		next:    "See in the history what ended the attempts (kind refused): cause, status and text of each.",
		checked: t.Planned, expected: fmt.Sprintf("at most %d", most), actual: fmt.Sprint(t.Failed),
		exceeded: t.Failed > most, lag: t.Failed-min(t.Failed, t.FirstFailed.Late) <= most, doubt: unattempted(t),
	}
	if own := t.FirstFailed.Own; b.exceeded && own > 0 && t.Failed-min(t.Failed, own+t.FirstFailed.Late) <= most {
		b.doubt = cmp.Or(b.doubt, fmt.Sprintf("this machine was out of files or ports for %s", conformance.Plural(own, "attempt")))
	}
	if ends := t.FirstFailed.String(); ends != "" {
		b.actual += ": " + ends
		b.findings = []conformance.Finding{{Name: "refused", Count: t.Failed, Text: fmt.Sprintf("the first attempts of %d of %s failed: %s", t.Failed, conformance.Plural(t.Planned, "subscriber"), ends)}}
	}
	return b.verdict(c, t, h)
}
