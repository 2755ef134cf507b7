package check

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
)

// memorySamples is how many samples of the steady phase it takes to speak of growth.
const memorySamples = 8

// memoryBudget judges the target's resident memory, where it can be seen.
func memoryBudget(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	verdicts := memoryVerdicts(c, t, h)
	for i := range verdicts {
		if v := &verdicts[i]; c.Target.Blind && len(t.Memory) == 0 {
			v.Outcome, v.Actual, v.Next = conformance.Skip, "not judged", ""
			v.Reason = "needs to see the target's memory: describe observe in the target file"
		}
	}
	return verdicts
}

func memoryVerdicts(c *Config, t *Tally, h *conformance.Health) []conformance.Verdict {
	var verdicts []conformance.Verdict
	if c.Expect.MemoryMax > 0 {
		var most int64
		for _, s := range t.Memory {
			most = max(most, s.Bytes)
		}
		b := bound{
			id: "memory.max", title: "The target's memory stays within bounds.",
			next:    "Run it with half of the connections, and with half of the messages: what halves with it is what is kept.",
			checked: uint64(len(t.Memory)), expected: "at most " + memory.Size(c.Expect.MemoryMax), actual: memory.Size(most),
			exceeded: most > c.Expect.MemoryMax,
		}
		if len(t.Memory) == 0 {
			b.doubt = "the target's memory could not be seen"
		}
		verdicts = append(verdicts, b.verdict(c, t, h))
	}
	if c.Expect.Growth > 0 {
		growth, first, lasting, n := memoryGrowth(t)
		b := bound{
			id: "memory.growth", title: "The target's memory does not grow while its load stays the same.",
			next:    "Look for what is kept per message or per connection that has gone.",
			checked: uint64(n), expected: fmt.Sprintf("at most %.3g%% over the steady phase", 100*c.Expect.Growth),
			actual: fmt.Sprintf("%.3g%%", 100*growth), exceeded: growth > c.Expect.Growth && lasting,
		}
		if growth > c.Expect.Growth && !lasting {
			b.actual += ", and no more towards the end"
		}
		if growth <= c.Expect.Growth {
			b.actual += hidden(t, c.Expect.Growth, first)
		}
		if n < memorySamples {
			b.doubt, b.actual = fmt.Sprintf("the steady phase had %s of memory, at least %d are needed", conformance.Plural(uint64(n), "sample"), memorySamples), "no comparison"
		}
		verdicts = append(verdicts, b.verdict(c, t, h))
	}
	return verdicts
}

// memoryGrowth compares the lowest sample of the steady phase's first quarter with that of its last: what is only waiting to be
// collected does not count. A growth lasts when the last quarter has its part in it: a process that has just begun grows to the size that
// its load takes, and then no more.
func memoryGrowth(t *Tally) (growth float64, first int64, lasting bool, samples int) {
	var bytes []int64
	for _, s := range t.Memory {
		if s.At >= t.SteadyAt && s.At < t.steadyUntil() {
			bytes = append(bytes, s.Bytes)
		}
	}
	if len(bytes) < memorySamples {
		return 0, 0, false, len(bytes)
	}
	quarter := len(bytes) / 4
	var third, last int64
	first, third, last = floor(bytes[:quarter]), floor(bytes[len(bytes)-2*quarter:len(bytes)-quarter]), floor(bytes[len(bytes)-quarter:])
	return float64(last-first) / float64(max(first, 1)), first, 8*(last-third) > last-first, len(bytes)
}

// steadyUntil is when the steady phase ended.
func (t *Tally) steadyUntil() time.Duration { return cmp.Or(t.SettleAt, t.End) }

// hidden says what each connection that ended could have left behind without being seen, where any did: what is allowed, and what the process
// had at first, for that may have been free, as after a load that was higher.
func hidden(t *Tally, allowed float64, first int64) string {
	ended := t.lostBetween(t.SteadyAt, t.steadyUntil())
	if ended == 0 || first == 0 {
		return ""
	}
	each := func(bytes float64) string { return memory.Size(int64(bytes / float64(ended))) }
	return fmt.Sprintf("; %s ended meanwhile: %s left by each would show, or %s if all of the %s at first was free",
		conformance.Plural(ended, "connection"), each(allowed*float64(first)), each((1+allowed)*float64(first)), memory.Size(first))
}

func floor(bytes []int64) int64 {
	low := bytes[0]
	for _, b := range bytes {
		low = min(low, b)
	}
	return low
}

// memorySeries is the target's resident memory over the run, at most one sample a second.
type memorySeries struct {
	mu      sync.Mutex
	samples []MemorySample
}

// MemorySample is the target's resident memory at one moment.
type MemorySample struct {
	At    time.Duration `json:"at"`
	Bytes int64         `json:"bytes"`
}

func (m *memorySeries) add(at time.Duration, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := len(m.samples) - 1
	switch {
	case last >= 0 && at < m.samples[last].At+time.Second:
		m.samples[last].Bytes = max(m.samples[last].Bytes, bytes)
	case last+1 < int(maxSeries/time.Second):
		m.samples = append(m.samples, MemorySample{at, bytes})
	default:
		m.samples[last] = MemorySample{at, max(m.samples[last].Bytes, bytes)}
	}
}
