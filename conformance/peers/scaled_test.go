package peers

// scaled is a shipped scenario, made small enough for all peers to run at once on two cores. Budgets of time are wide where a
// peer's correctness is asked and not its speed.
type scaled struct {
	name      string
	seed      uint64
	overrides []string
	promises  []string // every verdict that it gives
}

var core = []scaled{
	{
		name: "mass-connect",
		seed: 1,
		overrides: []string{
			"load.subscribers=100", "load.ramp.over=2s", "duration=3s",
			"expect.connect.p50=1s", "expect.connect.p99=4s",
		},
		promises: []string{"connect.p50", "connect.p99", "connect.failed", "sessions.live"},
	},
	{
		name: "network-drops",
		seed: 2,
		overrides: []string{
			"load.streams=4", "load.subscribers=40", "load.ramp.over=1s", "load.publish.rate=16/s",
			"timeline.0.at=2s", "timeline.1.at=4s", "timeline.1.for=4s", "duration=9s",
			"expect.latency.p50=1s", "expect.calm.latency_p99=5s", "expect.connect.p99=4s", "expect.reconnect.within=6s",
		},
		promises: []string{
			"delivery.complete", "delivery.unique", "delivery.ordered", "delivery.isolated", "delivery.intact", "delivery.resumable",
			"delivery.alive", "latency.p50", "latency.p99", "calm.latency_p99", "connect.p99", "connect.failed", "reconnect.within",
			"reconnect.backoff", "resume.gap_p99",
		},
	},
	{
		// The slow ones read at a fifth of the speed at which is published: too slow to keep up, fast enough for the run to end.
		name: "slow-consumers",
		seed: 3,
		overrides: []string{
			"load.streams=2", "load.subscribers=30", "load.ramp.over=1s", "load.publish.rate=80/s", "load.publish.size=8KiB",
			"load.slow.read=64KiB/s", "duration=9s", "settle=30s",
			"expect.bystanders.latency_p99=40x",
		},
		promises: []string{
			"delivery.complete", "delivery.unique", "delivery.ordered", "delivery.isolated", "delivery.intact",
			"bystanders.latency_p99", "memory.max",
		},
	},
	{
		// Few messages, so that some subscribers come back before the next one is published: they resume from the newest position. The seed is
		// one with pauses after the losses.
		name: "last-event-id-resume",
		seed: 46,
		overrides: []string{
			"load.streams=4", "load.subscribers=40", "load.ramp.over=1s", "load.publish.rate=8/s",
			"timeline.0.at=2s", "timeline.1.at=4s", "timeline.2.at=6s", "duration=8s",
			"expect.latency.p50=100ms", "expect.latency.p99=5s", "expect.calm.latency_p99=5s", "expect.reconnect.within=5s", "expect.resume.gap_p99=5s",
		},
		promises: []string{
			"delivery.complete", "delivery.unique", "delivery.ordered", "delivery.isolated", "delivery.intact", "delivery.resumable",
			"delivery.alive", "latency.p50", "latency.p99", "calm.latency_p99", "reconnect.within", "reconnect.backoff", "resume.gap_p99",
		},
	},
	{
		// Messages are five seconds apart on each stream, so that nothing but heartbeats can keep a connection from being silent for two.
		name: "heartbeat-timeout",
		seed: 5,
		overrides: []string{
			"load.streams=10", "load.subscribers=40", "load.ramp.over=1s", "load.publish.rate=2/s",
			"timeline.0.at=3s", "timeline.0.for=6s", "duration=10s",
			"expect.heartbeat.every=2s", "expect.latency.p50=5s", "expect.calm.latency_p99=5s", "expect.reconnect.within=8s",
		},
		promises: []string{
			"delivery.complete", "delivery.unique", "delivery.ordered", "delivery.intact", "delivery.resumable",
			"delivery.alive", "latency.p50", "latency.p99", "calm.latency_p99", "heartbeat.every", "reconnect.within", "reconnect.backoff",
		},
	},
	{
		name:      "steady-flow",
		seed:      6,
		overrides: []string{"load.subscribers=4", "load.publish.rate=300/s", "expect.latency.p50=1s", "expect.latency.p99=5s", "expect.calm.latency_p99=5s"},
		promises: []string{
			"delivery.complete", "delivery.unique", "delivery.ordered", "delivery.isolated", "delivery.intact", "delivery.alive",
			"latency.p50", "latency.p99", "calm.latency_p99",
		},
	},
}
