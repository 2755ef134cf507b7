package broker

import (
	"net/url"
	"sync"
	"testing"
)

func escape(s string) string { return url.QueryEscape(s) }

func TestStreamNamesAreComparedExactly(t *testing.T) {
	t.Parallel()
	b, base := newURL(t, Config{})
	names := []string{"room", "Room", "room/", "room%2F", "roo", "room*", "*", "r\u00f6m", "ro\u0308m"}
	var all []*events
	for _, name := range names {
		all = append(all, get(t, base+"/events?stream="+escape(name)))
	}
	for _, name := range names {
		publish(t, b, name, name)
	}
	for i, e := range all {
		e.expect(names[i])
		publish(t, b, names[i], "fence")
		e.expect("fence")
	}
}

// TestEverybodySeesOneOrder publishes to two streams from several goroutines: whoever follows a stream sees its
// events, and whoever follows both sees them all, in the one order of the broker.
func TestEverybodySeesOneOrder(t *testing.T) {
	t.Parallel()
	b, base := newURL(t, Config{})
	const publishers, each = 4, 100
	want := map[string]int{"a": publishers * each / 2, "b": publishers * each / 2, "b&stream=a": publishers * each}
	subscribers := map[string][]*events{}
	for streams := range want {
		for range 3 {
			subscribers[streams] = append(subscribers[streams], get(t, base+"/events?stream="+streams))
		}
	}
	var wg sync.WaitGroup
	for range publishers {
		wg.Go(func() {
			for i := range each {
				if _, err := b.Publish([]string{"a", "b"}[i%2], "", nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for streams, n := range want {
		for _, e := range subscribers[streams] {
			last := uint64(0)
			for range n {
				sequence, ok := parseID(b.epoch, e.next().ID)
				if !ok || sequence <= last {
					t.Fatalf("streams %s: %d after %d", streams, sequence, last)
				}
				last = sequence
			}
		}
	}
}
