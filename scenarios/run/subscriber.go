package run

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

// subscriber is one planned subscriber at work: it turns what its client sees into observations. All of its methods but
// mark run on its client's goroutine.
type subscriber struct {
	// What every event needs stands first, close together.
	engine     *engine
	marks      atomic.Pointer[mark]
	heard      time.Duration // when what was noted last had arrived
	index      int32
	connection int32
	ready      bool
	waits      bool          // for an event that makes it ready
	arrived    bool          // something of this connection has arrived
	newest     time.Duration // when the newest message received was due
	client     client.Client

	plan    *scenarios.Subscriber
	line    fault.Line
	dialed  time.Duration
	expires time.Duration // when the token of the newest request does; 0: not known
	coded   atomic.Bool   // the newest stream is in a content coding
	works   atomic.Bool   // its client was started, and has not ended
	shut    chan struct{} // closed by its own goroutine once it hands nothing on any more; see shutOut
}

// mark is an observation that another goroutine made of a subscriber. The subscriber's own goroutine hands it on, so that
// whoever folds its observations needs no lock.
type mark struct {
	observation history.Observation
	before      *mark
}

// mark notes an observation made on a goroutine other than the subscriber's.
func (s *subscriber) mark(o history.Observation) {
	o.At = s.engine.clock.now()
	o.Subscriber = s.index
	m := &mark{observation: o}
	for {
		m.before = s.marks.Load()
		if m.before == shutOut || s.marks.CompareAndSwap(m.before, m) {
			return
		}
	}
}

// flush hands the marks on, oldest first.
func (s *subscriber) flush() { s.handOn(s.marks.Swap(nil)) }

func (s *subscriber) handOn(newest *mark) {
	var oldest *mark
	for m := newest; m != nil; {
		m.before, m, oldest = oldest, m.before, m
	}
	for m := oldest; m != nil; m = m.before {
		m.observation.Connection = s.connection
		s.engine.observe(&m.observation)
	}
}

func (s *subscriber) observe(o *history.Observation) {
	if s.marks.Load() != nil && s.isOut() {
		return
	}
	o.Subscriber, o.Connection = s.index, s.connection
	s.engine.observe(o)
}

// follow starts the client, which goes on until the run ends or the target turns it away for good.
func (s *subscriber) follow(ctx context.Context, following *sync.WaitGroup) {
	following.Add(1)
	s.works.Store(true)
	s.client.Start(ctx, func(err error) {
		defer following.Done()
		defer s.works.Store(false)
		defer crash.Catch()
		if p := (*client.PanicError)(nil); errors.As(err, &p) {
			crash.Take(p.Value, p.Stack)
		} else if err != nil {
			s.turnedAway(err)
		}
	})
}

func (s *subscriber) turnedAway(err error) {
	s.observe(&history.Observation{At: s.engine.clock.now(), Kind: history.Away, Cause: causeOf(err), Text: err.Error()})
}

// dial connects through the subscriber's line.
func (s *subscriber) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return s.line.Dial(ctx, network, address, s.engine.dialer.DialContext)
}

// Request makes the request of the next connection, with a token of its own where the target wants one.
func (s *subscriber) Request(ctx context.Context, position string) (*sse.Request, error) {
	life := s.engine.plan.Scenario.Load.TokenLife
	if s.engine.subject.mint != nil && life > 0 {
		s.expires = s.engine.clock.now() + life
	}
	return s.engine.subscribeRequest(ctx, s.plan, position)
}

// Dialing notes the beginning of a connection.
func (s *subscriber) Dialing(attempt int, position string) {
	s.connection++
	s.ready, s.arrived = false, false
	s.dialed = s.engine.clock.now()
	if s.connection == 1 {
		// Connecting is measured from the planned start, so that our own queue counts against nobody's favour.
		s.dialed = min(s.dialed, s.plan.Start)
	}
	s.observe(&history.Observation{At: s.engine.clock.now(), Kind: history.Dial, Attempt: int32(attempt), Text: position, Took: s.engine.watch.lately()})
	s.engine.status.dialing(s.connection)
	s.engine.status.pending.Add(1)
	s.engine.primer.waits(s, true)
}

// Opened notes the response's head.
func (s *subscriber) Opened(r *sse.Response) {
	now := s.engine.clock.now()
	s.coded.Store(r.Header.Get("Content-Encoding") != "")
	s.observe(&history.Observation{At: now, Kind: history.Open, Status: int32(r.Status), Took: now - s.dialed, Size: int64(s.line.Live()), Due: s.expires})
	s.engine.status.connected.Add(1)
	s.engine.status.pending.Add(-1)
	s.engine.status.heads.Add(1)
	if s.engine.readyWhen == scenarios.ReadyHeaders {
		s.becomeReady(now)
	}
}

// becomeReady notes, for each publisher of each followed stream, the first number that is owed from now on: every publish
// that has not begun yet.
func (s *subscriber) becomeReady(now time.Duration) {
	s.ready = true
	s.engine.primer.waits(s, false)
	for _, stream := range s.plan.Streams {
		for index := range s.engine.begun[stream] {
			next := s.engine.begun[stream][index].Load() + 1
			s.observe(&history.Observation{At: now, Kind: history.Ready, Stream: stream, Publisher: int32(index), Number: next})
		}
	}
}

// arrival notes what is due when anything arrives on a connection.
func (s *subscriber) arrival(isEvent bool, now time.Duration) {
	if s.ready || s.engine.readyWhen == scenarios.ReadyFirstEvent && !isEvent {
		return
	}
	s.becomeReady(now)
}

// Event turns an event into a delivery, or into an event of the target's own.
func (s *subscriber) Event(e sse.Event) error {
	now := s.engine.clock.at(s.client.ReadAt())
	s.heard = now
	if !s.arrived {
		s.first(&e, now)
	}
	s.arrival(true, now)
	if s.deliver(&e, now) {
		return nil
	}
	return s.other(&e, now)
}

// first notes the first event of a connection.
func (s *subscriber) first(e *sse.Event, now time.Duration) {
	s.arrived = true
	s.observe(&history.Observation{At: now, Kind: history.First, Took: now - s.dialed, Text: string(e.Type), Data: excerpt(e.Data)})
}

// deliver notes the delivery of a message. It says whether the event carries one.
func (s *subscriber) deliver(e *sse.Event, now time.Duration) bool {
	message, state := token.Scan(e.Data, s.engine.plan.Run)
	if state == token.None || state == token.OtherRun {
		return false
	}
	o := history.Observation{
		At: now, Kind: history.Deliver, Stream: message.Stream, Publisher: message.Publisher, Number: message.Number,
		Due: message.Due, Sent: message.Sent, Size: int64(len(e.Data)), Text: borrow(e.Type),
	}
	if e.HasID { // an id that only sticks from an earlier event says nothing of this one
		o.Event = borrow(e.ID)
	}
	s.engine.examine(&o, message, e, state)
	if message.Due > s.newest { // an old one again is no success
		s.newest = message.Due
		s.client.Served()
	}
	s.observe(&o)
	s.engine.status.delivered(s.index)
	return true
}

// borrow makes a string of bytes that are valid only until the handler returns, which is as long as anybody may keep an
// observation.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// errFarewell ends a connection on which the target has announced the end.
var errFarewell = errors.New("the target said farewell")

func (s *subscriber) other(e *sse.Event, now time.Duration) error {
	kind := history.Other
	if gap := s.engine.target.GapEvent; gap != "" && string(e.Type) == gap {
		kind = history.Gap
	}
	o := history.Observation{At: now, Kind: kind, Text: string(e.Type), Data: excerpt(e.Data)}
	if e.HasID {
		o.Event = string(e.ID)
	}
	s.observe(&o)
	if returnOn := s.engine.plan.Scenario.Load.ReturnOn; returnOn != "" && string(e.Type) == returnOn {
		return errFarewell
	}
	return nil
}

// Comment notes a comment: a heartbeat.
func (s *subscriber) Comment([]byte) { s.heartbeat(s.engine.clock.at(s.client.ReadAt())) }

// Heard notes bytes that brought neither an event nor a comment, such as a retry field, an empty block or part of an event: a
// sign of life all the same.
func (s *subscriber) Heard() {
	if now := s.engine.clock.at(s.client.ReadAt()); now != s.heard {
		s.heartbeat(now)
	}
}

func (s *subscriber) heartbeat(now time.Duration) {
	s.heard = now
	s.observe(&history.Observation{At: now, Kind: history.Heartbeat})
	s.arrival(false, now)
}

// Lost notes the end of a connection or of an attempt.
func (s *subscriber) Lost(l client.Loss) {
	o := history.Observation{At: s.engine.clock.now(), Kind: history.Closed, Status: int32(l.Status), Half: l.Half, Cause: causeOf(l.Err), Text: errorText(l.Err)}
	if s.engine.over.Load() {
		o.Cause, o.Text = history.CauseEnd, ""
	}
	if l.Opened {
		s.engine.status.connected.Add(-1)
	} else {
		s.engine.status.failed(&l)
		o.Kind = history.Refused
		o.Took = o.At - s.dialed
		if o.Cause == history.CauseHarness {
			s.engine.watch.sendFailed()
		}
	}
	s.engine.primer.waits(s, false)
	s.observe(&o)
}

// Waiting notes the delay before the next attempt.
func (s *subscriber) Waiting(row int, delay, low, high time.Duration) {
	s.observe(&history.Observation{At: s.engine.clock.now(), Kind: history.Wait, Attempt: int32(row), Took: delay, Low: low, High: high})
}

// causeOf translates the end of a connection into the history's words.
func causeOf(err error) history.Cause {
	switch {
	case err == nil:
		return history.CauseOther
	case errors.Is(err, fault.ErrFault):
		return history.CauseFault
	case errors.Is(err, errFarewell), errors.Is(err, client.ErrAskedBack):
		return history.CauseFarewell
	case errors.Is(err, client.ErrStatus):
		return history.CauseStatus
	case errors.Is(err, client.ErrContentType):
		return history.CauseType
	}
	return causes[sse.CauseOf(err)]
}

var causes = map[sse.Cause]history.Cause{
	sse.CauseUnknown:     history.CauseOther,
	sse.CauseEnd:         history.CauseEOF,
	sse.CauseTruncated:   history.CauseTruncated,
	sse.CauseReset:       history.CauseReset,
	sse.CauseIdle:        history.CauseIdle,
	sse.CauseRefused:     history.CauseRefused,
	sse.CauseUnreachable: history.CauseRefused,
	sse.CauseDNS:         history.CauseDNS,
	sse.CauseDialTimeout: history.CauseTimeout,
	sse.CauseTLS:         history.CauseTLS,
	sse.CauseNoResponse:  history.CauseMalformed,
	sse.CauseHeadTimeout: history.CauseTimeout,
	sse.CauseMalformed:   history.CauseMalformed,
	sse.CauseTooLong:     history.CauseTooLong,
	sse.CauseEncoded:     history.CauseMalformed,
	sse.CauseCanceled:    history.CauseEnd,
	sse.CauseFiles:       history.CauseHarness,
	sse.CausePorts:       history.CauseHarness,
	sse.CauseRequest:     history.CauseHarness,
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// excerptBytes is how much of a foreign event's data an observation keeps.
const excerptBytes = 200

func excerpt(data []byte) string {
	if len(data) > excerptBytes {
		return strings.ToValidUTF8(string(data[:excerptBytes]), "") + "…"
	}
	return string(data)
}
