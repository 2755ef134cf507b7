package check_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// lossy publishes n messages to each stream in turn; those that loses names are lost to the subscriber.
func (w *world) lossy(n int, loses func(s *worldSubscriber, m worldMessage) bool) {
	for range n {
		for stream := range w.streams {
			m := w.publish(int32(stream), 0)
			for _, s := range w.subs {
				if len(s.queue) > 0 && s.queue[len(s.queue)-1] == m && loses(s, m) {
					s.queue = s.queue[:len(s.queue)-1]
				}
			}
		}
		w.flush()
	}
}

func patternOf(t *testing.T, w *world) string {
	t.Helper()
	_, r := w.judge()
	v := verdict(t, r, "delivery.complete")
	if len(v.Findings) == 0 {
		t.Fatalf("nothing was lost: %+v", v)
	}
	return v.Findings[0].Pattern
}

func TestWhatIsLostHasItsPattern(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		subscribers, streams, messages int
		loses                          func(s *worldSubscriber, m worldMessage) bool
		want                           string
	}{
		"the same half": {20, 1, 100, func(s *worldSubscriber, m worldMessage) bool {
			return s.index < 10 && (m.number == 20 || m.number == 50)
		},
			"each of the two lost messages was missed by the same 10 of 20 subscribers"},
		"one replica": {20, 1, 100, func(s *worldSubscriber, m worldMessage) bool {
			return (uint64(s.index)+m.number)%2 == 0 && m.number > 50 && m.number < 90
		},
			"each of the 39 lost messages reached exactly half of its 20 subscribers"},
		"a third": {30, 1, 100, func(s *worldSubscriber, m worldMessage) bool {
			return (uint64(s.index)+m.number)%3 == 0 && m.number > 50 && m.number < 90
		},
			"each of the 39 lost messages was missed by one of 3 groups of its 30 subscribers, always the same: 10 each"},
		"shifting thirds": {30, 1, 100, func(s *worldSubscriber, m worldMessage) bool {
			return (uint64(s.index+1)*m.number)%31 <= 10 && m.number%31 != 0 && m.number > 50 && m.number < 90
		}, "each of the 38 lost messages reached exactly 20 of its 30 subscribers"},
		"two replicas of different sizes": {20, 1, 100, func(s *worldSubscriber, m worldMessage) bool {
			return m.number > 50 && (m.number%5 < 2) != (s.index < 7)
		},
			"was missed by one of 2 groups of its 20 subscribers, always the same: 7 to 13 each"},
		"nobody": {20, 1, 100, func(_ *worldSubscriber, m worldMessage) bool { return m.number == 50 },
			"the lost message was missed by all 20 subscribers"},
		"every tenth": {10, 1, 100, func(s *worldSubscriber, m worldMessage) bool {
			return m.number%10 == 0 && m.number < 100 && s.index == int32(m.number/10)%7
		},
			"all 9 lost messages: every 10th message"},
		"every seventh of each": {5, 1, 100, func(s *worldSubscriber, m worldMessage) bool { return m.number%7 == uint64(s.index) && m.number < 90 },
			"every 7th message of each subscriber that missed any"},
		"one stream": {20, 10, 60, func(s *worldSubscriber, m worldMessage) bool {
			return m.stream == 3 && m.number*uint64(s.index+7)%19 < 3
		},
			"only on stream room-3, one of 10"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(config(c.subscribers, c.streams, 1, 1))
			w.connectAll()
			w.lossy(c.messages, c.loses)
			w.lossy(1, func(*worldSubscriber, worldMessage) bool { return false })
			w.finish()
			if got := patternOf(t, w); !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestSetsThatWereSeenOnceAreNoGroups loses a message or two of each stream, each for subscribers of its own.
func TestSetsThatWereSeenOnceAreNoGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(config(40, 8, 1, 1))
	w.connectAll()
	w.lossy(60, func(s *worldSubscriber, m worldMessage) bool {
		return (m.number == 20 || m.number == 40) && (uint64(s.index)/8)%5 == (m.number/20+uint64(m.stream))%5
	})
	w.lossy(1, func(*worldSubscriber, worldMessage) bool { return false })
	w.finish()
	if got := patternOf(t, w); strings.Contains(got, "always the same") || strings.Contains(got, "the same ") {
		t.Errorf("got %q", got)
	}
}

// TestChanceHasNoPattern loses at random, rarely and often.
func TestChanceHasNoPattern(t *testing.T) {
	t.Parallel()
	told := 0
	const worlds = 400
	for seed := range uint64(worlds) {
		random := rand.New(rand.NewPCG(seed, 1))
		rate := []float64{0.3, 0.05, 0.01, 0.002}[seed%4]
		w := newWorld(config(2+random.IntN(20), 1+random.IntN(3), 1, 1))
		w.cfg.Steps = []check.Step{{Name: "reset", At: 50 * tick}}
		w.connectAll()
		w.lossy(60, func(*worldSubscriber, worldMessage) bool { return random.Float64() < rate })
		w.finish()
		_, r := w.judge()
		if v := verdict(t, r, "delivery.complete"); len(v.Findings) > 0 && v.Findings[0].Pattern != "" {
			told++
			t.Logf("world %d, rate %v, %d lost: %s", seed, rate, v.Findings[0].Count, v.Findings[0].Pattern)
		}
	}
	if told > 4 {
		t.Errorf("%d of %d worlds of chance have a pattern", told, worlds)
	}
}

func TestLossesAfterAFaultAreSaidToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(config(10, 1, 1, 1))
	w.cfg.Steps = []check.Step{{Name: "reset", At: 5 * time.Second, Subscribers: 10}}
	w.connectAll()
	for i := range 40 {
		w.now = time.Duration(i) * 500 * tick
		w.lossy(3, func(s *worldSubscriber, m worldMessage) bool { return i == 10 && (m.number+uint64(s.index))%3 != 0 })
	}
	w.finish()
	if got := patternOf(t, w); !strings.Contains(got, "after the reset at 5s") {
		t.Errorf("got %q", got)
	}
}

func TestLossesOnLaterConnectionsAreSaidToBe(t *testing.T) {
	t.Parallel()
	w := newWorld(config(10, 1, 1, 1))
	w.connectAll()
	w.lossy(30, func(*worldSubscriber, worldMessage) bool { return false })
	for _, s := range w.subs[:5] {
		w.disconnect(s, history.CauseReset)
		w.connect(s)
	}
	w.lossy(60, func(s *worldSubscriber, m worldMessage) bool {
		return s.connection > 1 && m.number > 33 && (m.number*7+uint64(s.index)*5)%11 < 3
	})
	w.lossy(1, func(*worldSubscriber, worldMessage) bool { return false })
	w.finish()
	if got, want := patternOf(t, w), "only on connections after a subscriber's first"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLossesOfLargeMessagesAreSaidToBe(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{300, 4096} {
		w := newWorld(config(4, 1, 1, 1))
		w.connectAll()
		w.lossy(80, func(_ *worldSubscriber, m worldMessage) bool { return sizeOf(m.number) > limit })
		w.lossy(3, func(*worldSubscriber, worldMessage) bool { return false })
		w.finish()
		for i := range w.log {
			if o := &w.log[i]; o.Kind == history.Publish || o.Kind == history.Deliver {
				if o.Size = sizeOf(o.Number); o.Number > 80 {
					o.Size = 10
				}
			}
		}
		least, most := int64(1<<20), int64(0)
		for n := uint64(1); n <= 80; n++ {
			if size := sizeOf(n); size > limit {
				least = min(least, size)
			} else {
				most = max(most, size)
			}
		}
		want := fmt.Sprintf("only messages of %d bytes and more (the largest that arrived has %d)", least, most)
		if got := patternOf(t, w); !strings.Contains(got, want) {
			t.Errorf("limit %d: got %q, want %q", limit, got, want)
		}
	}
}

// sizeOf is a size for each message, from 13 to some 6,000 bytes.
func sizeOf(number uint64) int64 { return 13 * int64(1+number*number%463) }
