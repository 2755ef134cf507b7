package server

import (
	"fmt"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// goesOnBeating sees that signs of life do not stop later, on connections that stay open while the other cases run, and for some of those signs at least.
// A single long silence counts only when it is seen again, without the others.
func (t *Trial) goesOnBeating(w way, silence time.Duration, taps ...*Tap) {
	least := min(10*silence, t.Duration("lasting"))
	for _, p := range taps {
		if rest := time.Until(p.Began().Add(least)); rest > 0 {
			t.Hold(p, rest)
		}
	}
	t.awaitOthers()
	for _, p := range taps {
		b := beatsOf(p)
		if b.signs == 0 { // how they begin is for another requirement
			continue
		}
		t.Count(b.signs)
		if b.suspicious() && !b.ended {
			b = t.awaitSign(p, b, silence+silence/3)
		}
		expected := fmt.Sprintf("a sign of life at least every %v%s", silence, t.asDeclared())
		at := b.last.Sub(p.Began()).Round(100 * time.Millisecond)
		if b.since > silence+silence/3 && b.suspicious() {
			if lag := t.LagBetween(b.last, b.last.Add(b.since)); 2*lag > b.since-silence-silence/3 {
				t.Unknown("a silence of %v was seen, but this machine was too busy to tell: a timer of the harness was %v late", b.since.Round(time.Millisecond), lag.Round(time.Millisecond))
			}
			t.Deviation(expected, fmt.Sprintf("%s: they stopped: %s, the last one %v after the stream was opened, and then nothing for %v", w.how, conformance.Plural(b.signs, "sign of life"), at, b.since.Round(100*time.Millisecond)), p.Evidence())
		}
		if allowed := longestWait(silence); b.longest > allowed && 2*t.LagBetween(b.from, b.from.Add(b.longest)) < b.longest-allowed {
			t.Absence(expected, fmt.Sprintf("%s: nothing for %v, between %s", w.how, b.longest.Round(100*time.Millisecond), conformance.Plural(b.signs, "sign of life")), p.Evidence())
		}
	}
}

// awaitSign waits until a sign of life comes, or its absence is no doing of this machine.
func (t *Trial) awaitSign(p *Tap, b beats, allowed time.Duration) beats {
	t.Allow(2 * allowed)
	for range 3 {
		sure := b.last.Add(allowed + time.Second + 2*t.LagBetween(b.last, time.Now()))
		if p.Await(t.Context(), time.Until(sure), func(r *Record) bool { return r.Bytes > b.bytes }) {
			break
		}
		t.interrupted()
	}
	return beatsOf(p)
}

// beats are the signs of life of a connection so far: whatever came on it.
type beats struct {
	signs, bytes int
	longest      time.Duration // between two of them
	from         time.Time     // when that began
	last         time.Time
	since        time.Duration // the last one, up to now or to the end
	ended        bool
}

func beatsOf(p *Tap) (b beats) {
	p.Look(func(r *Record) {
		for _, s := range r.Segments {
			if gap := s.At.Sub(b.last); b.signs > 0 && gap > b.longest {
				b.longest, b.from = gap, b.last
			}
			b.signs, b.last = b.signs+1, s.At
		}
		b.bytes, b.ended = r.Bytes, r.Ended
		until := time.Now()
		if r.Ended {
			until = r.EndedAt
		}
		b.since = until.Sub(b.last)
	})
	return b
}

// suspicious says that it has been silent for so long that signs may have stopped.
func (b *beats) suspicious() bool { return b.since > 2*b.longest+time.Second }
