package conformance

import (
	"context"
	"fmt"
	"time"
)

// burden is what a subject's processes used of the processor while a case ran.
type burden struct {
	ask   func(ctx context.Context) (time.Duration, error) // nil: it cannot be seen
	used  time.Duration
	began time.Time
}

func (r *round) burden() *burden {
	b := &burden{ask: r.Processor, began: time.Now()}
	if b.ask != nil {
		var err error
		if b.used, err = b.ask(r.ctx); err != nil {
			b.ask = nil
		}
	}
	return b
}

const (
	wholeCore  = 0.9             // of one, and more, leaves a single thread no time for anything else
	shortWatch = 2 * time.Second // processor times are told in hundredths of a second
)

// explain tells in a verdict that is no pass of a subject that was at work all the time: what is late or lost then may be for want of it.
func (b *burden) explain(ctx context.Context, v *Verdict) {
	if b.ask == nil || v.Outcome != Fail && v.Outcome != Warn && v.Outcome != Unknown {
		return
	}
	used, err := b.ask(ctx)
	passed := time.Since(b.began)
	if err != nil || passed <= 0 {
		return
	}
	if cores := float64(used-b.used) / float64(passed); cores >= wholeCore && passed >= shortWatch {
		v.Reason = joined(v.Reason, fmt.Sprintf("the target's process used %.1f cores meanwhile, for %v", cores, passed.Round(100*time.Millisecond)))
	}
}
