package check_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// shardOf feeds one of n shards: a range of the subscribers, and every n-th stream's publishers.
func (w *world) shardOf(shard, n int) *check.Judge {
	cfg := w.cfg
	first, last := shard*len(cfg.Subscribers)/n, (shard+1)*len(cfg.Subscribers)/n
	cfg.Subscribers, cfg.First, cfg.Remote = cfg.Subscribers[first:last], int32(first), true
	j := check.New(cfg)
	for i := range w.log {
		o := w.log[i]
		switch {
		case o.Kind == history.Publish || o.Kind == history.Ack:
			if int(o.Stream)%n == shard {
				j.Observe(&o)
			}
		case o.Subscriber < 0 || int(o.Subscriber) >= first && int(o.Subscriber) < last:
			j.Observe(&o)
		}
	}
	return j
}

// TestShardsMergeExactly judges a world in one piece and in shards that only exchange JSON.
func TestShardsMergeExactly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := randomWorld(t, []string{"lose", "swap", "again", "any", "corrupt"}, rapid.Bool().Draw(t, "resume"))
		shards := rapid.IntRange(2, 3).Draw(t, "shards")
		w.cfg.Remote = true // what is decided on the way must not rest on publishers that may be elsewhere
		whole, report := w.judge()
		merged := w.inShards(t, shards)
		if diff := cmp.Diff(asJSON(t, whole), asJSON(t, merged)); diff != "" {
			t.Fatalf("tally (−whole +merged):\n%s", diff)
		}
		again := merged.Report(&w.cfg, conformance.Health{OK: true})
		if diff := cmp.Diff(report, again, sameSamples); diff != "" {
			t.Fatalf("report (−whole +merged):\n%s", diff)
		}
	})
}

// sameSamples says that no sample is like another.
var sameSamples = cmp.Comparer(func(a, b conformance.Sample) bool { return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b)) })

func (w *world) inShards(t *rapid.T, n int) *check.Tally {
	var judges []*check.Judge
	var ledgers [][]byte
	for shard := range n {
		j := w.shardOf(shard, n)
		judges = append(judges, j)
		ledgers = append(ledgers, asJSON(t, j.Ledgers()))
	}
	var merged *check.Tally
	for i, j := range judges {
		for k, text := range ledgers {
			var states []check.LedgerState
			if err := json.Unmarshal(text, &states); err != nil {
				t.Fatal(err)
			}
			if k == i {
				continue
			}
			if err := j.Join(states); err != nil {
				t.Fatal(err)
			}
		}
		tally := new(check.Tally)
		if err := json.Unmarshal(asJSON(t, j.Tally(w.now)), tally); err != nil {
			t.Fatal(err)
		}
		if merged == nil {
			merged = tally
			continue
		}
		if err := merged.Merge(tally); err != nil {
			t.Fatal(err)
		}
	}
	return merged
}

func asJSON(t *rapid.T, v any) []byte {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLedgerOfTwoShardsIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(config(2, 2, 1, 1))
	w.connectAll()
	w.publish(0, 0)
	w.finish()
	j := w.shardOf(0, 2)
	if err := j.Join(j.Ledgers()); err == nil {
		t.Error("a publisher that belongs to two shards is joined")
	}
	if err := j.Join([]check.LedgerState{{Stream: 7}}); err == nil {
		t.Error("a publisher that nobody planned is joined")
	}
}

func TestHistogramLogHoldsEveryDistribution(t *testing.T) {
	t.Parallel()
	w := newWorld(config(3, 1, 1, 1))
	w.connectAll()
	w.publish(0, 0)
	w.finish()
	tally, _ := w.judge()
	var out bytes.Buffer
	if err := tally.WriteHLog(&out, time.Unix(1700000000, 0)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Tag=latency.settle,", "Tag=connect,", "#[StartTime: 1700000000"} {
		if !bytes.Contains(out.Bytes(), []byte(want)) {
			t.Errorf("the log has no %q:\n%s", want, out.String())
		}
	}
}
