package check

import "github.com/streamgauge/streamgauge/conformance"

// Unjudged gives every promise of a run that did not take place the same outcome, unknown or skip, with the reason.
func Unjudged(c Config, outcome conformance.Outcome, reason string) []conformance.Verdict {
	verdicts := (&Tally{End: c.Duration}).Report(&c, conformance.Health{}).Verdicts
	for i := range verdicts {
		v := &verdicts[i]
		v.Outcome, v.Reason, v.Actual, v.Checked, v.Findings, v.Next = outcome, reason, "not judged", 0, nil, ""
	}
	return verdicts
}

// Dead is what is said of a run that did not take place because the target, which delivered before, does not answer any more.
func Dead(c Config, d *Death) []conformance.Verdict {
	return d.apply(c.Scenario, Unjudged(c, conformance.Skip, d.String()))
}
