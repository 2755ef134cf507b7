package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/history"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/scenarios"
)

// publisher sends the messages of one planned publisher, one after the other, each at its due time or, when the target was
// still busy with the one before, as soon as that is answered.
type publisher struct {
	engine *engine
	plan   scenarios.Publisher
	begun  *atomic.Uint64 // the newest number whose publish has begun
	buf    []byte
}

func (p *publisher) publish(ctx context.Context) {
	schedule := p.engine.plan.Schedule(p.plan)
	var answered time.Duration
	for {
		m, ok := schedule.Next()
		if !ok || !p.engine.clock.sleep(m.Due, ctx.Done()) {
			return
		}
		sent := p.engine.clock.now()
		if sent > p.engine.plan.Scenario.Duration+p.engine.plan.Scenario.Settle {
			p.unsent(schedule)
			return
		}
		p.engine.watch.published(sent - max(m.Due, answered))
		p.send(m, sent)
		answered = p.engine.clock.now()
	}
}

// unsent counts the message that was next and all after it, which the target was too slow to take.
func (p *publisher) unsent(rest *scenarios.Schedule) {
	p.engine.status.unsent.Add(1)
	for _, more := rest.Next(); more; _, more = rest.Next() {
		p.engine.status.unsent.Add(1)
	}
}

func (p *publisher) send(m scenarios.Message, sent time.Duration) {
	p.buf = p.engine.payload(p.buf[:0], p.plan.Stream, p.plan.Index, m, sent)
	o := history.Observation{
		At: sent, Kind: history.Publish, Subscriber: -1, Stream: p.plan.Stream, Publisher: p.plan.Index,
		Number: m.Number, Due: m.Due, Size: int64(len(p.buf)), Text: m.Type,
	}
	p.begun.Store(m.Number)
	p.engine.handed[p.plan.Stream].Add(o.Size)
	p.engine.observe(&o)
	p.engine.status.pending.Add(1)
	status, err := p.engine.post(p, m, p.buf)
	p.engine.status.answered(status, err)
	o = history.Observation{
		At: p.engine.clock.now(), Kind: history.Ack, Subscriber: -1, Stream: p.plan.Stream, Publisher: p.plan.Index,
		Number: m.Number, Status: int32(status), Acked: p.engine.acked(status, err), Text: errorText(err),
	}
	p.engine.observe(&o)
	p.engine.status.published.Add(1)
}

// post sends one message. An error means that no status was received, or one that tells of a refusal.
func (e *engine) post(p *publisher, m scenarios.Message, data []byte) (status int, err error) {
	ctx, cancel := context.WithTimeout(e.context, e.target.Publish.Timeout)
	defer cancel()
	vars := scenarios.PublishVars{Stream: e.plan.Streams[p.plan.Stream], Data: string(data), Type: m.Type, Number: m.Number}
	if vars.Token, err = e.publisherToken(ctx); err != nil {
		return 0, err
	}
	r, err := e.target.PublishRequest(vars)
	if err != nil {
		return 0, err
	}
	status, answer, err := send(ctx, e.publishClient, r)
	if err == nil && !e.target.Accepts(status, answer) {
		err = errors.New("answered " + strconv.Itoa(status) + quoted(answer))
	}
	return status, err
}

// afterEnd is how long a request may take to end once its time is over.
const afterEnd = time.Second

// send makes one request and returns the beginning of its answer. Over HTTP/2 it is left behind when it does not end with its time: a peer that
// makes the window of a stream too large, or floods the connection with frames, keeps the standard library's stack in its locks.
func send(ctx context.Context, client *http.Client, r scenarios.Request) (status int, answer []byte, err error) {
	if t, is := client.Transport.(*http.Transport); !is || !t.ForceAttemptHTTP2 {
		return exchange(ctx, client, r)
	}
	type answered struct {
		status int
		answer []byte
		err    error
	}
	came := make(chan answered, 1)
	go func() {
		defer crash.Catch()
		status, answer, err := exchange(ctx, client, r)
		came <- answered{status, answer, err}
	}()
	select {
	case a := <-came:
		return a.status, a.answer, a.err
	case <-ctx.Done():
	}
	late := time.NewTimer(afterEnd)
	defer late.Stop()
	select {
	case a := <-came:
		return a.status, a.answer, a.err
	case <-late.C:
		return 0, nil, fmt.Errorf("the HTTP/2 connection stands still: %w", context.Cause(ctx))
	}
}

func exchange(ctx context.Context, client *http.Client, r scenarios.Request) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = r.Header
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, errors.Unwrap(err) // the outer error repeats the URL, which may carry a secret
	}
	answer, _ = io.ReadAll(io.LimitReader(resp.Body, scenarios.AnswerBytes)) // what could be read of it is what there is
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))             // read so that the connection can serve again
	_ = resp.Body.Close()
	return resp.StatusCode, answer, nil
}

// acked says what is known of a message after its publish: a status that was not accepted is a refusal, unless it is one
// that an intermediary gives when it does not know either; without a status, only a message that never left is rejected.
func (e *engine) acked(status int, err error) history.Acked {
	switch {
	case err == nil:
		return history.Acknowledged
	case status == http.StatusInternalServerError || status == http.StatusBadGateway || status == http.StatusGatewayTimeout:
		return history.Indeterminate
	case status != 0:
		return history.Rejected
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		if sse.CauseOf(err).Own() {
			e.watch.sendFailed()
		}
		return history.Rejected
	}
	return history.Indeterminate
}
