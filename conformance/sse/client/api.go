package client

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// apiCases judge what a client tells its application, and whether it does as it is told.
var apiCases = []Case{
	{Requirement: "SSE-API-001", Needs: []subject.Capability{subject.Opens}, Run: opensAreReported},
	{Requirement: "SSE-API-002", Needs: []subject.Capability{subject.State}, Run: statesFollow},
	{Requirement: "SSE-API-003", Run: lossesAreTold},
	{Requirement: "SSE-API-004", Run: silentOnceClosed},
	{Requirement: "SSE-API-005", Run: closingEndsTheConnection},
	{Requirement: "SSE-API-006", Run: closedForGood},
	{Requirement: "SSE-API-007", Run: closingIsNoError},
	{Requirement: "SSE-API-008", Run: badURLs},
	{Requirement: "SSE-API-009", Needs: []subject.Capability{subject.Redirects}, Run: originOfTheTarget},
	{Requirement: "SSE-API-010", Run: causesAreTold},
	{Requirement: "SSE-API-011", Run: oneConnection},
	{Requirement: "SSE-API-012", Run: waitingKeepsAlive},
	{Requirement: "SSE-API-013", Run: closingEndsTheRequest},
}

// SSE-API-001: The client reports open once for every successful response, before its first event.
func opensAreReported(t *Trial) {
	const connections = 3
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		if err := c.Send(fmt.Sprintf("%sdata: connection %d\n\n", comeBack, c.Number+1)); err != nil || c.Number+1 < connections {
			return err
		}
		if err := c.Send("data: over\n\n"); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	t.Allow(2 * returnWithin)
	f := t.Follow(t.quickly(s.URL("/")))
	reports, ok := f.awaitEvents(connections+1, 2*returnWithin)
	if !ok {
		t.Unknown("%d events were to come on %s, %d did", connections+1, conformance.Plural(connections, "connection"), len(of(reports, subject.EvEvent)))
	}
	var order []string
	for _, r := range reports {
		if r.Ev == subject.EvOpen || r.Ev == subject.EvEvent {
			order = append(order, r.Ev)
		}
	}
	t.Count(connections)
	want := "open, event, open, event, open, event, event"
	if got := strings.Join(order, ", "); got != want {
		t.Fail(want, got, told(reports))
	}
	t.Pass(want)
}

// SSE-API-002: The state is CONNECTING before open and while it waits to reconnect, OPEN while it streams, CLOSED after a final failure.
func statesFollow(t *Trial) {
	t.Allow(2 * returnWithin)
	s := t.play(t.hurried(), func(c *sse.Conn, v *visit) error {
		if v.Number >= 2 {
			return c.Head(204, "Connection: close", allowOrigin)
		}
		return stream(c, comeBack+"data: x\n\n")
	})
	t.comesFirst(s)
	if _, ok := s.comes(3, 2*returnWithin); !ok {
		t.Unknown("the third request would have been answered with 204: %s", s.outcome())
	}
	reports, _ := s.Await(patience, func(all []subject.Report) bool {
		return len(all) > 0 && (all[len(all)-1].State == "closed" || all[len(all)-1].Fatal)
	})
	var states []string
	for _, r := range reports {
		if r.Ev == subject.EvOpen || r.Ev == subject.EvError {
			states = append(states, r.State)
		}
	}
	want := "open, connecting, open, connecting, closed"
	if got := strings.Join(states, ", "); got != want {
		t.Fail(want, got, told(reports))
	}
	t.Pass(want)
}

// SSE-API-003: A lost connection is reported as an error that can be told from a final failure.
func lossesAreTold(t *Trial) {
	final := t.finalStatus()
	s := t.Serve(func(c *sse.Conn) error {
		if c.Number > 0 {
			if _, err := c.Request(); err != nil {
				return err
			}
			return c.Head(final, "Content-Length: 0")
		}
		if _, err := c.Stream(); err != nil {
			return err
		}
		return c.Send(comeBack + "data: x\n\n")
	})
	t.Allow(returnWithin)
	f := t.Follow(t.quickly(s.URL("/")))
	if _, ok := t.AwaitRequest(s, 2, returnWithin); !ok {
		t.Unknown("the client did not come back within %v", returnWithin)
	}
	isFatal := func(r subject.Report) bool { return r.Ev == subject.EvError && r.Fatal }
	reports, ok := f.Await(patience, func(all []subject.Report) bool { return slices.ContainsFunc(all, isFatal) })
	if !ok && len(s.Requests()) > 2 && t.profile == conformance.ProfileSDK {
		t.Skip("the client goes on after status %d, so there is no final failure to tell apart", final)
	}
	errs := of(reports, subject.EvError)
	want := fmt.Sprintf("an error that is not final for the end of the stream, a final one for %d", final)
	switch {
	case len(errs) == 0:
		t.Fail(want, "no error at all", told(reports))
	case errs[0].Fatal:
		t.Fail(want, "a final error for the end of the stream, or none for it", told(reports))
	case !ok:
		t.late(patience, want, fmt.Sprintf("no final error after status %d", final), told(reports))
	}
	t.Pass(want)
}

// finalStatus is one after which the client gives up.
func (t *Trial) finalStatus() int {
	const status = 404
	p := t.hello.Policy
	if p == nil || slices.Contains(p.StopStatus, status) || len(p.StopStatus) == 0 {
		return status
	}
	return p.StopStatus[0]
}

// SSE-API-008: A URL that is invalid or not supported is refused at once, without a request.
func badURLs(t *Trial) {
	s := t.Serve(func(c *sse.Conn) error { _, err := c.Stream(); return err })
	for _, url := range []string{"http://this is invalid/", "ftp://" + s.Addr() + "/"} {
		f := t.Follow(subject.Open{URL: url})
		fatal := func(all []subject.Report) bool {
			return slices.ContainsFunc(all, func(r subject.Report) bool { return r.Fatal })
		}
		reports, ok := f.Await(patience, fatal)
		if !ok {
			reports, ok = f.Await(2*patience, func(all []subject.Report) bool { return fatal(all) || len(of(all, subject.EvError)) > 1 })
			ok = ok && fatal(reports)
		}
		want := "a final error for " + url
		switch errs := len(of(reports, subject.EvError)); {
		case ok:
		case errs > 1 && strings.HasPrefix(url, "ftp:"):
			t.keepsAsking(want, url, reports)
		case errs > 1:
			t.Deviation(want, fmt.Sprintf("%s: %s and none is final, so it goes on trying", url, conformance.Plural(errs, "error")), told(reports[:min(len(reports), 5)]))
		case errs == 1:
			t.Tolerated(want, "an error that does not say that it is final", told(reports))
		default:
			t.sure(patience, "no error for "+url)
			t.Deviation(want, fmt.Sprintf("no error within %v", patience), told(reports))
		}
	}
	if n := len(s.Requests()); n > 0 {
		t.Deviation("no request", fmt.Sprintf("%s to ftp:// over HTTP", conformance.Plural(n, "request")))
	}
	t.Conclude("both refused with a final error")
}

// keepsAsking notes that a client goes on trying a scheme that it does not support. HTML makes that a network error, at which a client
// reestablishes the connection "unless the user agent knows that to be futile, in which case the user agent may fail the connection".
func (t *Trial) keepsAsking(want, url string, reports []subject.Report) {
	actual := fmt.Sprintf("%s: %s and none is final, so it goes on trying", url, conformance.Plural(len(of(reports, subject.EvError)), "error"))
	if t.profile == conformance.ProfileBrowser {
		t.Classify(actual, told(reports[:min(len(reports), 5)]), conformance.Class{Outcome: conformance.Pass, Text: want},
			conformance.Class{Outcome: conformance.Info, Text: "further attempts, which HTML leaves open", Holds: true})
		return
	}
	t.Tolerated(want, actual, told(reports[:min(len(reports), 5)]))
}

// SSE-API-009: After redirects an event carries the origin of the final URL, where the interface shows it.
func originOfTheTarget(t *Trial) {
	target := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream("Access-Control-Allow-Origin: *"); err != nil {
			return err
		}
		if err := c.Send("data: x\n\n"); err != nil {
			return err
		}
		c.Hold(nil)
		return nil
	})
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		return c.Head(307, "Location: "+target.URL("/"), "Access-Control-Allow-Origin: *", "Content-Length: 0")
	})
	f := t.Follow(subject.Open{URL: s.URL("/")})
	reports, ok := f.awaitEvents(1, beginWithin)
	if !ok {
		t.Unknown("the event behind the redirect was not reported")
	}
	want := "http://" + target.Addr()
	switch got := of(reports, subject.EvEvent)[0].Origin; got {
	case "":
		t.Skip("the client does not show an event's origin")
	case want:
		t.Pass(got)
	default:
		t.Fail(want, got, told(reports))
	}
}

// SSE-API-010: A failed attempt tells the application why: status, content type, network, timeout.
func causesAreTold(t *Trial) {
	type failure struct {
		what  string
		fail  sse.Script
		fits  func(r *subject.Report) bool
		after int // of silence, in milliseconds, that the client is to take for a lost connection; 0 for none
	}
	failures := []failure{
		{"status 404", func(c *sse.Conn) error { return c.Head(404, "Content-Length: 0") },
			func(r *subject.Report) bool { return r.Cause == subject.CauseStatus || r.Status == 404 }, 0},
		{"content type text/plain", func(c *sse.Conn) error {
			return c.Head(200, "Content-Type: text/plain", "Content-Length: 0")
		}, func(r *subject.Report) bool { return r.Cause == subject.CauseType || r.Cause == subject.CauseParse }, 0},
		{"a reset connection", (*sse.Conn).Reset, func(r *subject.Report) bool { return r.Cause == subject.CauseNetwork }, 0},
	}
	if t.Can(subject.IdleTimeout) {
		failures = append(failures, failure{"a silence of 300 ms", func(c *sse.Conn) error {
			if err := c.Head(200, "Content-Type: text/event-stream"); err != nil {
				return err
			}
			c.AwaitGone()
			return nil
		}, func(r *subject.Report) bool { return r.Cause == subject.CauseTimeout }, 300})
	}
	for _, each := range failures {
		s := t.Serve(func(c *sse.Conn) error {
			if _, err := c.Request(); err != nil {
				return err
			}
			return each.fail(c)
		})
		o := subject.Open{URL: s.URL("/")}
		if each.after > 0 {
			o.IdleTimeoutMS = &each.after
		}
		f := t.Follow(o)
		reports, ok := f.Await(2*patience, func(all []subject.Report) bool { return len(of(all, subject.EvError)) > 0 })
		want := "an error that says that the cause is " + each.what
		switch {
		case !ok && len(s.Requests()) == 0:
			t.Unknown("the client sent no request to fail")
		case !ok:
			t.sure(patience, "no error")
			t.Deviation(want, "no error", told(reports))
		case !each.fits(&of(reports, subject.EvError)[0]):
			t.Deviation(want, "another cause, or none", told(of(reports, subject.EvError)[:1]))
		}
		f.closed()
	}
	t.Count(len(failures))
	t.Conclude("the cause of each")
}

// live counts the connections that are open at once.
type live struct {
	mu        sync.Mutex
	now, most int
}

func (l *live) add(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now += n
	l.most = max(l.most, l.now)
}

// SSE-API-011: A subscription never has more than one connection: what ends twice, as end and as close, reconnects once.
func oneConnection(t *Trial) {
	const (
		losses  = 60
		atLeast = 6
		budget  = 25 * time.Second
	)
	t.Allow(budget + returnWithin)
	var open live
	until := time.Now().Add(budget)
	finished := make(chan struct{})
	var once sync.Once
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Request(); err != nil {
			return err
		}
		open.add(1)
		head := []string{"Content-Type: text/event-stream"}
		if c.Number%3 == 2 {
			head = append(head, "Transfer-Encoding: chunked")
		}
		err := c.Head(200, head...)
		text := fmt.Sprintf("%sdata: %d\n\n", comeBack, c.Number)
		if c.Number%3 == 2 && err == nil {
			err = c.Chunk([]byte(text))
		} else if err == nil {
			err = c.Send(text)
		}
		if c.Number >= losses || c.Number >= atLeast && time.Now().After(until) {
			once.Do(func() { close(finished) })
			c.AwaitGone()
			open.add(-1)
			return err
		}
		held := make(chan struct{})
		time.AfterFunc(3*soon*time.Millisecond, func() { close(held) }) // a second connection would come meanwhile
		c.Hold(held)
		open.add(-1) // before the client can see it
		switch c.Number % 3 {
		case 1:
			return c.Reset()
		case 2:
			return c.Send("ff\r\ndata: cut off")
		}
		return err
	})
	t.Follow(t.quickly(s.URL("/")))
	t.begun(s)
	for n, since := 0, time.Now(); !t.until(finished, 500*time.Millisecond); {
		switch now := len(s.Requests()); {
		case now > n:
			t.suite.returns.note(now, true, 0)
			n, since = now, time.Now()
		case time.Since(since) > returnWithin || t.givenUp() || t.staysAway():
			t.Unknown("the client did not come back within %s after loss %d of %d", brief(time.Since(since)), n, losses)
		}
	}
	t.pass(500 * time.Millisecond) // a second connection for the last loss would come meanwhile
	requests := len(s.Requests())
	t.Count(requests - 1)
	open.mu.Lock()
	most := open.most
	open.mu.Unlock()
	want := "one connection at a time, and one new one for each loss"
	if most > 1 {
		t.Fail(want, fmt.Sprintf("%s at once, %s in all", conformance.Plural(most, "connection"), conformance.Plural(requests, "request")))
	}
	t.Pass(fmt.Sprintf("%s by FIN, reset and a chunk that was cut off, one new connection for each", conformance.Plural(requests-1, "loss")))
}

// SSE-API-012: A reconnection that is waited for keeps the subscription alive: neither the process nor the event loop nor the garbage
// collector ends it.
func waitingKeepsAlive(t *Trial) {
	t.apart() // a process with something to do would stay alive for that
	const wait = 2 * time.Second
	t.Allow(returnWithin)
	s := t.play(subject.Open{}, func(c *sse.Conn, v *visit) error {
		if v.Number > 0 {
			return control(c, "again")
		}
		if err := stream(c, fmt.Sprintf("retry: %d\ndata: x\n\n", wait.Milliseconds())); err != nil {
			return err
		}
		return c.Reset()
	})
	t.comesFirst(s)
	if _, ok := s.comes(2, returnWithin); !ok {
		t.late(wait, fmt.Sprintf("a new request after a reconnection time of %v", wait), s.outcome())
	}
	t.Pass("the client came back")
}
