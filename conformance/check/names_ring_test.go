package check

import "testing"

// TestTheNewestIDsAreRemembered of as many subscribers as there may be, and for as long a run as there may be.
func TestTheNewestIDsAreRemembered(t *testing.T) {
	t.Parallel()
	for _, subscribers := range []int{1, 17, 20, mostNamed, 1000} {
		j := New(Config{Streams: []string{"a"}, Publishers: []int32{1}, Subscribers: make([]Subscriber, subscribers), Target: Target{Resume: true}})
		n := j.namesOf(0)
		n.make(len(j.names))
		most := uint64(cap(n.ids))
		for i := range 3 * most {
			if before := n.note(i, i+1); before != 0 {
				t.Fatalf("%d subscribers: id %d named message %d before", subscribers, i, before)
			}
		}
		if before := n.note(2*most, 1); before != 2*most+1 {
			t.Errorf("%d subscribers: the oldest of the newest ids named %d, want %d", subscribers, before, 2*most+1)
		}
		if before := n.note(2*most-1, 1); before != 0 || len(n.messages) != int(most) {
			t.Errorf("%d subscribers: an older id named %d, and %d are remembered, want none and %d", subscribers, before, len(n.messages), most)
		}
	}
}
