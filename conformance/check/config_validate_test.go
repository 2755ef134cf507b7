package check_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

// TestAConfigThatNoRunHasIsRefused: a history may come from anybody.
func TestAConfigThatNoRunHasIsRefused(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*check.Config){
		"want 0 to 1000":                func(c *check.Config) { c.Publishers[0] = -1 },
		"2147483647 publish":            func(c *check.Config) { c.Publishers[1] = math.MaxInt32 },
		"entries for 2 streams":         func(c *check.Config) { c.Publishers = append(c.Publishers, 1) },
		"follows stream -1":             func(c *check.Config) { c.Subscribers[0].Streams = []int32{-1} },
		"follows stream 2147483647":     func(c *check.Config) { c.Subscribers[0].Streams = []int32{math.MaxInt32} },
		"follows stream 1 twice":        func(c *check.Config) { c.Subscribers[0].Streams = []int32{1, 0, 1} },
		"subscribers from 2147483647":   func(c *check.Config) { c.First = math.MaxInt32 },
		"duration is":                   func(c *check.Config) { c.Duration = math.MinInt64 },
		"steps: 0":                      func(c *check.Config) { c.Steps = []check.Step{{At: math.MinInt64}} },
		"target: events is -1":          func(c *check.Config) { c.Target.Events = -1 },
		"expect: latency: NaN":          func(c *check.Config) { c.Expect.Latency = []check.Quantile{{Percent: math.NaN()}} },
		"expect: heartbeat is -1":       func(c *check.Config) { c.Expect.Heartbeat = -1 },
		"follow more than 33554432":     func(c *check.Config) { crowd(c, 40_000) },
		"publishers: 1000000000 in all": func(c *check.Config) { plenty(c) },
	} {
		c := config(3, 2, 1, 1)
		if err := c.Validate(); err != nil {
			t.Fatalf("a config of a plan: %v", err)
		}
		edit(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func crowd(c *check.Config, subscribers int) {
	c.Publishers[0] = 1000
	c.Subscribers = make([]check.Subscriber, subscribers)
	for i := range c.Subscribers {
		c.Subscribers[i].Streams = []int32{0}
	}
}

func plenty(c *check.Config) {
	c.Streams, c.Publishers = make([]string, 1_000_000), make([]int32, 1_000_000)
	for i := range c.Publishers {
		c.Publishers[i] = 1000
	}
}

// TestNumbersOfStrangers: what a token, or a line of a history, names that is not there is told or ignored. None of it is counted up to.
func TestNumbersOfStrangers(t *testing.T) {
	t.Parallel()
	for _, o := range []history.Observation{
		{Kind: history.Deliver, Stream: 1, Publisher: math.MaxInt32, Number: 1},
		{Kind: history.Deliver, Stream: math.MaxInt32, Publisher: math.MinInt32, Number: math.MaxUint64},
		{Kind: history.Deliver, Subscriber: math.MinInt32, Number: 1},
		{Kind: history.Deliver, Stream: 1, Number: history.MaxNumber},
		{Kind: history.Publish, Stream: 1, Publisher: math.MaxInt32, Number: 1},
		{Kind: history.Publish, Stream: 1, Number: history.MaxNumber},
		{Kind: history.Ack, Stream: 1, Number: history.MaxNumber, Acked: history.Acknowledged},
		{Kind: history.Ready, Stream: 1, Publisher: math.MaxInt32, Number: 1},
		{Kind: history.Ready, Stream: 1, Number: history.MaxNumber},
		{Kind: history.FaultBegin, Step: math.MaxInt32}, {Kind: history.FaultBite, Step: math.MinInt32}, {Kind: history.FaultEnd, Step: math.MaxInt32},
		{Kind: history.Memory, Subscriber: -1, At: math.MinInt64, Size: math.MinInt64},
	} {
		c := config(3, 2, 1, 1)
		judge := check.New(c)
		judge.Observe(&history.Observation{Kind: history.Open, Subscriber: 1, Connection: 1})
		o.At = max(o.At, time.Second)
		o.Subscriber = max(o.Subscriber, 1)
		judge.Observe(&o)
		if report := judge.Finish(time.Minute, conformance.Health{OK: true}); len(report.Verdicts) == 0 {
			t.Errorf("%v: no verdict", o.Kind)
		}
	}
}
