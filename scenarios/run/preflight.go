package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/scenarios"
)

// onceMore is how long a target is waited for that gave no answer in the scenario before.
const onceMore = 3 * time.Second

// probe sees that there is a stream at all, and that a message arrives where the target can publish: a wrong address, a missing token or
// a request without the message is said once and not by ten thousand subscribers.
func (e *engine) probe(ctx context.Context) error {
	if e.seen.Died != "" {
		limited, cancel := context.WithTimeout(ctx, onceMore)
		defer cancel()
		ctx = limited
	}
	w := e.wiring()
	held, err := w.see(ctx)
	e.held = held
	e.takes = slices.ContainsFunc(w.posted(), func(p posted) bool { return p.accepted })
	if miswired := (*WiringError)(nil); err == nil || errors.As(err, &miswired) {
		return err
	}
	return unreachable(err, w.number > 0)
}

// wiring is how the load subscribes and publishes, on a stream of its own where streams have names.
func (e *engine) wiring() *wiring {
	target := *e.target
	if e.plan.Target == nil {
		target.Publish = nil // the broker within is wired by the program itself
	}
	w := &wiring{
		target: &target, client: e.publishClient, options: e.clientConfig().Options, run: lookRun(e.plan.Run), stream: e.plan.Streams[0] + "-look",
	}
	if e.target.HTTP == "2" {
		w.options.HTTP2 = new(sse.HTTP2)
	}
	w.subscribe = func(ctx context.Context, stream, position string) (*sse.Request, error) {
		return e.subscribeTo(ctx, []string{stream}, e.plan.Subscribers[0].Index, position)
	}
	w.message = func(ctx context.Context, stream string, number uint64, size int) (scenarios.PublishVars, error) {
		vars := e.lookMessage(stream, w.run, number, size)
		var err error
		if e.subject.mint != nil {
			vars.Token, err = e.subject.mint(ctx, scenarios.SubscribeVars{Subscriber: -1, Streams: []string{stream}}, publisherTokenLife)
		}
		return vars, err
	}
	return w
}

// lookRun is the run in the tokens of messages that are not the run's own: whoever receives one knows that it is none of the load's.
func lookRun(run string) string {
	const prefix = "look"
	return prefix + run[:min(len(run), token.MaxRun-len(prefix))]
}

// lookMark stands in the data of each such message, and nowhere else.
func lookMark(run string) string { return "sg1." + run + "." }

// lookMessage is a message like those of the load, with nothing but what makes it one.
func (e *engine) lookMessage(stream, run string, number uint64, size int) scenarios.PublishVars {
	load := e.plan.Scenario.Load.Publish
	vars := scenarios.PublishVars{Stream: stream, Number: number}
	if len(load.Types) > 0 {
		vars.Type = slices.Min(slices.Collect(maps.Keys(load.Types)))
	}
	vars.Data = lookData(e.target, vars, run, size, load.Payload == scenarios.PayloadJSON)
	return vars
}

// lookData is the data of a message that is looked for, of a size that the target takes: the load's own may be too small to fill a buffer
// of a gateway, which is to be judged then.
func lookData(t *scenarios.Target, vars scenarios.PublishVars, run string, size int, object bool) string {
	size = min(size, t.LargestPayload())
	m := token.Message{Run: run, Number: vars.Number}
	if !object && !t.CarriesJSON() {
		return string(token.Append(nil, m, nil, nil, size))
	}
	kind, _ := json.Marshal(vars.Type) // no string fails to marshal
	stream, _ := json.Marshal(vars.Stream)
	prefix := fmt.Appendf(nil, `{"type":%s,"stream":%s,"number":%d,"token":"`, kind, stream, vars.Number)
	return string(token.Append(nil, m, prefix, []byte(`"}`), size))
}

func quoted(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	return fmt.Sprintf(" and %q", excerpt(body))
}

// unreachable words the failure to open a first stream so that it can be acted on.
func unreachable(err error, helped bool) error {
	switch sse.CauseOf(err) {
	case sse.CauseRefused:
		return fmt.Errorf("%w: is the target running, and is this its address?", err)
	case sse.CauseDNS:
		return fmt.Errorf("%w: check the host name in the target's url", err)
	case sse.CauseTLS:
		return fmt.Errorf("%w: set tls.ca in the target file if its certificate is private", err)
	case sse.CauseHeadTimeout:
		if helped {
			return fmt.Errorf("%w: the target accepted the connection but sent no response, and messages that were published meanwhile did not help", err)
		}
		return fmt.Errorf("%w: the target accepted the connection but sent no response; if it holds headers back until there is an event, "+
			"describe publish in the target file, so that there can be one", err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w: the target did not answer in time", err)
	}
	return err
}
