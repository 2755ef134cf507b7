package peers

import "github.com/streamgauge/streamgauge/conformance"

// peer is a server, or a server behind a proxy, that others wrote.
type peer struct {
	name  string
	host  string // its own loopback address, so that no client's socket takes its port
	start starter
	known known
	alike bool // payloads are of one size: what it does depends on how soon they fill a buffer
}

// known is, by scenario and verdict, what a peer does not pass. Everything else it passes.
type known map[string]map[string]deviation

// deviation is the known outcome of one verdict, with its cause.
type deviation struct {
	outcomes []conformance.Outcome // more than one where it depends on timing
	seen     string                // regular expression: what is found in its actual, its reason and its findings, unless it passes
	why      string
}

func always(o conformance.Outcome) []conformance.Outcome { return []conformance.Outcome{o} }

func sometimes(o ...conformance.Outcome) []conformance.Outcome { return o }

var (
	pass    = conformance.Pass
	fail    = conformance.Fail
	unknown = conformance.Unknown
)

// Each cause was seen in the bytes and in the peer's source as well: README.md.
var peers = []peer{
	{name: "nchan", host: "127.0.9.11", start: nchan},
	{
		name: "go-sse", host: "127.0.9.12", start: server("gosse", "go-sse", "GO_SSE_URL"),
		known: known{
			"slow-consumers": {"bystanders.latency_p99": joeWaits, "heartbeat.every": heartbeatsToo},
		},
	},
	{
		name: "go-sse with automatic ids", host: "127.0.9.13", start: server("gosse", "go-sse", "GO_SSE_URL", "-automatic-ids"),
		known: known{
			"slow-consumers": {"bystanders.latency_p99": joeWaits, "heartbeat.every": heartbeatsToo},
			"last-event-id-resume": {
				"delivery.unique":    {always(fail), "duplicated", "Resuming from the newest id replays the whole history, and so the message at the position."},
				"delivery.resumable": {always(fail), "stale", "Resuming from the newest id replays the whole history, and so what came before the position."},
				"delivery.ordered":   {sometimes(pass, fail), "reordered", "What is replayed may be older than the subscription: then it comes for the first time, after newer ones."},
			},
		},
	},
	{
		name: "r3labs", host: "127.0.9.14", start: server("r3labs", "r3labs", "R3LABS_URL"),
		known: known{
			"network-drops":        {"delivery.unique": fromTheID},
			"last-event-id-resume": {"delivery.unique": fromTheID},
			"heartbeat-timeout":    {"delivery.unique": fromTheID},
			"slow-consumers": {
				"delivery.unique":        {sometimes(pass, fail), "duplicated", "A slow subscriber makes a new connection, and resumes. " + fromTheID.why},
				"bystanders.latency_p99": {always(fail), "", "A stream waits for each subscriber's queue in turn: a full one stops all the others."},
				"heartbeat.every":        heartbeatsToo,
			},
		},
	},
	{
		name: "launchdarkly", host: "127.0.9.15",
		start: server("launchdarkly", "launchdarkly-eventsource", "LAUNCHDARKLY_EVENTSOURCE_URL"),
		known: known{
			"network-drops":        {"delivery.unique": fromTheID},
			"last-event-id-resume": {"delivery.unique": fromTheID},
			"heartbeat-timeout":    {"delivery.unique": fromTheID},
			"slow-consumers": {
				"delivery.unique":        {sometimes(pass, fail), "duplicated", "A subscriber that is too slow is disconnected, and resumes. " + fromTheID.why},
				"bystanders.latency_p99": {sometimes(pass, fail), "", "SliceRepository is locked while a slow subscriber reads a replay, and publishing waits for that lock."},
				"heartbeat.every":        heartbeatsToo,
			},
		},
	},
	{
		name: "launchdarkly with a repository of our own", host: "127.0.9.16",
		start: server("launchdarkly", "launchdarkly-eventsource", "LAUNCHDARKLY_EVENTSOURCE_URL", "-own-repository"),
		known: known{
			"network-drops":        {"delivery.unique": keptTwice},
			"last-event-id-resume": {"delivery.unique": keptTwice},
			"heartbeat-timeout":    {"delivery.unique": keptTwice},
			"slow-consumers":       {"delivery.unique": keptTwice},
		},
	},
	{
		name: "nginx", host: "127.0.9.17",
		start: behindNginx("proxy_http_version 1.1", `proxy_set_header Connection ""`, "proxy_buffering off", "proxy_read_timeout 1h"),
	},
	{
		// HTTP/1.0 to the broker is nginx's default. Without postpone_output it holds the headers back as well: TestHeldHeaders.
		name: "nginx that buffers", host: "127.0.9.18",
		start: behindNginx("proxy_ignore_headers X-Accel-Buffering", "postpone_output 0"),
		alike: true,
		known: known{
			"mass-connect": {
				"heartbeat.every": {sometimes(pass, fail), "", "Heartbeats wait in the buffer as well."},
			},
			"network-drops": {
				"heartbeat.every":    {sometimes(pass, fail), "", "Heartbeats wait in the buffer as well."},
				"delivery.complete":  stuck,
				"delivery.resumable": stuckAtResume,
				"latency.p50":        stuckLate,
				"latency.p99":        stuckLate,
				"calm.latency_p99":   {sometimes(fail, unknown), "never came|" + fewCalm, stuckLate.why},
				"delivery.alive":     {sometimes(pass, fail), "stalled", stuckAtResume.why},
				"reconnect.within":   stuckInVain,
				"resume.gap_p99":     {sometimes(pass, fail, unknown), "", "Whether a buffer fills up after a reconnect depends on how long the connection lasts."},
				"reconnect.backoff":  {sometimes(pass, unknown), "", "Subscribers come and go for want of a heartbeat."},
			},
			"slow-consumers": {
				"heartbeat.every":   {sometimes(pass, fail), "", "Heartbeats wait in the buffer as well."},
				"delivery.complete": {always(fail), "message 360 had not arrived", "The end of the last message stays in a buffer that nothing fills up any more."},
			},
			"last-event-id-resume": {
				"heartbeat.every":    {sometimes(pass, fail), "", "Heartbeats wait in the buffer as well."},
				"delivery.complete":  stuck,
				"delivery.alive":     {always(fail), "stalled", "A connection is open, and what is owed on it waits in nginx until a buffer is full."},
				"latency.p50":        stuckLate,
				"latency.p99":        stuckLate,
				"delivery.unique":    stuckUncut,
				"delivery.ordered":   stuckUncut,
				"delivery.isolated":  stuckUncut,
				"delivery.intact":    stuckUncut,
				"delivery.resumable": stuckUncut,
				"reconnect.within":   stuckInVain,
				"reconnect.backoff":  stuckUncut,
				"resume.gap_p99":     {always(unknown), "no samples", "Nobody has a position to resume from."},
			},
			"heartbeat-timeout": {
				"heartbeat.every":    {always(fail), "silence|nothing arrived", "Heartbeats wait in the buffer as well."},
				"calm.latency_p99":   stuckUnseen,
				"delivery.complete":  stuckUnseen,
				"delivery.unique":    stuckUnseen,
				"delivery.ordered":   stuckUnseen,
				"delivery.intact":    stuckUnseen,
				"delivery.resumable": stuckUnseen,
				"latency.p50":        stuckUnseen,
				"latency.p99":        stuckUnseen,
				"delivery.alive":     stuckUnseen,
				"reconnect.within":   stuckInVain,
			},
			"steady-flow": {
				"heartbeat.every":   {sometimes(pass, fail), "", "Heartbeats wait in the buffer as well."},
				"delivery.complete": stuck,
				"delivery.alive":    {sometimes(fail, unknown), "stalled", stuck.why},
				"latency.p99":       {sometimes(pass, fail), "never came", stuck.why},
			},
		},
	},
	{name: "HAProxy", host: "127.0.9.19", start: behindHAProxy("option http-no-delay")},
	{
		name: "HAProxy without no-delay", host: "127.0.9.20", start: behindHAProxy(),
		known: known{
			"last-event-id-resume": {
				"latency.p50": {always(fail), `actual ([2-9]\d\dms|\d+(\.\d+)?s)`, "The kernel keeps what HAProxy sends for 200 ms, in case more follows."},
			},
		},
	},
}

var (
	joeWaits = deviation{
		always(fail), "",
		"Joe writes to all subscribers from one goroutine and without a deadline: everybody waits for the slowest.",
	}
	heartbeatsToo = deviation{
		sometimes(pass, fail), "silence|nothing arrived",
		"Heartbeats take the same way as messages: while one subscriber holds it up, nobody gets any.",
	}
	fromTheID = deviation{
		always(fail), "duplicated",
		"The replay begins with the event whose id was asked for, not with the one after it.",
	}
	keptTwice = deviation{
		sometimes(pass, fail), "duplicated",
		"Keeping an event and publishing it are two calls: who resumes between them gets it by both.",
	}
	stuck         = deviation{always(fail), "outstanding", "nginx passes on a buffer when it is full: the latest messages stay in one."}
	stuckAtResume = deviation{always(fail), "lost at resume", "nginx passes on a buffer when it is full: what follows a position stays in one."}
	stuckLate     = deviation{always(fail), "", "nginx passes on a buffer when it is full, seconds after the first message in it."}
	stuckUncut    = deviation{sometimes(pass, unknown), "took no effect", "Where no event gets through, none can be cut."}
	stuckInVain   = deviation{sometimes(pass, fail, unknown), "late return|took no effect", "Who is let in and gets nothing of what is owed is not back."}
	stuckUnseen   = deviation{sometimes(pass, fail, unknown), "", "Hardly anything is owed on connections that end for want of a heartbeat before a buffer is full."}
)
