package server

import (
	"fmt"
	"slices"
	"time"
)

const noneHeldUp = "SSE-DELIV-017"

// "Of thousands of messages on one connection none is held up for long while the others come at once."
//
// What follows a message that is held up waits for it: that counts once.
func holdsNoneUp(t *Trial) {
	m := t.suite.multitude.Swap(nil) // that of another case; a second attempt makes its own
	if m == nil {
		m = t.multitude(int(t.Number("subscribers")), int(t.Number("messages")), t.Duration("lasting"))
	}
	took := make([][]trip, len(m.readers))
	var all []time.Duration
	for i, r := range m.readers {
		took[i] = m.delays(r)
		for _, d := range took[i] {
			all = append(all, d.took)
		}
	}
	if len(all) == 0 {
		t.Unknown("no message arrived on a connection that was open when it was published")
	}
	slices.Sort(all)
	usual, within := all[len(all)/2], t.Duration("within")
	if usual > within {
		t.seeInstead("SSE-DELIV-014", "half of all deliveries took %v and more", shown(usual))
	}
	within = max(within, 10*usual)
	expected := fmt.Sprintf("each at most %v after its publish began, as half of them came after %v", within, shown(usual))
	murky := time.Duration(0)
	for i, deliveries := range took {
		held, late, worst := []int(nil), 0, time.Duration(0)
		for _, d := range deliveries {
			if d.took <= within {
				continue
			}
			if lag := t.LagBetween(d.began, d.began.Add(d.took)); d.took-2*lag <= within {
				murky = max(murky, d.took)
				continue
			}
			if d.number != late+1 {
				held = append(held, d.number)
			}
			late, worst = d.number, max(worst, d.took)
		}
		if len(held) > 0 {
			t.Absence(expected, fmt.Sprintf("%d of %d deliveries to subscriber %d of %d were held up, for up to %v: messages %s",
				len(held), len(deliveries), i+1, len(m.readers), worst.Round(time.Millisecond), spans(held)), m.readers[i].tap().Head())
		}
	}
	t.Sample(len(all), "delivery")
	if murky > 0 && !t.Deviated() {
		t.Unknown("a delivery took %v, but this machine was too busy to tell", murky.Round(time.Millisecond))
	}
	t.Conclude(fmt.Sprintf("the latest of %d came after %v, half of them after %v", len(all), shown(all[len(all)-1]), shown(usual)))
}

// trip is a message that came, and how long that took from the start of its publish.
type trip struct {
	number int
	began  time.Time
	took   time.Duration
}

// delays are those of the messages that came to a reader on a connection that was open when they were published, each the first time.
func (m *multitude) delays(r *reader) (all []trip) {
	known := map[int]bool{}
	for i, e := range r.seen {
		_, n, ok := m.series.find(e.Data)
		if !ok || n >= len(m.began) || known[n] {
			continue
		}
		known[n] = true
		if began := m.began[n]; r.taps[r.at[i]-1].Began().Before(began) {
			all = append(all, trip{n, began, e.At.Sub(began)})
		}
	}
	return all
}
