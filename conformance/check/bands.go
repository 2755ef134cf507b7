package check

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// Band is one step of the timeline as it was carried out.
type Band struct {
	Step    int32         `json:"step"`
	From    time.Duration `json:"from"`
	Until   time.Duration `json:"until,omitempty"` // when it was lifted, or the target was back; 0: it has not been, or was over at once
	Failure string        `json:"failure,omitempty"`
}

// bands are the steps that have begun. There are few.
type bands struct {
	mu    sync.Mutex
	begun []Band
}

func (b *bands) observe(o *history.Observation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.begun, func(band Band) bool { return band.Step == o.Step })
	switch {
	case o.Kind == history.FaultBegin && i < 0:
		b.begun = append(b.begun, Band{Step: o.Step, From: o.At})
	case o.Kind == history.FaultEnd && i >= 0:
		b.begun[i].Until, b.begun[i].Failure = o.At, o.Data
	}
}

func (b *bands) list() []Band {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.begun)
}

// mergeBands joins what two shards tell of the same timeline.
func mergeBands(a, b []Band) []Band {
	for _, band := range b {
		i := slices.IndexFunc(a, func(other Band) bool { return other.Step == band.Step })
		if i < 0 {
			a = append(a, band)
			continue
		}
		a[i].From, a[i].Until, a[i].Failure = min(a[i].From, band.From), max(a[i].Until, band.Until), cmp.Or(a[i].Failure, band.Failure)
	}
	return a
}

// Faults are the faults of the timeline as they were carried out, in the order they began.
func (t *Tally) Faults(c *Config) []conformance.FaultBand {
	ordered := slices.Clone(t.Bands)
	slices.SortStableFunc(ordered, func(a, b Band) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Step, b.Step)) })
	var faults []conformance.FaultBand
	for _, band := range ordered {
		if band.Step < 0 || int(band.Step) >= len(c.Steps) {
			continue
		}
		step := c.Steps[band.Step]
		f := conformance.FaultBand{Fault: step.Name, FromMS: milliseconds(band.From), UntilMS: milliseconds(band.Until), Text: step.Text}
		switch {
		case band.Failure != "":
			f.Text = cmp.Or(f.Text, f.Fault) + " (did not happen: " + band.Failure + ")"
		case step.Subscribers == 0:
			f.Affected = t.lostBetween(band.From, cmp.Or(band.Until, t.End))
		case int(band.Step) < len(t.Effects):
			f.Affected = int(t.Effects[band.Step].Reached)
		}
		faults = append(faults, f)
	}
	return faults
}

// lostBetween counts the connections that ended between two times, to the length of a peakStep.
func (t *Tally) lostBetween(from, until time.Duration) int {
	var n int64
	for i := int(from / peakStep); i <= int(until/peakStep)+1 && i < len(t.Losses); i++ {
		n += t.Losses[i]
	}
	return int(n)
}
