package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// hbsCases are those of the area HBS: signs of life of an idle stream.
var hbsCases = []Case{
	{Requirement: "SSE-HBS-001", Turn: waiting, Run: idleStreamShowsLife},
	{Requirement: "SSE-HBS-002", Turn: waiting, Run: heartbeatsAreNoMessages},
	{Requirement: "SSE-HBS-003", Turn: waiting, Run: heartbeatsStartAtOnce},
	{Requirement: "SSE-HBS-004", Turn: waiting, Run: heartbeatsAreSpread},
	{Requirement: "SSE-HBS-005", Turn: waiting, Run: idleStreamOutlivesProxies},
}

// "On an idle stream something is sent at least every 15 s, or as often as the target declares."
//
// An event comes first, where one can be published: how heartbeats begin is for another requirement.
func idleStreamShowsLife(t *Trial) {
	silence, ceiling := bounds(t)
	t.eitherWay(func(w way) string {
		p := w.open(t, []string{t.Stream()})
		if p == nil {
			return ""
		}
		if t.Subject.Publish != nil && !w.resumes {
			if _, ok := t.Fence(p); !ok {
				silent(t, p)
			}
		}
		return showsLife(t, w, p, silence, ceiling)
	})
}

// showsLife watches an idle stream for some signs of life.
func showsLife(t *Trial, w way, p *Tap, silence, ceiling time.Duration) string {
	watched := []*Tap{p}
	if !w.resumes {
		watched = append(watched, t.Subscribe([]string{t.Stream()})) // has no event
	}
	intervals := min(int(t.Number("intervals")), max(1, int(longEnough/max(silence, time.Millisecond))))
	least := time.Duration(0)
	if t.Subject.Shared {
		least = silence + silence/3 // others may publish all the while, and then fall silent
	}
	longest, counted := watchIdle(t, p, intervals, least, silence, ceiling)
	if ended, err := p.Ended(); ended && longest <= silence {
		if errors.Is(err, io.EOF) && counted > 0 {
			t.Unknown("the stream ended after %s", conformance.Plural(counted, "sign of life"))
		}
		t.Unknown("the stream did not stay open: %s", endText(err))
	}
	if w.resumes && counted == 0 && t.suite.asked["SSE-HBS-003"] {
		return "" // that tells it
	}
	t.Count(counted)
	t.mustBeOnTime(longest, silence)
	if counted == 0 || longest > silence+silence/3 {
		t.Fail(fmt.Sprintf("a sign of life at least every %v%s", silence, t.asDeclared()), w.how+": "+silenceText(counted, longest), p.Evidence())
	}
	if t.Subject.Shared {
		return silenceText(counted, longest)
	}
	t.goesOnBeating(w, silence, watched...)
	return silenceText(counted, longest) + "; watched for " + time.Since(p.Began()).Round(time.Second).String()
}

// longEnough is how long several signs of life are watched.
const longEnough = 45 * time.Second

// asDeclared says that the interval is the target's own.
func (t *Trial) asDeclared() string {
	if t.Subject.Heartbeat > 0 {
		return ", as the target declares"
	}
	return ""
}

// "An idle stream is never silent for more than a minute, whatever is declared: that is how long proxies and load balancers wait."
func idleStreamOutlivesProxies(t *Trial) {
	ceiling := t.Duration("ceiling")
	expected := fmt.Sprintf("a sign of life at least every %v, which is how long proxies and load balancers wait", ceiling)
	if declared := t.Subject.Heartbeat; declared > ceiling {
		t.Count(1)
		t.Fail(expected, fmt.Sprintf("the target declares one every %v", declared))
	}
	hold := min(t.Duration("hold"), ceiling+ceiling/3)
	if declared := t.Subject.Heartbeat; declared > 0 {
		hold = min(hold, longestWait(declared))
	}
	p := t.Subscribe([]string{t.Stream()})
	longest, counted := watchIdle(t, p, 1, 0, min(hold, cmp.Or(t.Subject.Heartbeat, hold))/3, hold)
	if ended, err := p.Ended(); ended && counted == 0 {
		t.Unknown("the stream did not stay open: %s", endText(err))
	}
	if counted == 0 {
		t.Skip("nothing was sent on an idle stream for %v: see SSE-HBS-001", hold)
	}
	t.Count(counted)
	t.mustBeOnTime(longest, ceiling)
	if longest > ceiling+ceiling/3 {
		t.Fail(expected, silenceText(counted, longest), p.Evidence())
	}
	t.Pass(silenceText(counted, longest))
}

// mustBeOnTime ends the case when a silence was too long by no more than this process can have been late itself.
func (t *Trial) mustBeOnTime(longest, silence time.Duration) {
	over := longest - (silence + silence/3)
	if lag := t.Lag(); over > 0 && 2*lag > over {
		t.Unknown("a silence of %v was seen, but this machine was too busy to tell: a timer of the harness was %v late", longest, lag.Round(time.Millisecond))
	}
}

func silenceText(counted int, longest time.Duration) string {
	if counted == 0 {
		return fmt.Sprintf("nothing for %v", longest.Round(100*time.Millisecond))
	}
	return fmt.Sprintf("%s, the longest silence %v", conformance.Plural(counted, "sign of life"), longest.Round(10*time.Millisecond))
}

// bounds are the silence that is allowed, the target's own if it declares one, and how long a sign of life is waited for.
func bounds(t *Trial) (silence, ceiling time.Duration) {
	silence, ceiling = t.Duration("silence"), t.Duration("ceiling")
	if declared := t.Subject.Heartbeat; declared > 0 {
		silence = declared
		ceiling = min(ceiling, longestWait(declared))
	}
	if hold := t.Duration("hold"); silence > hold {
		t.Skip("a sign of life every %v is longer than is waited for: see SSE-HBS-005; --hold %v waits", silence, silence)
	}
	return silence, max(silence, ceiling)
}

// longestWait is how long a sign of life is waited for that is declared to come in a shorter time.
func longestWait(declared time.Duration) time.Duration { return 2*declared + 2*time.Second }

// watchIdle waits for so many signs of life, and at least so long, and returns the longest silence before one of them, and how many
// there were. It gives up after a silence beyond the ceiling. What comes at once, such as a reconnection time, a position or a greeting,
// is no sign of life.
func watchIdle(t *Trial, p *Tap, signs int, least, silence, ceiling time.Duration) (longest time.Duration, counted int) {
	grace := silence / 3
	opened := time.Now()
	last := opened
	for counted < signs || time.Since(opened) < least {
		t.Allow(ceiling)
		seen := p.Bytes()
		if !p.Await(t.Context(), ceiling+grace, func(r *Record) bool { return r.Bytes > seen }) {
			t.interrupted()
			return max(longest, time.Since(last)), counted
		}
		now := time.Now()
		p.Look(func(r *Record) { now = r.Segments[len(r.Segments)-1].At })
		if now.Sub(opened) < silence/10 {
			last = now
			continue
		}
		longest = max(longest, now.Sub(last))
		last = now
		counted++
	}
	return longest, counted
}

// "Heartbeats are comments (or events of a documented type without id); they never look like application messages nor move
// Last-Event-ID."
func heartbeatsAreNoMessages(t *Trial) {
	silence, ceiling := bounds(t)
	p := t.Subscribe([]string{t.Stream()})
	if _, counted := watchIdle(t, p, 1, 0, silence, ceiling); counted == 0 {
		if ended, err := p.Ended(); ended {
			t.Unknown("the stream did not stay open: %s", endText(err))
		}
		t.Skip("nothing was sent on an idle stream: see SSE-HBS-001")
	}
	position := p.LastEventID() // the opening may have set it
	_, counted := watchIdle(t, p, 1, 0, silence, ceiling)
	comments := 0
	p.Look(func(r *Record) { comments = len(r.Comments) })
	events := slices.DeleteFunc(p.Events(), t.primed)
	if t.Subject.Shared && len(events) > 0 {
		t.Info(fmt.Sprintf("%s came; events on a stream with one name can be messages of others", conformance.Plural(comments, "comment")))
	}
	if slices.ContainsFunc(events, t.ours) {
		t.Unknown("messages came that were published in other streams: see SSE-ISO-001")
	}
	const expected = "comments, or events of the declared ping type without an id"
	for i, e := range events {
		greeting := i == 0 && (t.Subject.Greeting != "" || len(events) == 1)
		switch {
		case e.HasID:
			t.Deviation(expected, fmt.Sprintf("an event of type %s with the id %s on an idle stream", e.Type, sse.Escape([]byte(e.ID))), p.Evidence())
		case e.Type == "message" && !greeting:
			t.Deviation(expected, "an event of type message on an idle stream: "+sse.Escape([]byte(e.Data)), p.Evidence())
		}
	}
	if now := p.LastEventID(); now != position && !t.Deviated() {
		t.Deviation("a last event id that does not move on an idle stream", "it moved to "+sse.Escape([]byte(now)), p.Evidence())
	}
	t.Count(counted)
	t.Conclude(fmt.Sprintf("%s and %s, none of which looks like a message", conformance.Plural(comments, "comment"), conformance.Plural(len(events), "event")))
}

// "Heartbeats start with the connection, also before any event exists and after a replay."
func heartbeatsStartAtOnce(t *Trial) {
	silence, ceiling := bounds(t)
	watched := []*idling{{what: "a new connection", f: t.follow([]string{t.Stream()})}}
	if t.Subject.Publish != nil {
		watched = append(watched, &idling{what: "a connection that has had an event", f: heard(t)})
		if t.Subject.Can("resume") {
			watched = append(watched, &idling{what: "a connection that resumed", f: replaying(t)})
		}
	}
	var watching sync.WaitGroup
	for _, w := range watched {
		watching.Add(1)
		t.Go(func() {
			defer watching.Done()
			w.watch(t, silence, ceiling)
		})
	}
	watching.Wait()
	t.interrupted()
	if !slices.ContainsFunc(watched, func(w *idling) bool { return w.counted > 0 }) {
		t.seeInstead("SSE-HBS-001", "no connection showed a sign of life")
	}
	for _, w := range watched {
		t.mustBeOnTime(w.longest, silence)
		if w.counted == 0 || w.longest > silence+silence/3 {
			t.Deviation(fmt.Sprintf("a sign of life within %v%s", silence, t.asDeclared()), w.what+": "+silenceText(w.counted, w.longest), w.f.tap().Evidence())
		}
	}
	t.Count(len(watched))
	t.Conclude(fmt.Sprintf("signs of life on %s from the start", conformance.Plural(len(watched), "connection")))
}

// idling is a connection on which nothing but signs of life is to come.
type idling struct {
	what    string
	f       *follower
	longest time.Duration // the longest silence
	counted int           // signs of life
}

func (w *idling) watch(t *Trial, silence, ceiling time.Duration) {
	w.longest, w.counted = watchIdle(t, w.f.tap(), 1, 0, silence, ceiling)
	if ended, _ := w.f.tap().Ended(); ended && w.counted == 0 && w.f.comeBack() { // as servers do that let a stream carry so many events
		w.longest, w.counted = watchIdle(t, w.f.tap(), 1, 0, silence, ceiling)
	}
	if ended, err := w.f.tap().Ended(); ended && w.counted == 0 {
		t.Unknown("the stream did not stay open: %s", endText(err))
	}
}

// heard is a subscriber that has just received an event.
func heard(t *Trial) *follower {
	f := t.follow([]string{t.Stream()})
	marker := t.Unique()
	t.Send(f.streams[0], marker)
	if !f.hears(marker) {
		silent(t, f.tap())
	}
	return f
}

// replaying is a subscriber that has just received what it had missed.
func replaying(t *Trial) *follower {
	f := heard(t)
	f.leave()
	marker, events := "", t.affordable(50)
	for range events {
		marker = t.Unique()
		t.Send(f.streams[0], marker)
	}
	if !f.open() || !f.hears(marker) {
		t.Unknown("the replay of %d events did not come within %v", events, t.arrival)
	}
	return f
}

// "Heartbeats of many connections are not synchronised (no periodic burst)."
//
// Only a burst in two rounds is one: once can be chance. Reading late makes a burst of what was none, so a round in which this process
// was late counts only when it shows none. And a machine that stands still gathers what falls due meanwhile, for good where a beat is
// timed from the one before: that share is not held against the subject.
func heartbeatsAreSpread(t *Trial) {
	const most = 6 // rounds
	streams, share := int(t.Number("streams")), t.Number("share")
	silence, _ := bounds(t)
	opened := time.Now()
	taps := openSpread(t, streams)
	bursts, worst := 0, 0.0
	for range most {
		within := 2 * silence
		if t.Subject.Shared { // where nothing but messages of others comes, it does not take long to see
			within = silence + silence/3
		}
		t.Allow(within)
		began := time.Now()
		beats := nextBeats(t, taps, within)
		if len(beats) < streams/2 {
			if t.LagBetween(began, time.Now()) > silence/3 {
				continue
			}
			t.Skip("%d of %s showed a heartbeat: see SSE-HBS-001", len(beats), conformance.Plural(streams, "connection"))
		}
		t.Count(len(beats))
		density, from, to := densestWindow(beats, burst)
		switch late := t.LagBetween(from, to); {
		case density <= share:
			t.Pass(fmt.Sprintf("at most %.0f%% of the heartbeats of %s within %v", 100*density, conformance.Plural(streams, "connection"), burst))
		case late > burst/2, density-float64(t.LagBetween(opened, to))/float64(to.Sub(began)) <= share:
			continue
		}
		worst = max(worst, density)
		if bursts++; bursts == 2 {
			t.Fail(fmt.Sprintf("at most %.0f%% of all heartbeats within %v", 100*share, burst),
				fmt.Sprintf("%.0f%% of the heartbeats of %s came within %v of each other", 100*worst, conformance.Plural(streams, "connection"), burst))
		}
	}
	t.Unknown("this machine was too busy: reading late would make a burst of what is none")
}

// burst is how close heartbeats of one burst are.
const burst = 10 * time.Millisecond

// openSpread opens connections over half a second, so that a clock for each is no clock for all.
func openSpread(t *Trial, streams int) []*Tap {
	var taps []*Tap
	for range streams {
		taps = append(taps, t.Subscribe([]string{t.Stream()}))
		if !t.Hold(taps[0], 500*time.Millisecond/time.Duration(streams)) {
			t.Unknown("a stream did not stay open")
		}
	}
	return taps
}

// nextBeats is when the next heartbeat comes on each connection. Where others may publish, an event is none: they come to all at once.
func nextBeats(t *Trial, taps []*Tap, within time.Duration) []time.Time {
	t.Doing("heartbeats of %d connections are awaited", len(taps))
	beats := make([]time.Time, len(taps))
	var watched sync.WaitGroup
	for i, p := range taps {
		seen, commented := 0, 0
		p.Look(func(r *Record) { seen, commented = r.Bytes, len(r.Comments) })
		t.Beside(&watched, func() {
			p.Await(t.Context(), within, func(r *Record) bool {
				switch {
				case t.Subject.Shared && len(r.Comments) > commented:
					beats[i] = r.Comments[commented].At
				case !t.Subject.Shared && r.Bytes > seen:
					beats[i] = r.Segments[len(r.Segments)-1].At
				}
				return !beats[i].IsZero()
			})
		})
	}
	watched.Wait()
	t.interrupted()
	return slices.DeleteFunc(beats, time.Time.IsZero)
}

// densest is the largest share of the instants that lie in one window.
func densest(instants []time.Time, window time.Duration) float64 {
	share, _, _ := densestWindow(instants, window)
	return share
}

// densestWindow is densest, and where.
func densestWindow(instants []time.Time, window time.Duration) (share float64, from, to time.Time) {
	slices.SortFunc(instants, time.Time.Compare)
	most, first := 0, 0
	for i, at := range instants {
		for at.Sub(instants[first]) > window {
			first++
		}
		if n := i - first + 1; n > most {
			most, from, to = n, instants[first], at
		}
	}
	return float64(most) / float64(len(instants)), from, to
}
