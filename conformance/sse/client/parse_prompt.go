package client

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// promptCases are about when an event is dispatched. They are alone, since a client of one thread that follows many streams is late for each.
var promptCases = []Case{
	{Requirement: "SSE-PARSE-015", Alone: true, Run: func(t *Trial) { promptly(t, 10, "data: %d\r\r", t.Duration("within")) }},
	{Requirement: "SSE-PARSE-026", Alone: true, Run: func(t *Trial) { promptly(t, 20, "data: only 20 b %03d\n\n", t.Duration("dispatch_p99")) }},
	{Requirement: "SSE-PARSE-042", Alone: true, Run: promptlyDecoded},
}

// promptly sends events one by one, each when the one before was reported and a silence has passed, and judges how long they take. A SHOULD of
// few samples is judged by the slowest.
func promptly(t *Trial, samples int, form string, within time.Duration) {
	send, sent := make(chan string), make(chan time.Time)
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream(); err != nil || c.Number > 0 {
			return err
		}
		return serveOnDemand(t, send, sent, func(text string) error { return c.Send(text) })
	})
	f := t.Follow(subject.Open{URL: s.URL("/")})
	t.begun(s)
	slowest := t.dispatches(f, samples, within, form, send, sent)
	t.Pass(fmt.Sprintf("the slowest of %d took %v", samples, slowest.Round(time.Millisecond/10)))
}

// serveOnDemand sends what is asked for and says when that was done, until the case is over.
func serveOnDemand(t *Trial, send <-chan string, sent chan<- time.Time, write func(string) error) error {
	for {
		select {
		case text := <-send:
			if err := write(text); err != nil {
				return err
			}
		case <-t.Context().Done():
			return nil
		}
		select {
		case sent <- time.Now():
		case <-t.Context().Done():
			return nil
		}
	}
}

// quiet is the silence in front of each event: whatever was on its way has arrived.
const quiet = 30 * time.Millisecond

// dispatches has events sent and fails the case when one of them is not reported within the bound. It returns the longest time.
func (t *Trial) dispatches(f *Follower, samples int, within time.Duration, form string, send chan<- string, sent <-chan time.Time) (slowest time.Duration) {
	want := fmt.Sprintf("each event within %v of its last byte, although nothing follows it", within)
	for i := range samples {
		t.pass(quiet)
		text := fmt.Sprintf(form, i)
		var at time.Time
		select {
		case send <- text:
		case <-time.After(patience):
			t.late(patience, want, fmt.Sprintf("the client left the connection before event %d", i+1))
		}
		select {
		case at = <-sent:
		case <-time.After(patience):
			t.Unknown("event %d could not be sent within %v", i+1, patience)
		}
		t.Count(1)
		reports, ok := f.awaitEvents(i+1, patience)
		evidence := []string{"sent: " + sse.Escape([]byte(text))}
		if !ok {
			t.late(patience, want, fmt.Sprintf("event %d was not reported within %v", i+1, patience), evidence)
		}
		took := of(reports, subject.EvEvent)[i].At.Sub(at)
		if slowest = max(slowest, took); took > within {
			t.late(took-within, want, fmt.Sprintf("event %d took %v", i+1, took.Round(time.Millisecond)), evidence)
		}
	}
	return slowest
}

// SSE-PARSE-042: A body in a content coding that the client accepted is decoded as it comes.
func promptlyDecoded(t *Trial) {
	accepted := make(chan string, 1)
	asked := t.Serve(func(c *sse.Conn) error {
		r, err := c.Stream()
		if err != nil {
			return err
		}
		select {
		case accepted <- strings.Join(r.Header.Values("Accept-Encoding"), ","):
		default:
		}
		c.Hold(nil)
		return nil
	})
	first := t.Follow(subject.Open{URL: asked.URL("/")})
	t.begun(asked)
	header := <-accepted
	first.closed()
	within := t.Duration("dispatch_p99")
	var judged []string
	for _, coding := range []string{"gzip", "deflate"} {
		if !accepts(header, coding) {
			continue
		}
		t.inCoding(coding, within)
		judged = append(judged, coding)
	}
	if judged == nil {
		t.Skip("the client accepts neither gzip nor deflate: its Accept-Encoding is %q", header)
	}
	t.Pass("text and time are right in " + strings.Join(judged, " and "))
}

// accepts says whether an Accept-Encoding names a coding and does not exclude it.
func accepts(header, coding string) bool {
	for member := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(member, ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}

func (t *Trial) inCoding(coding string, within time.Duration) {
	const samples = 20
	send, sent := make(chan string), make(chan time.Time)
	s := t.Serve(func(c *sse.Conn) error {
		if _, err := c.Stream("Content-Encoding: " + coding); err != nil || c.Number > 0 {
			return err
		}
		var w interface {
			io.Writer
			Flush() error
		} = gzip.NewWriter(c)
		if coding == "deflate" {
			w = zlib.NewWriter(c)
		}
		return serveOnDemand(t, send, sent, func(text string) error {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return w.Flush()
		})
	})
	f := t.Follow(subject.Open{URL: s.URL("/")})
	t.begun(s)
	t.dispatches(f, samples, within, "data: grüß dich, %d\n\n", send, sent)
	for i, e := range events(f.Reports()) {
		if want := fmt.Sprintf("grüß dich, %d", i); e.data != want {
			t.Fail(want+" in "+coding, e.data)
		}
	}
	f.closed()
}
