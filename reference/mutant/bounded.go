package mutant

import (
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// Bounded are the mutants that are right up to a limit of load, for searches that are to find it. Their names end in the limit:
// late-above-100.
var Bounded = []struct {
	Name, Bug, SeenIn string
	Kills             []string
	broker            func(limit uint64) func(*broker.Config)
}{
	{
		"late-above-N", "As soon as more than N subscribers have received something, every message takes two seconds.",
		"plausible: a fan-out that fits into a cache, a buffer or a processor's time until it no longer does",
		[]string{"latency.p50", "latency.p99"}, lateAbove,
	},
	{
		"full-after-N", "After N messages every publish is refused.",
		"plausible: a disk or a quota that is full",
		[]string{"load.published"}, fullAfter,
	},
}

// bounded is the mutant of Bounded that a name with a limit means.
func bounded(name string) (Mutant, bool) {
	for _, b := range Bounded {
		digits, ok := strings.CutPrefix(name, strings.TrimSuffix(b.Name, "N"))
		limit, err := strconv.ParseUint(digits, 10, 63)
		if !ok || err != nil {
			continue
		}
		bug := strings.ReplaceAll(b.Bug, " N ", " "+digits+" ")
		return Mutant{Name: name, Bug: bug, SeenIn: b.SeenIn, Kills: b.Kills, Scenario: "steady", Broker: b.broker(limit)}, true
	}
	return Mutant{}, false
}

// lateAbove looks at who receives, not at who is connected: a connection that was only a look does not count.
func lateAbove(limit uint64) func(*broker.Config) {
	type place struct {
		lane
		known bool
	}
	return func(c *broker.Config) {
		places := new(each[place])
		var receiving atomic.Uint64
		c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			at := places.of(to)
			if !at.known {
				at.known = true
				receiving.Add(1)
			}
			if receiving.Load() <= limit {
				return []broker.Event{ev}
			}
			at.hold(to, ev, 2*time.Second)
			return nil
		}}
	}
}

func fullAfter(limit uint64) func(*broker.Config) {
	return func(c *broker.Config) {
		var published atomic.Uint64
		c.Tamper = &broker.Tamper{Handler: onPublish(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if published.Add(1) > limit {
				http.Error(w, "there is no room for more messages", http.StatusInsufficientStorage)
				return
			}
			next.ServeHTTP(w, r)
		})}
	}
}
