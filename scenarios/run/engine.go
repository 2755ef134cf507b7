// Package run carries out a plan: publishers, subscribers, the timeline of faults, and the wait until everything owed has
// arrived or is lost. It is the one impure step between a scenario and its verdicts.
package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/memory"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// Options are how a plan is carried out.
type Options struct {
	Plan     *scenarios.Plan
	Recorder *history.Recorder // nil: no history is kept
	Log      func(line string) // nil: what is worth a line to a person is dropped

	Seen *Seen // nil: nothing is known of the target

	Mutate       MutateBroker // nil: the embedded broker is right
	MutateClient MutateClient // nil: the subscribers are right
}

// Seen is what the runs on one target tell each other of it.
type Seen struct {
	Delivered bool   // a message that was published has arrived: its file is right
	Died      string // how it ended; "": it lives
}

// MutateBroker breaks a run's embedded broker on purpose.
type MutateBroker func(*broker.Config)

// MutateClient breaks a run's subscribers on purpose.
type MutateClient func(*client.Config)

// Run is one execution of a plan.
type Run struct{ engine }

// Outcome is what a run has shown.
type Outcome struct {
	Run         conformance.ScenarioRun
	Verdicts    []conformance.Verdict
	Measures    []conformance.Measure
	Subject     conformance.Subject
	Started     time.Time
	Duration    time.Duration
	Config      check.Config // what the history needs to be judged again
	Tally       *check.Tally // what the verdicts rest on; nil when nothing ran
	Interrupted bool
}

// Died says that the target died or stopped answering in the course of the run.
func (o *Outcome) Died() bool { return o.Tally != nil && o.Tally.Death != nil }

// engine is the state of a run.
type engine struct {
	plan        *scenarios.Plan
	fingerprint string
	target      *scenarios.Target
	recorder    *history.Recorder
	log         func(string)
	seen        *Seen

	clock         clock
	context       context.Context // ends when the run is over
	subject       *subject
	judge         *check.Judge
	watch         *watch
	schemas       schemas
	contents      *scenarios.Contents
	dialer        net.Dialer
	publishClient *http.Client
	readyWhen     scenarios.ReadyWhen
	begun         [][]atomic.Uint64 // stream → publisher → newest number begun
	subscribers   []*subscriber     // those of the plan, whose indices are consecutive
	first         int32             // index of the first of them
	dropsBefore   uint64            // observations that the recorder lost in runs before this one
	mutate        MutateBroker
	mutateClient  MutateClient
	http2         []*sse.HTTP2 // empty: subscribers speak HTTP/1.1
	tokenOnce     sync.Once
	token         string // the publishers' own
	tokenErr      error
	takes         bool         // the target took a message before the load began
	held          bool         // the target holds back the head of a stream until there is an event
	away          atomic.Int32 // faults under way that take the target away on purpose
	primer        *primer      // nil: no subscriber has to be helped along
	lifted        steps
	slow          slowReaders
	handed        []atomic.Int64 // stream → bytes of the messages whose publish has begun
	over          atomic.Bool
	partWithin    time.Duration // what subscribers get to end in
	stragglers    []int32       // those that did not
	typed         atomic.Bool   // the target hands the types of messages on
	status        counters
}

// New prepares a run.
func New(o Options) *Run {
	r := &Run{engine{plan: o.Plan.At(uint64(time.Now().UnixNano())), fingerprint: o.Plan.Fingerprint(), recorder: o.Recorder, log: o.Log, seen: o.Seen, mutate: o.Mutate, mutateClient: o.MutateClient, partWithin: partWithin}}
	if r.seen == nil {
		r.seen = new(Seen)
	}
	if r.log == nil {
		r.log = func(string) {}
	}
	r.setPhase("starting")
	return r
}

// Status may be asked at any time from any goroutine.
func (r *Run) Status() Status {
	s := Status{
		Scenario: r.plan.Scenario.Name, Phase: *r.status.phase.Load(), Total: r.plan.Scenario.Duration + r.plan.Scenario.Settle,
		Subscribers: len(r.plan.Subscribers), Connected: r.status.connected.Load(), Published: r.status.published.Load(),
		Delivered: r.status.sum(), Reconnects: r.status.reconnects.Load(),
	}
	if f := r.status.fault.Load(); f != nil {
		s.Faults = *f
	}
	if began := r.status.began.Load(); began != nil {
		s.Elapsed = time.Since(*began)
	}
	return s
}

// Do carries the plan out. When ctx ends, the run ends early and what was measured is still judged. An error is the
// harness's own; a target that cannot be reached is an outcome.
func (r *Run) Do(ctx context.Context) (o *Outcome, err error) {
	started := time.Now()
	if o, err = r.caught(ctx); o == nil && err == nil {
		o = r.crashed(started)
	}
	return o, err
}

func (r *Run) do(ctx context.Context) (*Outcome, error) {
	schemas, err := compileSchemas(r.plan.Scenario.Expect.Schemas)
	if err != nil {
		return nil, err
	}
	r.schemas = schemas
	if r.subject, err = newSubject(r.plan, r.mutate); err != nil {
		return nil, err
	}
	defer r.subject.close()
	r.target = r.subject.target
	defer r.closeHTTP2()
	started := time.Now()
	config := checkConfig(r.plan, r.target)
	if lacking := scenarios.WhyMissing(r.plan.Scenario, r.target); lacking != "" {
		return r.unjudged(config, started, conformance.Skip, lacking), nil
	}
	r.publishClient = newPublishClient(r.target, len(r.plan.Publishers), r.subject.tls)
	if err := r.probe(ctx); err != nil {
		if ctx.Err() != nil {
			err = errInterrupted
		}
		return r.unmet(config, started, err)
	}
	r.seen.Delivered, r.seen.Died = r.seen.Delivered || r.target.Publish != nil, ""
	r.prepare(config)
	if err := r.recordConfig(config, started); err != nil {
		return nil, err
	}
	return r.guarded(started, func() (*Outcome, error) { return r.conclude(config, started, r.carryOut(ctx)) })
}

var errInterrupted = errors.New("interrupted before the run began")

// unmet is what is said when no message arrived before the load began.
func (r *Run) unmet(config check.Config, started time.Time, err error) (*Outcome, error) {
	miswired := (*WiringError)(nil)
	switch {
	case errors.Is(err, errInterrupted):
	case r.seen.Died != "":
		return r.unjudged(config, started, conformance.Skip, r.seen.Died), nil
	case r.seen.Delivered:
		death := &check.Death{While: "the scenario " + config.Scenario + " began", Seen: err.Error()}
		o := r.outcome(config, started)
		o.Verdicts = check.Dead(config, death)
		r.seen.Died = death.String()
		o.Run.Outcome, o.Run.Reason = conformance.Fail, r.seen.Died
		return o, nil
	case errors.As(err, &miswired) && miswired.Mute != "":
		return r.unanswered(config, started, miswired.Mute, miswired.Lines), nil
	case errors.As(err, &miswired):
		return nil, miswired
	case sse.CauseOf(err) == sse.CauseHeadTimeout && r.takes: // what takes messages is no wrong address
		return r.unanswered(config, started, "the target takes connections and answers no subscription, whatever is published", []string{err.Error()}), nil
	}
	return r.unjudged(config, started, conformance.Unknown, err.Error()), nil
}

// unanswered is what is said of a target that can be reached and gives no answer that could be judged.
func (r *Run) unanswered(config check.Config, started time.Time, never string, seen []string) *Outcome {
	death := &check.Death{Never: never, Seen: strings.Join(seen, "\n")}
	o := r.outcome(config, started)
	o.Verdicts = check.Dead(config, death)
	r.seen.Died = never
	o.Run.Outcome, o.Run.Reason = conformance.Fail, never
	return o
}

func (e *engine) prepare(config check.Config) {
	e.judge = check.New(config)
	if e.recorder != nil {
		e.judge.Sink(e.recorder)
	}
	e.dropsBefore = e.recorder.Drops()
	e.readyWhen, e.contents = e.target.Ready, e.plan.Contents()
	e.primer = e.newPrimer()
	e.dialer.ControlContext = fault.Control
	e.begun, e.handed = make([][]atomic.Uint64, len(e.plan.Streams)), make([]atomic.Int64, len(e.plan.Streams))
	for stream := range e.begun {
		e.begun[stream] = make([]atomic.Uint64, config.Publishers[stream])
	}
	shared := e.clientConfig()
	made := make([]subscriber, len(e.plan.Subscribers))
	e.subscribers = make([]*subscriber, len(made))
	e.first = e.plan.Subscribers[0].Index
	for i := range made {
		s := &made[i]
		s.engine, s.plan = e, &e.plan.Subscribers[i]
		s.index = s.plan.Index
		s.line.Subscriber, s.line.Bite = s.plan.Index, e.bite
		s.client = client.Client{Config: shared, Observer: s, Dial: s.dial, Seed: s.plan.Seed, HTTP2: e.pool()}
		e.subscribers[i] = s
	}
}

// An event may be this many times as large as what was published, for a target's envelope, and never needs to be smaller than
// the least. A target that sends an endless line fills no more memory than that for each subscriber.
const (
	eventRoom     = 8
	minEventBytes = 64 << 10
)

// pool is where a subscriber's HTTP/2 connections come from: one pool for all, unless a fault is to befall some of them only,
// which must then not share a connection with others.
func (e *engine) pool() *sse.HTTP2 {
	if e.target.HTTP != "2" {
		return nil
	}
	apart := e.plan.Scenario.Load.Slow.Share > 0 ||
		slices.ContainsFunc(e.plan.Timeline, func(s scenarios.PlannedStep) bool { return !s.OnTarget() })
	if len(e.http2) == 0 || apart {
		e.http2 = append(e.http2, new(sse.HTTP2))
	}
	return e.http2[len(e.http2)-1]
}

func (e *engine) closeHTTP2() {
	for _, pool := range e.http2 {
		_ = pool.Close() // the ends of its connections were observed
	}
}

// subscriber returns the one with that index in the whole plan, of which this engine's may be a shard.
func (e *engine) subscriber(index int32) *subscriber { return e.subscribers[index-e.first] }

// lasting is how long a stream must go on before it counts as a success for the client's policy, unless it brings messages.
const lasting = time.Second

func (e *engine) clientConfig() *client.Config {
	load := e.plan.Scenario.Load
	p := load.Reconnect
	timeout, lasts := load.HeartbeatTimeout, lasting
	if scale := load.TimeScale; scale > 0 {
		p, timeout, lasts = p.Scaled(scale), time.Duration(float64(timeout)*scale), time.Duration(float64(lasts)*scale)
	}
	if timeout == 0 {
		timeout = p.Silence
	}
	if timeout > 0 {
		timeout = max(timeout, e.target.Patience())
	}
	config := &client.Config{
		Policy: &p, Resume: e.target.Can(scenarios.CanResume), Lasting: lasts,
		MaxEventBytes: max(minEventBytes, eventRoom*e.plan.Contents().Largest()),
		Options: sse.Options{
			TLS: e.subject.tls, DialTimeout: load.ConnectTimeout, HeadTimeout: load.ConnectTimeout, IdleTimeout: timeout,
		},
	}
	if e.mutateClient != nil {
		e.mutateClient(config)
	}
	return config
}

// carryOut runs the load until its end or until ctx ends; it says whether it was cut short.
func (e *engine) carryOut(ctx context.Context) (interrupted bool) {
	e.clock = newClock()
	e.status.began.Store(&e.clock.epoch)
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	e.context = run
	e.watch = startWatch(e.subject.processes)

	load, stopLoad := context.WithCancel(ctx)
	defer stopLoad()
	var following, working sync.WaitGroup
	crash.Go(&working, func() { e.observeMemory(load) })
	crash.Go(&working, func() { e.prime(load) })
	crash.Go(&working, func() { e.runTimeline(load) })
	crash.Go(&working, func() { e.watchSlow(load) })
	crash.Go(&working, func() { e.arrive(load, run, &following) })
	crash.Go(&working, func() {
		if e.vigil(load) {
			e.over.Store(true) // what ends now ends because the run does
			stopLoad()
			end()
		}
	})
	e.enter("ramp")
	var publishing sync.WaitGroup
	for _, p := range e.plan.Publishers {
		crash.Go(&publishing, func() {
			(&publisher{engine: e, plan: p, begun: &e.begun[p.Stream][p.Index]}).publish(load)
		})
	}
	if e.clock.sleep(e.plan.Scenario.Load.Ramp.Over, load.Done()) {
		e.enter("steady")
	}
	e.clock.sleep(e.plan.Scenario.Duration, load.Done())
	publishing.Wait()
	e.enter("settle")
	e.endSlow()
	e.settle(load)
	if interrupted = ctx.Err() != nil; interrupted {
		e.enter("interrupted")
	}
	stopLoad()
	working.Wait()
	e.enter("end")
	e.over.Store(true)
	end()
	e.part(&following)
	return interrupted
}

// arrive starts each subscriber at its time; a plan holds them in that order.
func (e *engine) arrive(load, run context.Context, following *sync.WaitGroup) {
	for _, s := range e.subscribers {
		if !e.clock.sleep(s.plan.Start, load.Done()) {
			return
		}
		s.follow(run, following)
	}
}

// settlePoll is how often settling asks whether everything owed has arrived.
const settlePoll = 50 * time.Millisecond

// settle waits until everything owed has arrived, at most for the scenario's settle time.
func (e *engine) settle(ctx context.Context) {
	until := e.clock.now() + e.plan.Scenario.Settle
	for e.clock.now() < until {
		if owed, arrived := e.judge.Outstanding(); arrived >= owed && e.settledOtherwise() {
			return
		}
		if !e.clock.sleep(min(until, e.clock.now()+settlePoll), ctx.Done()) {
			return
		}
	}
}

// settledOtherwise says that nobody is on the way back: a subscriber that has not returned cannot be judged yet.
func (e *engine) settledOtherwise() bool {
	return int(e.status.connected.Load()) >= len(e.subscribers)
}

func (e *engine) observe(o *history.Observation) {
	e.judge.Observe(o)
	e.recorder.Observe(o)
}

// phaseNotice is how long before a phase begins the judge is told.
const phaseNotice = 20 * time.Millisecond

func (e *engine) enter(phase string) {
	e.setPhase(phase)
	e.observe(&history.Observation{At: e.clock.now() + phaseNotice, Kind: history.Phase, Subscriber: -1, Text: phase})
}

func (e *engine) setPhase(phase string) { e.status.phase.Store(&phase) }

// conclude judges what was observed.
func (e *engine) conclude(config check.Config, started time.Time, interrupted bool) (*Outcome, error) {
	end := e.clock.now()
	health := assess(e.watch.stop())
	health.Crashed(crash.Ended())
	interrupted = interrupted || health.Crash != ""
	tally := e.judge.Tally(end)
	report := tally.Report(&config, health)
	o := e.outcome(config, started)
	o.Verdicts, o.Measures, o.Tally, o.Interrupted = report.Verdicts, report.Measures, tally, interrupted
	if unsent := e.status.unsent.Load(); unsent > 0 {
		e.log(fmt.Sprintf("%d messages were not published: the target took too long to take those before them", unsent))
		o.Measures = append(o.Measures, conformance.Measure{
			Name: "publish.unsent", Scenario: o.Run.Scenario, Unit: "messages", Samples: unsent, Value: float64(unsent),
		})
	}
	report.Fill(&o.Run)
	o.Run.Health, o.Run.Interrupted = e.straggled(e.unrecorded(health)), interrupted
	o.Run.Outcome = conformance.Overall(o.Verdicts, false)
	if tally.Death != nil && health.Crash == "" {
		o.Run.Reason = tally.Death.String()
		e.seen.Died = o.Run.Reason + " of the scenario " + config.Scenario
	}
	text, err := json.Marshal(o.Run.Health)
	if err != nil {
		return nil, fmt.Errorf("encoding the health: %w", err)
	}
	// A disk that failed is the recorder's to report when it is closed.
	_ = e.recorder.End(history.End{At: end, Interrupted: interrupted, Health: text})
	return o, nil
}

// unrecorded adds what the history lacks. The judge of this run has seen it all the same; who judges the history has not.
func (e *engine) unrecorded(h conformance.Health) conformance.Health {
	if h.Drops = e.recorder.Drops() - e.dropsBefore; h.Drops > 0 {
		h.OK = false
		why := "the disk was too slow, or full"
		if limit := e.recorder.Limited(); limit > 0 {
			why = fmt.Sprintf("it was ended at %s, see --history-limit", memory.Size(limit))
		}
		h.Problems = append(h.Problems, fmt.Sprintf("the history lacks %s: %s", conformance.Plural(h.Drops, "observation"), why))
	}
	return h
}

func (e *engine) recordConfig(config check.Config, started time.Time) error {
	text, err := json.Marshal(config)
	if err != nil {
		return fmt.Errorf("encoding what is expected: %w", err)
	}
	return e.recorder.Begin(history.Header{Started: started, Seed: e.plan.Seed, Config: text})
}

func (e *engine) outcome(config check.Config, started time.Time) *Outcome {
	duration := time.Since(started)
	return &Outcome{
		Subject: e.subject.describe(), Started: started, Duration: duration, Config: config,
		Run: conformance.ScenarioRun{
			Health:   conformance.Health{OK: true},
			Scenario: e.plan.Scenario.Name, About: e.plan.Scenario.About, Plan: e.fingerprint, Source: e.plan.Scenario.Source,
			Subscribers: len(e.plan.Subscribers), Streams: len(e.plan.Streams), Duration: conformance.Duration(duration),
		},
	}
}

// unjudged gives every promise of the scenario the same outcome, with the reason.
func (e *engine) unjudged(config check.Config, started time.Time, outcome conformance.Outcome, reason string) *Outcome {
	o := e.outcome(config, started)
	o.Verdicts = check.Unjudged(config, outcome, reason)
	o.Run.Outcome, o.Run.Reason = conformance.Overall(o.Verdicts, false), reason
	return o
}
