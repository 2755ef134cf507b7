// Package selftest tries an adapter with streams that are beyond doubt, before a client is judged by what the adapter says of it.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// Result is what came of one check of an adapter.
type Result struct {
	Name    string
	Problem string // "": all is well
	Detail  string // what was seen when all is well; may be empty
	// Ambiguous says that the client may be to blame as well: what is lost on the way is lost by one of them, and it can bring its process down.
	Ambiguous bool
}

// Each bound is generous: a busy machine must not look like a broken adapter.
const within = 10 * time.Second

// check is one check. Its error is the problem.
type check struct {
	name   string
	needs  subject.Capability // without which there is nothing to check
	shared bool               // with the client: either of them can be to blame
	run    func(t *trial) error
}

// ours are the checks that nothing but an adapter fails.
func ours() []check {
	return []check{
		{name: "hello", run: hello},
		{name: "sync", run: answersSync},
		{name: "clean output", run: speaksTheProtocol},
		{name: "exit", run: exits},
		{name: "end of input", run: endsWithItsInput},
	}
}

func checks() []check {
	own := ours()
	all := own[:2:2]
	shared := func(name string, needs subject.Capability, run func(*trial) error) {
		all = append(all, check{name, needs, true, run})
	}
	for _, e := range corpus {
		shared("echo of "+e.name, "", func(t *trial) error { return echo(t, e) })
	}
	shared("order", "", order)
	shared("close silences", "", closeSilences)
	shared("loss is reported", "", lossIsReported)
	shared("open", subject.Opens, reportsOpen)
	shared("comments", subject.Comments, reportsComments)
	shared("headers", subject.Headers, takesHeaders)
	shared("last-event-id", subject.LastEventID, takesPosition)
	shared("method and body", subject.Method, takesMethod)
	shared("post", subject.Post, takesPost)
	shared("idle-timeout", subject.IdleTimeout, heedsIdleTimeout)
	shared("restart", subject.Restart, restarts)
	shared("multi", subject.Multi, followsTwo)
	return append(all, own[2:]...)
}

// Run tries the adapter by each check that applies, in a session of its own. report, which may be nil, is told of each result as it comes. The
// error is the context's.
func Run(ctx context.Context, start subject.Starter, report func(Result)) ([]Result, error) {
	return carryOut(ctx, start, checks(), 2, report)
}

// Adapter tries what nothing but an adapter can break. What a client does wrong is for the cases to judge.
func Adapter(ctx context.Context, start subject.Starter) ([]Result, error) {
	return carryOut(ctx, start, ours(), 1, nil)
}

// carryOut ends with the first check when nothing starts, and when so many in a row got no answer at all: the others would wait as long.
func carryOut(ctx context.Context, start subject.Starter, all []check, mostSilent int, report func(Result)) ([]Result, error) {
	var results []Result
	silent := 0
	var caps []string
	for _, c := range all {
		if c.needs != "" && !slices.Contains(caps, string(c.needs)) {
			continue
		}
		t := &trial{ctx: ctx, start: start}
		err := t.carryOut(c.run)
		if errors.Is(err, subject.ErrSilent) {
			t = &trial{ctx: ctx, start: start} // once more: on a busy machine a process can be late for want of a core
			err = t.carryOut(c.run)
		}
		if ctx.Err() != nil {
			return results, ctx.Err()
		}
		r := Result{Name: c.name, Detail: t.detail}
		if err != nil {
			r.Problem, r.Ambiguous = err.Error(), ambiguous(c, t, err)
		}
		results = append(results, r)
		if report != nil {
			report(r)
		}
		if c.name == "hello" {
			if t.session == nil {
				break // nothing else would come of it
			}
			caps = t.session.Hello().Caps
			continue
		}
		if silent++; err == nil || t.session != nil && t.session.Spoke() {
			silent = 0
		}
		if silent == mostSilent {
			break
		}
	}
	return results, nil
}

// ambiguous says that the client may be to blame for an error.
func ambiguous(c check, t *trial, err error) bool {
	switch {
	case errors.Is(err, subject.ErrGarbled) || errors.Is(err, subject.ErrLeft):
		return false
	case c.shared:
		return true
	}
	return errors.Is(err, subject.ErrEnded) && len(t.servers) > 0 // a stream can have brought its process down
}

// trial is one check of one adapter, with a session of its own.
type trial struct {
	ctx     context.Context
	start   subject.Starter
	session *subject.Session
	detail  string
	ended   bool // by the check itself
	servers []*sse.Server
}

func (t *trial) carryOut(run func(*trial) error) error {
	session, err := subject.Begin(t.ctx, t.start)
	if err != nil {
		return err
	}
	t.session = session
	err = run(t)
	defer func() {
		for _, s := range t.servers {
			s.Close()
		}
	}()
	if t.ended {
		return err
	}
	if ending := session.End(); err == nil && ending != nil {
		err = fmt.Errorf("and then: %w", ending)
	}
	return err
}

// serve starts a scripted server for the check.
func (t *trial) serve(script sse.Script) (*sse.Server, error) {
	s, err := sse.Serve(t.ctx, sse.ServerOptions{}, script)
	if err == nil {
		t.servers = append(t.servers, s)
	}
	return s, err
}

// follow serves a script to the client.
func (t *trial) follow(o subject.Open, script sse.Script) (*sse.Server, *subject.Conn, error) {
	s, err := t.serve(script)
	if err != nil {
		return nil, nil, err
	}
	o.URL = s.URL("/")
	c, err := t.session.Open(o)
	return s, c, err
}

// await waits until the reports are enough.
func (t *trial) await(c *subject.Conn, what string, enough func([]subject.Report) bool) ([]subject.Report, error) {
	ctx, cancel := context.WithTimeout(t.ctx, within)
	defer cancel()
	reports, err := c.Await(ctx, enough)
	if errors.Is(err, context.DeadlineExceeded) {
		return reports, fmt.Errorf("%s was not reported within %v; there were %s", what, within, list(reports))
	}
	return reports, err
}

// request waits for the n-th request, counted from 1.
func (t *trial) request(s *sse.Server, n int) error {
	ctx, cancel := context.WithTimeout(t.ctx, within)
	defer cancel()
	_, err := s.Await(ctx, n)
	switch ended := t.session.Err(); {
	case err == nil:
		return nil
	case ended != nil:
		return ended
	}
	return fmt.Errorf("request %d did not come within %v", n, within)
}

// sync waits until the adapter has written all that it saw.
func (t *trial) sync() error {
	ctx, cancel := context.WithTimeout(t.ctx, within)
	defer cancel()
	err := t.session.Sync(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: sync was not answered within %v", subject.ErrSilent, within)
	}
	return err
}

// list names the last few reports.
func list(reports []subject.Report) string {
	if len(reports) == 0 {
		return "no reports at all"
	}
	text := fmt.Sprintf("%d reports, the last: ", len(reports))
	for i, r := range reports[max(0, len(reports)-3):] {
		if i > 0 {
			text += ", "
		}
		text += r.Ev
		switch r.Ev {
		case subject.EvEvent:
			text += " " + short(r.Type, r.Bytes())
		case subject.EvError:
			text += fmt.Sprintf(" (%s)", r.Message)
		}
	}
	return text
}

func short(kind string, data []byte) string {
	const most = 60
	if len(data) > most {
		return fmt.Sprintf("%s %s… (%d bytes)", kind, sse.Escape(data[:most]), len(data))
	}
	return kind + " " + sse.Escape(data)
}
