package capacity

import (
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// A machine on which less than leastIdle of the processors' time was idle, while processes that are neither the target nor the harness used
// more than mostOthers of it, did not let a target on it do what it could.
const (
	leastIdle  = 0.1
	mostOthers = 0.2
)

// hasty are the promises that a lack of processor time cannot break: what arrives twice or at the wrong place has not come too late.
var hasty = []string{
	"delivery.ordered", "delivery.unique", "delivery.isolated", "delivery.intact", "delivery.resumable", "delivery.well-formed",
	"sessions.live", "greeting",
}

// connecting are the promises that connections are made at all.
var connecting = []string{"load.connected", "connect.failed"}

// Excuse makes a failed step unknown where the target shared its machine with others that kept it busy, and what failed may have come of
// that. Others is the share of the machine's processor time that neither the target nor the harness used, and idle what nobody did. Connections
// that were not made are excused where some that were took long.
func Excuse(step *conformance.CapacityStep, others, idle float64, slowToConnect bool) {
	if step.Outcome != conformance.Fail || idle >= leastIdle || others <= mostOthers {
		return
	}
	if slices.ContainsFunc(step.Failed, func(id string) bool {
		return slices.Contains(hasty, id) || slices.Contains(connecting, id) && !slowToConnect
	}) {
		return
	}
	reason := fmt.Sprintf("other processes used %.0f%% of this machine, which the target shares with the harness", 100*others)
	if b := step.Broken; b != nil {
		reason += fmt.Sprintf("; %s: expected %s, got %s", b.ID, b.Expected, b.Actual)
	}
	step.Outcome, step.Reason, step.Harness = conformance.Unknown, reason, true
	step.Final, step.Broken, step.Failed = false, nil, nil
}
