package main

import (
	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// snapshot is the data of a live view's event of that type. docs/result.md describes it.
type snapshot struct {
	Scenario    string                  `json:"scenario"`
	Phase       string                  `json:"phase"`
	ElapsedMS   int64                   `json:"elapsed_ms"`
	TotalMS     int64                   `json:"total_ms"`
	Subscribers int                     `json:"subscribers"`
	Connected   int64                   `json:"connected"`
	Reconnects  uint64                  `json:"reconnects"`
	Published   uint64                  `json:"published"`
	Expected    uint64                  `json:"expected"`
	Delivered   uint64                  `json:"delivered"`
	Outstanding uint64                  `json:"outstanding"`
	Series      []conformance.Series    `json:"series"`
	Faults      []conformance.FaultBand `json:"faults"`
}

func snapshotOf(status run.Status, so *conformance.ScenarioRun) snapshot {
	if so.Faults == nil {
		so.Faults = []conformance.FaultBand{}
	}
	return snapshot{
		Scenario: so.Scenario, Phase: status.Phase, ElapsedMS: status.Elapsed.Milliseconds(), TotalMS: status.Total.Milliseconds(),
		Subscribers: so.Subscribers, Connected: status.Connected, Reconnects: status.Reconnects, Published: so.Published,
		Expected: so.Expected, Delivered: so.Delivered, Outstanding: so.Outstanding, Series: so.Series, Faults: so.Faults,
	}
}
