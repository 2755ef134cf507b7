package client

import (
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// own are the delays that a client makes the cases wait for.
type own struct {
	multi, settable bool
	delay           *subject.Delay // nil: not declared
}

func ownOf(h subject.Hello) *own {
	o := &own{multi: slices.Contains(h.Caps, string(subject.Multi)), settable: slices.Contains(h.Caps, string(subject.Retry))}
	if h.Policy != nil {
		o.delay = h.Policy.Backoff
	}
	return o
}

// takes is what a case costs beyond a second.
func (o *own) takes(requirement string) time.Duration {
	if cost := takes[requirement]; cost != nil {
		return cost(o)
	}
	return 0
}

// assumedBase is the first delay of a client that declares none: that of most browsers.
const assumedBase = 3 * time.Second

// first is the delay after a first loss, row the sum of the first n of a row. Where it may be hurried, the client is told a short one.
func (o *own) first(hurried bool) time.Duration { return o.row(1, hurried) }

func (o *own) row(n int, hurried bool) time.Duration {
	retry := time.Duration(0)
	if hurried && o.settable {
		retry = soon * time.Millisecond
	}
	d := subject.Delay{BaseMS: float64(assumedBase / time.Millisecond), Factor: 1}
	if o.delay != nil {
		d = *o.delay
	}
	d.OwnTime = false // retry stands for what open is told
	var sum time.Duration
	for i := range n {
		sum += allowed(&d, i, retry).high
	}
	return sum
}

// several is the time of n waits, side by side where the client follows several streams.
func (o *own) several(n int, each time.Duration) time.Duration {
	if o.multi {
		return each
	}
	return time.Duration(n) * each
}

// atMost bounds what is not waited for any longer of a client that can be told its first delay.
func (o *own) atMost(most, d time.Duration) time.Duration {
	if o.settable {
		return min(most, d)
	}
	return d
}

// takes says what a case costs beyond a second, of those that cost more. A requirement that is not here takes about that.
var takes = map[string]func(o *own) time.Duration{
	"SSE-HTTPC-005": func(o *own) time.Duration { return o.several(8, o.first(true)) },
	"SSE-HTTPC-006": func(o *own) time.Duration { return o.several(2, 6*o.first(true)) },
	"SSE-HTTPC-007": func(o *own) time.Duration { return o.several(8, 6*o.first(true)) },
	"SSE-HTTPC-008": func(o *own) time.Duration { return o.several(7, o.row(4, true)) },
	"SSE-HTTPC-009": func(o *own) time.Duration { return o.several(7, 12*o.first(true)) },
	"SSE-HTTPC-010": func(o *own) time.Duration { return o.several(3, o.row(2, true)+2*time.Second) },
	"SSE-HTTPC-011": func(o *own) time.Duration { return o.several(7, o.first(true)) },
	"SSE-RECON-001": func(o *own) time.Duration { return 3 * o.first(true) },
	"SSE-RECON-002": func(o *own) time.Duration { return o.row(5, true) },
	"SSE-RECON-004": func(o *own) time.Duration { return o.several(4, 3*time.Second) },
	"SSE-RECON-005": func(o *own) time.Duration { return o.several(3, 2*time.Second) },
	"SSE-RECON-006": func(*own) time.Duration { return 4 * time.Second },
	"SSE-RECON-007": func(o *own) time.Duration { return o.several(3, o.first(false)) },
	"SSE-RECON-008": func(o *own) time.Duration { return o.several(10, ceilingWindow) },
	"SSE-RECON-009": func(*own) time.Duration { return 10 * time.Second },
	"SSE-RECON-010": func(o *own) time.Duration { return o.atMost(rowTime, o.row(8, false)) },
	"SSE-RECON-011": func(o *own) time.Duration { return o.atMost(50*time.Second, o.row(rowToCap(o.delay), false)) },
	"SSE-RECON-012": func(*own) time.Duration { return 3 * time.Second },
	"SSE-RECON-013": func(o *own) time.Duration { return o.atMost(rowTime, o.row(6, false)) + o.healthy() },
	"SSE-RECON-014": func(o *own) time.Duration { return o.atMost(rowTime, o.row(4, false)) },
	"SSE-HTTPC-029": func(*own) time.Duration { return 37 * time.Second },
	"SSE-HBC-002":   func(o *own) time.Duration { return o.several(3, 8*time.Second) },
	"SSE-HBC-003":   func(o *own) time.Duration { return o.several(15, 2*time.Second) },
	"SSE-HBC-004":   func(*own) time.Duration { return 10 * time.Second },
	"SSE-HBC-001": func(o *own) time.Duration {
		if o.delay != nil && o.delay.SilenceMS > 0 {
			return time.Duration(o.delay.SilenceMS * float64(time.Millisecond))
		}
		return 0
	},
}

// healthy is the declared time after which a stream counts as healthy, as far as it is waited for.
func (o *own) healthy() time.Duration {
	if o.delay == nil {
		return 0
	}
	const longest = 40 * time.Second // by default
	if d := time.Duration(o.delay.ResetAfterMS * float64(time.Millisecond)); d <= longest {
		return d
	}
	return 0
}

// rowToCap is how many delays it takes until three of them are at the cap.
func rowToCap(p *subject.Delay) int {
	n := 0
	if boundless(p) {
		return n
	}
	for p != nil && n < 100 && undisturbed(p, n, 0) < undisturbed(p, 100, 0) {
		n++
	}
	return n + 3
}

// Takes estimates how long the cases take that the options select, for a client that says this of itself, as Greeted is told it. So it is
// known before the first case how slow a client with fixed times is to judge.
func (o *Options) Takes(cases []Case, h subject.Hello) time.Duration {
	profile := o.Profile
	if profile == "" {
		profile, _ = ProfileOf(h) // Check refuses what is wrong with it
	}
	can := func(c subject.Capability) bool { return slices.Contains(h.Caps, string(c)) }
	way := ownOf(h)
	requirements, err := conformance.Requirements()
	if err != nil {
		return 0 // the catalogue is ours; Check says what is wrong
	}
	var total, longest, alone, waiting time.Duration
	for i := range requirements {
		r := &requirements[i]
		at := slices.IndexFunc(cases, func(c Case) bool { return c.Requirement == r.ID })
		if at < 0 || !r.AppliesTo(profile) || !r.Selected(o.Only) || slices.ContainsFunc(cases[at].Needs, func(n subject.Capability) bool { return !can(n) }) {
			continue
		}
		d := time.Second + way.takes(r.ID)
		if cases[at].Alone {
			alone += d
			continue
		}
		if cases[at].Waits && way.multi {
			waiting = max(waiting, d)
			continue
		}
		total += d
		longest = max(longest, d)
	}
	if !way.multi {
		return total + alone
	}
	parallel := o.Parallel
	if parallel == 0 {
		parallel = 16
	}
	return max(waiting, max(longest, total/time.Duration(parallel))+alone)
}
