//go:build unix

package main

import (
	"strings"

	"github.com/streamgauge/streamgauge/scenarios"
)

// pair is a core scenario and a subject in it.
type pair struct {
	scenario string
	mutant   string // "" for the reference broker
}

func (p pair) String() string {
	if p.mutant == "" {
		return p.scenario + " reference"
	}
	return p.scenario + " " + p.mutant
}

// settled is how a core scenario is made short. Its budgets in time are as wide as the faults of the environment can make a right subject miss
// them: who stands still for two seconds is late by two seconds.
type settled struct {
	set     []string
	aside   string // a verdict that wants more deliveries than so short a run has
	serve   []string
	beat    string   // the heartbeat that the target declares, longer than it is by what a fault can hold it up; "" for what is served
	mutants []string // each is caught in it, however it is disturbed
}

var core = map[string]settled{
	"mass-connect": {
		set:     []string{"load.subscribers=200", "load.ramp.over=1s", "load.connect_timeout=30s", "duration=3s", "expect.connect.p50=6s", "expect.connect.p99=10s"},
		mutants: []string{"refuses-first-connects"},
	},
	"network-drops": {
		set: []string{
			"load.subscribers=40", "load.streams=4", "load.ramp.over=300ms", "load.publish.rate=60/s", "timeline.0.at=1s", "timeline.1.at=2s",
			"timeline.1.for=4s", "duration=6s", "expect.latency.p50=6s", "expect.latency.p99=20s", "expect.calm.latency_p99=6s",
			"expect.connect.p99=10s", "expect.reconnect.within=20s", "expect.resume.gap_p99=20s",
		},
		serve:   []string{"--heartbeat", "250ms"},
		beat:    "2200ms",
		mutants: []string{"ignores-last-event-id", "mute-after-resume"},
	},
	"slow-consumers": { // so much that what the slow ones leave fills more than the kernel's buffers within seconds, and they catch up with it
		set: []string{
			"load.subscribers=20", "load.streams=1", "load.ramp.over=300ms", "load.publish.rate=100/s", "load.slow.share=20%", "load.slow.read=200KiB/s",
			"duration=6s", "expect.bystanders.latency_p99=100000x",
		},
		serve:   []string{"--queue", "20", "--slow-policy", "disconnect"},
		mutants: []string{"drops-silently-at-full-queue"},
	},
	"last-event-id-resume": {
		set: []string{
			"load.subscribers=100", "load.ramp.over=500ms", "timeline.0.at=1500ms", "timeline.1.at=3s", "timeline.2.at=4500ms", "duration=7s",
			"expect.latency.p50=6s", "expect.latency.p99=20s", "expect.calm.latency_p99=6s", "expect.reconnect.within=20s", "expect.resume.gap_p99=20s",
		},
		mutants: []string{"inclusive-replay", "replays-everything", "ignores-last-event-id"},
	},
	"heartbeat-timeout": {
		set: []string{
			"load.subscribers=40", "load.streams=20", "load.ramp.over=500ms", "load.publish.rate=2/s", "load.heartbeat_timeout=6s", "timeline.0.at=1s",
			"timeline.0.for=9s", "duration=13s", "expect.latency.p50=10s", "expect.latency.p99=30s", "expect.reconnect.within=20s",
		},
		aside:   "calm.latency_p99",
		serve:   []string{"--heartbeat", "500ms"},
		beat:    "3s",
		mutants: []string{"no-heartbeat"},
	},
	"steady-flow": {
		set: []string{
			"load.publish.rate=200/s", "duration=5s", "expect.latency.p50=6s", "expect.latency.p99=20s", "expect.calm.latency_p99=6s",
		},
		mutants: []string{"loses-every-100th", "repeats-every-50th", "swaps-two", "corrupts-a-byte", "leaks-to-other-stream"},
	},
}

// pairsWith are the runs whose name holds text, the right subject of a scenario as often as all its wrong ones together.
func pairsWith(text string) []pair {
	var pairs []pair
	for _, scenario := range scenarios.Core() {
		for _, mutant := range core[scenario].mutants {
			for _, p := range []pair{{scenario, ""}, {scenario, mutant}} {
				if strings.Contains(p.String(), text) {
					pairs = append(pairs, p)
				}
			}
		}
	}
	return pairs
}
