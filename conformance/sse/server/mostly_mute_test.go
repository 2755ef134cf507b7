package server_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// TestJoinsThatNothingCameToAreNoPass: of a subject that brings nothing to every second subscriber, but for the first ones, a few are waited
// for, and not all.
func TestJoinsThatNothingCameToAreNoPass(t *testing.T) {
	t.Parallel()
	var joined atomic.Int64
	var mu sync.Mutex
	mute := map[*broker.Subscriber]bool{}
	config := embedded.Config()
	config.Tamper = &broker.Tamper{
		Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			mu.Lock()
			defer mu.Unlock()
			if _, known := mute[to]; !known {
				mute[to] = len(mute) > 10 && len(mute)%2 == 1
			}
			if mute[to] {
				return nil
			}
			return []broker.Event{ev}
		},
		Handler: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/publish" {
					joined.Add(1)
				}
				next.ServeHTTP(w, r)
			})
		},
	}
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{Only: []string{"SSE-DELIV-007"}, Once: true, Arrival: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if v := verdicts[0]; v.Outcome != conformance.Unknown || !strings.Contains(v.Reason, "came neither a message") {
		t.Errorf("%+v", v)
	}
	if n := joined.Load(); n > 45 {
		t.Errorf("%d streams were opened", n)
	}
}

// TestLateDeliveryIsNotTakenForASlowServer: a subject that takes messages quickly, and has many on their way, is asked as others are.
func TestLateDeliveryIsNotTakenForASlowServer(t *testing.T) {
	t.Parallel()
	const late = 300 * time.Millisecond
	var sending sync.WaitGroup
	defer sending.Wait()
	config := embedded.Config()
	config.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
		sending.Go(func() {
			timer := time.NewTimer(late)
			<-timer.C
			to.Send(ev)
		})
		return nil
	}}
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	verdicts, _, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{Only: []string{"SSE-DELIV-007"}, Once: true,
		Parameter: func(_, name string) (string, bool) { return "40", name == "joins" }})
	if err != nil {
		t.Fatal(err)
	}
	switch v := verdicts[0]; {
	case v.Outcome == conformance.Unknown && strings.Contains(v.Reason, "too busy"):
		t.Skip(v.Reason)
	case v.Outcome != conformance.Pass || v.Checked < 10: // of 40: a busy machine is asked for fewer
		t.Errorf("%+v", v)
	}
}

// TestManyWhoGetNothingAreSaidFirst: where every second subscriber gets nothing, one requirement tells of it, and nobody waits for messages to
// the others.
func TestManyWhoGetNothingAreSaidFirst(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	mute := map[*broker.Subscriber]bool{}
	config := embedded.Config()
	config.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
		mu.Lock()
		defer mu.Unlock()
		if _, known := mute[to]; !known {
			mute[to] = len(mute)%2 == 1
		}
		if mute[to] {
			return nil
		}
		return []broker.Event{ev}
	}}
	b, err := embedded.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	verdicts, health, err := server.Check(t.Context(), b.Subject(), server.Cases, server.Options{Only: []string{"SSE-DELIV-001", "SSE-DELIV-003", "RESUME"}, Arrival: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if held := health.HeldUp(0, 0); held > 50*time.Millisecond || health.LagMax > 50 {
		t.Skipf("others kept this process from its processors for %v, and timers were %v ms late: a target that seems slow is not asked", held, health.LagMax)
	}
	rest := conformance.Skip
	at := slices.IndexFunc(verdicts, func(v conformance.Verdict) bool { return v.ID == "SSE-DELIV-001" })
	switch told := verdicts[at]; {
	case told.Outcome == conformance.Unknown && strings.Contains(told.Reason, "too busy"):
		rest = conformance.Unknown // nobody tells of it
	case told.Outcome != conformance.Fail:
		t.Errorf("%+v", told)
	}
	for _, v := range slices.Delete(verdicts, at, at+1) {
		if v.Outcome != rest || !strings.Contains(v.Reason, "open at once got none") {
			t.Errorf("%s is %v: %s%s", v.ID, v.Outcome, v.Actual, v.Reason)
		}
	}
}
