package server

import "fmt"

// repeatsItself publishes some data again, right behind themselves and behind others, as does who measures what stays the same: each is a
// message of its own. A target that keeps only the newest, and says so, owes none of them.
func (t *Trial) repeatsItself() {
	if t.Subject.SlowPolicy == "coalesce" {
		return
	}
	stream, same, fence := t.Stream(), t.Unique(), t.Unique()
	f := t.follow([]string{stream})
	published := 0
	for i, data := range []string{same, same, t.Unique(), same, fence} {
		if t.Publish(Message{Stream: stream, Data: data, Number: uint64(i + 1)}).Acceptance != Acknowledged { //nolint:gosec // from 1 on
			return // refused, which is told, or not known
		}
		if data == same {
			published++
		}
	}
	if !f.hears(fence) || len(f.taps) > 1 {
		return // not for being the same
	}
	is := carrying(same)
	came := func(r *Record) (n int) {
		for _, e := range r.Events {
			if is(e.Data) {
				n++
			}
		}
		return n
	}
	t.Allow(blind)
	if t.AwaitFor(f.tap(), "messages with the same data are awaited", blind, func(r *Record) bool { return came(r) >= published }) {
		return
	}
	if ended, _ := f.tap().Ended(); ended {
		return
	}
	arrived := 0
	f.tap().Look(func(r *Record) { arrived = came(r) })
	t.Deviation("every acknowledged message, also one with the data of an earlier one",
		fmt.Sprintf("of %d acknowledged messages with the same data %d arrived, and one that was published after them", published, arrived),
		f.tap().Evidence())
}
