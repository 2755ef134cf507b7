package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "A stream with heartbeats every 15 s stays open however long it lasts."
func gatewayKeepsStreamsOpen(t *Trial) {
	every, lifetime := t.Duration("heartbeat"), t.Duration("lifetime")
	t.Allow(lifetime)
	idle := make(chan string, 1)
	t.Go(func() { idle <- t.idleLife(lifetime) })
	fed := t.carry()
	lived, beats := fed.live(every, lifetime)
	t.Count(beats)
	if lived < lifetime {
		t.Fail(fmt.Sprintf("a stream with heartbeats every %v to stay open for %v", every, lifetime),
			fmt.Sprintf("after %v and %s %s", lived.Round(time.Millisecond), conformance.Plural(beats, "heartbeat"), fed.obituary()), fed.Evidence())
	}
	t.Pass(fmt.Sprintf("open after %v with heartbeats every %v; %s", lifetime, every, <-idle))
}

// live sends heartbeats for as long as the stream lives, but no longer than wanted, and returns how long that was.
func (c *carried) live(every, wanted time.Duration) (lived time.Duration, beats int) {
	for began := time.Now(); ; beats++ {
		lived = time.Since(began)
		if lived >= wanted {
			return wanted, beats
		}
		if c.up.Send(": hb\n\n") != nil || !c.t.Hold(c.tap, min(every, wanted-lived)) {
			return min(time.Since(began), wanted-1), beats
		}
	}
}

// obituary says how the stream ended.
func (c *carried) obituary() string {
	if _, end, over := c.ended(stuck); over {
		return "the gateway ended it: " + endText(end)
	}
	return "the gateway closed its connection to the origin, and left the client's open"
}

// idleLife says how long a stream lives on which nothing is sent, up to a time.
func (t *Trial) idleLife(d time.Duration) string {
	idle := t.carry()
	began := time.Now()
	if t.Hold(idle.tap, d) {
		return fmt.Sprintf("an idle one was open after %v", d)
	}
	at, end, _ := idle.ended(0)
	return fmt.Sprintf("an idle one was ended after %v: %s", at.Sub(began).Round(100*time.Millisecond), endText(end))
}

// "A client disconnect is propagated: the origin sees its connection closed."
func gatewayPassesDisconnectsOn(t *Trial) {
	t.disconnect("FIN", new(net.Dialer).DialContext)
	t.disconnect("RST", dialForReset)
	t.Count(2)
	t.Conclude(fmt.Sprintf("the origin's connection was closed within %v of the client's", t.Duration("within")))
}

func (t *Trial) disconnect(way string, dial sse.DialFunc) {
	within := t.Duration("within")
	c := t.carry(Dialing(dial))
	defer c.up.Break()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	began := time.Now()
	c.tap.Close()
	t.Go(func() { c.beat(ctx, within/4) })
	at, gone := c.up.Gone(t.Context(), within+stuck)
	t.interrupted()
	expected := fmt.Sprintf("the origin's connection closed within %v", within)
	switch took := at.Sub(began); {
	case !gone:
		t.deviate(began, stuck, expected, fmt.Sprintf("the client left with %s, and %v later the gateway still read the stream from the origin", way, within+stuck))
	case took > within:
		t.deviate(began, took-within, expected, fmt.Sprintf("the client left with %s, and the gateway closed its connection to the origin after %v", way, round(took)))
	}
}

// beat sends heartbeats until the context ends or nobody takes them any more.
func (c *carried) beat(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for c.up.Send(": hb\n\n") == nil {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// dialForReset makes connections whose Close sends RST.
func dialForReset(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// breaks are the ways in which an origin ends a stream before its end.
var breaks = []struct {
	name string
	end  func(u *Upstream)
}{
	{"FIN inside a chunk", (*Upstream).CutChunk},
	{"FIN without the last chunk", (*Upstream).Break},
	{"RST", (*Upstream).Reset},
}

// "An origin close or reset is propagated as end of stream; no hanging client, no replayed or spliced second response."
func gatewayPassesEndsOn(t *Trial) {
	t.passesEndOn("the last chunk and FIN", (*Upstream).Finish, false)
	for _, way := range breaks {
		t.passesEndOn(way.name, way.end, true)
	}
	t.Count(4)
	t.Conclude(fmt.Sprintf("the client's stream ended within %v of the origin's, however that ended", t.Duration("within")))
}

func (t *Trial) passesEndOn(way string, end func(u *Upstream), broken bool) {
	within := t.Duration("within")
	c := t.carry()
	defer c.tap.Close()
	t.originSent(c.up.Send(lastEvent))
	began := time.Now()
	end(c.up)
	at, how, over := c.ended(within + stuck)
	expected := fmt.Sprintf("the client's stream ended within %v", within)
	switch took := at.Sub(began); {
	case !over:
		t.deviate(began, stuck, expected, fmt.Sprintf("the origin ended with %s, and the client's stream was still open %v later", way, within+stuck), c.Evidence())
	case took > within:
		t.deviate(began, took-within, expected, fmt.Sprintf("the origin ended with %s, and the client's stream ended %v later", way, round(took)), c.Evidence())
	case broken && complete(how):
		t.Tolerated("an end that tells that the response is not complete",
			fmt.Sprintf("the origin ended with %s, and the client got a complete response", way), c.Evidence())
	}
	sent := padding + lastEvent + "data: cut"
	if body := string(c.tap.Body()); len(body) > len(sent) || body != sent[:len(body)] {
		t.Deviation("no byte that the origin did not send in this response",
			fmt.Sprintf("the origin ended with %s, and the client's stream went on", way), c.tap.EvidenceFrom(len(padding)))
	}
}

const lastEvent = "data: whole\n\n"

// "A GET stream that already delivered bytes is never transparently retried or sent again to another upstream."
func gatewayNeverRepeatsARequest(t *Trial) {
	for _, way := range breaks {
		c := t.carry()
		way.end(c.up)
		if again, repeated := c.Forwarded(t.Duration("within")); repeated {
			again.Finish()
			t.Deviation("one request at the origin",
				fmt.Sprintf("the origin ended with %s in the middle of a stream, and the gateway sent the request again by itself", way.name), c.Evidence())
		}
		c.tap.Close()
	}
	t.Count(len(breaks))
	t.Conclude("the origin got each request once, although it broke off")
}

// "Configuration reload or rolling restart of the gateway drains streams within a documented time."
func gatewayDrainsStreams(t *Trial) {
	if t.Subject.Drain == nil {
		t.Skip("needs a command that reloads the gateway: see streamgauge check --reload")
	}
	before, grace := t.carry(), t.Duration("grace")
	if err := t.Subject.Drain(t.Context()); err != nil {
		t.interrupted()
		t.Unknown("reloading the gateway: %v", err)
	}
	t.Allow(grace)
	lived, _ := before.live(time.Second, grace)
	t.carry()
	if lived < grace {
		t.Fail(fmt.Sprintf("a stream from before the reload to live on for %v", grace),
			fmt.Sprintf("after %v %s", lived.Round(time.Millisecond), before.obituary()), before.Evidence())
	}
	t.Pass(fmt.Sprintf("a stream from before the reload lived on for %v, and new ones could be opened", grace))
}

// "Back-pressure of one slow client does not grow gateway memory without bound nor stall others on the same upstream connection."
//
// A process may have room left from earlier, which is used up first: where all is taken and little of it kept, further clients do not read either.
func gatewayBoundsWhatItKeeps(t *Trial) {
	const clients = 3
	each := int64(t.Number("taken")) << 20
	before, alone := t.memory(), t.medianTransit()
	var most, taken, grown int64
	var beside time.Duration
	var ends []func()
	defer func() {
		for _, end := range ends {
			end()
		}
	}()
	for range clients {
		most += each
		got, end := t.deaf(each)
		ends = append(ends, end)
		taken += got
		began := time.Now()
		grown, beside = t.memory()-before, t.medianTransit()
		t.Count(2)
		if beside > 2*alone+noise {
			t.deviate(began, beside-2*alone, fmt.Sprintf("other events within twice the %v they took before", round(alone)),
				fmt.Sprintf("beside a client that does not read they took %v", round(beside)))
		}
		if taken < most || grown > taken/2 || t.Subject.Memory == nil {
			break
		}
	}
	text := fmt.Sprintf("%d MiB were taken from the origin that no client read", taken>>20)
	switch {
	case taken < most:
	case t.Subject.Memory == nil:
		t.Unknown("%s; whether the gateway keeps them in memory cannot be seen: see streamgauge check --pid", text)
	case grown > taken/2:
		t.Deviation(fmt.Sprintf("less than %d MiB of memory for them", taken>>21), fmt.Sprintf("%s, and the gateway's memory grew by %d MiB", text, grown>>20))
	default:
		text += fmt.Sprintf(", while its memory grew by %d MiB", max(grown, 0)>>20)
	}
	t.Conclude(fmt.Sprintf("%s; meanwhile other events took %v", text, round(beside)))
}

// noise is how far two medians of times may be apart without meaning anything.
const noise = 50 * time.Millisecond

func (t *Trial) memory() int64 {
	if t.Subject.Memory == nil {
		return 0
	}
	bytes, err := t.Subject.Memory(t.Context())
	if err != nil {
		t.Unknown("reading the gateway's memory: %v", err)
	}
	return int64(bytes)
}

// deaf opens a stream whose client does not read, and returns how much of so many bytes the gateway takes for it. It stays so until its end.
func (t *Trial) deaf(most int64) (taken int64, end func()) {
	reading := newValve()
	c := t.carry(Dialing(reading.Dial))
	reading.Shut()
	var sent atomic.Int64
	flooded := make(chan struct{})
	t.Go(func() { defer close(flooded); c.up.flood(&sent, most) })
	t.awaitStill(&sent, most, flooded)
	return sent.Load(), func() { c.up.Reset(); reading.Open() }
}

// flood sends until so many bytes were taken.
func (u *Upstream) flood(taken *atomic.Int64, most int64) {
	for n := 0; taken.Load() < most && u.Send(paddingOf(n)) == nil; n++ {
		taken.Add(int64(len(padding)))
	}
}

// awaitStill waits until nothing more is taken.
func (t *Trial) awaitStill(taken *atomic.Int64, most int64, over <-chan struct{}) {
	t.Doing("the gateway is given more than its client takes")
	last := int64(-1)
	for now := taken.Load(); now != last && now < most; now = taken.Load() {
		last = now
		t.Allow(time.Second)
		select {
		case <-over:
		case <-time.After(time.Second):
		case <-t.Context().Done():
			t.interrupted()
		}
	}
}

// medianTransit is how long an event takes through the gateway.
func (t *Trial) medianTransit() time.Duration {
	c := t.carry()
	defer c.End(c.up)
	times := make([]time.Duration, 9)
	for i := range times {
		took, came := c.Relay(c.up, "data: beside\n\n", stuck)
		if !came {
			return stuck
		}
		times[i] = took
	}
	slices.Sort(times)
	return times[len(times)/2]
}
