package fault

import "time"

// A slow line reads its socket in pieces of at most a twentieth of a second's worth, through a receive buffer of a quarter of a
// second's (at most 32 KiB, at least what the kernel insists on), so that the target soon meets a full window and has to deal with it. What
// kernels hold of a connection that was fast is much, and stays so: one made while it lasts offers a small window and small segments from its
// beginning. It bites when reading was held up; what that did to the target Line.Backlog tells.
var slowFault = Fault{
	Name:    "slow",
	About:   "The subscriber reads slowly, at the socket, so that the target cannot send.",
	Lasting: true,
	Begin: func(l *Line, p Params) {
		rate := max(1, p.Read)
		b := &bucket{rate: rate, piece: int(min(max(1, rate/20), maxRead))}
		l.restart()
		l.begin(&disturbance{
			fault: "slow", step: p.Step, joins: true, buffer: int(min(rate/4+1, 32<<10)), pace: b.pace, arrive: b.spend,
		})
	},
	End: func(l *Line, p Params) { l.end("slow", p.Step) },
}

// bucket is a token bucket that holds at most a twentieth of a second, and is empty at first.
type bucket struct {
	rate  int64 // bytes per second
	piece int   // bytes
	next  time.Time
	held  bool      // a read had to wait
	asked time.Time // when it was let go
}

func (b *bucket) pace(now time.Time) (int, time.Time) {
	if now.Before(b.next) {
		b.held = true
		return 0, b.next
	}
	if b.asked.Before(b.next) {
		b.asked = now
	}
	return b.piece, time.Time{}
}

// spend bites when a read that had to wait found its data waiting: without the pace it would have come earlier.
func (b *bucket) spend(now time.Time, a *arrival) (bit bool) {
	bit = b.held && now.Sub(b.asked) < time.Millisecond
	b.held = false
	earned := now.Add(-time.Second / 20)
	if b.next.Before(earned) {
		b.next = earned
	}
	b.next = b.next.Add(time.Duration(float64(len(a.data)) / float64(b.rate) * float64(time.Second)))
	return bit
}
