package server

import (
	"testing"
	"time"
)

// TestSeveralEventsDecideOnACoding: a timer that flushes is told from a busy machine, and from an accident.
func TestSeveralEventsDecideOnACoding(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	type event struct{ took, lag time.Duration }
	for name, c := range map[string]struct {
		each            func(n int) event
		failed, unclear bool
		most            int
	}{
		"at once": {each: func(int) event { return event{took: ms} }, most: fewLate},
		"one accident": {each: func(n int) event {
			return event{took: []time.Duration{0, 0, 80 * ms}[min(n, 2)] * time.Duration(3-min(n, 3))}
		}, most: manyLate},
		"a timer of 250 ms":          {each: func(int) event { return event{took: 249 * ms, lag: 8 * ms} }, failed: true, most: fewLate},
		"a timer, uniform":           {each: func(n int) event { return event{took: time.Duration(n*83%250) * ms, lag: 5 * ms} }, failed: true, most: manyLate},
		"a timer on a busy machine":  {each: func(int) event { return event{took: 249 * ms, lag: 60 * ms} }, failed: true, most: fewLate},
		"a machine far too busy":     {each: func(int) event { return event{took: 90 * ms, lag: 60 * ms} }, unclear: true, most: manyLate},
		"busy, and still in time":    {each: func(int) event { return event{took: 30 * ms, lag: 60 * ms} }, most: fewLate},
		"every third held back":      {each: func(n int) event { return event{took: time.Duration(n%3/2*200) * ms} }, failed: true, most: manyLate},
		"every third a slow machine": {each: func(n int) event { return event{took: time.Duration(n%3/2*90) * ms, lag: 50 * ms} }, most: manyLate},
	} {
		d := &lateness{within: 50 * ms}
		for n := 0; !d.decided(); n++ {
			e := c.each(n)
			d.add(e.took, e.lag, true)
		}
		if d.failed() != c.failed || d.unclear() != c.unclear || len(d.took) > c.most {
			t.Errorf("%s: failed %v, unclear %v after %d; %s", name, d.failed(), d.unclear(), len(d.took), d)
		}
	}
}
