package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// limitCases are those of the area LIMIT: what is refused because it is too much. Limits that are not known are looked for, with
// modest numbers; those of connections and rates by themselves, because they may be common to all clients.
var limitCases = []Case{
	{Requirement: "SSE-LIMIT-001", Turn: demanding, Run: sizeLimitIsExact},
	{Requirement: "SSE-LIMIT-002", On: openStream, Turn: demanding, Run: connectionsOverTheLimitAreRefused},
	{Requirement: "SSE-LIMIT-003", On: openStream, Turn: demanding, Run: closedConnectionsFreeTheirPlaces},
	{Requirement: "SSE-LIMIT-004", Turn: demanding, Asks: 500, Run: rateLimitSaysWhenToComeBack},
	{Requirement: "SSE-LIMIT-005", On: okAnswer, Turn: provoking, Run: overlongRequestsAreRefused},
	{Requirement: "SSE-LIMIT-006", Turn: demanding, Asks: 500, Run: fullServerKeepsItsPace},
	{Requirement: "SSE-LIMIT-007", On: openStream, Run: manyStreamsOfOnePage},
	{Requirement: "SSE-LIMIT-008", Turn: waiting, Run: halfOpenRequestsAreTimedOut},
	{Requirement: "SSE-LIMIT-009", Turn: demanding, Asks: 500, Run: burstLosesNothingAcknowledged},
	{Requirement: "SSE-LIMIT-010", Turn: waiting, Run: halfOpenRequestsHarmNobody},
	{Requirement: "SSE-LIMIT-011", On: openStream, Turn: demanding, Run: closesWhatTheDepartedHad},
	{Requirement: "SSE-LIMIT-012", On: openStream, Turn: demanding, Run: closesWhatTheRefusedHad},
}

// "A publish over the size limit gets 413; at the limit it is delivered intact."
func sizeLimitIsExact(t *Trial) {
	stream := t.Stream()
	last, over := sizeLimit(t, stream)
	status := over.Status
	actual := fmt.Sprintf("%d bytes were accepted, one byte more: %s", last, over.String())
	t.Count(2)
	t.Classify(actual, nil,
		conformance.Class{Outcome: conformance.Pass, Text: "status 413 for a message over the limit", Holds: status == http.StatusRequestEntityTooLarge},
		conformance.Class{Outcome: conformance.Warn, Text: "a connection that is closed without an answer", Holds: over.Acceptance == Indeterminate && status == 0},
	)
	var p *Tap
	for range 3 { // a reader that was too slow for once may have been disconnected
		p = t.Subscribe([]string{stream}, Voluminous())
		marker, data := t.Unique(), payloadOf(t, last)
		t.Send(stream, marker)
		t.Await(p, "a first message is awaited", func(r *Record) bool { return r.contains(marker) })
		t.Send(stream, data)
		if t.Await(p, "a message of the largest size is awaited", func(r *Record) bool {
			return slices.ContainsFunc(r.Events, func(e Event) bool { return carries(e.Data, data) })
		}) {
			t.Conclude(actual)
		}
		if ended, _ := p.Ended(); !ended {
			break
		}
	}
	t.Absence(fmt.Sprintf("a message of %s, the largest that is accepted, as it was published", conformance.Plural(last, "byte")), sizeUnmet(t, p, last), tail(p.Evidence()))
	t.Conclude(actual)
}

// sizeUnmet words what came of a message of the largest size.
func sizeUnmet(t *Trial, p *Tap, size int) string {
	newest := 0
	p.Look(func(r *Record) {
		for _, e := range r.Events {
			newest = max(newest, len(e.Data))
		}
	})
	return fmt.Sprintf("it did not within %v: the largest event that came has %d of %d bytes of data, and %d bytes of the stream came in all", t.arrival, newest, size, p.Bytes())
}

// sizeLimit is the size of the largest message that is accepted, and the answer to one byte more. A known limit is checked on both sides;
// one that is not known is searched.
func sizeLimit(t *Trial, stream string) (last int, over Receipt) {
	try := func(size int) Receipt { return t.Publish(Message{Stream: stream, Data: payloadOf(t, size)}) }
	if text := t.Text("limit"); text != "" {
		limit := int(t.Number("limit"))
		if r := try(limit); r.Acceptance != Acknowledged {
			t.Fail(fmt.Sprintf("a message of %s, the limit, is accepted", conformance.Plural(limit, "byte")), r.String())
		}
		r := try(limit + 1)
		if r.Acceptance == Acknowledged {
			t.Fail(fmt.Sprintf("status 413 for a message of %s, one over the limit", conformance.Plural(limit+1, "byte")), r.String())
		}
		return limit, r
	}
	largest := int(t.Number("largest"))
	last, first := 0, 64
	for ; ; first *= 2 {
		if over = try(first); over.Acceptance != Acknowledged {
			break
		}
		if last = first; last >= largest {
			t.Skip("no limit up to %s: --set %s.limit=BYTES tells of one", conformance.Plural(largest, "byte"), t.Requirement.ID)
		}
	}
	if last == 0 {
		t.Unknown("not even %d bytes were accepted: %s", first, over.String())
	}
	for first-last > 1 {
		t.interrupted()
		middle := last + (first-last)/2
		if r := try(middle); r.Acceptance == Acknowledged {
			last = middle
		} else {
			first, over = middle, r
		}
	}
	return last, over
}

// payloadOf is text of so many bytes that begins in a way of its own when there is room.
func payloadOf(t *Trial, size int) string {
	head := t.Unique() + " "
	return (head + strings.Repeat("x", max(0, size-len(head))))[:size]
}

// connectionLimit is how many connections a user may have: as declared, else as found. The connections are open, the newest last, and
// refused is the answer to one more; nil when no limit was found.
func connectionLimit(t *Trial) (limit int, open []*Tap, refused *Tap, client Option, stream string) {
	stream = t.Stream()
	client = t.oneClient(stream)
	limit, most := 0, int(t.Number("most"))
	if t.Text("limit") != "" {
		limit = int(t.Number("limit"))
		most = limit + 1
	}
	for len(open) < most {
		p := reply(t, []string{stream}, client)
		if p.Status() != http.StatusOK {
			refused = p
			break
		}
		open = append(open, p)
	}
	if limit == 0 {
		limit = len(open)
	}
	switch {
	case len(open) == 0:
		t.Unknown("not even one connection was accepted: %s", answerText(refused))
	case refused == nil && t.Text("limit") == "":
		t.Skip("no limit was met with %s of one user: --set %s.limit=N tells of one", conformance.Plural(most, "connection"), t.Requirement.ID)
	}
	return limit, open, refused, client, stream
}

// "Connections over the per-user/IP/token limit get 429 (or 503) with Retry-After; existing ones are not evicted in a loop."
func connectionsOverTheLimitAreRefused(t *Trial) {
	limit, open, refused, client, stream := connectionLimit(t)
	const expected = "status 429 or 503 with Retry-After for each connection over the limit, and no end of those before it"
	if refused != nil && oneAtATime(open, refused) && t.Text("limit") == "" {
		t.Info(fmt.Sprintf("a client has one stream at a time: a second one is refused with status %d", refused.Status()))
	}
	const more = 5
	positions := t.positionsOf(open)
	for n := range more {
		if refused == nil {
			t.Deviation(expected, fmt.Sprintf("connection %d of one user was accepted, the limit is %d", len(open), limit))
			break
		}
		switch status := refused.Status(); {
		case !turnsAway(status):
			t.Deviation(expected, fmt.Sprintf("over the limit of %d: %s", limit, answerText(refused)), refused.Head())
		case refused.Header("Retry-After") == "":
			t.Deviation(expected, fmt.Sprintf("over the limit of %d: %s without Retry-After", limit, answerText(refused)), refused.Head())
		}
		if t.Deviated() {
			break
		}
		refused = overTheLimit(t, stream, client, From(positions[n%len(positions)]))
	}
	stay(t, open)
	t.Count(len(open) + more)
	for i, p := range open {
		if ended, err := p.Ended(); ended {
			t.Deviation(expected, fmt.Sprintf("connection %d of %d ended when there were more: %s", i+1, len(open), endText(err)), p.Evidence())
			break
		}
	}
	t.Conclude(fmt.Sprintf("beyond %d connections of one user there were refusals, and those before stayed", limit))
}

// positionsOf are none, and where there is one, that of connections that are open: a limit is the same for who comes back.
func (t *Trial) positionsOf(open []*Tap) []string {
	positions := []string{""}
	if len(t.ways()) > 1 {
		if _, ok := t.Fence(open[0]); ok {
			positions = append(positions, open[0].LastEventID())
		}
	}
	return positions
}

// overTheLimit tries one connection more; nil when it was accepted.
func overTheLimit(t *Trial, stream string, client, from Option) *Tap {
	p := reply(t, []string{stream}, client, from)
	if p.Status() == http.StatusOK {
		return nil
	}
	return p
}

// stay gives connections the time to show that they were ended: all get a marker, or a moment.
func stay(t *Trial, open []*Tap) {
	marker := t.Unique()
	if t.Subject.Publish != nil {
		t.Send(open[0].Streams[0], marker)
	}
	for i, p := range open {
		if t.Subject.Publish != nil || i == 0 {
			p.Await(t.Context(), leakTime, func(r *Record) bool { return r.contains(marker) })
		}
	}
	t.interrupted()
}

// "A closed connection frees its slot at once (<= 2 heartbeats for dead peers)."
func closedConnectionsFreeTheirPlaces(t *Trial) {
	atOnce, late := t.Duration("at_once"), max(t.arrival, 2*t.Subject.Heartbeat)
	rounds := int(t.Number("rounds"))
	limit, open, refused, client, stream := connectionLimit(t)
	if refused == nil {
		t.Skip("the limit of %s is not kept, so no place needs to become free", conformance.Plural(limit, "connection"))
	}
	limit = len(open)
	var slowest time.Duration
	refused.Close() // whatever it is, it must not hold a place
	positions := t.positionsOf(open)
	for range rounds {
		reply(t, []string{stream}, client).Close() // nor may this
		for _, p := range open {
			p.Close()
		}
		open = open[:0]
		began := time.Now()
		for len(open) < limit {
			p := reply(t, []string{stream}, client, From(positions[len(open)%len(positions)]))
			if p.Status() == http.StatusOK {
				if open = append(open, p); len(open) == 1 { // there is room now
					abandon(t, t.Request([]string{stream}, client))
				}
				continue
			}
			if waited := time.Since(began); waited > late {
				t.Fail(fmt.Sprintf("%d places again as soon as %d connections were closed", limit, limit),
					fmt.Sprintf("%v after that there were %s: %s", waited.Round(time.Millisecond), conformance.Plural(len(open), "place"), answerText(p)), p.Head())
			}
			p.Close()
			t.wait(20 * time.Millisecond)
			slowest = max(slowest, time.Since(began))
		}
		t.Count(limit)
	}
	if slowest > atOnce {
		t.Warn(fmt.Sprintf("places that are free within %v", atOnce), fmt.Sprintf("closed connections kept their places for %v", slowest.Round(time.Millisecond)))
	}
	t.Pass(fmt.Sprintf("%d times all %d places were free at once", rounds, limit))
}

// abandon sends requests whose clients leave before there is an answer: with RST, and with FIN.
func abandon(t *Trial, req *sse.Request) {
	for _, reset := range []bool{true, false} {
		x := t.Dial(req)
		if x.Write(http.MethodGet, "HTTP/1.1", req) != nil {
			continue
		}
		x.leave(reset)
	}
}

// "A publish beyond the limit of a rate is answered with 429 and Retry-After."
func rateLimitSaysWhenToComeBack(t *Trial) {
	stream := t.Stream()
	receipts, _ := burstOf(t, stream, t.affordable(int(t.Number("burst"))))
	limited := 0
	for i, r := range receipts {
		if r.Status < 400 {
			continue
		}
		limited++
		if retry := http.Header(r.Header).Get("Retry-After"); (r.Status != http.StatusTooManyRequests || retry == "") && !t.Deviated() {
			t.Deviation("status 429 with Retry-After", fmt.Sprintf("message %d of a burst: %s, Retry-After %q", i+1, r.String(), retry))
		}
	}
	t.Count(limited)
	if limited == 0 {
		t.Skip("no limit was met with a burst of %s", conformance.Plural(len(receipts), "message"))
	}
	t.Conclude(fmt.Sprintf("%d of a burst of %d messages were refused with 429 and Retry-After", limited, len(receipts)))
}

// "A burst beyond the limit of a rate loses nothing of what was acknowledged."
func burstLosesNothingAcknowledged(t *Trial) {
	f := t.follow([]string{t.Stream()})
	stream := f.streams[0]
	receipts, s := burstOf(t, stream, t.affordable(int(t.Number("burst"))))
	var acknowledged []int
	for i, r := range receipts {
		if r.Acceptance == Acknowledged {
			acknowledged = append(acknowledged, i+1)
		}
	}
	marker := t.Unique()
	t.Send(stream, marker)
	if !f.hears(marker) {
		silent(t, f.tap())
	}
	missed := func() []int {
		got := s.numbers(0, f.seen)
		return slices.DeleteFunc(slices.Clone(acknowledged), func(n int) bool { return slices.Contains(got, n) })
	}
	t.Count(len(acknowledged))
	lost := missed()
	if len(lost) > 0 && f.hearsWithin(s.text(0, lost[0]), blind) { // the marker need not be the last
		lost = missed()
	}
	if len(lost) > 0 {
		f.mustOwe()
		t.Fail("every acknowledged message", fmt.Sprintf("%s, %d of %d, did not arrive, though a message did that was published after them", spans(lost), len(lost), len(acknowledged)), tail(f.tap().Evidence()))
	}
	t.Pass(fmt.Sprintf("of a burst of %d messages %d were acknowledged, and all of them arrived", len(receipts), len(acknowledged)))
}

// burstOf publishes many messages at once, by one publisher, and returns what became of message n at n-1.
func burstOf(t *Trial, stream string, size int) ([]Receipt, series) {
	token := ""
	if t.Subject.Mint != nil {
		token = minted(t, Grant{Publish: []string{stream}})
	}
	s, receipts := t.series(), make([]Receipt, size)
	const atOnce = 8
	var publishing sync.WaitGroup
	for i := range atOnce {
		t.Beside(&publishing, func() {
			for n := i; n < size; n += atOnce {
				receipts[n] = t.Publish(Message{Stream: stream, Data: s.text(0, n+1), Token: token})
			}
		})
	}
	publishing.Wait()
	t.interrupted()
	return receipts, s
}

// "Over-long URLs/headers give 414/431; too many topics give 400."
func overlongRequestsAreRefused(t *Trial) {
	long := strings.Repeat("x", 64*kib)
	attempts := []struct {
		name   string
		option Option
	}{
		{"a query of 64 KiB", inQuery("streamgauge", long)},
		{"a header field of 64 KiB", With("X-Streamgauge", long)},
	}
	const expected = "status 414 or 431, or another 4xx"
	for _, a := range attempts {
		p, err := t.Open([]string{t.Stream()}, a.option)
		t.interrupted()
		switch {
		case err != nil:
			t.Tolerated(expected, fmt.Sprintf("%s: %v", a.name, err))
		case p.Status() < 400 || p.Status() > 499:
			t.Deviation(expected, fmt.Sprintf("%s: %s", a.name, answerText(p)), p.Head())
		}
	}
	if t.Subject.Many {
		tooManyStreams(t)
	}
	t.Count(len(attempts))
	t.Conclude("over-long requests were refused with 4xx")
}

// tooManyStreams is no deviation when so many may be followed.
func tooManyStreams(t *Trial) {
	names := make([]string, int(t.Number("streams")))
	for i := range names {
		names[i] = "s" + strconv.Itoa(i)
	}
	p, err := t.Open(names)
	t.interrupted()
	if err == nil && p.Status() >= 500 {
		t.Deviation("status 400, or a stream", fmt.Sprintf("%s at once: %s", conformance.Plural(len(names), "stream"), answerText(p)), p.Head())
	}
}

// "Global connection cap: above it connects are refused quickly and existing streams keep their latency."
func fullServerKeepsItsPace(t *Trial) {
	if t.Text("cap") == "" {
		t.Skip("needs to know how many connections the target takes: --set %s.cap=N", t.Requirement.ID)
	}
	most := int(t.Number("cap"))
	t.Allow(defaultPatience)
	stream := t.Stream()
	readers := []*follower{t.follow([]string{stream}), t.follow([]string{stream})}
	v := t.volume(stream, kib)
	usual := v.middle(readers)
	t.Doing("%d connections are opened", most)
	for range most - len(readers) {
		if p := reply(t, []string{t.Stream()}); p.Status() != http.StatusOK {
			break
		}
	}
	refused := 0
	for range max(1, most/5) {
		began := time.Now()
		p, err := t.Open([]string{t.Stream()})
		t.interrupted()
		took := time.Since(began)
		if err == nil && p.Status() == http.StatusOK {
			t.Fail(fmt.Sprintf("no more than %s", conformance.Plural(most, "connection")), "one more was accepted: "+answerText(p), p.Head())
		}
		if quick := t.Duration("refused_within"); took > quick {
			t.Late(took-quick, fmt.Sprintf("a refusal within %v", quick), fmt.Sprintf("it took %v", took.Round(time.Millisecond)))
		}
		refused++
	}
	full := v.middle(readers)
	bound := time.Duration(t.Number("factor")*float64(usual)) + t.Duration("allowance")
	t.Count(refused)
	if full > bound {
		t.Late(full-bound, fmt.Sprintf("messages that arrive within %v, as on an idle server (%v)", shown(bound), shown(usual)), fmt.Sprintf("%v with %s", shown(full), conformance.Plural(most, "connection")))
	}
	t.Pass(fmt.Sprintf("%d connections over %d were refused; messages took %v, and %v before", refused, most, shown(full), shown(usual)))
}

// middle is how long a message takes to reach all readers: the median of several.
func (v *volume) middle(readers []*follower) time.Duration {
	const messages = 51
	times := make([]time.Duration, 0, messages)
	for range messages {
		times = append(times, v.lap(1, readers, v.t.arrival).heard)
	}
	slices.Sort(times)
	return times[messages/2]
}

// "Request heads that are not finished (slowloris) are timed out."
func halfOpenRequestsAreTimedOut(t *Trial) {
	within := t.Duration("within")
	wait := t.longest(within)
	t.Allow(wait)
	half := halfOpen(t)
	deadline := time.Now().Add(wait)
	open := 0
	for _, x := range half {
		if !x.closes(t, deadline) {
			open++
		}
	}
	t.interrupted()
	t.Count(len(half))
	still := fmt.Sprintf("%d of %d were still open", open, len(half))
	if open > 0 && wait < within {
		t.Skip("%s after %v, and %v are allowed: --hold %v waits for that", still, wait, within, within)
	}
	if open > 0 {
		t.Fail(fmt.Sprintf("the end of a request whose head is not complete after %v", within), still)
	}
	t.Pass(fmt.Sprintf("%d half requests were timed out", len(half)))
}

// "Request heads that are not finished do not keep others from getting their events."
func halfOpenRequestsHarmNobody(t *Trial) {
	f := t.follow([]string{t.Stream()})
	if first := f.goesOn(); !first && !f.goesOn() { // the first message behind a head may be lost, which is another requirement's
		silent(t, f.tap())
	}
	half := halfOpen(t)
	t.Count(len(half))
	if r := t.Publish(Message{Stream: f.streams[0], Data: t.Unique()}); r.Err != nil && os.IsTimeout(r.Err) {
		t.Absent("publishers and streams that go on", fmt.Sprintf("with %s open, a message was not acknowledged within %v", conformance.Plural(len(half), "half request"), r.Took.Round(time.Millisecond)))
	}
	if !f.goesOn() {
		f.mustOwe()
		t.Absent("streams that go on", fmt.Sprintf("with %s open, a stream was silent", conformance.Plural(len(half), "half request")), f.tap().Evidence())
	}
	t.Pass(fmt.Sprintf("with %s open, a stream went on", conformance.Plural(len(half), "half request")))
}

// halfOpen are requests whose heads do not end.
func halfOpen(t *Trial) []*Exchange {
	req := t.Request([]string{t.Stream()})
	half := make([]*Exchange, 0, 100)
	for range cap(half) {
		x := t.Dial(req)
		if _, err := fmt.Fprintf(x.conn, "GET %s HTTP/1.1\r\nHost: %s\r\nX-Half: ", req.URL.RequestURI(), req.URL.Host); err != nil {
			t.interrupted()
			continue // it was closed at once
		}
		half = append(half, x)
	}
	return half
}

// closes says whether the other side closes the connection in time, whatever it says before.
func (x *Exchange) closes(t *Trial, deadline time.Time) bool {
	t.Doing("the end of a half request is awaited")
	if err := x.conn.SetReadDeadline(deadline); err != nil {
		return true
	}
	_, err := io.Copy(io.Discard, x.in)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}
