package run_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const small = `
name: small
load:
  streams: 3
  subscribers: 12
  follow: 2
  ramp: {over: 100ms}
  publish: {rate: 100/s, size: 200B}
  reconnect: {base: 50ms, factor: 2, cap: 1s, jitter: 30%}
  heartbeat_timeout: 5s
duration: 1s
settle: 5s
expect:
  delivery: [ordered, unique, complete, isolated, intact, alive]
  latency: {p50: 5s}
`

func scenario(t *testing.T, text string, set ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.ParseScenario([]byte(text), scenarios.Source{Name: t.Name() + ".yaml"}, set...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func do(t *testing.T, ctx context.Context, plan *scenarios.Plan) *run.Outcome {
	t.Helper()
	o, err := run.New(run.Options{Plan: plan, Log: func(line string) { t.Log(line) }}).Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func verdict(t *testing.T, o *run.Outcome, id string) conformance.Verdict {
	t.Helper()
	for _, v := range o.Verdicts {
		if v.ID == id {
			return v
		}
	}
	t.Fatalf("no verdict %s among %d", id, len(o.Verdicts))
	return conformance.Verdict{}
}

func wantAllPass(t *testing.T, o *run.Outcome) {
	t.Helper()
	if len(o.Verdicts) == 0 {
		t.Fatal("no verdicts")
	}
	for _, v := range o.Verdicts {
		if v.Outcome != conformance.Pass {
			t.Errorf("%s: %s (%s): expected %s, actual %s, findings %+v", v.ID, v.Outcome, v.Reason, v.Expected, v.Actual, v.Findings)
		}
	}
}

func TestReferenceBrokerKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	o := do(t, t.Context(), scenarios.NewPlan(scenario(t, small), nil, 1))
	wantAllPass(t, o)
	if o.Run.Expected == 0 || o.Run.Delivered != o.Run.Expected {
		t.Errorf("delivered %d of %d owed deliveries", o.Run.Delivered, o.Run.Expected)
	}
}

func TestFaultsCostNoMessage(t *testing.T) {
	t.Parallel()
	loses := "expect.delivery=[ordered, unique, complete, isolated, intact, resumable, alive]"
	for name, step := range map[string]string{
		"close":   "{at: 300ms, fault: close, share: 50%}",
		"reset":   "{at: 300ms, fault: reset, share: 50%}",
		"cut":     "{at: 300ms, fault: cut, share: 50%}",
		"stall":   "{at: 300ms, fault: stall, share: 50%, for: 400ms}",
		"latency": "{at: 300ms, fault: latency, share: 50%, for: 300ms, delay: 50ms, jitter: 20ms}",
		"refuse":  "{at: 300ms, fault: refuse, share: 50%, for: 300ms}, {at: 350ms, fault: close, share: 100%}",
		"restart": "{at: 300ms, fault: restart, for: 200ms}",
		"drain":   "{at: 300ms, fault: drain, for: 200ms}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := small + "timeline: [" + step + "]\n"
			set := []string{"load.heartbeat_timeout=1s"}
			if f, _ := scenarios.FaultByName(name); f.Loses && name != "stall" || name == "refuse" {
				set = append(set, loses)
			}
			wantAllPass(t, do(t, t.Context(), scenarios.NewPlan(scenario(t, text, set...), nil, 7)))
		})
	}
}

func TestInterruptKeepsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	r := run.New(run.Options{Plan: scenarios.NewPlan(scenario(t, small, "duration=60s"), nil, 1)})
	go func() {
		defer interrupt()
		for range time.Tick(time.Millisecond) {
			if r.Status().Delivered >= 20 {
				return
			}
		}
	}()
	o, err := r.Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Interrupted || o.Run.Delivered == 0 {
		t.Errorf("interrupted %t, delivered %d", o.Interrupted, o.Run.Delivered)
	}
	if got := verdict(t, o, "delivery.complete").Outcome; got == conformance.Pass {
		t.Error("complete passed although the run was cut short")
	}
}

// answers is a server that answers each subscription in the same wrong way.
func answers(t *testing.T, handler http.HandlerFunc) *scenarios.Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return target(t, server.URL)
}

func target(t *testing.T, url string) *scenarios.Target {
	t.Helper()
	text := `
name: wrong
protocol: sse
subscribe: {url: "` + url + `/?s={{.Stream}}"}
publish: {method: POST, url: "` + url + `/?s={{.Stream}}", body: "{{.Data}}"}
capabilities: [publish, resume]
`
	target, err := scenarios.ParseTarget([]byte(text), scenarios.Source{Name: "target.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func TestTargetThatIsNoStreamIsUnknown(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	for name, c := range map[string]struct {
		target *scenarios.Target
		says   string
	}{
		"nothing listens": {target(t, "http://"+closed.Addr().String()), "connection refused"},
		"never answers":   {target(t, "http://"+silent.Addr().String()), "sent no response"},
		"no such host":    {target(t, "http://streamgauge.invalid"), "check the host name"},
		"unauthorized": {answers(t, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "who are you", http.StatusUnauthorized)
		}), "status 401"},
		"html": {answers(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		}), "want text/event-stream"},
		"not http": {garbage(t), "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := do(t, t.Context(), scenarios.NewPlan(scenario(t, small, "load.connect_timeout=300ms", "load.follow=1"), c.target, 1))
			for _, v := range o.Verdicts {
				if v.Outcome != conformance.Unknown || !strings.Contains(v.Reason, c.says) {
					t.Errorf("%s: %s with reason %q, want unknown with %q", v.ID, v.Outcome, v.Reason, c.says)
				}
			}
			if len(o.Verdicts) == 0 {
				t.Error("no verdicts")
			}
		})
	}
}

// garbage answers with bytes that are not HTTP.
func garbage(t *testing.T) *scenarios.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("\x00\x01\x02 hello\r\n\r\n"))
			_ = c.Close()
		}
	}()
	return target(t, "http://"+l.Addr().String())
}

func TestMissingCapabilityIsSkipped(t *testing.T) {
	t.Parallel()
	s := scenario(t, small+"needs: [publish, resume]\n")
	mute, err := scenarios.LoadTarget("http://127.0.0.1:1/events", func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	s.Load.Follow = 1
	for _, v := range do(t, t.Context(), scenarios.NewPlan(s, mute, 1)).Verdicts {
		if v.Outcome != conformance.Skip || !strings.Contains(v.Reason, "publish, resume") {
			t.Errorf("%s: %s with reason %q, want skip naming publish and resume", v.ID, v.Outcome, v.Reason)
		}
	}
}
