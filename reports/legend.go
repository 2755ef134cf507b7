package reports

import (
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// legend explains the columns of a table of verdicts that do not explain themselves.
func legend(verdicts []conformance.Verdict) string {
	text := "samples: how many observations the verdict rests on"
	if slices.ContainsFunc(verdicts, func(v conformance.Verdict) bool { return v.Power != nil }) {
		text += "; would show: if more than this share of them had been faulty, at least one would have been seen, with 95% confidence"
	}
	return text
}
