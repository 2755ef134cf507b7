package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// Tally is everything that verdicts and measures are made from: plain data, which shards can send to each other. The tallies of
// shards merge into the tally of the whole, exactly: counters, histograms and anomalies add up.
type Tally struct {
	End         time.Duration `json:"end"`
	SteadyAt    time.Duration `json:"steady_at"`
	SettleAt    time.Duration `json:"settle_at"`
	Settled     bool          `json:"settled"`     // the run reached its end
	Interrupted bool          `json:"interrupted"` // somebody ended it before

	Death *Death `json:"death,omitempty"` // of the target; nil: it answered to the end

	Planned     uint64   `json:"planned"` // subscribers
	Opened      uint64   `json:"opened"`
	Ready       uint64   `json:"ready"`
	Failed      uint64   `json:"failed"`       // first attempts to connect
	FirstFailed Attempts `json:"first_failed"` // these, by what ended them
	Connections uint64   `json:"connections"`
	Resumes     uint64   `json:"resumes"` // losses after which a subscription went on
	Missed      uint64   `json:"missed"`  // of these, those in which something was published meanwhile
	Foreign     uint64   `json:"foreign"` // acknowledged messages times subscribers that do not follow their streams

	Published     uint64 `json:"published"` // acknowledged messages
	Rejected      uint64 `json:"rejected"`
	Indeterminate uint64 `json:"indeterminate"`

	Deliveries  uint64 `json:"deliveries"`            // all that arrived
	Expected    uint64 `json:"expected"`              // owed deliveries
	Lost        uint64 `json:"lost"`                  // owed deliveries that never arrived
	Outstanding uint64 `json:"outstanding,omitempty"` // owed deliveries that had not arrived when the run ended
	LostBy      LostBy `json:"lost_by"`
	Beyond      uint64 `json:"beyond"`             // missed by coming back after the target's history, so not owed
	Dropped     uint64 `json:"dropped"`            // left out for slow readers under the target's policy, so not owed
	Behind      uint64 `json:"behind"`             // owed, and not yet read by slow readers at the end
	Unjudged    uint64 `json:"unjudged"`           // owed, and kept from its subscriber at the end by a fault of ours, or not yet asked for by our client
	Astray      uint64 `json:"astray,omitempty"`   // subscribers that were not back at the end, for longer than allowed, although the target had been asked
	Fleeting    uint64 `json:"fleeting,omitempty"` // streams that the target ended at once, without anything that was owed
	Newest      uint64 `json:"newest"`             // newest messages asked for
	Schemas     uint64 `json:"schemas"`            // payloads compared with a schema
	Greetings   uint64 `json:"greetings"`          // first events compared with the greeting
	Announced   uint64 `json:"announced"`          // connections on which the target told of a gap

	Silence  time.Duration `json:"silence"`  // the longest on an open connection
	Sessions uint64        `json:"sessions"` // most live connections of one subscriber
	Expiries uint64        `json:"expiries"` // connections that were open when their token expired
	Idle     uint64        `json:"idle"`     // connections that were given up for being silent, while no fault of ours concerned them
	Effects  []Effect      `json:"effects"`  // of each step

	Anomalies     map[Anomaly]*Sightings   `json:"anomalies"`
	Distributions map[string]*Distribution `json:"distributions"`
	LostMessages  []LostRange              `json:"lost_messages,omitempty"` // that at least one subscriber lost; only for the fan-out's spread
	Delivered     []int64                  `json:"delivered_by_second"`
	Arrivals      []LatencyRow             `json:"arrivals"`            // latencies of the expected deliveries that came in each step
	LostByStep    []int64                  `json:"lost_by_step"`        // by the step in which they were due
	Connected     []int64                  `json:"connected_by_second"` // change of the number of open connections
	Returns       []int64                  `json:"returns"`             // reconnecting dials, by peakStep
	Losses        []int64                  `json:"losses"`              // connections that ended before the run did, by peakStep
	Pattern       LossPattern              `json:"loss_pattern"`
	Bands         []Band                   `json:"bands,omitempty"` // the timeline as it was carried out
	Memory        []MemorySample           `json:"memory,omitempty"`
}

// LostBy counts those of the lost and of the outstanding deliveries that other promises than completeness rest on.
type LostBy struct {
	Seam       uint64 `json:"seam"`       // in a hole right after the position asked for
	SlowReader uint64 `json:"slow"`       // by subscribers that read slowly at some time
	Bystander  uint64 `json:"bystanders"` // by subscribers that no fault touched
}

// LostRange is a range of one publisher's messages, From to Before−1.
type LostRange struct {
	Stream    int32  `json:"stream"`
	Publisher int32  `json:"publisher"`
	From      uint64 `json:"from"`
	Before    uint64 `json:"before"`
}

// union joins ranges that overlap, and sorts them.
func union(ranges []LostRange) []LostRange {
	slices.SortFunc(ranges, func(a, b LostRange) int {
		return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Publisher, b.Publisher), cmp.Compare(a.From, b.From))
	})
	joined := ranges[:0]
	for _, r := range ranges {
		if i := len(joined) - 1; i >= 0 && joined[i].Stream == r.Stream && joined[i].Publisher == r.Publisher && r.From <= joined[i].Before {
			joined[i].Before = max(joined[i].Before, r.Before)
		} else {
			joined = append(joined, r)
		}
	}
	return joined
}

// The distributions of a tally.
const (
	latencyRamp        = "latency.ramp"
	latencySteady      = "latency.steady"
	latencySettle      = "latency.settle"
	latencyOver        = "latency.end"
	latencyUncorrected = "latency.uncorrected"
	latencyCatchUp     = "latency.catch_up"
	latencySlow        = "latency.slow_readers"
	latencyCalm        = "latency.bystanders.undisturbed"
	latencyStorm       = "latency.bystanders.disturbed"
	latencyPeace       = "latency.calm"
	timeConnect        = "connect"
	timeFirstEvent     = "first_event"
	timeReconnect      = "reconnect"
	timeResumeGap      = "resume.gap"
	timeBackoff        = "reconnect.backoff"
	timeSpread         = "fan_out.spread"
)

var distributionNames = []string{
	latencyRamp, latencySteady, latencySettle, latencyOver, latencyUncorrected, latencyCatchUp, latencySlow, latencyCalm,
	latencyStorm, latencyPeace, timeConnect, timeFirstEvent, timeReconnect, timeResumeGap, timeBackoff, timeSpread,
}

// Merge adds the tally of another shard of the same run, with other subscribers and publishers.
func (t *Tally) Merge(other *Tally) error {
	if len(t.Effects) != len(other.Effects) {
		return fmt.Errorf("merging tallies: one has %s, the other %d", conformance.Plural(len(t.Effects), "step"), len(other.Effects))
	}
	t.End = max(t.End, other.End)
	t.SteadyAt, t.SettleAt = max(t.SteadyAt, other.SteadyAt), max(t.SettleAt, other.SettleAt)
	t.Settled = t.Settled && other.Settled
	t.Interrupted = t.Interrupted || other.Interrupted
	if t.Death == nil || other.Death != nil && other.Death.At < t.Death.At {
		t.Death = other.Death
	}
	for _, pair := range [][2]*uint64{
		{&t.Planned, &other.Planned}, {&t.Opened, &other.Opened}, {&t.Ready, &other.Ready}, {&t.Failed, &other.Failed},
		{&t.Connections, &other.Connections}, {&t.Resumes, &other.Resumes}, {&t.Missed, &other.Missed}, {&t.Foreign, &other.Foreign}, {&t.Published, &other.Published},
		{&t.Rejected, &other.Rejected}, {&t.Indeterminate, &other.Indeterminate}, {&t.Deliveries, &other.Deliveries},
		{&t.Expected, &other.Expected}, {&t.Lost, &other.Lost}, {&t.Outstanding, &other.Outstanding}, {&t.LostBy.Seam, &other.LostBy.Seam},
		{&t.LostBy.SlowReader, &other.LostBy.SlowReader}, {&t.LostBy.Bystander, &other.LostBy.Bystander},
		{&t.Beyond, &other.Beyond}, {&t.Dropped, &other.Dropped}, {&t.Behind, &other.Behind}, {&t.Unjudged, &other.Unjudged},
		{&t.Newest, &other.Newest}, {&t.Schemas, &other.Schemas}, {&t.Greetings, &other.Greetings},
		{&t.Announced, &other.Announced}, {&t.Expiries, &other.Expiries}, {&t.Idle, &other.Idle},
		{&t.Astray, &other.Astray}, {&t.Fleeting, &other.Fleeting},
	} {
		*pair[0] += *pair[1]
	}
	t.FirstFailed.Merge(&other.FirstFailed)
	t.LostMessages = union(append(t.LostMessages, other.LostMessages...))
	t.Silence, t.Sessions = max(t.Silence, other.Silence), max(t.Sessions, other.Sessions)
	for i := range t.Effects {
		t.Effects[i].Merge(other.Effects[i])
	}
	for a, s := range other.Anomalies {
		t.sightings(a).Merge(s)
	}
	for name, d := range other.Distributions {
		if t.Distributions[name] == nil {
			t.Distributions[name] = new(Distribution)
		}
		t.Distributions[name].Merge(d)
	}
	t.Delivered = addSeries(t.Delivered, other.Delivered)
	t.Connected = addSeries(t.Connected, other.Connected)
	t.Returns = addSeries(t.Returns, other.Returns)
	t.Arrivals = addRows(t.Arrivals, other.Arrivals)
	t.LostByStep = addSeries(t.LostByStep, other.LostByStep)
	t.Losses = addSeries(t.Losses, other.Losses)
	t.Pattern.Merge(&other.Pattern)
	t.Bands = mergeBands(t.Bands, other.Bands)
	t.Memory = append(t.Memory, other.Memory...)
	slices.SortStableFunc(t.Memory, func(a, b MemorySample) int { return int(a.At - b.At) })
	return nil
}

func addSeries(a, b []int64) []int64 {
	if len(a) < len(b) {
		a, b = slices.Clone(b), a
	}
	for i, n := range b {
		a[i] += n
	}
	return a
}

func (t *Tally) sightings(a Anomaly) *Sightings {
	s := t.Anomalies[a]
	if s == nil {
		s = new(Sightings)
		t.Anomalies[a] = s
	}
	return s
}

func (t *Tally) count(a Anomaly) uint64 {
	if s := t.Anomalies[a]; s != nil {
		return s.Count
	}
	return 0
}

// distribution is never nil.
func (t *Tally) distribution(name string) *Distribution {
	if d := t.Distributions[name]; d != nil {
		return d
	}
	return new(Distribution)
}

// latency is the distribution of all expected deliveries. Those that never came are infinitely late.
func (t *Tally) latency() *Distribution {
	all := new(Distribution)
	for _, name := range []string{latencyRamp, latencySteady, latencySettle, latencyOver} {
		all.Merge(t.distribution(name))
	}
	all.Missing = t.missing() - t.LostBy.SlowReader
	return all
}

// missing is how many owed deliveries did not arrive, less those that the harness kept back.
func (t *Tally) missing() uint64 { return t.Lost + t.Outstanding }
