package run

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Above these the harness itself is a suspect, and a missed time budget is unknown instead of failed.
const (
	lateSuspect = 100 * time.Millisecond
	lagSuspect  = 100 * time.Millisecond
)

// assess names what was wrong with the harness during a run.
func assess(h conformance.Health) conformance.Health {
	problem := func(bad bool, format string, args ...any) {
		if bad {
			h.Problems = append(h.Problems, fmt.Sprintf(format, args...))
		}
	}
	problem(h.PublishLateP99 > milliseconds(lateSuspect), "publishing ran %.0f ms late at p99 by the harness's own fault", h.PublishLateP99)
	problem(h.LagP99 > milliseconds(lagSuspect), "the harness's timers fired %.0f ms late at p99: it had too little processor time", h.LagP99)
	problem(h.SendFailures > 0, "the harness could not open or use a connection %s (files or ports)", conformance.Plural(h.SendFailures, "time"))
	h.OK = len(h.Problems) == 0
	return h
}
