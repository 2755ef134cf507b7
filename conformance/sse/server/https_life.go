package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "A server compresses a stream only when that was accepted."
func compressionIsAccepted(t *Trial) {
	codings := []string{}
	for _, accepted := range []string{"", "identity", "gzip"} {
		p := answered(t, With("Accept-Encoding", accepted))
		coding := p.Header("Content-Encoding")
		t.Classify(fmt.Sprintf("Accept-Encoding %q gave Content-Encoding: %s", accepted, coding), append(p.Head(), p.Curl()),
			passes("no Content-Encoding that was not asked for", !coded(coding) || strings.EqualFold(coding, accepted)),
			informs("any, without Accept-Encoding", accepted == ""))
		codings = append(codings, fmt.Sprintf("%q gave %q", accepted, coding))
		p.Close()
		if p = t.returned(With("Accept-Encoding", accepted)); p != nil && coded(p.Header("Content-Encoding")) && !coded(coding) && accepted != "gzip" {
			t.Deviation("no Content-Encoding that was not asked for, on a stream that resumed as on a new one", fmt.Sprintf("Accept-Encoding %q gave Content-Encoding: %s", accepted, p.Header("Content-Encoding")), append(p.Head(), p.Curl()))
		}
	}
	t.Count(len(codings))
	t.Conclude("Content-Encoding by Accept-Encoding: " + strings.Join(codings, ", "))
}

// "To tell a client to stop, the server answers 204 (if it has such a state, e.g. finished stream)."
func finishedStreamIsAnsweredWith204(t *Trial) {
	finished := t.Text("stream")
	if finished == "" {
		t.Skip("it is not known which stream is finished: --set %s.stream=NAME names one, if there is any", t.Requirement.ID)
	}
	p, err := t.Open([]string{finished})
	if err != nil {
		t.interrupted()
		t.Unknown("no response: %v", err)
	}
	ended := false
	if p.Status() == http.StatusOK {
		p.Await(t.Context(), lookFor, func(r *Record) bool { return r.Ended })
		ended, _ = p.Ended()
	}
	t.Classify(fmt.Sprintf("status %d", p.Status()), append(p.Head(), p.Curl()),
		conformance.Class{Outcome: conformance.Pass, Text: "status 204", Holds: p.Status() == http.StatusNoContent},
		conformance.Class{Outcome: conformance.Warn, Text: "a stream that ends at once", Holds: ended && p.Bytes() == 0})
	t.Conclude("status 204")
}

// "Overload and limits answer 429/503 with Retry-After."
func overloadSaysWhenToComeBack(t *Trial) {
	limit := int(t.Number("connections"))
	open, refused := openMany(t, limit)
	if refused == nil {
		t.Info(fmt.Sprintf("%d connections of one user were accepted: no limit was met", limit))
	}
	status := refused.Status()
	if oneAtATime(open, refused) {
		t.Info(fmt.Sprintf("a client has one stream at a time: a second one is refused with status %d", status))
	}
	if !turnsAway(status) || refused.Header("Retry-After") == "" {
		t.Fail("status 429 or 503 with Retry-After", fmt.Sprintf("status %d, %s", status, named("Retry-After", refused)), append(refused.Head(), refused.Curl()))
	}
	t.Pass(fmt.Sprintf("status %d, Retry-After: %s", status, refused.Header("Retry-After")))
}

// oneAtATime says that a client's second stream was refused because of its first, and not for want of room.
func oneAtATime(open []*Tap, refused *Tap) bool {
	return len(open) == 1 && refused.Status() < 500 && !turnsAway(refused.Status())
}

// openMany opens connections of one user until one is refused, at most so many; refused is nil when none was.
func openMany(t *Trial, most int) (open []*Tap, refused *Tap) {
	stream := t.Stream()
	client := t.oneClient(stream)
	for range most {
		p, err := t.Open([]string{stream}, client)
		if err != nil {
			t.interrupted()
			t.Unknown("connection %d of one user could not be opened: %v", len(open)+1, err)
		}
		switch {
		case p.Status() >= 400:
			return open, p
		case p.Status() != http.StatusOK:
			t.Unknown("no stream could be opened: the answer was status %d", p.Status())
		}
		open = append(open, p)
	}
	return open, nil
}

// "The server notices a vanished client (FIN, RST) and frees its resources within two heartbeat intervals."
//
// The resource that can be seen from outside is a place under the limit of connections.
func vanishedClientsAreNoticed(t *Trial) {
	limit := int(t.Number("connections"))
	within := 2*max(t.Subject.Heartbeat, t.Duration("heartbeat")) + t.arrival
	stream := t.Stream()
	client := t.oneClient(stream)
	var conns []net.Conn
	dial := Dialing(func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			conns = append(conns, conn)
		}
		return conn, err
	})
	opened := 0
	for _, way := range []struct {
		name  string
		reset bool
	}{{"FIN", false}, {"RST", true}} {
		for ; opened < limit; opened++ {
			p, err := t.Open([]string{stream}, client, dial)
			if err != nil {
				t.interrupted()
				t.Unknown("connection %d of one user could not be opened: %v", opened+1, err)
			}
			if p.Status() != http.StatusOK {
				break
			}
		}
		if opened == 0 {
			t.Unknown("no stream could be opened")
		}
		if opened == limit {
			t.Skip("%d connections of one user were accepted: without a limit it is not seen from outside when one is given up", limit)
		}
		for _, conn := range conns {
			hangUp(conn, way.reset)
		}
		conns = nil
		awaitPlace(t, stream, way.name, within, client, dial)
		opened = 1
	}
	t.Count(2)
	t.Conclude("the place of a client that vanished is free again")
}

// awaitPlace tries until a connection is accepted again, and leaves it open: it is the first of those that vanish next.
func awaitPlace(t *Trial, stream, way string, within time.Duration, opts ...Option) {
	t.Allow(within)
	t.Doing("a place becomes free after %s", way)
	deadline := time.Now().Add(within)
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		p, err := t.Open([]string{stream}, opts...)
		t.interrupted()
		if err == nil && p.Status() == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Absent(fmt.Sprintf("a free place within %v", within), fmt.Sprintf("%v after all connections of a user ended with %s, a new one is still refused", within, way))
		}
		select {
		case <-retry.C:
		case <-t.Context().Done():
		}
	}
}

// "Malformed query parameters and huge Last-Event-ID headers give 4xx, never 5xx or a crash."
func malformedRequestsDoNoHarm(t *Trial) {
	add := func(query string) Option {
		return Editing(func(r *sse.Request) { r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+query, "&") })
	}
	requests := []provocation{
		{what: "a Last-Event-ID of 8 KiB", options: []Option{From(strings.Repeat("9", 8<<10))}},
		{what: "a query with invalid UTF-8", options: []Option{add("streamgauge=%ff%fe")}},
		{what: "a query with NUL", options: []Option{add("streamgauge=%00")}},
		{what: "a query with a broken escape", options: []Option{add("streamgauge=%zz")}},
		{what: "a query with 5,000 parameters", options: []Option{add(strings.Repeat("p=1&", 5000))}},
	}
	for _, request := range requests {
		p, err := t.Open([]string{t.Stream()}, request.options...)
		t.interrupted()
		if err != nil {
			t.Tolerated("a status from 400 to 499, or a stream", request.what+": "+err.Error())
		} else {
			t.Classify(fmt.Sprintf("%s: status %d", request.what, p.Status()), p.Head(),
				conformance.Class{Outcome: conformance.Pass, Text: "a status from 400 to 499, or a stream", Holds: p.Status() < 500},
				conformance.Class{Outcome: conformance.Warn, Text: "503 with Retry-After", Holds: p.Status() == http.StatusServiceUnavailable && p.Header("Retry-After") != ""})
			p.Close()
		}
		if after, err := t.Open([]string{t.Stream()}); err != nil || after.Status() >= 500 {
			t.interrupted()
			t.Absence("a target that goes on serving", "after "+request.what+" a plain subscription is not served any more")
		}
	}
	t.Count(len(requests))
	t.Conclude(fmt.Sprintf("%d malformed requests did no harm", len(requests)))
}

// "Two subscriptions of one client, with the same token and address, both get every event."
//
// A server may also give each client one stream at a time: then it refuses the second one, or ends the first.
func oneClientHasTwoStreams(t *Trial) {
	stream := t.Stream()
	client := t.oneClient(stream)
	first := t.Subscribe([]string{stream}, client)
	second := reply(t, []string{stream}, client)
	t.Count(1)
	if status := second.Status(); status >= 400 && status < 500 || turnsAway(status) {
		t.Info(fmt.Sprintf("a client has one stream at a time: a second one is refused with status %d", status))
	}
	both := []*Tap{first, second}
	const events = 3
	for range events {
		marker := t.Unique()
		t.Send(stream, marker)
		for i, p := range both {
			if t.Await(p, "an event is awaited", func(r *Record) bool { return r.contains(marker) }) {
				continue
			}
			other := t.Await(both[1-i], "an event is awaited", func(r *Record) bool { return r.contains(marker) })
			ended, _ := p.Ended()
			switch {
			case !other:
				silent(t, p)
			case i == 0 && ended:
				t.Info("a client has one stream at a time: the newest takes the place of the one before")
			}
			t.Fail("every event on both connections of a client", fmt.Sprintf("connection %d of 2 did not get an event within %v, and the other one did", i+1, t.arrival), p.Evidence())
		}
	}
	t.Count(2 * events)
	t.Pass("both connections got every event")
}
