package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// drainCases are those of the area DRAIN: graceful shutdown. Each of them shuts the subject down, so each runs by itself.
var drainCases = []Case{
	{Requirement: "SSE-DRAIN-001", Turn: disturbing, Run: drainEndsInTime},
	{Requirement: "SSE-DRAIN-002", Turn: disturbing, Run: drainedStreamsEndCleanly},
	{Requirement: "SSE-DRAIN-003", Turn: disturbing, Run: drainRefusesNewStreams},
	{Requirement: "SSE-DRAIN-004", On: delivery, Turn: disturbing, Run: drainLosesNothing},
	{Requirement: "SSE-DRAIN-005", On: delivery, Turn: disturbing, Run: drainedClientsReturnSpread},
	{Requirement: "SSE-DRAIN-006", On: delivery, Turn: waiting, Run: rotationIsSpread},
	{Requirement: "SSE-DRAIN-007", On: delivery, Turn: waiting, Run: rotationIsLossless},
}

// "On SIGTERM the process ends within its grace period although streams are open."
func drainEndsInTime(t *Trial) {
	grace := t.Duration("grace")
	taps := t.crowd(int(t.Number("streams")))
	began := time.Now()
	err := t.drain(grace + overtime)
	open := 0
	for _, p := range taps {
		if !p.Await(t.Context(), time.Until(began.Add(grace)), func(r *Record) bool { return r.Ended }) {
			open++
		}
	}
	t.interrupted()
	took := max(time.Since(began), lastEnd(taps).Sub(began))
	t.Count(len(taps))
	expected := fmt.Sprintf("the end of all %s and of the drain within %v", conformance.Plural(len(taps), "stream"), grace)
	switch {
	case open > 0:
		t.Fail(expected, fmt.Sprintf("after %v %d streams were still open", grace, open), taps[0].Evidence())
	case took > grace:
		t.Fail(expected, fmt.Sprintf("it took %v", took.Round(time.Millisecond)), taps[0].Evidence())
	case err != nil:
		t.Unknown("the drain command failed: %v", err)
	}
	t.Pass(fmt.Sprintf("%s ended within %v", conformance.Plural(len(taps), "stream"), took.Round(time.Millisecond)))
}

// overtime is how much longer than its grace a drain may take before it is given up.
const overtime = 2 * time.Second

func lastEnd(taps []*Tap) (last time.Time) {
	for _, p := range taps {
		p.Look(func(r *Record) {
			if r.EndedAt.After(last) {
				last = r.EndedAt
			}
		})
	}
	return last
}

// atFirst are those of a crowd that begin in different ways.
const atFirst = 4

// crowd opens so many subscriptions of one stream, of which some begin in each way.
func (t *Trial) crowd(n int, options ...Option) []*Tap {
	stream := []string{t.Stream()}
	taps := make([]*Tap, 0, n)
	for range n {
		if len(taps) < atFirst {
			taps = append(taps, t.inTurn(len(taps), stream, options...))
		} else {
			taps = append(taps, t.Subscribe(stream, options...))
		}
	}
	return taps
}

// drain shuts the subject down, and has it come back when the case is over at the latest.
func (t *Trial) drain(within time.Duration) error {
	t.Allow(within)
	t.Doing("the target is drained")
	t.Cleanup(t.revive)
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return t.Subject.Drain(ctx)
}

// backWithin is how long a drained subject gets to come back by itself before it is restarted.
const backWithin = 5 * time.Second

// revive waits until the subject answers again, for the sake of the cases to come; their verdicts say when it does not.
func (t *Trial) revive() {
	ctx, cancel := context.WithTimeout(context.Background(), backWithin)
	defer cancel()
	if t.answers(ctx) || t.Subject.Restart == nil {
		return
	}
	again, stop := context.WithTimeout(context.Background(), backWithin)
	defer stop()
	if t.Subject.Restart(again) == nil {
		t.answers(again)
	}
}

// answers waits until the subject answers a subscription in any way that is not a drain's.
func (t *Trial) answers(ctx context.Context) bool {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if t.answersNow(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
}

func (t *Trial) answersNow(ctx context.Context) bool {
	s := Subscription{Client: t.suite.name("u"), Streams: []string{t.Stream()}}
	if t.Subject.Mint != nil {
		token, err := t.suite.mint(ctx, Grant{User: s.Client, Subscribe: s.Streams})
		if err != nil {
			return false
		}
		s.Token = token
	}
	req, err := t.Subject.Subscribe(ctx, s)
	if err != nil {
		return false
	}
	stream, err := sse.Open(ctx, nil, req, sse.Options{TLS: t.Subject.TLS})
	if err != nil {
		return false
	}
	defer func() { _ = stream.Close() }() // it was only looked at
	return stream.Response().Status != http.StatusServiceUnavailable
}

// "Streams end cleanly: last chunk (h1), END_STREAM/GOAWAY (h2), after a complete event."
func drainedStreamsEndCleanly(t *Trial) {
	const each = 20
	taps := t.crowd(each)
	if t.Subject.Secure != "" {
		shared := new(sse.HTTP2)
		t.Cleanup(func() { _ = shared.Close() }) // its streams have ended by then
		taps = append(taps, t.crowd(each, At(t.Subject.Secure), OverHTTP2(shared))...)
	}
	if t.Subject.Publish != nil {
		t.Send(taps[0].Streams[0], t.volume(taps[0].Streams[0], usualSize).text(1))
	}
	err := t.drain(t.drainPatience())
	for _, p := range taps {
		if !t.Await(p, "the end of a drained stream is awaited", func(r *Record) bool { return r.Ended }) {
			t.Unknown("a stream was still open %v after the drain: %v", t.arrival, err)
		}
		_, end := p.Ended()
		cut := false
		p.Look(func(r *Record) { cut = r.Pending })
		switch {
		case !errors.Is(end, io.EOF):
			t.Deviation("the end of the body as HTTP wants it", p.Response.Proto+": "+endText(end), tail(p.Evidence()))
		case cut:
			t.Deviation("the end of the body after a complete event", p.Response.Proto+": the stream ended inside an event", tail(p.Evidence()))
		}
	}
	t.Count(len(taps))
	t.Conclude(fmt.Sprintf("%s ended cleanly", conformance.Plural(len(taps), "stream")))
}

// drainPatience is how long a drain may take where that is not what is judged.
func (t *Trial) drainPatience() time.Duration { return 4 * t.arrival }

// "New subscriptions during drain get 503 + Retry-After or are not accepted (readiness off first)."
//
// A subscriber with a backlog that it reads slowly holds up the drain; one that does not read may be given up. Only attempts count that
// were made when another stream had been ended by the drain, and answered before it was over. Who is accepted meanwhile may be with the
// process that takes over: it was wrong only if the drain ends that stream as well.
func drainRefusesNewStreams(t *Trial) {
	first := t.Subscribe([]string{t.Stream()})
	stream := t.Stream()
	_, reading := t.stall(stream)
	reading.Slow(2 * time.Millisecond)
	if t.Subject.Publish != nil {
		t.volume(stream, 64*kib).sendBytes(12 * mib) // more than the kernel keeps of one connection
	}
	over := make(chan struct{})
	t.Go(func() {
		defer close(over)
		_ = t.drain(t.drainPatience()) // that it works is judged by another case
	})
	t.AwaitFor(first, "the drain is awaited", t.drainPatience(), func(r *Record) bool { return r.Ended })
	const expected = "status 503 with Retry-After, or no connection at all"
	refused := 0
	for refused < 20 {
		p, err := t.Open([]string{t.Stream()})
		if isClosed(over) {
			break
		}
		switch {
		case err != nil:
		case p.Status() == http.StatusOK:
			reading.Open()
			if endsWithDrain(t, p, over) {
				t.Fail(expected, "a subscription during the drain was accepted, and ended by the drain: "+answerText(p), p.Head(), p.Evidence())
			}
			t.Pass(fmt.Sprintf("%d subscriptions during the drain were refused, and one was accepted that outlived it", refused))
		case p.Status() != http.StatusServiceUnavailable:
			t.Fail(expected, "a subscription during the drain: "+answerText(p), p.Head())
		case p.Header("Retry-After") == "":
			t.Fail(expected, "a subscription during the drain: status 503 without Retry-After", p.Head())
		}
		refused++
		t.wait(10 * time.Millisecond)
	}
	t.interrupted()
	if refused == 0 {
		t.Unknown("the drain was over before anybody could try to connect")
	}
	t.Count(refused)
	t.Pass(fmt.Sprintf("%d subscriptions during the drain were refused", refused))
}

// endsWithDrain waits until the drain is over and says whether the stream ended by then.
func endsWithDrain(t *Trial, p *Tap, over <-chan struct{}) bool {
	t.Doing("the end of the drain is awaited")
	select {
	case <-over:
	case <-t.Context().Done():
		t.interrupted()
	}
	return t.AwaitFor(p, "the end of a stream is awaited", leakTime, func(r *Record) bool { return r.Ended })
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// "Events acknowledged before or during drain reach subscribers before close or after resume."
func drainLosesNothing(t *Trial) {
	if !t.Subject.Can("resume") {
		t.Skip("the target does not declare resume")
	}
	stream := t.Stream()
	f := t.follow([]string{stream})
	v := t.volume(stream, kib)
	v.send(50)
	over := make(chan struct{})
	var failed error
	t.Go(func() {
		defer close(over)
		failed = t.drain(t.drainPatience())
	})
	acknowledged := v.sent
	numbers := make([]int, 0, 64)
	for draining := true; draining; {
		select {
		case <-over:
			draining = false
		default:
			if v.offer() {
				numbers = append(numbers, v.sent)
			}
			t.wait(5 * time.Millisecond)
		}
	}
	if !t.answers(t.Context()) {
		t.interrupted()
		t.Unknown("the target did not come back after the drain: %v", failed)
	}
	for n := 1; n <= acknowledged; n++ {
		numbers = append(numbers, n)
	}
	v.send(1)
	numbers = append(numbers, v.sent)
	f.hears(v.series.text(0, v.sent))
	received := map[int]bool{}
	for _, n := range v.series.numbers(0, f.seen) {
		received[n] = true
	}
	var lost []int
	for _, n := range numbers {
		if !received[n] {
			lost = append(lost, n)
		}
	}
	t.Count(len(numbers))
	if len(lost) > 0 {
		t.Fail(fmt.Sprintf("all %s, before the close or after resuming", conformance.Plural(len(numbers), "acknowledged message")),
			fmt.Sprintf("%d were lost: %s", len(lost), spans(lost)), tail(f.evidence(1)), f.evidence(len(f.taps)))
	}
	t.Pass(fmt.Sprintf("%s acknowledged around a drain arrived over %s", conformance.Plural(len(numbers), "message"), conformance.Plural(len(f.taps), "connection")))
}

// offer publishes the next message, and says whether it was acknowledged.
func (v *volume) offer() bool {
	v.sent++
	return v.t.Publish(Message{Stream: v.stream, Data: v.text(v.sent)}).Acceptance == Acknowledged
}

// "Closes are spread, or a jittered retry is sent, so that clients do not return in one burst."
func drainedClientsReturnSpread(t *Trial) {
	const bucket = 100 * time.Millisecond
	taps := t.crowd(int(t.Number("streams")))
	err := t.drain(t.drainPatience())
	returns := make([]time.Time, 0, len(taps))
	for _, p := range taps {
		if !t.Await(p, "the end of a drained stream is awaited", func(r *Record) bool { return r.Ended }) {
			t.Unknown("a stream was still open %v after the drain: %v", t.arrival, err)
		}
		p.Look(func(r *Record) {
			wait := usualRetry
			if len(r.Retries) > 0 {
				wait = r.Retries[len(r.Retries)-1]
			}
			returns = append(returns, r.EndedAt.Add(wait))
		})
	}
	share := densest(returns, bucket)
	t.Count(len(returns))
	actual := fmt.Sprintf("%.0f%% of %s return within the same %v", 100*share, conformance.Plural(len(returns), "client"), bucket)
	if most := t.Number("most"); share > most {
		t.Fail(fmt.Sprintf("at most %.0f%% within any %v, by the times of the closes and the retry that each was sent", 100*most, bucket), actual, tail(taps[0].Evidence()))
	}
	t.Pass(actual)
}

// usualRetry is the wait of a client that was told none.
const usualRetry = 3 * time.Second

// maxAge is the declared maximum age of connections.
func maxAge(t *Trial) time.Duration {
	if t.Text("max_age") == "" {
		t.Skip("needs to know the target's maximum connection age: --set %s.max_age=30s", t.Requirement.ID)
	}
	age := t.Duration("max_age")
	t.Allow(2 * age)
	return age
}

// sendUntil publishes all the time, and then one message more.
func (v *volume) sendUntil(end time.Time) {
	for time.Now().Before(end) {
		v.send(1)
		v.t.wait(20 * time.Millisecond)
	}
	v.send(1)
}

// "Who comes back after its connection had reached the maximum age has missed nothing."
func rotationIsLossless(t *Trial) {
	age := maxAge(t)
	f := t.follow([]string{t.Stream()})
	v := t.volume(f.streams[0], kib)
	v.sendUntil(time.Now().Add(age + age/4))
	f.hears(v.series.text(0, v.sent))
	t.Count(v.sent)
	switch lost := missing(v.series.numbers(0, f.seen), v.sent); {
	case len(f.taps) == 1:
		t.Skip("the connection did not end within %v: see SSE-DRAIN-006", age+age/4)
	case !t.claimsResume():
		t.Skip("the target does not declare resume: nothing is owed to who was away")
	case len(lost) > 0:
		t.Fail("all messages over the rotation", spans(lost)+" were lost", f.evidence(len(f.taps)))
	}
	t.Pass(fmt.Sprintf("%s came over %s", conformance.Plural(v.sent, "message"), conformance.Plural(len(f.taps), "connection")))
}

// "A maximum age of connections, if there is one, differs from connection to connection, so that they do not end in one burst."
func rotationIsSpread(t *Trial) {
	age := maxAge(t)
	taps := t.crowd(50)
	t.volume(taps[0].Streams[0], kib).sendUntil(time.Now().Add(age + age/4))
	ends := make([]time.Time, 0, len(taps))
	for _, p := range taps {
		p.Look(func(r *Record) {
			if r.Ended {
				ends = append(ends, r.EndedAt.Add(-p.Began().Sub(taps[0].Began())))
			}
		})
	}
	if len(ends) < len(taps) {
		t.Deviation(fmt.Sprintf("the end of all connections within %v", age), fmt.Sprintf("%d of %d were still open", len(taps)-len(ends), len(taps)))
	}
	const most = 0.6 // of ages that do not differ nearly all are the same
	if share := densest(ends, age/50); len(ends) > 1 && share > most {
		t.Deviation("ages that differ from connection to connection", fmt.Sprintf("%.0f%% of %s had the same age, to %v", 100*share, conformance.Plural(len(ends), "connection"), age/50))
	}
	t.Count(len(taps))
	t.Conclude(fmt.Sprintf("%s ended at different ages", conformance.Plural(len(ends), "connection")))
}
