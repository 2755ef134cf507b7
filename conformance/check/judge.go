// Package check judges deliveries: what was published, who was subscribed, and so what had to arrive, against what arrived.
//
// A Judge takes observations, live from a run or again from its history, and keeps one small fold per subscriber, stream and
// publisher. Finish turns the folds into a Tally and the Tally into one verdict per guarantee and budget. Each guarantee and
// each budget is a file of its own; Guarantees and budgets list them.
package check

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// DefaultStalled is how long an owed message may be missing on an open connection when a scenario does not say.
const DefaultStalled = 5 * time.Second

// Judge is a history.Observer. One subscriber's observations must come from one goroutine at a time, which is what Observer
// promises; different subscribers and publishers may be observed concurrently. A delivery that is right takes no lock and
// allocates nothing.
type Judge struct {
	cfg     Config
	first   []int32 // index of a stream's first ledger; one more at the end
	ledgers []ledger
	subs    []subscriber
	sink    history.Observer
	seed    maphash.Seed

	stalled time.Duration
	quiet   time.Duration // the longest silence allowed; 0: any
	newest  bool          // the newest message must arrive, whatever was left out
	mayDrop bool          // the target may leave out messages for a subscriber that reads slowly

	incidents incidents
	clock     environment
	counts    counts

	latency     [phases]histogram // of expected deliveries, from due
	uncorrected histogram         // the same, from when they were sent
	catchUp     histogram         // of the same those whose subscriber was not connected, or was disturbed, when they were sent
	slowReaders histogram
	calm, storm histogram // of those that no fault touches: before and from the first disturbance on
	undisturbed histogram // of the steady phase's calm times
	peace       calm
	connect     histogram
	ended       [endings]histogram // ages of connections
	firstEvent  histogram
	reconnect   histogram
	resumeGap   histogram
	backoff     histogram
	spread      *spread
	orders      []*order
	names       []names // of some subscribers, evenly spread; nil where the target does not resume

	arrivals  arrivals
	connected series
	returns   series // attempts to come back that reached the target, by peakStep
	losses    series // connections that ended before the run did, by peakStep
	forgone   series // lost messages of holes that were given up, by when they were due
	attempts  attempts
	bands     bands
	effects   effects
	memory    memorySeries
	death     atomic.Pointer[Death]

	expiring, returning int32 // steps that stand for parts of the load; −1: none
}

// counts are totals that no fold holds.
type counts struct {
	schemas, greetings                 atomic.Uint64
	resumes, missed                    atomic.Uint64
	opened, ready, failed, connections atomic.Uint64
	expiries, idle, fleeting           atomic.Uint64
	silence, sessions, announced, size atomic.Int64
}

// environment is what concerns all subscribers at once.
type environment struct {
	from      [phases]atomic.Int64 // when each phase began, and 1 more; 0: not yet
	faults    atomic.Int32         // on the target, in effect now
	lifted    atomic.Int64         // when the last of them ended
	onTarget  atomic.Int32         // the newest step on the target that has begun, and 1 more
	disturbed atomic.Int64         // when the first fault or slow reading of the run began; 0: not yet
	interrupt atomic.Bool
}

// began is when a phase began, 0 when it has not.
func (e *environment) began(p phase) time.Duration {
	return time.Duration(max(0, e.from[p].Load()-1))
}

// at is the phase of an instant.
func (e *environment) at(instant time.Duration) phase {
	for p := over; p > ramp; p-- {
		if from := e.from[p].Load(); from > 0 && int64(instant) >= from-1 {
			return p
		}
	}
	return ramp
}

// phase of a run.
type phase int32

const (
	ramp phase = iota
	steady
	settle
	over
	phases
)

var phaseNames = [phases]string{"ramp", "steady", "settle", "end"}

// peakStep is the resolution of the sliding second that the peak of reconnects is looked for in.
const peakStep = 50 * time.Millisecond

// New returns a judge of one run. The config is not copied and must not change any more.
func New(cfg Config) *Judge {
	j := &Judge{cfg: cfg, seed: maphash.MakeSeed(), subs: make([]subscriber, len(cfg.Subscribers))}
	j.stalled = cfg.Expect.stalled()
	j.quiet = cfg.Expect.silence()
	j.newest = cfg.Expect.wants(latest.Name)
	j.mayDrop = cfg.Target.SlowPolicy == "drop" || cfg.Target.SlowPolicy == "coalesce"
	j.effects = newEffects(&cfg)
	j.expiring, j.returning = cfg.loadStep("token_life"), cfg.loadStep("return_on")
	j.arrivals = newArrivals(cfg.Duration)
	j.connected = newSeries(time.Second, cfg.Duration)
	j.returns = newSeries(peakStep, cfg.Duration)
	j.losses = newSeries(peakStep, cfg.Duration)
	j.forgone = newSeries(cfg.chartStep(), cfg.Duration)
	j.ledgers = make([]ledger, cfg.allPublishers())
	n := int32(0)
	for stream := range cfg.Streams {
		j.first = append(j.first, n)
		for publisher := range cfg.PublishersOf(stream) {
			l := &j.ledgers[n]
			l.stream, l.publisher = int32(stream), publisher
			n++
		}
	}
	j.first = append(j.first, n)
	for i := range j.subs {
		j.enrol(&j.subs[i], &cfg.Subscribers[i])
	}
	if len(cfg.Expect.Spread) > 0 {
		j.spread = newSpread(len(j.ledgers))
	}
	j.orders = newOrders(&cfg)
	j.names = newNames(&cfg)
	return j
}

// Sink makes the judge pass on every anomaly as an observation when it is seen. It must be called before the first Observe.
func (j *Judge) Sink(sink history.Observer) { j.sink = sink }

func (j *Judge) enrol(s *subscriber, planned *Subscriber) {
	s.heard, s.touched = silent, planned.Slow
	streams := planned.Streams
	if !slices.IsSorted(streams) {
		streams = slices.Sorted(slices.Values(streams))
	}
	n := int32(0)
	for _, stream := range streams {
		n += j.first[stream+1] - j.first[stream]
	}
	s.folds = make([]fold, n)
	n = 0
	for _, stream := range streams {
		for l := j.first[stream]; l < j.first[stream+1]; l++ {
			s.folds[n].ledger = l
			n++
		}
	}
}

// PublishersOf is how many publish to a stream.
func (c *Config) PublishersOf(stream int) int32 {
	if stream < len(c.Publishers) {
		return c.Publishers[stream]
	}
	return 1
}

func (c *Config) allPublishers() (n int32) {
	for stream := range c.Streams {
		n += c.PublishersOf(stream)
	}
	return n
}

// ledger returns the ledger of a stream's publisher and its index; nil: the plan has no such publisher.
func (j *Judge) ledger(stream, publisher int32) (int32, *ledger) {
	if uint32(stream) >= uint32(len(j.first)-1) || uint32(publisher) >= uint32(j.first[stream+1]-j.first[stream]) {
		return -1, nil
	}
	i := j.first[stream] + publisher
	return i, &j.ledgers[i]
}

// Observe takes one observation. One that names no planned subscriber or publisher is ignored where it must name one.
func (j *Judge) Observe(o *history.Observation) {
	switch o.Kind {
	case history.Publish, history.Ack:
		j.observePublisher(o)
	case history.Phase:
		j.enter(o)
	case history.Memory:
		j.memory.add(o.At, o.Size)
	case history.Anomaly, history.Receipt: // what a judge said
	case history.Death:
		j.death.Store(deathOf(o))
	default:
		i := o.Subscriber - j.cfg.First
		switch {
		case o.Subscriber < 0:
			j.observeTarget(o)
		case uint32(i) < uint32(len(j.subs)):
			j.observeSubscriber(&j.subs[i], o)
		}
	}
}

func (j *Judge) observePublisher(o *history.Observation) {
	i, l := j.ledger(o.Stream, o.Publisher)
	switch {
	case l == nil:
	case o.Kind == history.Publish:
		l.publish(o)
		if o.Size > j.counts.size.Load() {
			raise(&j.counts.size, o.Size)
		}
		if j.spread != nil {
			j.spread.publish(i, o.Number)
		}
	default:
		l.ack(o)
	}
}

func (j *Judge) observeSubscriber(s *subscriber, o *history.Observation) {
	switch o.Kind {
	case history.Deliver:
		j.deliver(s, o)
	case history.Other:
		j.other(s, o)
	case history.Heartbeat:
		j.hear(s, o)
	case history.First:
		j.firstEvent.record(o.Took)
	case history.Dial:
		j.dial(s, o)
	case history.Open:
		j.open(s, o)
	case history.Ready:
		j.readied(s, o)
	case history.Gap:
		j.gap(s, o)
	case history.Refused:
		j.refused(s, o)
	case history.Closed:
		j.closed(s, o)
	case history.Wait:
		t := s.troubled()
		t.low, t.high = o.Low, o.High
	case history.Away:
		j.away(s, o)
	case history.FaultBegin, history.FaultBite, history.FaultEnd:
		j.fault(s, o)
	case history.SlowBegin, history.SlowEnd:
		j.slow(s, o.Kind == history.SlowBegin, o)
	}
	if s.trouble != nil {
		j.unrest(s, o.At)
	}
}

// enter notes when a phase of the run begins. It must be told before: what arrives meanwhile is judged by other goroutines, and all of them
// must agree, as must who judges the history.
func (j *Judge) enter(o *history.Observation) {
	if o.Text == "interrupted" {
		j.clock.interrupt.Store(true)
		return
	}
	p := phase(slices.Index(phaseNames[:], o.Text))
	if p < 0 {
		return
	}
	j.clock.from[p].Store(int64(o.At) + 1)
}

// Outstanding is how many deliveries are owed by now, and how many of them have arrived, over all subscriptions that go on. The
// two are equal exactly when every acknowledged owed message has arrived. A slow reader is not waited for, unless the newest
// message is all that matters. It may be called at any time, from any goroutine; while subscribers are busy, it may count a
// message that is just arriving as missing.
func (j *Judge) Outstanding() (owed, arrived uint64) {
	for i := range j.subs {
		s := &j.subs[i]
		if s.gone.Load() {
			continue
		}
		lazy := s.lazy.Load()
		for k := range s.folds {
			f := &s.folds[k]
			l := &j.ledgers[f.ledger]
			o, missing := f.outstanding(l, lazy)
			if lazy && j.newest && !f.upToDate(l) {
				o, missing = o+1, missing+1
			}
			owed += o
			arrived += o - min(o, missing)
		}
	}
	return owed, arrived
}
