package fault

import (
	"math/rand/v2"
	"time"
)

// Latency is a delay line, not a sleep before each read: what arrives together is delivered together, in order, however much
// there is, up to 1 MiB on its way. When it is lifted, what is on its way still arrives in its time, before anything newer.
var latencyFault = Fault{
	Name:    "latency",
	About:   "All that arrives is delayed, by the same time or with jitter, and stays in order.",
	Lasting: true,
	Begin: func(l *Line, p Params) {
		random := rand.New(rand.NewPCG(p.Seed, uint64(l.Subscriber)))
		l.begin(&disturbance{fault: "latency", step: p.Step, joins: true, arrive: func(_ time.Time, a *arrival) bool {
			delay := p.Delay
			if p.Jitter > 0 {
				delay += time.Duration(random.Int64N(2*int64(p.Jitter)+1)) - p.Jitter
			}
			a.delay += max(0, delay)
			return delay > 0
		}})
	},
	End: func(l *Line, p Params) { l.end("latency", p.Step) },
}
