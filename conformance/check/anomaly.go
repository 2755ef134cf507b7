package check

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// Anomaly is one way in which a delivery or a connection can be wrong.
type Anomaly uint8

const (
	Lost        Anomaly = iota // acknowledged and owed, and never received: something newer was, or the subscription ended
	Duplicated                 // the same message twice on one connection, or again across a resume
	Reordered                  // received after a higher number of the same publisher
	Divergent                  // subscribers disagree on the order of one stream
	Conflict                   // one event id names two messages of one stream
	Phantom                    // received, but its publish was rejected or never made
	Leaked                     // received by a subscriber of another stream
	Damage                     // bytes differ from what was published
	Stale                      // replayed although it was before the position asked for
	Stalled                    // connection open, owed messages missing for longer than the bound
	Unannounced                // a hole beyond the target's history that the target did not tell of
	NeverBack                  // a subscriber lost its connection and the target did not take it back
	Misshapen                  // a payload violates the schema of its type
	Outdated                   // the newest message of a stream did not arrive
	WrongHello                 // a connection did not begin with the greeting
	BadDelay                   // a reconnect came outside its policy's bounds
	LateReturn                 // a reconnect took longer than allowed
	Silence                    // nothing arrived on an open connection for longer than allowed
	SecondLife                 // more live connections of one subscriber than allowed
	LostAtSeam                 // lost in a hole between the position asked for and the first message after it
	Outlived                   // a stream lived on after its token had expired
	EmptyReturn                // a stream that was opened with a position ended before anything of what was missed
	Vanished                   // a connection went silent for good, without an end
	Outstanding                // owed to a subscription that went on, and not received by the end of settle
	anomalies
)

var anomalyNames = [anomalies]string{
	Lost: "lost", Duplicated: "duplicated", Reordered: "reordered", Divergent: "divergent order", Conflict: "id conflict",
	Phantom: "phantom", Leaked: "leaked", Damage: "corrupted", Stale: "stale", Stalled: "stalled",
	Unannounced: "unannounced gap", NeverBack: "never back", Misshapen: "malformed", Outdated: "outdated",
	WrongHello: "wrong greeting", BadDelay: "wrong delay", LateReturn: "late return", Silence: "silence", SecondLife: "second connection",
	LostAtSeam: "lost at resume", Outlived: "outlived token", EmptyReturn: "empty return", Outstanding: "outstanding",
	Vanished: "went silent",
}

func (a Anomaly) String() string {
	if a < anomalies {
		return anomalyNames[a]
	}
	return fmt.Sprintf("anomaly(%d)", uint8(a))
}

// MarshalText writes the anomaly's name.
func (a Anomaly) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads an anomaly's name.
func (a *Anomaly) UnmarshalText(text []byte) error {
	i := slices.Index(anomalyNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("anomaly %q is not known", text)
	}
	*a = Anomaly(i)
	return nil
}

const (
	maxExamples = 3    // kept per anomaly
	maxEmitted  = 1000 // written to the history per anomaly
)

// Example is one occurrence of an anomaly.
type Example struct {
	At         time.Duration `json:"at"`
	Subscriber int32         `json:"subscriber"`
	Connection int32         `json:"connection,omitempty"`
	Stream     int32         `json:"stream"` // −1: none
	Publisher  int32         `json:"publisher,omitempty"`
	Number     uint64        `json:"number,omitempty"`
	Text       string        `json:"text"`
	Expected   string        `json:"expected"`
	Actual     string        `json:"actual"`
	Evidence   []string      `json:"evidence,omitempty"`
	Excess     int64         `json:"excess,omitempty"` // by how much it is beyond what is allowed, where that can be said
}

// compare puts the worst first, and the earlier of two that are as bad.
func (a *Example) compare(b *Example) int {
	return cmp.Or(cmp.Compare(b.Excess, a.Excess), cmp.Compare(a.At, b.At), cmp.Compare(a.Subscriber, b.Subscriber), cmp.Compare(a.Stream, b.Stream),
		cmp.Compare(a.Publisher, b.Publisher), cmp.Compare(a.Number, b.Number))
}

// Sightings is how often an anomaly was seen, with its worst examples, or where none is worse than another its earliest.
type Sightings struct {
	Count       uint64    `json:"count"`
	Subscribers int       `json:"subscribers,omitempty"` // that it happened to
	Examples    []Example `json:"examples,omitempty"`
}

func (s *Sightings) add(e Example) {
	i, _ := slices.BinarySearchFunc(s.Examples, &e, func(a Example, b *Example) int { return a.compare(b) })
	if i == maxExamples {
		return
	}
	s.Examples = slices.Insert(s.Examples, i, e)
	s.Examples = s.Examples[:min(len(s.Examples), maxExamples)]
}

// Merge adds other's sightings.
func (s *Sightings) Merge(other *Sightings) {
	s.Count += other.Count
	s.Subscribers += other.Subscribers // each is in one shard
	for _, e := range other.Examples {
		s.add(e)
	}
}

// incidents collects anomalies of all subscribers. Nothing on the way of a right delivery touches it.
type incidents struct {
	counts [anomalies]atomic.Uint64
	marked [anomalies]atomic.Pointer[[]atomic.Uint32] // a bit for each subscriber
	mu     sync.Mutex
	seen   [anomalies]Sightings
}

// mark notes that an anomaly happened to a subscriber.
func (j *Judge) mark(a Anomaly, subscriber int32) {
	i := int(subscriber - j.cfg.First)
	if subscriber < 0 || i < 0 || i >= len(j.subs) {
		return
	}
	marked := j.incidents.marked[a].Load()
	if marked == nil {
		fresh := make([]atomic.Uint32, (len(j.subs)+31)/32)
		j.incidents.marked[a].CompareAndSwap(nil, &fresh)
		marked = j.incidents.marked[a].Load()
	}
	(*marked)[i/32].Or(1 << (i % 32))
}

// afflicted is how many subscribers an anomaly happened to.
func (c *incidents) afflicted(a Anomaly) (n int) {
	if marked := c.marked[a].Load(); marked != nil {
		for i := range *marked {
			n += bits.OnesCount32((*marked)[i].Load())
		}
	}
	return n
}

// report counts an anomaly that an observation revealed, none of which is worse than another.
func (j *Judge) report(a Anomaly, o *history.Observation, describe func() Example) {
	j.reportBy(a, o, 0, describe)
}

// reportBeside is report for a delivery, with the receipt that it is to be seen beside.
func (j *Judge) reportBeside(a Anomaly, o *history.Observation, before receipt, describe func() Example) {
	j.tell(a, o, 0, before, describe)
}

// reportBy is report for one that is beyond what is allowed by an excess. Only what will be kept is put into words: describe is called
// for the first few and for those worse or earlier than a kept one.
func (j *Judge) reportBy(a Anomaly, o *history.Observation, excess int64, describe func() Example) {
	j.tell(a, o, excess, receipt{}, describe)
}

func (j *Judge) tell(a Anomaly, o *history.Observation, excess int64, before receipt, describe func() Example) {
	n := j.incidents.counts[a].Add(1)
	j.mark(a, o.Subscriber)
	emit := j.sink != nil && n <= maxEmitted
	if !emit && n > maxExamples && !j.incidents.wanted(a, &Example{Excess: excess, At: o.At}) {
		return
	}
	e := describe()
	e.At, e.Subscriber, e.Connection, e.Excess = o.At, o.Subscriber, o.Connection, excess
	if e.Stream == 0 && e.Number == 0 {
		e.Stream, e.Publisher, e.Number = o.Stream, o.Publisher, o.Number
	}
	j.incidents.mu.Lock()
	j.incidents.seen[a].add(e)
	j.incidents.mu.Unlock()
	if emit {
		own := receipt{}
		if o.Kind == history.Deliver {
			own = receipt{o.Number, o.At, o.Connection}
		}
		j.pass(&history.Observation{
			At: o.At, Kind: history.Anomaly, Subscriber: o.Subscriber, Connection: o.Connection,
			Stream: o.Stream, Publisher: o.Publisher, Number: o.Number, Text: a.String(), Data: e.Text,
		}, before, own)
	}
}

func (c *incidents) wanted(a Anomaly, e *Example) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.seen[a].Examples
	if len(kept) < maxExamples {
		return true
	}
	last := &kept[len(kept)-1]
	return e.Excess > last.Excess || e.Excess == last.Excess && e.At <= last.At
}

func (c *incidents) tally() map[Anomaly]*Sightings {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make(map[Anomaly]*Sightings)
	for a := range anomalies {
		if n := c.counts[a].Load(); n > 0 {
			all[a] = &Sightings{Count: n, Examples: slices.Clone(c.seen[a].Examples)}
		}
	}
	return all
}

// finding puts an anomaly's sightings into a verdict's words.
func (c *Config) finding(a Anomaly, s *Sightings) conformance.Finding {
	f := conformance.Finding{Name: a.String(), Count: s.Count, Subscribers: s.Subscribers}
	for i, e := range s.Examples {
		if i == 0 {
			f.AtMS, f.Text, f.Subscriber, f.Connection = milliseconds(e.At), e.Text, c.subscriber(e.Subscriber), int(e.Connection)
			f.Stream, f.Number, f.Expected, f.Actual = c.stream(e.Stream), e.Number, e.Expected, e.Actual
			f.Evidence = slices.Clone(e.Evidence)
			continue
		}
		f.Evidence = append(f.Evidence, fmt.Sprintf("also: %s, subscriber %s: %s", seconds(e.At), c.subscriber(e.Subscriber), e.Text))
	}
	return f
}

func (c *Config) subscriber(i int32) string {
	switch {
	case i < 0:
		return ""
	case i >= c.First && int(i-c.First) < len(c.Subscribers) && c.Subscribers[i-c.First].Name != "":
		return c.Subscribers[i-c.First].Name
	}
	return fmt.Sprint(i)
}

func (c *Config) stream(i int32) string {
	if i < 0 || int(i) >= len(c.Streams) {
		return ""
	}
	return c.Streams[i]
}

// seconds writes a time of the run.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }
