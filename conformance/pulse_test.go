package conformance

import (
	"testing"
	"time"
)

func TestLagIsThatOfItsTime(t *testing.T) {
	t.Parallel()
	start := time.Now()
	p := &pulse{first: start}
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for ms := 0; ms < 2000; ms += 10 {
		late := time.Millisecond
		if ms == 1000 {
			late = 70 * time.Millisecond
		}
		p.note(at(ms), late)
	}
	for _, test := range []struct {
		from, to int
		want     time.Duration
	}{
		{0, 900, time.Millisecond}, {0, 1100, 70 * time.Millisecond}, {1000, 1010, 70 * time.Millisecond}, {1200, 1900, time.Millisecond},
	} {
		if got := p.worst(at(test.from), at(test.to)); got != test.want {
			t.Errorf("from %d to %d ms: %v, want %v", test.from, test.to, got, test.want)
		}
	}
	if h := p.health(); !h.OK || h.LagP99 != 1 {
		t.Errorf("%+v", h)
	}
}

func TestOldPeriodsAreOverwritten(t *testing.T) {
	t.Parallel()
	start := time.Now()
	p := &pulse{first: start}
	p.note(start, time.Second)
	end := start
	for range pulses + 10 {
		end = end.Add(pulsePeriod)
		p.note(end, time.Millisecond)
	}
	if got := p.worst(start, end); got != time.Millisecond {
		t.Errorf("%v is older than what is kept", got)
	}
}
