package scenarios

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func seeds(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		files, err := os.ReadDir(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(pattern + "/" + file.Name())
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, "load.subscribers=5")
		}
	}
}

// FuzzScenario holds that any text is either refused with problems or can be planned.
func FuzzScenario(f *testing.F) {
	seeds(f, "shipped", "testdata/scenario/good", "testdata/scenario/bad", "testdata/scenario/parser")
	f.Fuzz(func(t *testing.T, data []byte, override string) {
		s, err := ParseScenario(data, Source{Name: "fuzz.yaml", Lookup: testLookup}, override)
		if err != nil {
			requireProblems(t, err)
			return
		}
		if s.Load.Subscribers > 1000 || s.Load.Streams*s.Load.Publish.Publishers > 1000 {
			return
		}
		p := NewPlan(s, nil, 1)
		p.Shard(1, 3)
		p.Fingerprint()
		for _, publisher := range p.Publishers[:min(10, len(p.Publishers))] {
			schedule := p.Schedule(publisher)
			for range 100 {
				m, ok := schedule.Next()
				if ok && (m.Due < 0 || m.Due >= s.Duration) {
					t.Fatalf("message %d is due at %v of %v", m.Number, m.Due, s.Duration)
				}
			}
		}
	})
}

// FuzzTarget holds that any text is either refused with problems or makes requests.
func FuzzTarget(f *testing.F) {
	seeds(f, "targets", "testdata/target/good", "testdata/target/bad", "testdata/target/parser")
	f.Fuzz(func(t *testing.T, data []byte, value string) {
		target, err := ParseTarget(data, Source{Name: "fuzz.yaml", Lookup: testLookup})
		if err != nil {
			requireProblems(t, err)
			return
		}
		_, _ = target.SubscribeRequest(SubscribeVars{Streams: []string{value, "b"}, Token: value})
		if target.Publish != nil {
			_, _ = target.PublishRequest(PublishVars{Stream: value, Data: value, Type: value})
		}
		target.Redact(value)
	})
}

// FuzzPolicy holds that any text is either refused with problems or is a policy whose delays are none below zero.
func FuzzPolicy(f *testing.F) {
	for _, text := range []string{
		"base: 1s\nfactor: 2\ncap: 30s\njitter: 30%\nreset: on-event\n", "base: 1s\ncap: 1ms\n", "jitter: 1e300\n", "base: ${BASE}\n", "&a [*a]", "",
	} {
		f.Add([]byte(text), uint16(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, attempts uint16) {
		p, err := parsePolicy(data, Source{Name: "fuzz.yaml", Lookup: testLookup})
		if err != nil {
			requireProblems(t, err)
			return
		}
		random := rand.New(rand.NewPCG(uint64(attempts), 1))
		for _, attempt := range []int{1, 2, int(attempts)} {
			for _, retry := range []time.Duration{0, time.Second, math.MaxInt32 * time.Millisecond} {
				low, high := p.Bounds(attempt, retry)
				if d := p.Delay(attempt, retry, random); low < 0 || d < low || d > high {
					t.Fatalf("attempt %d of %+v waits for %v, between %v and %v", attempt, p, d, low, high)
				}
			}
		}
	})
}

func requireProblems(t *testing.T, err error) {
	t.Helper()
	if problems, ok := errors.AsType[*Problems](err); !ok || len(problems.List) == 0 {
		t.Fatalf("not a list of problems: %v", err)
	}
}
