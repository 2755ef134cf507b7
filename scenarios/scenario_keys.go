package scenarios

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

const (
	maxSubscribers = 10_000_000
	maxStreams     = 1_000_000
	maxPublishers  = 1_000
	maxPayload     = 16 << 20

	maxSubscriptions = 1 << 25 // of subscribers to publishers: what a judge takes
)

const wellFormed = "well-formed"

// Guarantee is a promise about deliveries that expect.delivery can name.
type Guarantee struct{ Name, About string }

// Guarantees are all promises that expect.delivery can name.
var Guarantees = []Guarantee{
	{"ordered", "messages of a stream arrive in the order in which they were published"},
	{"unique", "no message arrives twice"},
	{"complete", "every message that is owed arrives before the run has settled"},
	{"isolated", "nobody receives a message of a stream it does not follow"},
	{"intact", "every payload arrives with the bytes that were published, and nothing arrives that was not"},
	{"resumable", "after a reconnect delivery goes on where it stopped, or the client can tell that it does not"},
	{"alive", "an open connection keeps delivering what is owed"},
	{"latest", "the newest message of each stream arrives, even where older ones may be left out"},
	{wellFormed, "every payload is what the JSON Schema of its event type says; implied by expect.schemas"},
}

// scenarioKeys are the keys of a scenario file: the only place where they are listed, for the parser and the JSON Schema.
var scenarioKeys = object(
	key("name", "Short name of the scenario, as it appears in reports.", word, func(s *Scenario) *string { return &s.Name }).need(),
	key("about", "What the scenario shows, in a sentence or two. {load.subscribers} stands for the value of that key as it is run, and so does any other key of the file.", str, func(s *Scenario) *string { return &s.About }),
	key("needs", "Capabilities the target must have; without one of them every verdict is skip. publish, restart and drain are implied by what the scenario does.",
		list(capability), func(s *Scenario) *[]Capability { return &s.Needs }),
	key("load", "What subscribers and publishers do.", loadKeys, func(s *Scenario) *Load { return &s.Load }).need(),
	key("broker", "Settings of the embedded reference broker. A real target is configured by its owner.", brokerKeys, func(s *Scenario) *Broker { return &s.Broker }),
	key("timeline", "What goes wrong, and when.", list(stepKeys), func(s *Scenario) *[]Step { return &s.Timeline }),
	key("duration", "How long messages are published, from the start of the run.", positive, func(s *Scenario) *time.Duration { return &s.Duration }).need(),
	key("settle", "The longest wait after that for what is still owed.", duration, func(s *Scenario) *time.Duration { return &s.Settle }).or("10s"),
	key("expect", "What must hold. What is not named is not judged.", expectKeys, func(s *Scenario) *Expect { return &s.Expect }).need(),
)

var capability = oneOf(CanPublish, CanResume, CanHeartbeat, CanAuth, CanRestart, CanDrain, CanGreet, CanPing, CanFarewell, CanObserve, CanDurable)

var loadKeys = object(
	key("streams", "Streams (topics, rooms, channels).", whole[int](1, maxStreams), func(l *Load) *int { return &l.Streams }).or("1"),
	key("subscribers", "Subscribers, each with a connection of its own.", whole[int](1, maxSubscribers), func(l *Load) *int { return &l.Subscribers }).need(),
	key("follow", "Streams per subscriber, or all.", followed, func(l *Load) *int { return &l.Follow }).or("1"),
	key("groups", "Names of groups of subscribers. Every message reaches each group as often; subscribers × follow is a multiple of streams × groups.",
		list(word), func(l *Load) *[]string { return &l.Groups }),
	key("ramp", "How subscribers arrive.", object(
		key("over", "The time in which all of them arrive. Without it, 5s or a quarter of the duration, whichever is shorter.", duration, func(r *Ramp) *time.Duration { return &r.Over }),
		key("arrivals", "How they are spread over that time.", oneOf(Uniform, Poisson, AtOnce), func(r *Ramp) *Arrivals { return &r.Arrivals }).or(string(Uniform)),
	), func(l *Load) *Ramp { return &l.Ramp }),
	key("publish", "What is published. Without it, nothing is.", publishKeys, func(l *Load) *Publish { return &l.Publish }),
	key("reconnect", "How subscribers come back: the name of a policy, or its numbers.", policyShape, func(l *Load) *policy.Policy { return &l.Reconnect }).or("exponential-1s-30s"),
	key("heartbeat_timeout", "A connection on which nothing arrives for so long counts as dead. Without it, the policy's silence; never less than one and a half of the heartbeat that the target declares.", positive, func(l *Load) *time.Duration { return &l.HeartbeatTimeout }),
	key("time_scale", "Multiplies the policy's times and the heartbeat timeout, so that slow clients can be tried in a short run.", fraction(0.001, 1000), func(l *Load) *float64 { return &l.TimeScale }).or("1"),
	key("slow", "A share of the subscribers reads slowly, at the socket, for the whole run.", object(
		key("share", "Share of the subscribers.", share, func(s *Slow) *Share { return &s.Share }).need(),
		key("read", "How fast each of them reads.", read, func(s *Slow) *Bytes { return &s.Read }).need(),
	), func(l *Load) *Slow { return &l.Slow }),
	key("compressed", "Share of the subscribers that accept gzip and deflate, as every browser does; none of them reads slowly. The others ask for no compression, and what comes compressed all the same is read.",
		shareOrNone, func(l *Load) *Share { return &l.Compressed }).or("0%"),
	key("return_on", "Type of an event after which a subscriber closes the connection and comes back.", event, func(l *Load) *string { return &l.ReturnOn }),
	key("token_life", "How long a subscriber's token is valid; a new one is made for each connection.", positive, func(l *Load) *time.Duration { return &l.TokenLife }),
	key("connect_timeout", "The longest wait for a connection and its response headers.", positive, func(l *Load) *time.Duration { return &l.ConnectTimeout }).or("10s"),
)

var publishKeys = object(
	key("rate", "Messages over all streams together.", rate, func(p *Publish) *float64 { return &p.Rate }).need(),
	key("arrivals", "How they are spread: evenly, or at random with this mean.", oneOf(Uniform, Poisson), func(p *Publish) *Arrivals { return &p.Arrivals }).or(string(Uniform)),
	key("size", "Bytes of each payload, at least 160B (320B for json): it carries the token by which a message is recognised. Without it, sizes vary from that to some 64KiB and are mostly small; where a stream has many subscribers, none is so large that all of them together would get more than 16MiB of one message.",
		size, func(p *Publish) *Bytes { return (*Bytes)(&p.Size) }),
	key("types", "Event types with their weights. Without it, messages have no type.", byType(whole[int](1, 1_000_000)), func(p *Publish) *map[string]int { return &p.Types }),
	key("publishers", "Publishers per stream. With more than one, order is judged per publisher.", whole[int](1, maxPublishers), func(p *Publish) *int { return &p.Publishers }).or("1"),
	key("payload", "token: the token and text of all kinds, as far as the target's publish.payload allows. json: an object with type, stream, number and token, in which token holds text as well.",
		oneOf(PayloadToken, PayloadJSON), func(p *Publish) *Payload { return &p.Payload }).or(string(PayloadToken)),
)

var brokerKeys = object(
	key("heartbeat", "Interval of its comments.", positive, func(b *Broker) *time.Duration { return &b.Heartbeat }),
	key("history", "Messages per stream that it keeps for those who come back.", whole[int](1, 100_000_000), func(b *Broker) *int { return &b.History }),
	key("slow_policy", "What it does with a subscriber that does not keep up.", slowPolicy, func(b *Broker) *SlowPolicy { return &b.SlowPolicy }),
	key("queue", "Messages that it queues per connection.", whole[int](1, 1_000_000), func(b *Broker) *int { return &b.Queue }),
	key("retry", "The retry: hint at the start of each connection.", positive, func(b *Broker) *time.Duration { return &b.Retry }),
	key("greeting", "Data of an event sent first on each connection.", str, func(b *Broker) *string { return &b.Greeting }),
	key("ping", "Interval of ping events.", positive, func(b *Broker) *time.Duration { return &b.Ping }),
	key("session", "After this time it says farewell and ends the connection.", positive, func(b *Broker) *time.Duration { return &b.Session }),
	key("farewell", "Type of the farewell event.", event, func(b *Broker) *string { return &b.Farewell }),
)

var slowPolicy = oneOf(SlowDisconnect, SlowDrop, SlowCoalesce, SlowBlock)

var stepKeys = lineOf(object(
	key("at", "When, from the start of the run.", duration, func(s *Step) *time.Duration { return &s.At }).need(),
	key("fault", "What goes wrong: "+aboutFaults(), faultName, func(s *Step) *string { return &s.Fault }).need(),
	key("share", "Share of the subscribers whose connections it befalls.", share, func(s *Step) *Share { return &s.Share }),
	key("for", "How long it lasts.", positive, func(s *Step) *time.Duration { return &s.For }),
	key("delay", "latency: how long everything that arrives is held back.", positive, func(s *Step) *time.Duration { return &s.Delay }),
	key("jitter", "latency: the most by which the delay varies, up or down.", positive, func(s *Step) *time.Duration { return &s.Jitter }),
	key("read", "slow: how fast the subscriber reads.", read, func(s *Step) *Bytes { return &s.Read }),
	key("command", "restart, drain: the command that does it, instead of the target file's own. A path with a slash is relative to this file.", program, func(s *Step) *[]string { return &s.Command }),
))

// lineOf notes where a step stands.
func lineOf(of shape[Step]) shape[Step] {
	read := of.read
	of.read = func(r *reader, key string, n *yaml.Node, into *Step) {
		read(r, key, n, into)
		into.Line = n.Line
	}
	return of
}

var faultName = func() shape[string] {
	all := make([]string, len(Faults))
	for i, f := range Faults {
		all[i] = f.Name
	}
	return oneOf(all...)
}()

func aboutFaults() string {
	all := make([]string, len(Faults))
	for i, f := range Faults {
		all[i] = f.Name + " (" + f.About + ")"
	}
	return strings.Join(all, ", ") + "."
}

var expectKeys = object(
	key("delivery", "Guarantees that every delivery is judged by.", list(guarantee), func(e *Expect) *[]string { return &e.Delivery }),
	key("schemas", "Event type → JSON Schema of its payload, judged as well-formed: written here, or the path of a .json or .yaml file beside the scenario.",
		byType(payloadSchema), func(e *Expect) *map[string]string { return &e.Schemas }),
	key("greeting", "Data of the first event of each connection.", str, func(e *Expect) *string { return &e.Greeting }),
	key("latency", "Delivery latency over all expected deliveries, from the time a message was due; a lost one is infinitely late.", quantiles, func(e *Expect) *Quantiles { return &e.Latency }),
	key("calm", "Delivery latency while nothing goes wrong: after the ramp, no fault in effect, nobody slow, away or catching up.", optional(some(object(
		quantile("latency_", "As expect.latency, over these deliveries alone.", func(b *CalmBudget) *Quantiles { return &b.Latency }),
	), "a percentile such as latency_p99")), func(e *Expect) **CalmBudget { return &e.Calm }),
	key("first_event", "Time from dialing to the first event of a connection.", quantiles, func(e *Expect) *Quantiles { return &e.FirstEvent }),
	key("connect", "First connections.", optional(some(object(
		quantile("", "Time from dialing to response headers.", func(c *ConnectBudget) *Quantiles { return &c.Latency }),
		key("failed", "The most first attempts that may fail.", pointer(whole[int](0, maxSubscribers)), func(c *ConnectBudget) **int { return &c.Failed }),
	), "p99 or failed")), func(e *Expect) **ConnectBudget { return &e.Connect }),
	key("reconnect", "Coming back after a loss.", optional(some(object(
		key("within", "The longest time from a loss to being ready again.", positive, func(b *ReconnectBudget) *time.Duration { return &b.Within }),
		key("backoff", "conforms: every delay is what load.reconnect allows.", conforms, func(b *ReconnectBudget) *bool { return &b.Backoff }),
		key("peak", "The largest share of the subscribers that may come back in any one second.", peak, func(b *ReconnectBudget) *Share { return &b.Peak }),
	), "within, backoff or peak")), func(e *Expect) **ReconnectBudget { return &e.Reconnect }),
	key("resume", "Catching up after a loss.", optional(some(object(
		quantile("gap_", "Time from a loss to the arrival of the last message missed.", func(b *ResumeBudget) *Quantiles { return &b.Gap }),
	), "a percentile such as gap_p99")), func(e *Expect) **ResumeBudget { return &e.Resume }),
	key("heartbeat", "Signs of life.", optional(object(
		key("every", "The longest silence on an open connection. What a target file declares counts in its place.", positive, func(b *HeartbeatBudget) *time.Duration { return &b.Every }).need(),
	)), func(e *Expect) **HeartbeatBudget { return &e.Heartbeat }),
	key("fan_out", "How far apart the subscribers of a stream receive one message.", optional(some(object(
		quantile("spread_", "Time from the first to the last delivery of one message.", func(b *FanOutBudget) *Quantiles { return &b.Spread }),
	), "a percentile such as spread_p99")), func(e *Expect) **FanOutBudget { return &e.FanOut }),
	key("bystanders", "Subscribers beside the slow or disturbed ones.", optional(object(
		key("latency_p99", "How much their p99 may grow against the undisturbed phase of the same run.", factor, func(b *BystandersBudget) *float64 { return &b.LatencyP99 }).need(),
	)), func(e *Expect) **BystandersBudget { return &e.Bystanders }),
	key("memory", "Memory of the target.", optional(some(object(
		key("max", "The most it may take.", size, func(b *MemoryBudget) *Bytes { return &b.Max }),
		key("growth", "The most it may grow after the ramp.", share, func(b *MemoryBudget) *Share { return &b.Growth }),
	), "max or growth")), func(e *Expect) **MemoryBudget { return &e.Memory }),
	key("sessions", "Connections per subscriber.", optional(object(
		key("live", "The most connections of one subscriber that may be alive at a time.", whole[int](1, 1000), func(b *SessionsBudget) *int { return &b.Live }).need(),
	)), func(e *Expect) **SessionsBudget { return &e.Sessions }),
	key("expiry", "The end of a stream whose token expires; needs load.token_life.", optional(object(
		key("within", "The longest time from a token's expiry to the end of the stream.", positive, func(b *ExpiryBudget) *time.Duration { return &b.Within }).need(),
	)), func(e *Expect) **ExpiryBudget { return &e.Expiry }),
	key("stalled", "alive: how long a message that is owed may be missing on an open connection.", positive, func(e *Expect) *time.Duration { return &e.Stalled }).or("10s"),
)

var guarantee = func() shape[string] {
	all := make([]string, len(Guarantees))
	for i, g := range Guarantees {
		all[i] = g.Name
	}
	return oneOf(all...)
}()

// conforms is the one thing that can be asked of backoff.
var conforms = func() shape[bool] {
	only := oneOf("conforms")
	return shape[bool]{schema: only.schema, read: func(r *reader, key string, n *yaml.Node, into *bool) {
		var text string
		only.read(r, key, n, &text)
		*into = text != ""
	}}
}()

// pointer is a value that may be absent, where zero would mean something else.
func pointer[T any](of shape[T]) shape[*T] { return optional(of) }

// everything stands for all streams until their number is known.
const everything = -1

// followed is a number of streams, or all.
var followed = func() shape[int] {
	some := whole[int](1, maxStreams)
	s := schema{"anyOf": append([]any{schema{"const": "all"}}, some.schema["anyOf"].([]any)...)}
	return shape[int]{schema: s, read: func(r *reader, key string, n *yaml.Node, into *int) {
		if n.Kind == yaml.ScalarNode && n.Value == "all" {
			*into = everything
			return
		}
		some.read(r, key, n, into)
	}}
}()

// word is a name that can stand in a file name, a URL and a table.
var word = scalar("a name of letters, digits, dots, hyphens and underscores", `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`, []string{"network-drops"}, func(m []string) (string, error) { return m[0], nil })
