package client

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

var canTimeOut = []subject.Capability{subject.IdleTimeout}

// hbcCases are about noticing silence.
var hbcCases = []Case{
	{Requirement: "SSE-HBC-001", Run: silenceEndsAConnection},
	{Requirement: "SSE-HBC-002", Needs: canTimeOut, Run: anyByteStartsTheTimeoutAnew},
	{Requirement: "SSE-HBC-003", Needs: canTimeOut, Run: silenceIsNoticedInTime},
	{Requirement: "SSE-HBC-004", Needs: canTimeOut, Run: zeroMeansNoTimeout},
	{Requirement: "SSE-HBC-005", Run: heartbeatsAreNoMessages},
	{Requirement: "SSE-HBC-006", Needs: canTimeOut, Run: deadConnectionIsNoticed},
}

// timeout asks for an idle timeout, and for a short first delay.
func (t *Trial) timeout(d time.Duration) subject.Open {
	o := t.hurried()
	if t.Can(subject.IdleTimeout) {
		o.IdleTimeoutMS = new(int(d.Milliseconds()))
	}
	return o
}

// silence is one connection that fell silent, and what the client did about it.
type silence struct {
	noticed  time.Duration // from the last byte until the client left, or came back; 0 when it did neither
	returned time.Duration // from the last byte to the next connection; 0 when there was none
	id       string        // that it came back with
	heard    bool          // the event before the silence was reported
}

// fallSilent serves the bytes, at the given time after the head, and then nothing more.
func (t *Trial) fallSilent(timeout, phase time.Duration, within time.Duration) silence {
	var last time.Time
	said := make(chan struct{})
	s := t.play(t.timeout(timeout), func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "again")
		}
		if err := stream(c, fmt.Sprintf("retry: %d\nid: 5\ndata: x\n\n", soon)); err != nil {
			return err
		}
		if !t.rest(phase) {
			return t.Context().Err()
		}
		last = time.Now()
		if err := c.Send(": the last\n"); err != nil {
			return err
		}
		close(said)
		v.awaitGone(c)
		return nil
	})
	t.comesFirst(s)
	select {
	case <-said:
	case <-t.Context().Done():
		t.Give()
	}
	v, ok := s.comes(2, within)
	seen := silence{heard: reportsData(s.Reports(), "x")}
	s.leave()
	if ok {
		seen.returned = v.Accepted.Sub(last)
		seen.noticed = seen.returned
		seen.id, _ = v.Request.LastEventID()
	}
	if first := s.all()[0]; !first.Gone.IsZero() {
		seen.noticed = first.Gone.Sub(last)
	}
	return seen
}

// rest waits on a script's goroutine; false means that the case is over.
func (t *Trial) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.Context().Done():
		return false
	}
}

// "With an idle timeout T, a silence of T ends the connection, and the client reconnects with Last-Event-ID."
func silenceEndsAConnection(t *Trial) {
	timeout, n := time.Second, 10
	if !t.Can(subject.Multi) {
		n = 3
	}
	if !t.Can(subject.IdleTimeout) {
		p := t.delay()
		if p == nil || p.SilenceMS <= 0 {
			t.Skip("the adapter declares neither idle-timeout nor a silence after which a connection counts as dead")
		}
		timeout = time.Duration(p.SilenceMS * float64(time.Millisecond))
		if !t.Can(subject.Multi) {
			n = 1
		}
	}
	t.judgeSilences(n, timeout, func(int) time.Duration { return 0 }, true)
}

// "A silence is noticed after T, not after up to 2 T as by polling."
func silenceIsNoticedInTime(t *Trial) {
	const runs = 20
	timeout := time.Second
	if !t.Can(subject.Multi) {
		timeout /= 2
	}
	random := t.Random()
	phases := make([]time.Duration, runs)
	for i := range phases {
		phases[i] = time.Duration(random.Float64() * float64(timeout) * 9 / 10)
	}
	t.judgeSilences(runs, timeout, func(i int) time.Duration { return phases[i] }, false)
}

// judgeSilences lets n subscriptions fall silent, each at a time of its own after its head.
func (t *Trial) judgeSilences(n int, timeout time.Duration, phase func(i int) time.Duration, resumes bool) {
	within := 4*timeout + t.waitFor(0)
	t.Allow(within)
	if !t.Can(subject.Multi) {
		t.Allow(time.Duration(n) * 4 * timeout)
	}
	all := make([]silence, n)
	t.each(n, func(i int) { all[i] = t.fallSilent(timeout, phase(i), within) })
	t.Count(n)
	high := timeout*6/5 + allowance
	if p := t.delay(); p != nil && resumes {
		high += allowed(p, 0, soon*time.Millisecond).high
	}
	low := timeout - 50*time.Millisecond
	var noticed []time.Duration
	for i, one := range all {
		if !one.heard {
			t.Unknown("the event before the silence was not reported")
		}
		if one.noticed == 0 {
			t.Late(within-timeout, fmt.Sprintf("the connection ends after a silence of %v", timeout), fmt.Sprintf("it goes on after %v", within))
		}
		if resumes && one.returned == 0 {
			t.Fail("the client comes back after it ended a silent connection", fmt.Sprintf("it did not within %v", within))
		}
		if resumes && one.id != "5" {
			t.Fail(`it comes back with Last-Event-ID "5"`, fmt.Sprintf("Last-Event-ID %q", one.id))
		}
		noticed = append(noticed, all[i].noticed)
	}
	said := fmt.Sprintf("with a timeout of %v noticed after %s", timeout, list(noticed))
	shortest, longest := slices.Min(noticed), slices.Max(noticed)
	switch {
	case shortest < low:
		t.Fail(fmt.Sprintf("not before %v", timeout), said)
	case longest > high:
		t.tooBusy(high-timeout, longest-high, said)
		t.Fail(fmt.Sprintf("within %s", brief(high)), said)
	}
	t.Pass(said)
}

// "Any byte starts the idle timeout anew: a comment, a part of a line."
func anyByteStartsTheTimeoutAnew(t *Trial) {
	const timeout, every, times = 2 * time.Second, 1600 * time.Millisecond, 5
	kinds := []struct{ name, bytes string }{
		{"comments", ":\n:\n:\n:\n:\n"}, {"single bytes of a line", "data:"}, {"line ends", "\n\n\n\n\n"},
	}
	t.Allow(times * every)
	if !t.Can(subject.Multi) {
		t.Allow(times * every * time.Duration(len(kinds)))
	}
	t.each(len(kinds), func(i int) {
		kind := kinds[i]
		pieces := slices.Collect(slices.Chunk([]byte(kind.bytes), len(kind.bytes)/times))
		sent := make(chan time.Duration, times)
		s := t.play(t.timeout(timeout), func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "again")
			}
			defer close(sent)
			if err := stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", soon)); err != nil {
				return err
			}
			last := time.Now()
			for _, p := range pieces {
				if !t.rest(every) {
					return t.Context().Err()
				}
				now := time.Now()
				sent <- now.Sub(last)
				last = now
				if _, err := c.Write(p); err != nil {
					return err
				}
			}
			return c.Segments(0, []byte("\n\ndata: the end\n\n"))
		})
		t.comesFirst(s)
		ended := s.has("the end", every*times+patience)
		visits := s.all()
		s.leave()
		longest := time.Duration(0)
		if ended || len(visits) > 1 {
			for pause := range sent {
				longest = max(longest, pause)
			}
		}
		switch {
		case ended:
		case longest > timeout*9/10:
			t.Unknown("this machine was too busy: a pause that should have been %v was %v", every, longest)
		case len(visits) > 1:
			t.Deviation(fmt.Sprintf("no reconnect while something comes every %v, with a timeout of %v", every, timeout),
				fmt.Sprintf("%s: the client came back after %s", kind.name, brief(visits[1].Accepted.Sub(visits[0].Accepted))))
		default:
			t.Deviation("the event behind is reported", kind.name+": nothing was reported")
		}
	})
	t.Count(len(kinds) * times)
	t.Conclude(fmt.Sprintf("no reconnect while something came every %v, with a timeout of %v", every, timeout))
}

// "0 means no idle timeout, and other values are taken literally."
func zeroMeansNoTimeout(t *Trial) {
	silence := t.Duration("silence")
	t.Allow(silence)
	end := make(chan struct{})
	s := t.play(t.timeout(0), func(c *sse.Conn, v *visit) error {
		if err := stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", soon)); err != nil || v.Number > 0 {
			return err
		}
		c.Hold(end)
		return c.Send("data: after the silence\n\n")
	})
	t.comesFirst(s)
	_, back := s.comes(2, silence)
	close(end)
	if back {
		visits := s.all()
		t.Fail("no reconnect", fmt.Sprintf("back after %s of silence", brief(visits[1].Accepted.Sub(visits[0].Accepted))))
	}
	if !s.has("after the silence", patience) {
		t.Fail("the connection is alive after the silence", "an event after it was not reported: "+s.outcome())
	}
	short := t.fallSilent(700*time.Millisecond, 0, 10*time.Second)
	if short.noticed == 0 {
		t.Late(5*time.Second, "a timeout of 700ms is taken literally", "nothing happened within 10s")
	}
	if short.noticed < 650*time.Millisecond {
		t.Fail("a timeout of 700ms is taken literally", "noticed after "+brief(short.noticed))
	}
	t.Count(2)
	t.Pass(fmt.Sprintf("with 0 no reconnect in %v, with 700ms noticed after %s", silence, brief(short.noticed)))
}

// "Heartbeat comments are no messages, and change neither id nor type."
func heartbeatsAreNoMessages(t *Trial) {
	t.Allow(2 * returnWithin)
	const hb = ": hb\n"
	body := hb + "\n" + hb + "id: 1\n" + hb + "event: greeting\n" + hb + "data: a\n" + hb + "data: b\n" + hb + "\n" + hb + ":\n\n" +
		hb + "data: c\n\n" + hb + hb + "id: 2\n" + hb + "data: d\n\n" + ":" + "\n\n" + hb + "\n" + "data: the end\n\n"
	o := t.hurried()
	o.Listen = []string{"message", "greeting"}
	s := t.play(o, func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "back")
		}
		if err := stream(c, fmt.Sprintf("retry: %d\n\n", soon)); err != nil {
			return err
		}
		return c.Segments(between, sse.EachByte([]byte(body))...)
	})
	t.comesFirst(s)
	if !s.has("the end", returnWithin) {
		t.Fail("events among comments are reported", s.outcome())
	}
	want := []string{describe("greeting", "a\nb", "1"), describe("message", "c", ""), describe("message", "d", "2")}
	var got []string
	for _, e := range t.visible(events(s.Reports())) {
		if e.data == "the end" {
			break
		}
		if e.data == "c" {
			e.id = "" // what an event without an id reports is another requirement's matter
		}
		got = append(got, e.String())
	}
	t.Count(len(want))
	if !slices.Equal(got, want) {
		t.Fail(strings.Join(want, ", "), strings.Join(got, ", "), []string{"sent: " + sse.Escape([]byte(body))})
	}
	v, back := s.comes(2, t.waitFor(0))
	if !back { // which others judge
		t.Pass("as without comments; it did not come back, so nothing was seen of its position")
	}
	if id, _ := v.Request.LastEventID(); id != "2" {
		t.Fail(`Last-Event-ID "2"`, askedFor(v))
	}
	t.Pass("as without comments")
}

// "A connection that vanished without FIN or RST is noticed within the idle timeout." Its peer neither reads nor writes any more, in the
// middle of an event.
func deadConnectionIsNoticed(t *Trial) {
	const timeout = time.Second
	t.Allow(4*timeout + t.waitFor(0))
	dead := make(chan time.Time, 1)
	s := t.play(t.timeout(timeout), func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "again")
		}
		if err := stream(c, fmt.Sprintf("retry: %d\nid: 5\ndata: x\n\nid: 6\ndata: ha", soon)); err != nil {
			return err
		}
		dead <- time.Now()
		c.Hold(nil)
		return nil
	})
	t.comesFirst(s)
	v, ok := s.comes(2, 4*timeout+t.waitFor(0))
	if !ok {
		t.Late(3*timeout, fmt.Sprintf("a new request after %v", timeout), s.outcome())
	}
	took := v.Accepted.Sub(<-dead)
	high := timeout*6/5 + allowance
	if p := t.delay(); p != nil {
		high += allowed(p, 0, soon*time.Millisecond).high
	}
	said := fmt.Sprintf("back after %s, with Last-Event-ID %s", brief(took), askedFor(v))
	if took > high {
		t.tooBusy(high-timeout, took-high, said)
		t.Fail("within "+brief(high), said)
	}
	t.Pass(said)
}
