package client

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// first is what comes of a plain stream, before anything is judged.
type first struct {
	asked bool   // a request came
	lacks string // what did not come; "" when an event of the stream was reported
}

// gate is the requirement that says it when nothing comes of a plain stream.
func (f *first) gate() string {
	if f.asked {
		return "SSE-PARSE-001"
	}
	return "SSE-HTTPC-001"
}

// skips says why a requirement is not judged, "" when it is: nothing is without a request, and of what an application sees nothing without an event.
func (f *first) skips(requirement string) string {
	switch {
	case f.lacks == "" || requirement == f.gate():
		return ""
	case f.asked && !byReport(requirement) && !slices.Contains(whenClosed, requirement):
		return ""
	}
	return f.stands()
}

// stands says on what it rests.
func (f *first) stands() string {
	return fmt.Sprintf("it rests on what the client does not do at a plain stream: see %s", f.gate())
}

// hears skips a case that rests on an event, of a client of which none was ever reported.
func (t *Trial) hears() {
	if t.suite.first.lacks != "" {
		t.Skip("%s", t.suite.first.stands())
	}
}

// follows has the client follow a plain stream; a second time, in a process of its own, when nothing came of it.
func (s *suite) follows(ctx context.Context) first {
	shared, err := s.session(ctx)
	if err != nil {
		return first{lacks: err.Error()}
	}
	seen := s.followsIn(ctx, shared, beginWithin/2)
	if seen.lacks == "" || ctx.Err() != nil {
		return seen
	}
	own, err := s.begin(ctx)
	if err != nil {
		return seen
	}
	defer func() { _ = own.End() }() // how it ended is told where it matters
	return s.followsIn(ctx, own, beginWithin/2)
}

func (s *suite) followsIn(whole context.Context, in *subject.Session, begin time.Duration) first {
	server, err := sse.Serve(whole, sse.ServerOptions{}, func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil {
			return err
		}
		// Again and again, and soon with much behind: one client shows an event with the next one only, another when a buffer is full.
		for n := 0; whole.Err() == nil; n++ {
			filling := strings.Repeat(":"+strings.Repeat(" ", 1<<10)+"\n", min(4, n/5))
			if err := c.Segments(200*time.Millisecond, []byte("data: hello\n\n"+filling), nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return first{asked: true} // the harness's trouble, which the cases will meet as well
	}
	defer server.Close()
	conn, err := in.Open(subject.Open{URL: server.URL("/")})
	if err != nil {
		return first{lacks: ending(in, "it was told to follow a plain stream")}
	}
	defer func() { _ = conn.Close(); conn.Forget() }() // a session that has ended needs neither
	enough := func(r []subject.Report) bool {
		return len(of(r, subject.EvEvent)) > 0 || finalOf(r) != nil && time.Since(finalOf(r).At) > afterFinal
	}
	asking, stop := context.WithTimeout(whole, begin)
	defer stop()
	go func() {
		select {
		case <-in.Over(): // nothing more will come
			stop()
		case <-asking.Done():
		}
	}()
	within := time.Duration(0)
	if _, err := server.Await(asking, 1); err == nil {
		within = 2 * patience
	}
	reporting, cancel := context.WithTimeout(whole, within)
	defer cancel()
	reports, _ := conn.Await(reporting, enough) // what there was until then says it
	requests := len(server.Requests())
	said := strings.Join(told(reports[max(0, len(reports)-3):]), ", ")
	switch {
	case len(of(reports, subject.EvEvent)) > 0:
		return first{asked: true}
	case in.Err() != nil:
		return first{requests > 0, ending(in, "it followed a plain stream")}
	case requests == 0:
		return first{false, notSaid("no request came within "+brief(begin), said)}
	}
	return first{true, notSaid(fmt.Sprintf("no event was reported within %s of a stream that repeats one, after %s", brief(2*patience), conformance.Plural(requests, "request")), said)}
}

func notSaid(what, said string) string {
	if said == "" {
		return what + "; nothing was reported"
	}
	return what + "; reported was: " + said
}

// ending says how a session ended, and during what.
func ending(in *subject.Session, during string) string {
	return subject.Ending(in.Err(), during)
}

// aboutRequests are the requirements of the areas PARSE and API that are judged by the requests of a client alone; the others of these areas rest on
// what its adapter reports.
var aboutRequests = []string{"SSE-PARSE-035", "SSE-PARSE-038", "SSE-API-005", "SSE-API-006", "SSE-API-011", "SSE-API-012", "SSE-API-013"}

// whenClosed are those among them whose client is closed once it has reported an event.
var whenClosed = []string{"SSE-API-005", "SSE-API-006"}

// byReport says that a requirement is judged by what the client's adapter reports.
func byReport(requirement string) bool {
	area := conformance.AreaOf(requirement)
	return (area == "PARSE" || area == "API") && !slices.Contains(aboutRequests, requirement)
}

// ofEither says of a verdict that rests on reports that the adapter can be to blame for it as well as its client.
func ofEither(v conformance.Verdict) conformance.Verdict {
	const said = "client or adapter: print in the client's own callback what comes, and compare"
	missed := v.Outcome == conformance.Fail || v.Outcome == conformance.Warn
	if missed && byReport(v.ID) {
		v.Reason = strings.TrimPrefix(v.Reason+"; "+said, "; ")
	}
	return v
}

// returns is whether the client was ever seen to come back after a loss.
type returns struct {
	seen   atomic.Bool
	missed atomic.Int32 // waits for it that were long enough, and in vain
}

// enoughMissed is how many waits in vain, one for each kind of loss and more, show that a client never comes back.
const enoughMissed = 4

// note counts a wait for the n-th request of a subscription.
func (r *returns) note(n int, came bool, within time.Duration) {
	switch {
	case n < 2:
	case came:
		r.seen.Store(true)
	case within >= returnWithin:
		r.missed.Add(1)
	}
}

// staysAway says that the client was never seen to come back, and often enough not to, so that nobody need wait for it any more.
func (t *Trial) staysAway() bool {
	away := !t.suite.returns.seen.Load() && t.suite.returns.missed.Load() >= enoughMissed
	if away {
		t.Settled()
	}
	return away
}
