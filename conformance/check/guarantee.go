package check

import (
	"cmp"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Guarantee is one promise about deliveries. A run keeps it when none of the anomalies that break it was seen, and enough was seen to say so.
type Guarantee struct {
	Name    string
	Promise string // one sentence
	Next    string // what to do when it is broken, one sentence

	// next is the same where it depends on what was seen, "" where it does not. nil: it never does.
	next func(*Tally) string

	broken  []Anomaly
	samples func(*Tally) uint64 // how much the verdict rests on
	unit    string              // of the samples
	late    Anomaly             // of broken: one that a slow harness makes worse; Lost: none is
	// skips says why this run cannot ask for it. nil: nothing.
	skips func(*Config) string
	// elsewhere says which anomaly another guarantee tells of that was asked for too. nil: none.
	elsewhere func(*Config, Anomaly) bool
	// doubt says why it cannot be said that the promise was kept, beside what makes every guarantee doubtful. nil: nothing.
	doubt func(*Config, *Tally) string
	// tolerated says which anomaly this target is not failed for. nil: none.
	tolerated func(*Config, Anomaly) bool
	// uncertain says why even a violation is none for sure. nil: nothing.
	uncertain func(*Tally) string
	// note adds to what was seen. nil: nothing.
	note func(*Tally) string
}

// Guarantees returns all guarantees, in the order in which they are reported.
func Guarantees() []Guarantee {
	return []Guarantee{complete, unique, ordered, isolated, intact, resumable, alive, latest, wellFormed}
}

func (g *Guarantee) judge(c *Config, t *Tally, h *conformance.Health) conformance.Verdict {
	v := conformance.Verdict{
		ID: "delivery." + g.Name, Scenario: c.Scenario, Title: g.Promise, Level: conformance.Must,
		Checked: g.samples(t), Expected: "no violation",
	}
	failed, count, excuse := false, uint64(0), ""
	for _, a := range g.broken {
		if s := t.Anomalies[a]; s != nil && (g.elsewhere == nil || !g.elsewhere(c, a)) {
			f := c.finding(a, s)
			if a == Lost || a == Outstanding && t.Lost == 0 {
				f.Pattern = t.pattern(c)
			}
			v.Findings = append(v.Findings, f)
			if g.late == a && a != Lost {
				worst := t.worst(a)
				if e := excused(worst, time.Duration(h.LagMax*float64(time.Millisecond)), h.HeldUp(worst, 0)); e != "" {
					excuse = e
					continue
				}
			}
			failed = failed || g.tolerated == nil || !g.tolerated(c, a)
			count += s.Count
		}
	}
	v.Actual = g.actual(t, v.Findings)
	doubt := certainty(t, h)
	if doubt == "" && g.uncertain != nil {
		doubt = g.uncertain(t)
	}
	if doubt != "" {
		v.Outcome, v.Reason = conformance.Unknown, doubt
		return v
	}
	next := g.Next
	if g.next != nil {
		next = cmp.Or(g.next(t), g.Next)
	}
	switch reason := firstOf(g.doubts(c, t), excuse); {
	case failed:
		v.Outcome, v.Next = conformance.Fail, next
	case g.skips != nil && g.samples(t) > 0 && g.skips(c) != "":
		v.Outcome, v.Reason = conformance.Skip, g.skips(c)
	case reason != "":
		v.Outcome, v.Reason = conformance.Unknown, reason
	case count > 0:
		v.Outcome, v.Next = conformance.Warn, next
	default:
		v.Outcome, v.Power = conformance.Pass, conformance.PowerOf(v.Checked, g.unit)
	}
	return v
}

func (g *Guarantee) actual(t *Tally, findings []conformance.Finding) string {
	text := ""
	for i, f := range findings {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", f.Count, f.Name)
	}
	if text == "" {
		text = "none in " + conformance.Plural(g.samples(t), g.unit)
	}
	if g.note != nil {
		if note := g.note(t); note != "" {
			text += "; " + note
		}
	}
	return text
}

// doubts says why no violation does not mean that there was none.
func (g *Guarantee) doubts(c *Config, t *Tally) string {
	if reason := coverage(c, t, "delivery."+g.Name); reason != "" {
		return reason
	}
	if g.samples(t) == 0 {
		return "there was no " + g.unit + " to judge"
	}
	if g.doubt != nil {
		return g.doubt(c, t)
	}
	return ""
}

// certainty says why what was seen may not be what happened: then neither a pass nor a failure can be trusted.
func certainty(_ *Tally, h *conformance.Health) string {
	if h.Crash != "" {
		return "the harness crashed meanwhile: " + h.Crash
	}
	if h.Drops > 0 {
		return fmt.Sprintf("the harness lost %s of its own", conformance.Plural(h.Drops, "observation"))
	}
	return ""
}

// coverage says what the scenario wanted to create and did not.
func coverage(c *Config, t *Tally, verdict string) string {
	switch {
	case t.Ready == 0:
		return "no subscriber became ready"
	case t.Ready < t.Planned:
		return fmt.Sprintf("only %d of %s became ready", t.Ready, conformance.Plural(t.Planned, "subscriber"))
	}
	return bitten(c, t, verdict)
}

func deliveries(t *Tally) uint64 { return t.Deliveries }
