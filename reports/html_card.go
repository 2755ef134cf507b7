package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamgauge/streamgauge/conformance"
)

// card tells of one promise what a reader must know first: what broke, when, for whom, and how to see it again.
type card struct {
	Outcome                                         conformance.Outcome
	ID, Scenario, Anchor                            string
	What, Promise, Expected, Actual, Reason, Source string
	Values                                          bool // expected and actual are shown too
	When, Whom, Example, Next                       string
	Also                                            []conformance.Verdict
	Repeat                                          []string
}

const mostCards = 5

// decided is the outcome that the cards tell of: the one that decided the whole.
func (h *htmlReport) decided() conformance.Outcome {
	for _, o := range []conformance.Outcome{conformance.Fail, conformance.Unknown, conformance.Warn} {
		if countOutcome(h.R.Verdicts, o) > 0 {
			return o
		}
	}
	return conformance.Pass
}

// CardsTitle is the heading above the cards.
func (h *htmlReport) CardsTitle() string {
	switch h.decided() {
	case conformance.Fail:
		return "What broke"
	case conformance.Unknown:
		return "What could not be judged"
	default:
		return "Warnings"
	}
}

// Cards are of the promises that decided the outcome.
func (h *htmlReport) Cards() []card {
	if h.Running() || h.R.Comparison != nil || h.R.Capacity != nil || h.decided() == conformance.Pass || len(h.R.Matrix) > 0 && h.decided() != conformance.Fail {
		return nil
	}
	var cards []card
	for _, b := range h.broken(h.decided()) {
		if len(cards) == mostCards {
			break
		}
		cards = append(cards, h.card(b))
	}
	return cards
}

// MoreCards says how many there were no room for.
func (h *htmlReport) MoreCards() string {
	if more := len(h.broken(h.decided())) - mostCards; more > 0 {
		return fmt.Sprintf("%s more below.", Plural(uint64(more), "promise"))
	}
	return ""
}

func (h *htmlReport) card(b brokenPromise) card {
	v := b.first
	c := card{
		Outcome: v.Outcome, ID: v.ID, Scenario: v.Scenario, Anchor: h.anchor(b), Promise: v.Title, Source: v.Source,
		Expected: orNothing(clip(v.Expected)), Actual: orNothing(clip(v.Actual)), Reason: clip(v.Reason), Next: clip(v.Next), Also: b.also, Repeat: v.Repeat,
	}
	if len(h.R.Matrix) > 0 {
		c.Scenario = ""
	}
	run := h.runNamed(v.Scenario)
	switch {
	case run != nil:
		if v.Outcome != conformance.Unknown {
			c.What = sentence(v) + checkedOf(v) + "."
		}
	default:
		c.What, c.Promise = v.Title, ""
		c.Values = v.Outcome != conformance.Unknown
	}
	if len(v.Findings) > 0 {
		f := v.Findings[0]
		c.When, c.Whom = whenSeen(f, run), whom(f, run)
		if !strings.Contains(v.Actual, f.Text) {
			c.Example = clip(f.Text)
		}
	}
	return c
}

// checkedOf says how many samples a count of anomalies is of.
func checkedOf(v conformance.Verdict) string {
	if len(v.Findings) == 0 || v.Checked == 0 || !strings.HasPrefix(v.ID, "delivery.") {
		return ""
	}
	return ", of " + Count(v.Checked)
}

// RepeatAll is the command that shows all cards again, where they have none of their own.
func (h *htmlReport) RepeatAll() string {
	for _, c := range h.Cards() {
		if len(c.Repeat) > 0 {
			return ""
		}
	}
	return h.R.Command
}

// anchor is where the page has more about a promise.
func (h *htmlReport) anchor(b brokenPromise) string {
	v := b.first
	switch {
	case len(h.R.Matrix) > 0:
		at := slices.IndexFunc(h.Parts, func(s section) bool { return s.name == v.Scenario })
		return groupAnchor(at)
	case len(h.R.Storms) > 0:
		return "storms"
	case v.Scenario != "" && len(v.Findings) > 0:
		return anomalyAnchor(b.index, 0)
	case v.Scenario == "" && v.Outcome == conformance.Unknown:
		return "unjudged"
	}
	return verdictAnchor(b.index)
}

func (h *htmlReport) runNamed(scenario string) *conformance.ScenarioRun {
	for i := range h.R.Runs {
		if h.R.Runs[i].Scenario == scenario {
			return &h.R.Runs[i]
		}
	}
	return nil
}

// whom says how many subscribers a finding is about, and names that of its example.
func whom(f conformance.Finding, run *conformance.ScenarioRun) string {
	text := where(f)
	if text != "" && f.Count > 1 {
		text = "first " + text
	}
	if run == nil || f.Subscribers == 0 {
		return text
	}
	return joinNonEmpty("; ", fmt.Sprintf("%s of %s", Count(uint64(f.Subscribers)), Plural(uint64(max(run.Subscribers, 0)), "subscriber")), text)
}

func verdictAnchor(index int) string { return fmt.Sprintf("v%d", index) }
