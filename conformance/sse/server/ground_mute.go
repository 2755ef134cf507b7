package server

import (
	"context"
	"fmt"
	"sync"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
)

// fewStreams are opened beside each other, to see whether each of them gets messages: with several that do not, most cases would wait in vain.
const (
	fewStreams = 6
	severalOf  = 2
)

// someMute says how many of a few streams get nothing, "" when that are not several. A slow subject is not asked.
func (s *suite) someMute(ctx context.Context) (missing string) {
	if s.joined.Pace > quickEnough {
		return ""
	}
	var open []*glance
	defer func() {
		for _, p := range open {
			p.Close()
		}
	}()
	for range fewStreams {
		if p, err := s.glance(ctx, s.arrival/2); err == nil {
			open = append(open, p)
		}
	}
	silent := make([]bool, len(open))
	var waiting sync.WaitGroup
	for i, p := range open {
		crash.Go(&waiting, func() {
			why := p.delivers(ctx, s.arrival/2)
			ended, _ := p.Ended()
			silent[i] = why != "" && !ended && p.count() == 0
		})
	}
	waiting.Wait()
	mute := 0
	for _, s := range silent {
		if s {
			mute++
		}
	}
	if mute < severalOf || mute == len(open) || ctx.Err() != nil { // where all are, it may be that one cannot have so many
		return ""
	}
	return fmt.Sprintf("%d of %s that were open at once got none of several, and the others did", mute, conformance.Plural(len(open), "stream"))
}
