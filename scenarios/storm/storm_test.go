package storm_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/scenarios/storm"
)

func named(t testing.TB, name string) *policy.Policy {
	t.Helper()
	p, there := policy.ByName(name)
	if !there {
		t.Fatalf("there is no policy %s", name)
	}
	return &p
}

func config(clients int, p *policy.Policy) storm.Config {
	return storm.Config{
		Clients: clients, Policy: p, Seed: 7, Accept: 100, Queue: 50, Timeout: 10 * time.Second, Trip: 20 * time.Millisecond, Until: time.Hour, Attempts: 1e8,
	}
}

func TestAServerThatKeepsUpIsBackAfterOneDelay(t *testing.T) {
	t.Parallel()
	c := config(1000, named(t, "constant-1s"))
	c.Accept, c.Queue = 1e6, 1000
	r := storm.Run(c)
	if r.Recovered != 1000 || r.Attempts != 1000 || r.Refused+r.TimedOut != 0 || r.Most != 1 {
		t.Fatalf("%+v", r)
	}
	// Each waits a second, and the last of a thousand is taken a millisecond later; then the answer travels.
	want := time.Second + time.Millisecond + 20*time.Millisecond
	if at, there := r.Recovery(1); !there || at != want || r.End != want {
		t.Errorf("all were back after %v, want %v", at, want)
	}
}

func TestOneDelayAfterTheOther(t *testing.T) {
	t.Parallel()
	p := &policy.Policy{Base: time.Second, Factor: 2, Cap: 4 * time.Second}
	c := config(1, p)
	c.Down = 10 * time.Second
	r := storm.Run(c)
	// Attempts leave after 1 s, and after refusals that take a round trip each, 2, 4 and 4 s later: at 1, 3.02, 7.04 and 11.06.
	at, _ := r.Recovery(1)
	if r.Attempts != 4 || r.Refused != 3 || at != 11*time.Second+60*time.Millisecond+20*time.Millisecond+10*time.Millisecond {
		t.Errorf("%d attempts, %d refused, back after %v", r.Attempts, r.Refused, at)
	}
	for second, want := range map[int]uint32{1: 1, 3: 1, 7: 1, 11: 1} {
		if got := r.Seconds[second].Attempts; got != want {
			t.Errorf("second %d has %d attempts, want %d", second, got, want)
		}
	}
}

func TestAnswersFromAQueueThatIsTooLongComeTooLate(t *testing.T) {
	t.Parallel()
	c := config(1000, &policy.Policy{Base: time.Second, Factor: 2, Cap: 30 * time.Second})
	c.Queue, c.Timeout = 1000, 2*time.Second // 10 s of work
	r := storm.Run(c)
	// What is taken within 1.98 s of the first attempts, 198 of them, is in time; the others gave up and are taken nevertheless.
	if r.TimedOut < 802 || r.Wasted != r.TimedOut || r.Recovered != 1000 {
		t.Errorf("%+v", r)
	}
	if r.Seconds[1].Connected+r.Seconds[2].Connected+r.Seconds[3].Connected != 198 {
		t.Errorf("of the first wave came back %+v", r.Seconds[:4])
	}
	short := c
	short.Queue = 190
	if quick := storm.Run(short); quick.TimedOut > 0 {
		t.Errorf("with a queue of 1.9 s there are %d timeouts", quick.TimedOut)
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	c := config(200, named(t, "constant-1s"))
	c.Accept, c.Queue, c.RetryAfter = 1000, 99, time.Minute
	r := storm.Run(c)
	if r.Refused != 100 || r.Seconds[61].Attempts != 100 || r.Attempts != 300 {
		t.Errorf("%d refused, %d attempts, %+v a minute later", r.Refused, r.Attempts, r.Seconds[61])
	}
}

func TestAStormThatIsNotOverSaysSo(t *testing.T) {
	t.Parallel()
	c := config(100_000, named(t, "exponential-1s-30s"))
	c.Until = time.Minute
	if r := storm.Run(c); r.Stopped == "" || r.Recovered > 6000 || len(r.Seconds) > 61 {
		t.Errorf("after a minute at 100/s %d are back: %q", r.Recovered, r.Stopped)
	} else if _, there := r.Recovery(1); there {
		t.Error("all of them are said to be back")
	}
	c.Until, c.Attempts = time.Hour, 50_000
	if r := storm.Run(c); !strings.Contains(r.Stopped, "50000 attempts") || r.Attempts != 50_000 {
		t.Errorf("%d attempts: %q", r.Attempts, r.Stopped)
	}
}

func TestJitterFlattensThePeak(t *testing.T) {
	t.Parallel()
	plain := storm.Run(config(5000, &policy.Policy{Base: 2 * time.Second, Factor: 2, Cap: 30 * time.Second}))
	full := storm.Run(config(5000, &policy.Policy{Base: 2 * time.Second, Factor: 2, Cap: 30 * time.Second, Spread: policy.Full}))
	_, high := plain.Peak()
	_, low := full.Peak()
	if low >= high || full.Refused >= plain.Refused {
		t.Errorf("with jitter at most %d attempts a second and %d refused, without %d and %d", low, full.Refused, high, plain.Refused)
	}
}

func TestOneSeedIsOneStorm(t *testing.T) {
	t.Parallel()
	a, b := storm.Run(config(3000, named(t, "jittered-500ms-30s"))), storm.Run(config(3000, named(t, "jittered-500ms-30s")))
	if a.Attempts != b.Attempts || a.End != b.End {
		t.Errorf("%d attempts until %v, and %d until %v", a.Attempts, a.End, b.Attempts, b.End)
	}
	c := config(3000, named(t, "jittered-500ms-30s"))
	c.Seed = 8
	if other := storm.Run(c); other.Attempts == a.Attempts && other.End == a.End {
		t.Error("another seed makes the same storm")
	}
}

func TestWrongStormsAreRefused(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*storm.Config){
		"clients is 0":                  func(c *storm.Config) { c.Clients = 0 },
		"accept rate":                   func(c *storm.Config) { c.Accept = 0 },
		"queue is 0 long":               func(c *storm.Config) { c.Queue = 0 },
		"timeout is 10ms":               func(c *storm.Config) { c.Timeout = 10 * time.Millisecond },
		"at once for ever":              func(c *storm.Config) { c.Policy, c.Trip = &policy.Policy{Factor: 1}, 0 },
		"watched for 0s":                func(c *storm.Config) { c.Until = 0 },
		"a time is below 0":             func(c *storm.Config) { c.Down = -1 },
		"clients is 200000000, want 1 ": func(c *storm.Config) { c.Clients = 200_000_000 },
	} {
		c := config(10, named(t, "constant-1s"))
		change(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("the error is %v, want one that says %q", err, says)
		}
	}
}

// TestEveryAttemptIsAccountedFor: whatever the storm, an attempt is refused, given up or brings its client back.
func TestEveryAttemptIsAccountedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		millis := func(name string, low, high int) time.Duration {
			return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Millisecond
		}
		p := &policy.Policy{
			Base: millis("base", 1, 3000), Factor: rapid.Float64Range(1, 3).Draw(t, "factor"), Cap: millis("cap", 0, 200_000),
			Jitter: rapid.Float64Range(0, 1).Draw(t, "jitter"), Spread: rapid.SampledFrom([]policy.Spread{policy.Up, policy.Both, policy.Full}).Draw(t, "spread"),
		}
		c := storm.Config{
			Clients: rapid.IntRange(1, 400).Draw(t, "clients"), Policy: p, Seed: rapid.Uint64().Draw(t, "seed"), Over: millis("over", 0, 5000),
			Down: millis("down", 0, 100_000), Accept: rapid.Float64Range(1, 1000).Draw(t, "accept"), Queue: rapid.IntRange(1, 500).Draw(t, "queue"),
			Timeout: millis("timeout", 101, 20_000), Trip: millis("trip", 1, 100), Until: time.Hour, Attempts: 200_000,
		}
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
		r := storm.Run(c)
		var sum storm.Second
		for _, s := range r.Seconds {
			sum.Attempts += s.Attempts
			sum.Refused += s.Refused
			sum.TimedOut += s.TimedOut
			sum.Connected += s.Connected
		}
		whole := r.Refused + r.TimedOut + uint64(r.Recovered)
		if r.Stopped == "" && (whole != r.Attempts || r.Recovered != c.Clients) || whole > r.Attempts {
			t.Errorf("%d attempts: %d refused, %d given up, %d back of %d; %q", r.Attempts, r.Refused, r.TimedOut, r.Recovered, c.Clients, r.Stopped)
		}
		if uint64(sum.Attempts) != r.Attempts || uint64(sum.Refused) != r.Refused || uint64(sum.TimedOut) != r.TimedOut || int(sum.Connected) != r.Recovered {
			t.Errorf("the seconds add up to %+v, the whole is %+v", sum, r)
		}
	})
}

func BenchmarkTenMillionClients(b *testing.B) {
	for b.Loop() {
		c := config(10_000_000, named(b, "jittered-500ms-30s"))
		c.Accept, c.Queue, c.Attempts = 50_000, 65_536, 1e9
		r := storm.Run(c)
		b.ReportMetric(float64(r.Attempts), "attempts/op")
	}
}
