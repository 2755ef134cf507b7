package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/history"
)

// A reader of a report must know when it happened and to how many, however often it did.
func TestAFindingSaysWhenAndToHowMany(t *testing.T) {
	t.Parallel()
	w := newWorld(config(40, 1, 1, 1))
	w.connectAll()
	w.publish(0, 0)
	w.flush()
	for range 2 {
		w.publish(0, 0)
	}
	lostAt := w.now
	for i, s := range w.subs {
		if i%2 == 1 {
			s.queue = nil // both are lost
		}
	}
	w.flush()
	for range 200 {
		w.publish(0, 0)
		w.flush()
	}
	for range 3 {
		w.receive(w.subs[0], w.subs[0].got[0], 0)
	}
	w.finish()
	_, r := w.judge()

	lost := verdict(t, r, "delivery.complete").Findings[0]
	if lost.Count != 40 || lost.Subscribers != 20 || lost.Subscriber != "1" {
		t.Errorf("lost: %+v", lost)
	}
	if want := float64(lostAt) / float64(time.Millisecond); lost.AtMS < want-100 || lost.AtMS > want+100 {
		t.Errorf("lost at %v ms, they were due until %v ms", lost.AtMS, want)
	}
	twice := verdict(t, r, "delivery.unique").Findings[0]
	if twice.Count != 3 || twice.Subscribers != 1 || twice.AtMS <= lost.AtMS {
		t.Errorf("duplicated: %+v", twice)
	}
}

// TestTheWorstIsShownFirst holds however many there were before it.
func TestTheWorstIsShownFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(config(8, 1, 1, 1))
	w.cfg.Expect.Within = time.Second
	w.connectAll()
	w.publish(0, 0)
	w.flush()
	for i, s := range w.subs {
		took := 1200 * time.Millisecond
		if i == 6 {
			took = 3 * time.Second
		}
		w.disconnect(s, history.CauseReset)
		w.after(took)
		w.connect(s)
	}
	w.finish()
	_, r := w.judge()
	late := verdict(t, r, "reconnect.within").Findings[0]
	if late.Count != 8 || late.Subscriber != "6" || !strings.HasPrefix(late.Actual, "3") {
		t.Errorf("got %+v", late)
	}
}
