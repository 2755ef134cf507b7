package storm

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNothingIsForgottenAndNothingComesEarly compares the calendar with a sorted list, with attempts of one moment, of one day, of far
// days and of days beyond the calendar.
func TestNothingIsForgottenAndNothingComesEarly(t *testing.T) {
	t.Parallel()
	const aDay = time.Duration(1) << dayBits
	rapid.Check(t, func(t *rapid.T) {
		c := newCalendar()
		var waiting []time.Duration
		var now time.Duration
		client := uint32(0)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			many := rapid.SampledFrom([]int{0, 1, 5, 700}).Draw(t, "many")
			within := rapid.SampledFrom([]time.Duration{0, aDay, time.Second, span * aDay, 5 * span * aDay}).Draw(t, "within")
			for range many {
				at := now + aDay + time.Duration(rapid.Int64Range(0, int64(within)).Draw(t, "at"))
				c.add(at, attempt{client: client, number: int(client) % 5000})
				client++
				waiting = append(waiting, at)
			}
			slices.Sort(waiting)
			for range min(len(waiting), rapid.SampledFrom([]int{0, 1, 600, 2000}).Draw(t, "take")) {
				at, a, there := c.next()
				if !there || at != waiting[0] {
					t.Fatalf("got %v (%t), want %v", at, there, waiting[0])
				}
				if a.number != min(int(a.client)%5000, maxNumber) {
					t.Fatalf("client %d has number %d", a.client, a.number)
				}
				now, waiting = at, waiting[1:]
			}
		}
		for _, want := range waiting {
			if at, _, there := c.next(); !there || at != want {
				t.Fatalf("got %v (%t), want %v", at, there, want)
			}
		}
		if at, _, there := c.next(); there {
			t.Fatalf("something is left at %v", at)
		}
	})
}
