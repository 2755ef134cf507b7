package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/scenarios"
)

// spareFiles is what a run needs beside its connections: history, probes, publishers' idle connections, the runtime's own.
const spareFiles = 128

// TooFewFilesError says that the process may not open as many files as the plan needs.
type TooFewFilesError struct{ Needed, Limit uint64 }

func (e *TooFewFilesError) Error() string {
	return fmt.Sprintf("this run needs %d open files but this process may open %d: raise the limit (ulimit -n %d) or lower load.subscribers",
		e.Needed, e.Limit, e.Needed)
}

// preflight refuses a run that cannot fit into this process before anything starts.
func preflight(p *scenarios.Plan) error {
	limit, err := fileLimit()
	if err != nil {
		return fmt.Errorf("asking how many files may be opened: %w", err)
	}
	if needed := filesNeeded(p); needed > limit {
		return &TooFewFilesError{Needed: needed, Limit: limit}
	}
	return nil
}

func filesNeeded(p *scenarios.Plan) uint64 {
	files := uint64(len(p.Subscribers))
	for _, step := range p.Timeline {
		if step.Fault == "stall" { // the stalled connection stays open beside its successor
			files += uint64(len(step.Subscribers))
		}
	}
	files += uint64(min(len(p.Publishers), maxPublishConnections))
	if p.Target == nil {
		files *= 2 // the embedded broker holds the other ends
	}
	return files + spareFiles
}

// probe opens one subscription to see that there is a stream at all, so that a wrong address or a missing token is said once
// and not by ten thousand subscribers.
func (e *engine) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout(e.plan.Scenario))
	defer cancel()
	req, err := e.subscribeRequest(ctx, &e.plan.Subscribers[0], "")
	if err != nil {
		return fmt.Errorf("preparing a subscription: %w", err)
	}
	options := e.clientConfig().Options
	if e.target.HTTP == "2" {
		options.HTTP2 = new(sse.HTTP2)
		defer func() { _ = options.HTTP2.Close() }() // it was only a look
	}
	stream, err := sse.Open(ctx, nil, req, options)
	if err != nil {
		return unreachable(err)
	}
	r := stream.Response()
	defer func() { _ = stream.Close() }()
	if r.Status != 200 && r.Status/100 != 3 {
		body, _ := stream.ReadBody(excerptBytes, time.Second)
		return fmt.Errorf("the target answered a subscription with status %d%s, want 200", r.Status, quoted(body))
	}
	if r.Status == 200 && !r.EventStream() {
		body, _ := stream.ReadBody(excerptBytes, time.Second)
		return fmt.Errorf("the target answered a subscription with content type %q%s, want text/event-stream", r.Header.Get("Content-Type"), quoted(body))
	}
	return nil
}

func probeTimeout(s *scenarios.Scenario) time.Duration { return 2*s.Load.ConnectTimeout + time.Second }

func quoted(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf(" and %q", excerpt(body))
}

// unreachable words the failure to open a first stream so that it can be acted on.
func unreachable(err error) error {
	switch sse.CauseOf(err) {
	case sse.CauseRefused:
		return fmt.Errorf("%w: is the target running, and is this its address?", err)
	case sse.CauseDNS:
		return fmt.Errorf("%w: check the host name in the target's url", err)
	case sse.CauseTLS:
		return fmt.Errorf("%w: set tls.ca in the target file if its certificate is private", err)
	case sse.CauseHeadTimeout:
		return fmt.Errorf("%w: the target accepted the connection but sent no response; if it holds headers back until the first event, set ready: first-event and raise load.connect_timeout", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: the target did not answer in time", err)
	}
	return err
}
