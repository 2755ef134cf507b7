package fault

import (
	"bytes"
	"math/rand/v2"
	"time"
)

// Cut waits for the next event on each connection that lives when it begins, and lets half of it through. It looks for a line to
// cut: a response head, or only comments, pass. Encrypted data has no lines to speak of; there the cut leaves half a TLS record,
// of which nothing is delivered. What is smaller than the least that an event has is let through.
var cutFault = Fault{
	Name:  "cut",
	About: "The connection is lost in the middle of an event: a part of it arrives, then a reset.",
	Begin: func(l *Line, p Params) {
		window := p.For
		if window == 0 {
			window = 10 * time.Second
		}
		over := time.Now().Add(window)
		random := rand.New(rand.NewPCG(p.Seed, uint64(l.Subscriber)))
		l.begin(&disturbance{fault: "cut", step: p.Step, arrive: func(now time.Time, a *arrival) bool {
			if a.done = passed(over, now); a.done || bytes.HasPrefix(a.data, []byte("HTTP/")) {
				return false
			}
			from, to := longestLine(a.data)
			if to-from < 2 || a.data[from] == ':' || len(a.data) < p.Least {
				return false
			}
			a.data = a.data[:from+1+random.IntN(to-from-1)]
			a.lost = lost("cut", p.Step)
			return true
		}})
	},
}

func longestLine(data []byte) (from, to int) {
	for start := 0; start < len(data); {
		length := bytes.IndexAny(data[start:], "\r\n")
		if length < 0 {
			length = len(data) - start
		}
		if length > to-from {
			from, to = start, start+length
		}
		start += length + 1
	}
	return from, to
}
