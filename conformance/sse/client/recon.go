package client

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// reconCases are about coming back.
var reconCases = []Case{
	{Requirement: "SSE-RECON-001", Run: comesBackAfterTheEnd},
	{Requirement: "SSE-RECON-002", Run: comesBackAgainAndAgain},
	{Requirement: "SSE-RECON-003", Run: repeatsTheFirstAttempt},
	{Requirement: "SSE-RECON-004", Run: waitsForRetry},
	{Requirement: "SSE-RECON-005", Run: retryIsInMilliseconds},
	{Requirement: "SSE-RECON-006", Run: retryHolds},
	{Requirement: "SSE-RECON-007", Run: firstDelayOfItsOwn},
	{Requirement: "SSE-RECON-008", Run: keepsItsCeiling},
	{Requirement: "SSE-RECON-009", Run: neverShorterThanRetry},
	{Requirement: "SSE-RECON-010", Run: delaysGrow},
	{Requirement: "SSE-RECON-011", Run: backoffIsCapped},
	{Requirement: "SSE-RECON-012", Alone: true, Run: delaysAreSpread},
	{Requirement: "SSE-RECON-013", Run: backoffStartsAgain},
	{Requirement: "SSE-RECON-014", Run: emptyStreamsAreNoRecovery},
	{Requirement: "SSE-RECON-015", Run: sendsTheCommittedID},
	{Requirement: "SSE-RECON-016", Run: sendsIDsInUTF8},
	{Requirement: "SSE-RECON-017", Run: sendsNoEmptyID},
	{Requirement: "SSE-RECON-018", Run: idSurvivesConnections},
	{Requirement: "SSE-RECON-019", Run: sendsTheNewestID},
	{Requirement: "SSE-RECON-020", Run: sendsNoCutID},
	{Requirement: "SSE-RECON-021", Needs: []subject.Capability{subject.LastEventID}, Run: sendsTheGivenID},
	{Requirement: "SSE-RECON-022", Run: survivesStrangeIDs},
	{Requirement: "SSE-RECON-023", Needs: []subject.Capability{subject.Restart}, Run: restartsAtOnce},
	{Requirement: "SSE-RECON-024", Needs: []subject.Capability{subject.Dedupe}, Run: dropsDuplicates},
	{Requirement: "SSE-RECON-026", Run: leavesNothingBehind},
	{Requirement: "SSE-RECON-025", Needs: []subject.Capability{subject.MaxAttempts}, Run: keepsItsLimit},
}

// delay is the declared backoff, nil when there is none.
func (t *Trial) delay() *subject.Delay {
	if t.hello.Policy == nil {
		return nil
	}
	return t.hello.Policy.Backoff
}

// waitFor is how long is waited for the attempt after loss n of a row: several times what is legal.
func (t *Trial) waitFor(n int) time.Duration {
	if p := t.delay(); p != nil {
		return max(returnWithin, 3*allowed(p, n, 0).high)
	}
	return returnWithin
}

// "The clean end of a stream leads to a reconnection": whatever marks the end.
func comesBackAfterTheEnd(t *Trial) {
	t.Allow(2 * t.waitFor(0))
	ends := []string{"the end of the connection", "the last chunk", "the end by Content-Length"}
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		body := fmt.Sprintf("retry: %d\nid: %d\ndata: life %d\n\n", soon, v.Number+1, v.Number)
		switch v.Number {
		case 0:
			return stream(c, body)
		case 1:
			if err := c.Head(200, "Content-Type: text/event-stream", "Transfer-Encoding: chunked", "Connection: close", allowOrigin); err != nil {
				return err
			}
			return c.Send(string(sse.Chunked([]byte(body))))
		case 2:
			if err := c.Head(200, "Content-Type: text/event-stream", fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close", allowOrigin); err != nil {
				return err
			}
			return c.Send(body)
		}
		return control(c, "still there")
	})
	for i, end := range ends {
		if _, ok := s.comes(i+2, t.waitFor(0)); !ok {
			t.Fail("a request after "+end, s.outcome())
		}
	}
	if p := t.delay(); p != nil && p.ComeBackOn != "" {
		t.comesBackOn(p.ComeBackOn)
	}
	if !s.has("still there", patience) {
		t.Fail("events of the fourth connection are reported", "the client came back, and then reported nothing of it")
	}
	t.Count(len(ends))
	t.Pass("a request after each of 3 ends")
}

// comesBackOn sends the event by which the client is declared to be asked to come back, and leaves the connection open.
func (t *Trial) comesBackOn(kind string) {
	o := t.hurried()
	o.Listen = []string{"message", kind}
	s := t.play(o, func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "back")
		}
		if err := stream(c, fmt.Sprintf("retry: %d\nevent: %s\ndata: bye\n\n", soon, kind)); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	t.comesFirst(s)
	if _, ok := s.comes(2, t.waitFor(0)); !ok {
		t.Breach(fmt.Sprintf("a request after the event %q, as its policy declares", kind), s.outcome())
		t.Conclude("")
	}
	s.leave()
}

// "A network error leads to a reconnection, again and again and not just once."
func comesBackAgainAndAgain(t *Trial) {
	const failing = 4
	t.Allow(failing * t.waitFor(failing) / 2)
	known := make(chan struct{})
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		switch {
		case v.Number == 0:
			if err := stream(c, fmt.Sprintf("retry: %d\ndata: first\n\n", soon)); err != nil {
				return err
			}
			c.Hold(known) // what was not read yet would be lost with the reset
			return v.reset(c)
		case v.Number <= failing:
			return v.reset(c)
		}
		return control(c, "recovered")
	})
	t.comesFirst(s)
	s.has("first", patience)
	close(known)
	for n := 2; n <= failing+2; n++ {
		if _, ok := s.comes(n, t.waitFor(n-2)); !ok {
			t.Fail(fmt.Sprintf("%s, since %d connections were reset", conformance.Plural(failing+2, "request"), failing+1), s.outcome())
		}
	}
	if !s.has("recovered", patience) {
		t.Fail("events of the connection that stands are reported", s.outcome())
	}
	t.Count(failing + 1)
	t.Pass(fmt.Sprintf("back after %s in a row", conformance.Plural(failing+1, "reset")))
}

// "The very first attempt is repeated after a network error, too."
func repeatsTheFirstAttempt(t *Trial) {
	t.Allow(t.waitFor(0))
	s := t.playBlind(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number == 0 {
			return v.reset(c)
		}
		if _, err := c.Request(); err != nil {
			return err
		}
		return control(c, "there")
	})
	if _, ok := s.comes(1, beginWithin); !ok {
		t.Unknown("the client did not connect within %v", beginWithin)
	}
	if _, ok := s.comes(2, t.waitFor(0)); !ok {
		t.Fail("another attempt", s.outcome())
	}
	t.Pass("another attempt")
}

// "Without retry the first delay is the client's own choice; it is not zero."
func firstDelayOfItsOwn(t *Trial) {
	t.inRealTime()
	t.Allow(t.waitFor(0))
	n := 10
	if !t.Can(subject.Multi) {
		n = 3
	}
	measured := t.losses(n, subject.Open{}, "data: x\n\n", 0)
	b := band{50 * time.Millisecond, 0}
	if p := t.delay(); p != nil {
		b = allowed(p, 0, 0).around(50*time.Millisecond, 0.25)
	}
	typical := median(measured)
	t.keep(measured, b)
	said := fmt.Sprintf("median %s of %d", brief(typical), len(measured))
	switch p := t.delay(); {
	case p != nil && b.holds(typical):
		t.Pass(said + ", as it is declared")
	case typical < 50*time.Millisecond:
		t.Warn("more than 50 ms", said, []string{"delays: " + list(measured)})
	case typical >= 200*time.Millisecond && typical <= 10*time.Second:
		t.Pass(said)
	}
	t.Info(said)
}

// losses opens n subscriptions, ends each one's stream once behind the given body, and measures how long each stays away. Those
// that are not back within the time are left out; 0 means as long as is legal.
func (t *Trial) losses(n int, o subject.Open, body string, within time.Duration) []time.Duration {
	if within == 0 {
		within = t.waitFor(0)
	}
	all := make([]time.Duration, n)
	t.each(n, func(i int) {
		s := t.play(o, func(c *sse.Conn, v *visit) error {
			if v.Number > 0 {
				return control(c, "again")
			}
			return stream(c, body)
		})
		t.comesFirst(s)
		if v, ok := s.comes(2, within); ok {
			all[i] = v.Accepted.Sub(s.all()[0].Lost)
		}
		s.leave()
	})
	back := slices.DeleteFunc(all, func(d time.Duration) bool { return d == 0 })
	t.Count(len(back))
	if len(back) == 0 {
		t.Fail("the client comes back", fmt.Sprintf("none of %s came back within %v", conformance.Plural(n, "subscription"), within))
	}
	return back
}

// comesFirst waits for a scene's first visit.
func (t *Trial) comesFirst(s *scene) {
	if _, ok := s.comes(1, beginWithin); !ok {
		t.Unknown("the client sent no request within %v", beginWithin)
	}
}

// keep puts the first delays of several clients into the verdict.
func (t *Trial) keep(measured []time.Duration, b band) []conformance.Delay {
	var entries []conformance.Delay
	for i, d := range measured {
		entries = append(entries, entry(i+1, 1, d, b))
	}
	t.Delays(entries...)
	return entries
}

// keepRow puts the delays of one client into the verdict.
func (t *Trial) keepRow(client int, gaps []time.Duration, bandOf func(n int) band) []conformance.Delay {
	var entries []conformance.Delay
	for n, d := range gaps {
		entries = append(entries, entry(client, n+1, d, bandOf(n)))
	}
	t.Delays(entries...)
	return entries
}
