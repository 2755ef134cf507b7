package run

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/scenarios"
)

func TestASubscriberThatDoesNotEndIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s, err := scenarios.ParseScenario([]byte(`
name: straggler
load: {streams: 1, subscribers: 3, publish: {rate: 50/s}}
duration: 500ms
settle: 10s
expect: {delivery: [ordered, unique, complete]}
`), scenarios.Source{Name: "straggler.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	var held atomic.Bool
	release := make(chan struct{})
	hold := func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
		err := s.Pump(d, h)
		if held.CompareAndSwap(false, true) {
			<-release
		}
		return err
	}
	r := New(Options{Plan: scenarios.NewPlan(s, nil, 1), MutateClient: func(c *client.Config) { c.Tamper = &client.Tamper{Pump: hold} }})
	r.partWithin = 100 * time.Millisecond
	o, err := r.Do(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	if problems := strings.Join(o.Run.Health.Problems, "\n"); !strings.Contains(problems, "1 subscriber did not end within 100ms") {
		t.Errorf("the harness's problems are %q, want who did not end", problems)
	}
	if o.Run.Delivered == 0 || o.Run.Delivered != o.Run.Expected {
		t.Errorf("%d of %d deliveries, want what came before", o.Run.Delivered, o.Run.Expected)
	}
	for range time.Tick(time.Millisecond) {
		if !slices.ContainsFunc(r.subscribers, func(s *subscriber) bool { return s.works.Load() }) {
			break
		}
	}
}
