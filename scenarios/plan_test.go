package scenarios

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func planned(t *testing.T, seed uint64, overrides ...string) *Plan {
	t.Helper()
	data := `
name: planned
load: {streams: 20, subscribers: 200, follow: 3, ramp: {over: 2s, arrivals: poisson}, publish: {rate: 40/s, publishers: 2}, slow: {share: 10%, read: 1KiB/s}}
timeline:
  - {at: 3s, fault: reset, share: 30%}
  - {at: 4s, fault: restart}
  - {at: 5s, fault: close, share: 100%}
  - {at: 6s, fault: reset, share: 0.1%}
duration: 10s
expect: {delivery: [ordered]}`
	s, err := ParseScenario([]byte(data), Source{Name: "planned.yaml"}, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return NewPlan(s, nil, seed)
}

func TestOneSeedGivesOnePlan(t *testing.T) {
	t.Parallel()
	a, b := planned(t, 7), planned(t, 7)
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("two plans of one seed differ:\n%s", diff)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("two plans of one seed have different fingerprints")
	}
}

func TestFingerprintTellsPlansApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{planned(t, 7).Fingerprint(): "the plan itself"}
	note := func(what string, p *Plan) {
		if same := seen[p.Fingerprint()]; same != "" {
			t.Errorf("%s has the fingerprint of %s", what, same)
		}
		seen[p.Fingerprint()] = what
	}
	note("another seed", planned(t, 8))
	for _, override := range []string{
		"load.streams=21", "load.subscribers=201", "load.follow=2", "load.ramp.over=3s", "load.publish.rate=41/s", "load.publish.size=300B",
		"load.publish.types={a: 1}", "load.slow.share=11%", "timeline.0.share=31%", "timeline.0.fault=close", "timeline.0.at=2s", "duration=11s",
		"load.reconnect=immediate", "settle=1s", "load.time_scale=2", "load.token_life=1s", "load.return_on=bye", "load.heartbeat_timeout=1s", "broker.queue=5",
	} {
		note(override, planned(t, 7, override))
	}
	s := planned(t, 7).Scenario
	note("another target", NewPlan(s, &Target{Name: "other", Publish: &PublishRequest{}}, 7))
}

func TestOneSubscriberMoreLeavesTheOthers(t *testing.T) {
	t.Parallel()
	a, b := planned(t, 7, "load.ramp.arrivals=at-once", "load.ramp.over=0s"), planned(t, 7, "load.ramp.arrivals=at-once", "load.ramp.over=0s", "load.subscribers=201")
	changed := 0
	for i := range a.Subscribers {
		if a.Subscribers[i].Seed != b.Subscribers[i].Seed || !slices.Equal(a.Subscribers[i].Streams, b.Subscribers[i].Streams) {
			t.Fatalf("subscriber %d is another one", i)
		}
		if a.Subscribers[i].Slow != b.Subscribers[i].Slow {
			changed++
		}
	}
	if changed > 1 {
		t.Errorf("%d subscribers changed from slow to fast or back, want at most 1", changed)
	}
	if !slices.Equal(a.Publishers, b.Publishers) {
		t.Error("the publishers changed")
	}
}

func TestShareChoosesTheExactNumberAndNeverNobody(t *testing.T) {
	t.Parallel()
	p := planned(t, 7)
	for i, want := range []int{60, 0, 200, 1} {
		if got := len(p.Timeline[i].Subscribers); got != want {
			t.Errorf("step %d concerns %d subscribers, want %d", i, got, want)
		}
		if !slices.IsSorted(p.Timeline[i].Subscribers) {
			t.Errorf("step %d is not in ascending order", i)
		}
	}
	slow := 0
	for _, s := range p.Subscribers {
		if s.Slow {
			slow++
		}
	}
	if slow != 20 {
		t.Errorf("%d are slow, want 20", slow)
	}
	if slices.Equal(p.Timeline[0].Subscribers, choose(0.3, 200, subseed(7, "slow", 0))) {
		t.Error("two purposes choose the same subscribers")
	}
}

func TestSubscribersStartInOrderWithinTheRamp(t *testing.T) {
	t.Parallel()
	for _, arrivals := range []string{"uniform", "poisson"} {
		p := planned(t, 7, "load.ramp.arrivals="+arrivals)
		var last time.Duration
		for _, s := range p.Subscribers {
			if s.Start < last || s.Start >= 2*time.Second {
				t.Fatalf("%s: subscriber %d starts at %v after %v", arrivals, s.Index, s.Start, last)
			}
			last = s.Start
		}
		if last < time.Second {
			t.Errorf("%s: the last subscriber starts at %v of 2s", arrivals, last)
		}
	}
}

func TestStreamsAreFollowedAlike(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ streams, subscribers, follow int }{{20, 200, 3}, {7, 50, 7}, {20, 10, 2}, {5, 3, 1}, {1, 9, 1}, {12, 31, 5}} {
		load := &Load{Streams: test.streams, Subscribers: test.subscribers, Follow: test.follow}
		counts := make([]int, test.streams)
		for _, s := range planSubscribers(load, 1) {
			if len(s.Streams) != test.follow || s.Group != -1 {
				t.Fatalf("%+v: %+v", test, s)
			}
			own := map[int32]bool{}
			for _, stream := range s.Streams {
				counts[stream]++
				own[stream] = true
			}
			if len(own) != test.follow {
				t.Fatalf("%+v: subscriber %d follows a stream twice: %v", test, s.Index, s.Streams)
			}
		}
		if slices.Max(counts)-slices.Min(counts) > 1 {
			t.Errorf("%+v: followers per stream %v", test, counts)
		}
	}
}

func TestEachGroupFollowsEachStreamOnce(t *testing.T) {
	t.Parallel()
	for _, follow := range []int{1, 5, 20} {
		load := &Load{Streams: 20, Subscribers: 20 * 4 / follow, Follow: follow, Groups: []string{"a", "b", "c", "d"}}
		var counts [4][20]int
		for _, s := range planSubscribers(load, 1) {
			for _, stream := range s.Streams {
				counts[s.Group][stream]++
			}
		}
		for group := range counts {
			for stream, n := range counts[group] {
				if n != 1 {
					t.Errorf("follow %d: stream %d has %d subscribers in group %d", follow, stream, n, group)
				}
			}
		}
	}
}

func TestForeignStreamsAreNamedAfterTheRun(t *testing.T) {
	t.Parallel()
	p := NewPlan(planned(t, 7).Scenario, &Target{}, 7)
	for _, name := range p.Streams {
		if !strings.HasPrefix(name, "sg-"+p.Run+"-") {
			t.Errorf("stream %s of run %s", name, p.Run)
		}
	}
	if p.Publishers != nil {
		t.Error("a target that cannot publish has publishers")
	}
	if other := NewPlan(p.Scenario, &Target{}, 8); other.Run == p.Run {
		t.Error("two seeds share a run id")
	}
}

func TestPublishersShareTheRate(t *testing.T) {
	t.Parallel()
	p := planned(t, 7)
	sum := 0.0
	seeds := map[uint64]bool{}
	for _, w := range p.Publishers {
		sum += w.Rate
		seeds[w.Seed] = true
	}
	if len(p.Publishers) != 40 || sum < 39.999 || sum > 40.001 || len(seeds) != 40 {
		t.Errorf("%d publishers with %d seeds publish %v/s together", len(p.Publishers), len(seeds), sum)
	}
}

func TestShardsAreDisjointAndTogetherThePlan(t *testing.T) {
	t.Parallel()
	p := planned(t, 7)
	for _, n := range []int{1, 2, 3, 7, 64, 300} {
		joined := *p
		joined.Subscribers, joined.Publishers = nil, nil
		steps := make([]PlannedStep, len(p.Timeline))
		onTarget := 0
		for i := range n {
			shard := p.Shard(i, n)
			joined.Subscribers = append(joined.Subscribers, shard.Subscribers...)
			joined.Publishers = append(joined.Publishers, shard.Publishers...)
			for _, step := range shard.Timeline {
				if step.OnTarget() {
					onTarget++
				}
				gathered := slices.Concat(steps[step.Index].Subscribers, step.Subscribers)
				steps[step.Index] = step
				steps[step.Index].Subscribers = gathered
				for _, index := range step.Subscribers {
					if !slices.ContainsFunc(shard.Subscribers, func(s Subscriber) bool { return s.Index == index }) {
						t.Fatalf("shard %d of %d breaks subscriber %d, whom it does not have", i, n, index)
					}
				}
			}
		}
		joined.Timeline = steps
		if diff := cmp.Diff(p, &joined); diff != "" {
			t.Errorf("%d shards (-plan +joined):\n%s", n, diff)
		}
		if onTarget != 1 {
			t.Errorf("%d shards restart the target %d times", n, onTarget)
		}
	}
}

func TestPlanOfManySubscribersIsSmall(t *testing.T) {
	const n = 100_000
	s := planned(t, 7).Scenario
	s.Load.Subscribers, s.Load.Streams, s.Load.Follow = n, 1000, 1000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := NewPlan(s, nil, 7)
	runtime.GC()
	runtime.ReadMemStats(&after)
	steps := 0
	for _, step := range p.Timeline {
		steps += 4 * len(step.Subscribers)
	}
	if got := (int64(after.HeapAlloc) - int64(before.HeapAlloc) - int64(steps)) / n; got >= 100 {
		t.Errorf("a planned subscriber takes %d bytes, want fewer than 100", got)
	}
	runtime.KeepAlive(p)
}
