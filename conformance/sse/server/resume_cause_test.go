package server_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
)

// TestAPositionIsNotBlamedForWhatHappensWithoutOne: a subject that serves the first subscriber of a stream alone does so whatever position
// the others ask for.
func TestAPositionIsNotBlamedForWhatHappensWithoutOne(t *testing.T) {
	t.Parallel()
	s := started(t, func(c *broker.Config) {
		var first sync.Map // stream → *broker.Subscriber
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			if served, _ := first.LoadOrStore(ev.Stream, to); served != to {
				return nil
			}
			return []broker.Event{ev}
		}}
	})
	verdicts, _, err := server.Check(t.Context(), s, server.Cases, server.Options{Only: []string{"SSE-RESUME-006"}, Once: true, Arrival: 2 * time.Second})
	if err != nil || len(verdicts) != 1 {
		t.Fatalf("%v, %v", verdicts, err)
	}
	if v := verdicts[0]; v.Outcome != conformance.Unknown || !strings.Contains(v.Reason, "without any position") {
		t.Error(words(v))
	}
}
