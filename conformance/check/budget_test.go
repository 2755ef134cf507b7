package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/history"
)

const target = -1 // the subscriber of observations that concern the target

// after lets time pass.
func (w *world) after(d time.Duration) { w.now += d }

// drops loses the connection, waits as the policy says for took, and comes back.
func (w *world) comeBack(s *worldSubscriber, took, low, high time.Duration) {
	w.disconnect(s, history.CauseReset)
	w.sub(s, history.Observation{Kind: history.Wait, Took: took, Low: low, High: high})
	w.after(took - 2*tick)
	w.connect(s)
}

// TestVerdicts holds for each budget, and for each guarantee that is about connections, a run that keeps it, one that breaks it, and one in
// which it cannot be told.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	second := time.Second
	quantile := []check.Quantile{{Percent: 99, AtMost: 100 * time.Millisecond}}
	zero := 0
	publishFor := func(w *world, d time.Duration) {
		for until := w.now + d; w.now < until; w.after(100 * time.Millisecond) {
			w.publish(0, 0)
			w.flush()
		}
	}
	delays := func(n int, took time.Duration) func(*world, *worldSubscriber) {
		return func(w *world, s *worldSubscriber) {
			for range n {
				w.comeBack(s, took, second, 2*second)
			}
		}
	}
	memory := func(bytes ...int64) func(*world, *worldSubscriber) {
		return func(w *world, _ *worldSubscriber) {
			for _, b := range bytes {
				w.after(second)
				w.observe(history.Observation{Kind: history.Memory, Subscriber: target, Size: b})
			}
		}
	}
	fault := func(w *world, s *worldSubscriber, kind history.Kind) { w.sub(s, history.Observation{Kind: kind}) }
	step := func(subscribers int, lasting bool) []check.Step {
		return []check.Step{{Name: "stall", At: second, Subscribers: subscribers, Lasting: lasting}}
	}

	for _, c := range []struct {
		id     string
		what   string
		expect func(*check.Config)
		script func(w *world, s *worldSubscriber)
		want   conformance.Outcome
		says   string // part of the reason or of what was seen
	}{
		{"latency.p99", "soon", func(c *check.Config) { c.Expect.Latency = quantile }, func(w *world, _ *worldSubscriber) { publishFor(w, second) }, conformance.Pass, "ms"},
		{"latency.p99", "late", func(c *check.Config) { c.Expect.Latency = quantile }, func(w *world, _ *worldSubscriber) {
			w.publishes(1)
			w.after(second)
		}, conformance.Fail, "1s"},
		{"latency.p99", "never", func(c *check.Config) { c.Expect.Latency = quantile }, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			s.next()
		}, conformance.Fail, "∞ (1 of 2"},
		{"latency.p99", "nothing published", func(c *check.Config) { c.Expect.Latency = quantile }, func(*world, *worldSubscriber) {}, conformance.Unknown, "no samples"},
		{"connect.p99", "soon", func(c *check.Config) { c.Expect.Connect = quantile }, func(*world, *worldSubscriber) {}, conformance.Pass, "1ms"},
		{"connect.p99", "never", func(c *check.Config) {
			c.Expect.Connect = quantile
			c.Subscribers = append(c.Subscribers, c.Subscribers[0])
		}, func(*world, *worldSubscriber) {}, conformance.Fail, "∞ (1 of 2"},
		{"connect.failed", "none", func(c *check.Config) { c.Expect.Failed = &zero }, func(*world, *worldSubscriber) {}, conformance.Pass, "0"},
		{"connect.failed", "one", func(c *check.Config) {
			c.Expect.Failed = &zero
			c.Subscribers = append(c.Subscribers, c.Subscribers[0])
		}, func(w *world, _ *worldSubscriber) {
			w.observe(history.Observation{Kind: history.Refused, Subscriber: 1, Connection: 1, Attempt: 1, Status: 503, Cause: history.CauseStatus})
		}, conformance.Fail, "1"},
		{"first_event.p99", "soon", func(c *check.Config) { c.Expect.FirstEvent = quantile }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.First, Took: tick})
		}, conformance.Pass, "1ms"},
		{"first_event.p99", "late", func(c *check.Config) { c.Expect.FirstEvent = quantile }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.First, Took: second})
		}, conformance.Fail, "1s"},
		{"first_event.p99", "none", func(c *check.Config) { c.Expect.FirstEvent = quantile }, func(*world, *worldSubscriber) {}, conformance.Unknown, "no samples"},
		{"reconnect.within", "soon", func(c *check.Config) { c.Expect.Within = 2 * second }, delays(1, second), conformance.Pass, "1"},
		{"reconnect.within", "late", func(c *check.Config) { c.Expect.Within = second / 2 }, delays(1, second), conformance.Fail, "1"},
		{"reconnect.within", "no loss", func(c *check.Config) { c.Expect.Within = second }, func(*world, *worldSubscriber) {}, conformance.Unknown, "no subscriber lost"},
		{"reconnect.backoff", "as announced", func(c *check.Config) { c.Expect.Backoff = true }, delays(10, second), conformance.Pass, "0 outside"},
		{"reconnect.backoff", "at the tolerance", func(c *check.Config) { c.Expect.Backoff = true }, delays(10, 2*second+600*time.Millisecond), conformance.Pass, "0 outside"},
		{"reconnect.backoff", "too early", func(c *check.Config) { c.Expect.Backoff = true }, delays(10, 900*time.Millisecond), conformance.Fail, "10 outside"},
		{"reconnect.backoff", "too late", func(c *check.Config) { c.Expect.Backoff = true }, delays(10, 3*second), conformance.Fail, "10 outside"},
		{"reconnect.backoff", "too few", func(c *check.Config) { c.Expect.Backoff = true }, delays(9, 3*second), conformance.Unknown, "9 delays"},
		{"reconnect.peak", "spread", func(c *check.Config) { c.Expect.Peak = 1 }, delays(3, 2*second), conformance.Pass, "100%/s"},
		{"reconnect.peak", "at once", func(c *check.Config) { c.Expect.Peak = 1 }, delays(3, 100*time.Millisecond), conformance.Fail, "300%/s"},
		{"reconnect.peak", "nobody", func(c *check.Config) { c.Expect.Peak = 1 }, func(*world, *worldSubscriber) {}, conformance.Unknown, "nobody|no subscriber"},
		{"resume.gap_p99", "soon", func(c *check.Config) { c.Expect.ResumeGap = quantile }, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.flush()
			w.disconnect(s, history.CauseReset)
			w.publishes(2)
			w.connect(s)
		}, conformance.Pass, "ms"},
		{"resume.gap_p99", "late", func(c *check.Config) { c.Expect.ResumeGap = quantile }, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.flush()
			w.disconnect(s, history.CauseReset)
			w.publishes(2)
			w.after(second)
			w.connect(s)
		}, conformance.Fail, "1.0"},
		{"resume.gap_p99", "nothing missed", func(c *check.Config) { c.Expect.ResumeGap = quantile }, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.flush()
			w.disconnect(s, history.CauseReset)
			w.connect(s)
			w.publishes(1)
		}, conformance.Unknown, "no samples"},
		{"heartbeat.every", "kept", func(c *check.Config) { c.Expect.Heartbeat = second }, func(w *world, s *worldSubscriber) {
			for range 5 {
				w.after(second)
				w.sub(s, history.Observation{Kind: history.Heartbeat})
			}
		}, conformance.Pass, "1"},
		{"heartbeat.every", "broken", func(c *check.Config) { c.Expect.Heartbeat = second }, func(w *world, s *worldSubscriber) {
			w.after(2 * second)
			w.sub(s, history.Observation{Kind: history.Heartbeat})
		}, conformance.Fail, "2"},
		{"heartbeat.every", "broken until the connection is given up", func(c *check.Config) { c.Expect.Heartbeat = second }, func(w *world, s *worldSubscriber) {
			w.after(2 * second)
			w.disconnect(s, history.CauseIdle)
			w.connect(s)
		}, conformance.Fail, "2"},
		{"heartbeat.every", "silence of our own making", func(c *check.Config) { c.Expect.Heartbeat, c.Steps = second, step(1, true) }, func(w *world, s *worldSubscriber) {
			fault(w, s, history.FaultBegin)
			fault(w, s, history.FaultBite)
			w.after(2 * second)
			fault(w, s, history.FaultEnd)
			w.after(second / 2)
			w.sub(s, history.Observation{Kind: history.Heartbeat})
		}, conformance.Pass, "ms"},
		{"fan_out.spread_p99", "together", func(c *check.Config) {
			c.Expect.Spread = quantile
			c.Subscribers = append(c.Subscribers, c.Subscribers[0])
		}, func(w *world, _ *worldSubscriber) { publishFor(w, second) }, conformance.Pass, "ms"},
		{"fan_out.spread_p99", "apart", func(c *check.Config) {
			c.Expect.Spread = quantile
			c.Subscribers = append(c.Subscribers, c.Subscribers[0])
		}, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.after(second)
		}, conformance.Fail, "1s"},
		{"fan_out.spread_p99", "one never", func(c *check.Config) {
			c.Expect.Spread = quantile
			c.Subscribers = append(c.Subscribers, c.Subscribers[0])
		}, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			s.next()
		}, conformance.Fail, "∞ (1 of"},
		{"memory.max", "below", func(c *check.Config) { c.Expect.MemoryMax = 100 }, memory(90, 100), conformance.Pass, "100 B"},
		{"memory.max", "above", func(c *check.Config) { c.Expect.MemoryMax = 100 }, memory(90, 101), conformance.Fail, "101 B"},
		{"memory.max", "unseen", func(c *check.Config) { c.Expect.MemoryMax = 100 }, memory(), conformance.Unknown, "could not be seen"},
		{"memory.growth", "sawtooth", func(c *check.Config) { c.Expect.Growth = 0.1 }, memory(100, 190, 100, 190, 100, 190, 105, 190), conformance.Pass, "5%"},
		{"memory.growth", "leak", func(c *check.Config) { c.Expect.Growth = 0.1 }, memory(100, 110, 120, 130, 140, 150, 160, 170), conformance.Fail, "60%"},
		{"memory.growth", "warming up", func(c *check.Config) { c.Expect.Growth = 0.1 }, memory(100, 300, 500, 700, 710, 705, 720, 715), conformance.Pass, "615%, and no more towards the end"},
		{"memory.growth", "others came and went", func(c *check.Config) { c.Expect.Growth = 0.5 }, func(w *world, s *worldSubscriber) {
			memory(800, 810, 820, 830)(w, s)
			for range 10 {
				w.disconnect(s, history.CauseReset)
				w.connect(s)
			}
			memory(840, 830, 820, 810)(w, s)
		}, conformance.Pass, "10 connections ended meanwhile: 40 B left by each would show, or 120 B if all of the 800 B at first was free"},
		{"memory.growth", "too short", func(c *check.Config) { c.Expect.Growth = 0.1 }, memory(100, 170), conformance.Unknown, "2 samples"},
		{"sessions.live", "one", func(c *check.Config) { c.Expect.Sessions = 1 }, delays(2, second), conformance.Pass, "1"},
		{"sessions.live", "two", func(c *check.Config) { c.Expect.Sessions = 1 }, func(w *world, s *worldSubscriber) {
			w.connect(s)
			w.sub(s, history.Observation{Kind: history.Closed})
		}, conformance.Fail, "2"},
		{"expiry.within", "ended in time", func(c *check.Config) { c.Expect.Expiry = second }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.Closed})
			w.sub(s, history.Observation{Kind: history.Open, Due: w.now + 5*second})
			w.after(5 * second)
			w.disconnect(s, history.CauseEOF)
			w.connect(s)
		}, conformance.Pass, "0 of 1"},
		{"expiry.within", "lived on", func(c *check.Config) { c.Expect.Expiry = second }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.Closed})
			w.sub(s, history.Observation{Kind: history.Open, Due: w.now + 5*second})
			w.after(7 * second)
			w.sub(s, history.Observation{Kind: history.Heartbeat})
		}, conformance.Fail, "1 of 1"},
		{"expiry.within", "no token", func(c *check.Config) { c.Expect.Expiry = second }, func(*world, *worldSubscriber) {}, conformance.Unknown, "no connection"},
		{"greeting", "given", func(c *check.Config) { c.Expect.Greeting = `{"type":"connected"}` }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.Other, Data: `{"type": "connected"}`})
		}, conformance.Pass, "0 of 1"},
		{"greeting", "another", func(c *check.Config) { c.Expect.Greeting = `{"type":"connected"}` }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.Other, Data: `{"type":"hello"}`})
		}, conformance.Fail, "1 of 1"},
		{"greeting", "a message before it", func(c *check.Config) { c.Expect.Greeting = "hi" }, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.flush()
			w.sub(s, history.Observation{Kind: history.Other, Data: "hi"})
		}, conformance.Fail, "1 of 1"},
		{"greeting", "nothing at all", func(c *check.Config) { c.Expect.Greeting = "hi" }, func(*world, *worldSubscriber) {}, conformance.Unknown, "no connection"},
		{"bystanders.latency_p99", "unmoved", func(c *check.Config) {
			c.Expect.Bystanders = 1.5
			c.Subscribers = append(c.Subscribers, check.Subscriber{Streams: []int32{0}, Slow: true})
		}, func(w *world, _ *worldSubscriber) {
			publishFor(w, 20*second)
			w.sub(w.subs[1], history.Observation{Kind: history.SlowBegin})
			publishFor(w, 20*second)
		}, conformance.Pass, "ms"},
		{"bystanders.latency_p99", "held up", func(c *check.Config) {
			c.Expect.Bystanders = 1.5
			c.Subscribers = append(c.Subscribers, check.Subscriber{Streams: []int32{0}, Slow: true})
		}, func(w *world, s *worldSubscriber) {
			publishFor(w, 20*second)
			w.sub(w.subs[1], history.Observation{Kind: history.SlowBegin})
			publishFor(w, 20*second)
			for range 10 {
				w.publishes(1)
				w.after(50 * time.Millisecond)
				w.hear(s, 1)
			}
		}, conformance.Fail, "ms"},
		{"bystanders.latency_p99", "no quiet phase", func(c *check.Config) {
			c.Expect.Bystanders = 1.5
			c.Subscribers = append(c.Subscribers, check.Subscriber{Streams: []int32{0}, Slow: true})
		}, func(w *world, _ *worldSubscriber) {
			w.sub(w.subs[1], history.Observation{Kind: history.SlowBegin})
			publishFor(w, 20*second)
		}, conformance.Unknown, "undisturbed steady phase had 0"},
		{"delivery.alive", "in time", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.after(4 * second)
			w.hear(s, 1)
		}, conformance.Pass, "none"},
		{"delivery.alive", "a stall that ended", nil, func(w *world, s *worldSubscriber) {
			w.publishes(20)
			w.after(10 * second)
			w.hear(s, 20)
		}, conformance.Fail, "1 stalled"},
		{"delivery.alive", "two stalls", nil, func(w *world, s *worldSubscriber) {
			for range 2 {
				w.publishes(20)
				w.after(10 * second)
				w.hear(s, 20)
			}
		}, conformance.Fail, "2 stalled"},
		{"delivery.alive", "a stall at the end", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			s.queue = nil
			w.after(10 * second)
		}, conformance.Fail, "1 stalled"},
		{"delivery.alive", "a stall of our own making", func(c *check.Config) { c.Steps = step(1, true) }, func(w *world, s *worldSubscriber) {
			fault(w, s, history.FaultBegin)
			fault(w, s, history.FaultBite)
			w.publishes(1)
			w.after(10 * second)
			fault(w, s, history.FaultEnd)
			w.hear(s, 1)
		}, conformance.Pass, "none"},
		{"delivery.alive", "a late replay", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(1)
			w.after(10 * second)
			w.connect(s)
		}, conformance.Pass, "none"},
		{"delivery.alive", "never taken back", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.sub(s, history.Observation{Kind: history.Refused, Status: 503, Cause: history.CauseStatus})
			w.after(10 * second)
		}, conformance.Fail, "1 never back"},
		{"delivery.alive", "kept away by us", func(c *check.Config) { c.Steps = step(1, true) }, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			fault(w, s, history.FaultBegin)
			fault(w, s, history.FaultBite)
			w.disconnect(s, history.CauseFault)
			w.sub(s, history.Observation{Kind: history.Refused, Cause: history.CauseFault})
			w.after(10 * second)
		}, conformance.Pass, "none"},
		{"delivery.alive", "sent away for good", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseEOF)
			w.sub(s, history.Observation{Kind: history.Refused, Status: 401, Cause: history.CauseStatus})
			w.sub(s, history.Observation{Kind: history.Away, Cause: history.CauseStatus})
		}, conformance.Fail, "1 never back"},
		{"delivery.alive", "told that there is no more", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseEOF)
			w.sub(s, history.Observation{Kind: history.Refused, Status: 204, Cause: history.CauseStatus})
			w.sub(s, history.Observation{Kind: history.Away, Cause: history.CauseStatus})
		}, conformance.Pass, "none"},
		{"delivery.complete", "still waiting to come back", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			w.disconnect(s, history.CauseReset)
			w.publishes(1)
		}, conformance.Unknown, "1 owed deliveries were outstanding"},
		{"delivery.complete", "held up by a fault until the end", func(c *check.Config) { c.Steps = step(1, true) }, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			w.hear(s, 1)
			fault(w, s, history.FaultBegin)
			fault(w, s, history.FaultBite)
			w.publishes(1)
			s.queue = nil
			w.after(10 * second)
			fault(w, s, history.FaultEnd)
		}, conformance.Unknown, "a fault of ours held up"},
		{"delivery.complete", "a fault that did not bite", func(c *check.Config) { c.Steps = step(1, false) }, func(w *world, _ *worldSubscriber) { w.publishes(1) },
			conformance.Unknown, `the fault "stall" planned at 1s took no effect`},
		{"delivery.complete", "a loss, and a fault that did not bite", func(c *check.Config) { c.Steps = step(1, false) }, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			s.next()
		}, conformance.Fail, "1 lost"},
		{"delivery.complete", "one subscriber too few", func(c *check.Config) {
			c.Subscribers = append(c.Subscribers, c.Subscribers[0])
		}, func(w *world, _ *worldSubscriber) {
			w.publishes(1)
		}, conformance.Unknown, "only 1 of 2 subscribers became ready"},
		{"delivery.complete", "nothing published", nil, func(*world, *worldSubscriber) {}, conformance.Unknown, "no owed delivery"},
		{"delivery.complete", "interrupted", nil, func(w *world, s *worldSubscriber) {
			w.publishes(2)
			s.next()
			w.phase("interrupted")
		}, conformance.Unknown, "interrupted"},
		{"delivery.unique", "interrupted after a violation", nil, func(w *world, s *worldSubscriber) {
			w.publishes(1)
			m := s.next()
			w.receive(s, m, 0)
			w.receive(s, m, 0)
			w.phase("interrupted")
		}, conformance.Fail, "1 duplicated"},
		{"delivery.latest", "it arrives", nil, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			s.next()
			s.next()
		}, conformance.Pass, "none"},
		{"delivery.latest", "it does not", nil, func(w *world, s *worldSubscriber) {
			w.publishes(3)
			w.hear(s, 2)
			s.next()
		}, conformance.Fail, "1 outdated"},
		{"delivery.latest", "a slow reader that is still reading", func(c *check.Config) { c.Target.SlowPolicy = "coalesce" }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.SlowBegin, Size: 100})
			w.publishes(9)
			w.after(5 * second)
			w.hear(s, 3)
			s.queue = nil
			w.after(5 * second)
		}, conformance.Unknown, "no newest message"},
		{"delivery.latest", "a slow reader that has nothing more to read", func(c *check.Config) { c.Target.SlowPolicy = "coalesce" }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.SlowBegin, Size: 100})
			w.publishes(9)
			w.after(5 * second)
			w.hear(s, 3)
			s.queue = nil
			w.after(20 * second)
		}, conformance.Fail, "1 outdated"},
		{"delivery.latest", "a slow reader whose older messages were left out", func(c *check.Config) { c.Target.SlowPolicy = "coalesce" }, func(w *world, s *worldSubscriber) {
			w.sub(s, history.Observation{Kind: history.SlowBegin, Size: 100})
			w.publishes(9)
			w.hear(s, 3)
			s.queue = s.queue[5:]
			w.hear(s, 1)
			w.after(20 * second)
		}, conformance.Pass, "none in 1"},
	} {
		t.Run(c.id+"/"+c.what, func(t *testing.T) {
			t.Parallel()
			cfg := config(1, 1, 1, 1)
			cfg.Expect.Latency, cfg.Expect.Failed = nil, nil
			if c.expect != nil {
				c.expect(&cfg)
			}
			w := newWorld(cfg)
			w.phase("ramp")
			for _, s := range w.subs {
				if strings.Contains(c.what, "few") && s.index > 0 || strings.HasPrefix(c.id, "connect") && s.index > 0 {
					continue
				}
				w.connect(s)
			}
			w.phase("steady")
			c.script(w, w.subs[0])
			w.finish()
			_, report := w.judge()
			v := verdict(t, report, c.id)
			told := false
			for _, part := range strings.Split(c.says, "|") {
				told = told || strings.Contains(v.Reason+" "+v.Actual, part)
			}
			if v.Outcome != c.want || !told {
				t.Errorf("%s (%s), expected %s, actual %s; want %s and %q", v.Outcome, v.Reason, v.Expected, v.Actual, c.want, c.says)
			}
			if v.Outcome == conformance.Fail && v.Next == "" {
				t.Error("a failure does not say what to do next")
			}
			if v.Title == "" || v.Expected == "" || v.Actual == "" {
				t.Errorf("the verdict is not in words: %+v", v)
			}
		})
	}
}

// TestBusyHarnessIsNoExcuseForLoss lets the harness be the bottleneck: what it can make worse is unknown when it is bad and good when it is
// good; what it cannot touch stays as it was.
func TestBusyHarnessIsNoExcuseForLoss(t *testing.T) {
	t.Parallel()
	busy := conformance.Health{Problems: []string{"timers were late"}, LagP50: 950, LagP99: 950, LagMax: 950}
	rather := conformance.Health{Problems: []string{"timers were late"}, LagP50: 618, LagP99: 618, LagMax: 618}
	for name, c := range map[string]struct {
		health conformance.Health
		late   time.Duration
		lose   bool
		want   map[string]conformance.Outcome
	}{
		"late":            {busy, time.Second, false, map[string]conformance.Outcome{"latency.p50": conformance.Unknown, "delivery.complete": conformance.Pass}},
		"later than that": {rather, time.Second, false, map[string]conformance.Outcome{"latency.p50": conformance.Fail}},
		"soon":            {busy, 0, false, map[string]conformance.Outcome{"latency.p50": conformance.Pass}},
		"lost":            {busy, 0, true, map[string]conformance.Outcome{"latency.p50": conformance.Pass, "latency.max": conformance.Fail, "delivery.complete": conformance.Fail}},
		"blind":           {conformance.Health{Drops: 3}, 0, true, map[string]conformance.Outcome{"latency.p50": conformance.Unknown, "delivery.complete": conformance.Unknown}},
		"blind, kept":     {conformance.Health{Drops: 3}, 0, false, map[string]conformance.Outcome{"delivery.complete": conformance.Unknown, "delivery.unique": conformance.Unknown}},
		"all dropped":     {conformance.Health{KernelDrops: 9}, time.Second, false, map[string]conformance.Outcome{"latency.p50": conformance.Unknown, "delivery.complete": conformance.Pass}},
		"one dropped":     {conformance.Health{KernelDrops: 1}, time.Second, false, map[string]conformance.Outcome{"latency.p50": conformance.Fail}},
		"well and late":   {conformance.Health{}, time.Second, false, map[string]conformance.Outcome{"latency.p50": conformance.Fail}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(c *check.Config) {
				c.Expect.Latency = []check.Quantile{{Percent: 50, AtMost: 100 * time.Millisecond}, {Percent: 100, AtMost: time.Minute}}
			}))
			w.publishes(4)
			w.after(c.late)
			w.hear(s, 2)
			if c.lose {
				s.next()
			}
			w.finish()
			tally, _ := w.judge()
			report := tally.Report(&w.cfg, c.health)
			for id, want := range c.want {
				if v := verdict(t, report, id); v.Outcome != want {
					t.Errorf("%s: %s (%s) with %s, want %s", id, v.Outcome, v.Reason, v.Actual, want)
				}
			}
		})
	}
}

// TestATargetThatOthersStarvedIsNotToBlame for what other programs of its machine can have delayed by so much, and for nothing else.
func TestATargetThatOthersStarvedIsNotToBlame(t *testing.T) {
	t.Parallel()
	starved := func(p50, most float64) conformance.Health {
		return conformance.Health{OK: true, LagMax: 3, Contention: []conformance.HeldUp{
			{Within: conformance.Duration(500 * time.Millisecond), P50: p50 / 3, P99: most / 3, Max: most / 3},
			{Within: conformance.Duration(time.Second), P50: p50, P99: most, Max: most},
			{Within: conformance.Duration(5 * time.Second), P50: 3 * p50, P99: 3 * most, Max: 3 * most},
		}}
	}
	const pass, fail, unknown = conformance.Pass, conformance.Fail, conformance.Unknown
	for name, c := range map[string]struct {
		health   conformance.Health
		late     time.Duration
		lose     bool
		p50, p99 conformance.Outcome
		complete conformance.Outcome
	}{
		"a quiet machine":              {conformance.Health{OK: true, LagMax: 3}, 499 * time.Millisecond, false, fail, fail, pass},
		"starved all the time":         {starved(500, 700), 499 * time.Millisecond, false, unknown, unknown, pass},
		"starved once":                 {starved(2, 700), 499 * time.Millisecond, false, fail, unknown, pass},
		"starved by less":              {starved(2, 100), 900 * time.Millisecond, false, fail, fail, pass},
		"starved, and in time":         {starved(500, 700), 99 * time.Millisecond, false, pass, pass, pass},
		"starved, and late for longer": {starved(500, 700), 20 * time.Second, false, fail, fail, pass},
		"starved, and lost":            {starved(500, 700), 0, true, pass, fail, fail},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := one(expecting(func(c *check.Config) {
				c.Expect.Latency = []check.Quantile{{Percent: 50, AtMost: 250 * time.Millisecond}, {Percent: 99, AtMost: 250 * time.Millisecond}}
			}))
			w.publishes(4)
			w.after(c.late)
			w.hear(s, 3)
			if c.lose {
				s.next()
			} else {
				w.hear(s, 1)
			}
			w.finish()
			tally, _ := w.judge()
			report := tally.Report(&w.cfg, c.health)
			for id, want := range map[string]conformance.Outcome{"latency.p50": c.p50, "latency.p99": c.p99, "delivery.complete": c.complete} {
				v := verdict(t, report, id)
				if v.Outcome != want || want == unknown && !strings.Contains(v.Reason, "other programs") {
					t.Errorf("%s: %s (%s) with %s, want %s", id, v.Outcome, v.Reason, v.Actual, want)
				}
			}
		})
	}
}

// TestLateTimersMakeWrongDelaysUnknown lets our own timers be late by less than a delay is wrong, and by more.
func TestLateTimersMakeWrongDelaysUnknown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		delay time.Duration
		lag   float64 // ms at worst
		want  conformance.Outcome
	}{
		{time.Second, 60, conformance.Pass},
		{3 * time.Second, 10, conformance.Fail},
		{3 * time.Second, 600, conformance.Fail},
		{3 * time.Second, 1700, conformance.Unknown},
	} {
		w, s := one(expecting(func(c *check.Config) { c.Expect.Backoff = true }))
		for range 10 {
			w.comeBack(s, c.delay, time.Second, time.Second)
		}
		w.finish()
		tally, _ := w.judge()
		if v := verdict(t, tally.Report(&w.cfg, conformance.Health{LagMax: c.lag, Problems: []string{"busy"}}), "reconnect.backoff"); v.Outcome != c.want {
			t.Errorf("delays of %v with timers %vms late: %s (%s), want %s", c.delay, c.lag, v.Outcome, v.Reason, c.want)
		}
	}
}

// TestWhatOurOwnLatenessExplainsIsNobodysFault lets one stall of the harness be as long as a budget was exceeded by, or shorter.
func TestWhatOurOwnLatenessExplainsIsNobodysFault(t *testing.T) {
	t.Parallel()
	for lag, want := range map[float64]conformance.Outcome{0: conformance.Fail, 500: conformance.Fail, 1000: conformance.Unknown} {
		w, s := one(expecting(func(c *check.Config) {
			c.Expect.Latency = []check.Quantile{{Percent: 50, AtMost: 100 * time.Millisecond}, {Percent: 99, AtMost: 100 * time.Millisecond}}
		}))
		w.publishes(4)
		w.after(time.Second)
		w.hear(s, 4)
		w.finish()
		tally, _ := w.judge()
		report := tally.Report(&w.cfg, conformance.Health{LagMax: lag})
		if v := verdict(t, report, "latency.p99"); v.Outcome != want {
			t.Errorf("held up for %vms at most: %s (%s) with %s, want %s", lag, v.Outcome, v.Reason, v.Actual, want)
		}
		if v := verdict(t, report, "latency.p50"); v.Outcome != conformance.Fail {
			t.Errorf("held up once, for %vms: p50 %s (%s) with %s, want fail", lag, v.Outcome, v.Reason, v.Actual)
		}
	}
}

func TestDivergentOrder(t *testing.T) {
	t.Parallel()
	for _, total := range []bool{true, false} {
		cfg := config(3, 1, 2, 1)
		cfg.Target.TotalOrder = total
		w := newWorld(cfg)
		w.connectAll()
		w.publish(0, 0)
		w.publish(0, 1)
		first := w.subs[0]
		first.queue[0], first.queue[1] = first.queue[1], first.queue[0]
		w.finish()
		_, report := w.judge()
		want := conformance.Pass
		if total {
			want = conformance.Fail
		}
		if v := verdict(t, report, "delivery.ordered"); v.Outcome != want {
			t.Errorf("total order %v: %s with %s, want %s", total, v.Outcome, v.Actual, want)
		}
	}
}

// TestOrderOfThreeIsSeen lets each two of three subscribers agree on what they both received, and all three not.
func TestOrderOfThreeIsSeen(t *testing.T) {
	t.Parallel()
	cfg := config(3, 1, 3, 1)
	w := newWorld(cfg)
	w.connectAll()
	a, b, c := w.publish(0, 0), w.publish(0, 1), w.publish(0, 2)
	for i, pair := range [][]worldMessage{{a, b}, {b, c}, {c, a}} {
		w.subs[i].queue = pair
	}
	w.finish()
	_, report := w.judge()
	v := verdict(t, report, "delivery.ordered")
	if v.Outcome != conformance.Fail || !strings.Contains(v.Actual, "1 divergent order") {
		t.Errorf("%s with %s, want one divergent order", v.Outcome, v.Actual)
	}
}

// TestUnjudgedNamesEveryPromise compares with a run that took place.
func TestUnjudgedNamesEveryPromise(t *testing.T) {
	t.Parallel()
	cfg := config(1, 1, 1, 1)
	cfg.Expect.Within, cfg.Expect.Backoff, cfg.Expect.Greeting, cfg.Expect.MemoryMax = time.Second, true, "hi", 5
	cfg.Duration, cfg.Expect.Heartbeat, cfg.Expect.Declared = time.Minute, time.Second, true
	w := newWorld(cfg)
	w.after(time.Minute)
	w.finish()
	_, report := w.judge()
	unjudged := check.Unjudged(cfg, conformance.Skip, "the target cannot publish")
	if len(unjudged) != len(report.Verdicts) {
		t.Fatalf("%d verdicts, want %d", len(unjudged), len(report.Verdicts))
	}
	for i, v := range unjudged {
		if v.ID != report.Verdicts[i].ID || v.Outcome != conformance.Skip || v.Reason == "" {
			t.Errorf("%+v", v)
		}
	}
}

func TestEmptyRunIsUnknown(t *testing.T) {
	t.Parallel()
	cfg := config(2, 1, 1, 1)
	cfg.Expect.Within, cfg.Expect.Backoff, cfg.Expect.Greeting, cfg.Expect.MemoryMax = time.Second, true, "hi", 5
	cfg.Expect.Growth, cfg.Expect.Sessions, cfg.Expect.Heartbeat, cfg.Expect.Peak = 1, 1, time.Second, 1
	cfg.Expect.Bystanders, cfg.Expect.Spread = 2, cfg.Expect.Latency
	cfg.Expect.Connect, cfg.Expect.FirstEvent, cfg.Expect.ResumeGap = cfg.Expect.Latency, cfg.Expect.Latency, cfg.Expect.Latency
	for _, v := range check.New(cfg).Finish(time.Minute, conformance.Health{OK: true}).Verdicts {
		if v.Outcome != conformance.Unknown || v.Reason == "" {
			t.Errorf("%s of a run without any observation: %s, actual %s", v.ID, v.Outcome, v.Actual)
		}
	}
}

// TestAnyObservationIsSurvived feeds what no run would give.
func TestAnyObservationIsSurvived(t *testing.T) {
	t.Parallel()
	for seed := range int64(50) {
		j := check.New(config(3, 2, 1, 1))
		x := uint64(seed + 1)
		next := func(n uint64) uint64 {
			x = x*6364136223846793005 + 1442695040888963407
			return x >> 33 % n
		}
		for range 300 {
			j.Observe(&history.Observation{
				Kind: history.Kind(next(30)), At: time.Duration(next(1e11)), Subscriber: int32(next(6)) - 2, Connection: int32(next(3)),
				Stream: int32(next(5)) - 1, Publisher: int32(next(3)) - 1, Number: next(8), Step: int32(next(3)) - 1,
				Acked: history.Acked(next(4)), Mark: history.Mark(next(8)), Text: fmt.Sprint(next(3)), Event: fmt.Sprint(next(3)),
				Cause: history.Cause(next(18)), High: time.Duration(next(1e9)), Due: time.Duration(next(1e10)),
			})
			j.Outstanding()
		}
		j.Finish(time.Minute, conformance.Health{})
	}
}

// TestWhatASlowReaderFoundLateIsItsOwn lets a slow reader catch up once it reads normally again.
func TestWhatASlowReaderFoundLateIsItsOwn(t *testing.T) {
	t.Parallel()
	w, s := one(expecting(func(c *check.Config) {
		c.Expect.Latency = []check.Quantile{{Percent: 100, AtMost: 100 * time.Millisecond}}
	}))
	w.publishes(1)
	w.hear(s, 1)
	w.sub(s, history.Observation{Kind: history.SlowBegin, Size: 100})
	w.publishes(3)
	w.after(5 * time.Second)
	w.sub(s, history.Observation{Kind: history.SlowEnd})
	w.hear(s, 3)
	w.publishes(1)
	w.hear(s, 1)
	w.finish()
	_, report := w.judge()
	if v := verdict(t, report, "latency.max"); v.Outcome != conformance.Pass {
		t.Errorf("latency.max: %s with %s, want pass", v.Outcome, v.Actual)
	}
}
