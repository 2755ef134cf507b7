package server

import (
	"fmt"
	"slices"
	"time"
)

// instead words what came in place of a message, behind which another was published that has come. That nothing came is said only where
// nothing did. between are the events before that other one, and offset is where they begin in the body.
func (t *Trial) instead(p *Tap, offset int, payload string, between []Event) string {
	patience := blind
	if t.Deviated() {
		patience = 0 // once is enough
	}
	if late := t.comesBehind(p, offset, payload, patience); late != "" {
		return "it only " + late
	}
	if len(between) > 0 && !t.Subject.Shared {
		return describe(between)
	}
	if patience == 0 {
		return "nothing before a message that was published after it"
	}
	return fmt.Sprintf("nothing, nor within %v of a message that was published after it", patience)
}

// comesBehind says by how much a message came behind another that was published after its acknowledgement; "" when it does not come for a
// while.
func (t *Trial) comesBehind(p *Tap, offset int, payload string, patience time.Duration) (words string) {
	same := carrying(payload)
	place := func(r *Record) int {
		return slices.IndexFunc(r.Events, func(e Event) bool { return e.End > offset && same(e.Data) })
	}
	t.Allow(patience)
	t.AwaitFor(p, "a message is awaited that should have come", patience, func(r *Record) bool { return place(r) >= 0 })
	p.Look(func(r *Record) {
		at := place(r)
		if at < 1 || !t.ours(r.Events[at-1]) {
			return
		}
		words = "right behind a message that was published after it"
		if gap := r.Events[at].At.Sub(r.Events[at-1].At); gap >= time.Millisecond {
			words = fmt.Sprintf("%v behind a message that was published after it", gap.Round(time.Millisecond))
		}
	})
	return words
}

// lacks words which of the first messages of a lane a subscriber has not got, "" when it has all: left out, where later ones of that publisher
// came, or else not there yet.
func (f *follower) lacks(s series, lane, last int) (words string, leftOut bool) {
	f.take() // what came since is not missing
	got := s.numbers(lane, f.seen)
	lost := missing(got, last)
	if len(lost) == 0 {
		return "", false
	}
	words = fmt.Sprintf("%s, %d of %d,", spans(lost), len(lost), last)
	if len(got) > 0 && slices.Max(got) > lost[0] {
		return words + " were left out: later ones came", true
	}
	words += fmt.Sprintf(" had not come when nothing more came for %v", f.t.arrival)
	if f.refused != "" {
		words += ": " + f.refused
	}
	return words, false
}
