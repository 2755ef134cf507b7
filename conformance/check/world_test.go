package check_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

const tick = time.Millisecond

// world is a target, its publishers and its subscribers, all simulated, in virtual time. The target is right; a test makes it
// wrong where it wants to. Everything that is observed is kept in log.
type world struct {
	cfg     check.Config
	now     time.Duration
	log     []history.Observation
	streams []*worldStream
	subs    []*worldSubscriber
	ids     int

	repertoire []string // of the target's defects
}

// worldStream is the target's history of one stream.
type worldStream struct {
	kept  []worldMessage
	begun []uint64 // by publisher
	sent  map[worldMessage]time.Duration
	ack   map[worldMessage]history.Acked
}

type worldMessage struct {
	stream, publisher int32
	number            uint64
}

// worldSubscriber is one client and the target's side of its connection.
type worldSubscriber struct {
	index      int32
	connection int32
	open       bool
	position   string
	covers     map[int32]int // stream → index in kept of the next message, by the position held
	queue      []worldMessage
	from       map[worldMessage]uint64 // stream and publisher → first number owed
	got        []worldMessage
	positions  map[worldMessage]uint64 // stream and publisher → number that the position asked for covers
}

func newWorld(cfg check.Config) *world {
	w := &world{cfg: cfg}
	for i := range cfg.Streams {
		w.streams = append(w.streams, &worldStream{
			begun: make([]uint64, cfg.Publishers[i]), sent: map[worldMessage]time.Duration{}, ack: map[worldMessage]history.Acked{},
		})
	}
	for i := range cfg.Subscribers {
		w.subs = append(w.subs, &worldSubscriber{
			index: int32(i), covers: map[int32]int{}, from: map[worldMessage]uint64{}, positions: map[worldMessage]uint64{},
		})
	}
	return w
}

// config is a scenario of the given size in which subscriber i follows stream i modulo streams, and the next ones.
func config(subscribers, streams, publishers, follow int) check.Config {
	failed := 0
	c := check.Config{
		Scenario: "simulated", Run: "r1", Duration: time.Hour,
		Target: check.Target{Resume: true, TotalOrder: true, Announces: true},
		Expect: check.Expect{Failed: &failed, Latency: []check.Quantile{{Percent: 99, AtMost: time.Minute}}},
	}
	for _, g := range check.Guarantees() {
		c.Expect.Delivery = append(c.Expect.Delivery, g.Name)
	}
	for i := range streams {
		c.Streams = append(c.Streams, fmt.Sprintf("room-%d", i))
		c.Publishers = append(c.Publishers, int32(publishers))
	}
	for i := range subscribers {
		s := check.Subscriber{}
		for k := range follow {
			s.Streams = append(s.Streams, int32((i+k)%streams))
		}
		slices.Sort(s.Streams)
		c.Subscribers = append(c.Subscribers, s)
	}
	return c
}

func (w *world) observe(o history.Observation) {
	w.now += tick
	o.At = w.now
	w.log = append(w.log, o)
}

func (w *world) phase(name string) {
	w.observe(history.Observation{Kind: history.Phase, Subscriber: -1, Text: name})
}

func (w *world) connectAll() {
	w.phase("ramp")
	for _, s := range w.subs {
		w.connect(s)
	}
	w.phase("steady")
}

// connect dials, and resumes from the position held when there is one and the target resumes.
func (w *world) connect(s *worldSubscriber) {
	s.connection++
	position := s.position
	if !w.cfg.Target.Resume {
		position = ""
	}
	w.sub(s, history.Observation{Kind: history.Dial, Attempt: 1, Text: position})
	s.queue, s.positions = nil, map[worldMessage]uint64{}
	resumes := position != ""
	for _, stream := range w.cfg.Subscribers[s.index].Streams {
		kept := w.streams[stream].kept
		if resumes {
			s.queue = append(s.queue, kept[s.covers[stream]:]...)
			for _, m := range kept[:s.covers[stream]] {
				s.positions[worldMessage{stream: stream, publisher: m.publisher}] = m.number
			}
		} else {
			clear(s.from)
		}
	}
	s.open = true
	w.sub(s, history.Observation{Kind: history.Open, Status: 200, Took: tick})
	for _, stream := range w.cfg.Subscribers[s.index].Streams {
		for publisher, begun := range w.streams[stream].begun {
			key := worldMessage{stream: stream, publisher: int32(publisher)}
			if s.from[key] == 0 {
				s.from[key] = begun + 1
			}
			w.sub(s, history.Observation{Kind: history.Ready, Stream: stream, Publisher: int32(publisher), Number: begun + 1})
		}
	}
}

func (w *world) sub(s *worldSubscriber, o history.Observation) {
	o.Subscriber, o.Connection = s.index, s.connection
	w.observe(o)
}

// disconnect loses what is on its way.
func (w *world) disconnect(s *worldSubscriber, cause history.Cause) {
	s.open, s.queue = false, nil
	w.sub(s, history.Observation{Kind: history.Closed, Cause: cause})
}

// begin begins a publish and end ends it; what the target accepts goes to everyone who is connected.
func (w *world) begin(stream, publisher int32) worldMessage {
	ws := w.streams[stream]
	ws.begun[publisher]++
	m := worldMessage{stream, publisher, ws.begun[publisher]}
	w.observe(history.Observation{
		Kind: history.Publish, Subscriber: -1, Stream: stream, Publisher: publisher, Number: m.number, Due: w.now, Size: 256,
	})
	ws.sent[m] = w.now
	return m
}

func (w *world) accept(m worldMessage) {
	w.streams[m.stream].kept = append(w.streams[m.stream].kept, m)
	for _, s := range w.subs {
		if s.open && slices.Contains(w.cfg.Subscribers[s.index].Streams, m.stream) {
			s.queue = append(s.queue, m)
		}
	}
}

func (w *world) end(m worldMessage, outcome history.Acked) {
	w.streams[m.stream].ack[m] = outcome
	w.observe(history.Observation{
		Kind: history.Ack, Subscriber: -1, Stream: m.stream, Publisher: m.publisher, Number: m.number, Acked: outcome,
	})
}

// publish does all three.
func (w *world) publish(stream, publisher int32) worldMessage {
	m := w.begin(stream, publisher)
	w.accept(m)
	w.end(m, history.Acknowledged)
	return m
}

// receive delivers m to s, whether or not it is in its queue. The event's id is new when it is the first of its kind.
func (w *world) receive(s *worldSubscriber, m worldMessage, mark history.Mark) {
	sent := w.streams[m.stream].sent[m]
	w.ids++
	id := fmt.Sprintf("e%d", w.ids)
	w.sub(s, history.Observation{
		Kind: history.Deliver, Stream: m.stream, Publisher: m.publisher, Number: m.number, Mark: mark, Due: sent, Sent: sent,
		Size: 256, Event: id,
	})
	s.position = id
	for stream := range w.streams {
		s.covers[int32(stream)] = w.covered(s, int32(stream))
	}
	if i := slices.Index(w.streams[m.stream].kept, m); i >= 0 {
		s.covers[m.stream] = i + 1
	}
	s.got = append(s.got, m)
}

// covered is where everything that s has received of a stream ends.
func (w *world) covered(s *worldSubscriber, stream int32) int {
	n := 0
	for i, m := range w.streams[stream].kept {
		if slices.Contains(s.got, m) {
			n = i + 1
		}
	}
	return max(n, w.start(s, stream))
}

// start is the first of a stream's messages that s is owed, for positions that no message of that stream has moved yet.
func (w *world) start(s *worldSubscriber, stream int32) int {
	for i, m := range w.streams[stream].kept {
		if from := s.from[worldMessage{stream: stream, publisher: m.publisher}]; from > 0 && m.number >= from {
			return i
		}
	}
	return len(w.streams[stream].kept)
}

// next takes the next message off s's queue.
func (s *worldSubscriber) next() worldMessage {
	m := s.queue[0]
	s.queue = s.queue[1:]
	return m
}

// flush delivers all that is queued.
func (w *world) flush() {
	for _, s := range w.subs {
		for s.open && len(s.queue) > 0 {
			w.receive(s, s.next(), 0)
		}
	}
}

// finish settles and ends the run.
func (w *world) finish() {
	w.phase("settle")
	w.flush()
	for _, s := range w.subs {
		if s.open {
			w.disconnect(s, history.CauseEnd)
		}
	}
	w.phase("end")
}

// judge judges the world's log.
func (w *world) judge() (*check.Tally, check.Report) {
	j := check.New(w.cfg)
	for i := range w.log {
		j.Observe(&w.log[i])
	}
	t := j.Tally(w.now)
	return t, t.Report(&w.cfg, conformance.Health{OK: true})
}

// counts are a tally's anomalies by name.
func counts(t *check.Tally) map[string]uint64 {
	all := map[string]uint64{}
	for a, s := range t.Anomalies {
		all[a.String()] = s.Count
	}
	return all
}

func verdict(t *testing.T, r check.Report, id string) conformance.Verdict {
	t.Helper()
	for _, v := range r.Verdicts {
		if v.ID == id {
			return v
		}
	}
	t.Fatalf("no verdict %s", id)
	return conformance.Verdict{}
}

// outcomes are the ids of a report's verdicts that did not pass, with their outcomes.
func outcomes(r check.Report) map[string]conformance.Outcome {
	all := map[string]conformance.Outcome{}
	for _, v := range r.Verdicts {
		if v.Outcome != conformance.Pass {
			all[v.ID] = v.Outcome
		}
	}
	return all
}
