package check_test

import (
	"testing"
	"time"
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
