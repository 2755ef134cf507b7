package server

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// isoCases are those of the area ISO: who must not get a message.
var isoCases = []Case{
	{Requirement: "SSE-ISO-001", Run: staysInItsStream},
	{Requirement: "SSE-ISO-002", Run: staysWithItsTenant},
	{Requirement: "SSE-ISO-003", Turn: provoking, Run: comparesNamesExactly},
	{Requirement: "SSE-ISO-004", Run: positionsOpenNoOtherStream},
	{Requirement: "SSE-ISO-005", Turn: demanding, Asks: 600, Run: hotStreamDoesNotDelayColdOne},
}

// mustSeparate ends the case for a subject with one stream.
func mustSeparate(t *Trial) {
	if t.Subject.Shared {
		t.Skip("all subscriptions of this target are to one stream")
	}
}

// "An event reaches only subscribers of its topic/room."
func staysInItsStream(t *Trial) {
	mustSeparate(t)
	streams, each := max(2, t.affordable(canaries*int(t.Number("streams")))/canaries), int(t.Number("subscribers"))
	s := t.series()
	followers := make([][]*follower, streams)
	names := make([]string, streams)
	for lane := range streams {
		names[lane] = t.Stream()
		for range each {
			followers[lane] = append(followers[lane], t.follow([]string{names[lane]}))
		}
	}
	for n := 1; n <= canaries; n++ {
		for lane := range streams {
			t.Send(names[lane], s.text(lane, n))
		}
	}
	for lane := range streams {
		for _, f := range followers[lane] {
			if !f.hears(s.text(lane, canaries)) {
				t.Unknown("a plain message did not arrive within %v of its acknowledgement", t.arrival)
			}
			t.Count(1)
			leaks(t, f, s, lane)
		}
	}
	t.Conclude(fmt.Sprintf("%s with %s each got nothing of one another", conformance.Plural(streams, "stream"), conformance.Plural(each, "subscriber")))
}

// canaries are sent in each stream; the last one is the marker behind which nothing is missing any more.
const canaries = 4

// leaks notes what came from another lane than its own.
func leaks(t *Trial, f *follower, s series, own int) {
	for i, e := range f.seen {
		if lane, n, ok := s.find(e.Data); ok && lane != own {
			t.Deviation("only messages of its own stream", fmt.Sprintf("a subscriber of stream %d got message %d of stream %d", own, n, lane), f.evidence(f.at[i]))
			return
		}
	}
}

// "Tenant/user scoping holds for live events, replays, heartbeat/presence data and error texts; an event without tenant context goes to
// nobody, not to everybody."
func staysWithItsTenant(t *Trial) {
	mustSeparate(t)
	t.mustTellRights(t.Subject.Rights.Streams)
	one, two := t.course(), t.course()
	secret := t.Unique()
	tenant := t.follow([]string{one.stream})
	two.publish(2)
	t.Send(two.stream, secret)
	trespass(t, one, two, secret)
	nobody := t.series()
	r := t.Publish(Message{Stream: "", Data: nobody.text(0, 1)})
	one.publish(1)
	if !tenant.hears(one.text(1)) {
		t.Unknown("a plain message did not arrive within %v of its acknowledgement", t.arrival)
	}
	t.Count(1)
	for _, f := range []*follower{tenant, one.observer, two.observer} {
		f.take()
		if len(nobody.numbers(0, f.seen)) > 0 {
			t.Deviation("a message without a stream reaches nobody", fmt.Sprintf("it was answered with status %d and came to a subscriber of a stream", r.Status), f.evidence(1))
		}
	}
	leaked := slices.ContainsFunc(tenant.seen, func(e Event) bool { return strings.Contains(e.Data, secret) })
	if leaked || len(two.series.numbers(0, tenant.seen)) > 0 {
		t.Deviation("nothing of another tenant", "live messages of another tenant's stream came", tenant.evidence(1))
	}
	t.Conclude("a tenant's token gave nothing of another's stream, neither live nor replayed nor in an error text, and a message without a stream reached nobody")
}

// trespass asks for another tenant's stream, with and without a position of it.
func trespass(t *Trial, own, other *course, secret string) {
	for _, position := range []string{"", other.ids[1]} {
		f := t.follower([]string{other.stream}, t.stranger(own.stream, "", own.stream))
		f.position = position
		if f.open() {
			settle(t, f, other)
		} else if len(f.taps) > 0 {
			t.AwaitFor(f.tap(), "the text of an error is read", quiet, func(*Record) bool { return false })
		}
		t.Count(1)
		if len(f.taps) == 0 {
			continue
		}
		if body := string(f.tap().Body()); strings.Contains(body, secret) || strings.Contains(body, other.series.name) {
			if position == "" {
				t.seeInstead("SSE-AUTH-003", "a token of another tenant opened the stream")
			}
			t.Deviation("nothing of another tenant", fmt.Sprintf("the answer (status %d) to a token of another tenant held a message", f.tap().Status()), f.evidence(1))
		}
	}
}

// "Ids of one stream are not usable to read another stream's events."
func positionsOpenNoOtherStream(t *Trial) {
	mustSeparate(t)
	own, other := t.course(), t.course()
	other.publish(3)
	own.publish(1)
	other.publish(3)
	other.mustHaveIDs()
	for n := 1; n <= 6; n++ {
		foreign(t, own.resume(0, other.ids[n]).follower, other, "an answer to a position of another stream")
	}
	own.answered()
	t.Conclude("six positions of another stream gave none of its messages")
}

// "Load on one topic does not raise p99 latency of another beyond the declared factor."
func hotStreamDoesNotDelayColdOne(t *Trial) {
	mustSeparate(t)
	hot, cold := t.follow([]string{t.Stream()}), t.follow([]string{t.Stream()})
	period := time.Duration(hotPublishers / t.Number("rate") * float64(time.Second))
	usual, loaded := t.notSlower(cold, "messages of a stream while another one is under load", hotPublishers, func(over <-chan struct{}) {
		load(t, hot.streams[0], period, over)
	})
	t.Pass(fmt.Sprintf("p99 of a quiet stream was %v, and %v beside a busy one", usual, loaded))
}

const (
	coldMessages  = 60
	hotPublishers = 4
)

// load publishes at a constant rate until it is over.
func load(t *Trial, stream string, period time.Duration, over <-chan struct{}) {
	began := time.Now()
	for n := 1; ; n++ {
		select {
		case <-over:
			return
		default:
		}
		if !pause(t, time.Duration(n)*period-time.Since(began)) {
			return
		}
		t.Publish(Message{Stream: stream, Data: "load"})
	}
}
