package scenarios_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/fault"
)

func preset(t *testing.T, name string) *scenarios.Target {
	t.Helper()
	target, err := scenarios.LoadTarget(name, func(string) (string, bool) { return "", true })
	if err != nil {
		t.Fatal(err)
	}
	return target
}

func shipped(t *testing.T, name string, overrides ...string) *scenarios.Scenario {
	t.Helper()
	s, err := scenarios.LoadScenario(name, nil, overrides...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestShippedScenariosAreValidAndShort(t *testing.T) {
	t.Parallel()
	var core time.Duration
	for i, name := range scenarios.ShippedNames() {
		s := shipped(t, name)
		if s.Name != name || s.About == "" {
			t.Errorf("%s is called %q and says %q of itself", name, s.Name, s.About)
		}
		whole := s.Duration + s.Settle
		if name != "soak" && whole > time.Minute {
			t.Errorf("%s can take %v, want at most a minute", name, whole)
		}
		if i < len(scenarios.Core()) {
			core += s.Duration
		}
		deliveries := s.Load.Publish.Rate * float64(s.Load.Subscribers*s.Load.Follow) / float64(s.Load.Streams)
		if deliveries > 5000 {
			t.Errorf("%s asks for %v deliveries a second, want at most 5,000 from two cores", name, deliveries)
		}
		if missing := scenarios.Missing(s, nil); missing != nil {
			t.Errorf("%s: the reference broker lacks %v", name, missing)
		}
	}
	if core > 100*time.Second {
		t.Errorf("the core scenarios take %v without settling, want less than two minutes with it", core)
	}
}

func TestShippedFilesBeginWithTheEditorHint(t *testing.T) {
	t.Parallel()
	for dir, hint := range map[string]string{
		"shipped": "# yaml-language-server: $schema=../../docs/schema/scenario.json",
		"targets": "# yaml-language-server: $schema=../../docs/schema/target.json",
	} {
		files, err := filepath.Glob(dir + "/*.yaml")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files in %s: %v", dir, err)
		}
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			first, err := bufio.NewReader(f).ReadString('\n')
			_ = f.Close()
			if err != nil || strings.TrimSpace(first) != hint {
				t.Errorf("%s begins with %q, want %q", file, first, hint)
			}
		}
	}
	if _, err := os.Stat("shipped/../../docs/schema/scenario.json"); err != nil {
		t.Error(err)
	}
}

func TestPresetsAreValid(t *testing.T) {
	t.Parallel()
	for _, name := range scenarios.PresetNames() {
		target := preset(t, name)
		if target.Name != name || target.About == "" || !target.Can(scenarios.CanPublish) {
			t.Errorf("%s is called %q, says %q of itself and can %v", name, target.Name, target.About, target.Capabilities)
		}
		if _, err := target.SubscribeRequest(scenarios.SubscribeVars{Streams: []string{"sg-0-1"}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r, err := target.PublishRequest(scenarios.PublishVars{Stream: "sg-0-1", Data: "data of it"}); err != nil || len(r.Body) == 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if preset(t, "centrifugo").Can(scenarios.CanResume) {
		t.Error("centrifugo has no event ids and cannot resume")
	}
}

func TestAddressesOfPresetsComeFromTheEnvironment(t *testing.T) {
	t.Parallel()
	target, err := scenarios.LoadTarget("nchan", func(name string) (string, bool) { return "http://nchan.test:81", name == "NCHAN_URL" })
	if err != nil {
		t.Fatal(err)
	}
	r, err := target.SubscribeRequest(scenarios.SubscribeVars{Streams: []string{"a", "b"}})
	if err != nil || r.URL != "http://nchan.test:81/sub/a,b" {
		t.Errorf("got %s, %v", r.URL, err)
	}
	if !strings.HasPrefix(target.Address(), "http://nchan.test:81/sub/") {
		t.Errorf("a plain address is hidden: %s", target.Address())
	}
}

func TestURLIsATargetThatCanOnlyBeSubscribedTo(t *testing.T) {
	t.Parallel()
	target, err := scenarios.LoadTarget("https://gw.test:8443/events?token=abcdef", nil)
	if err != nil {
		t.Fatal(err)
	}
	if target.Name != "gw.test" || target.Publish != nil || len(target.Capabilities) > 0 || strings.Contains(target.Address(), "abcdef") {
		t.Errorf("got %+v with the address %s", target, target.Address())
	}
	if r, err := target.SubscribeRequest(scenarios.SubscribeVars{Streams: []string{"s"}}); err != nil || r.URL != "https://gw.test:8443/events?token=abcdef" {
		t.Errorf("got %v, %v", r, err)
	}
	if missing := scenarios.Missing(shipped(t, "mass-connect"), target); missing != nil {
		t.Errorf("mass-connect misses %v", missing)
	}
	if missing := scenarios.Missing(shipped(t, "network-drops"), target); !slices.Contains(missing, scenarios.CanPublish) || !slices.Contains(missing, scenarios.CanResume) {
		t.Errorf("network-drops misses %v", missing)
	}
	for _, bad := range []string{"http://", "https://h/#x", "http://h:port/", "http://h/{{.Data}}", "http://user:secretpass@h:port/"} {
		if _, err := scenarios.LoadTarget(bad, nil); err == nil || strings.Contains(err.Error(), "secretpass") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

func TestNeedsThatFollowFromTheScenario(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]scenarios.Capability{
		"rolling-deploy": scenarios.CanDrain, "token-expiry": scenarios.CanAuth, "room-isolation": scenarios.CanFollowMany,
	} {
		if missing := scenarios.Missing(shipped(t, name), preset(t, "launchdarkly-eventsource")); !slices.Contains(missing, want) {
			t.Errorf("%s misses %v, want %s among them", name, missing, want)
		}
	}
	s := shipped(t, "rolling-deploy", "timeline.0.command=[reload]")
	if missing := scenarios.Missing(s, preset(t, "nchan")); missing != nil {
		t.Errorf("with a command of its own the scenario misses %v", missing)
	}
}

func TestMissingFilesAreProblemsWithASuggestion(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, want string }{
		{"network-drop", "network-drop: no such scenario; did you mean network-drops?"},
		{"./none.yaml", "./none.yaml: cannot read the scenario: no such file or directory"},
		{t.TempDir() + "/", "it is a directory"},
	} {
		_, err := scenarios.LoadScenario(test.name, nil)
		var problems *scenarios.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := scenarios.LoadTarget("ncahn", nil); err == nil || !strings.Contains(err.Error(), "did you mean nchan?") {
		t.Errorf("got %v", err)
	}
}

func TestFilesBesideAFileAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("order.json", `{"type": "object"}`)
	write("ca.pem", "-----BEGIN CERTIFICATE-----\n")
	s, err := scenarios.LoadScenario(write("s.yaml", "{name: s, load: {subscribers: 1, publish: {rate: 1/s}}, duration: 1s, expect: {schemas: {a: order.json}}}"), nil)
	if err != nil || s.Expect.Schemas["a"] != `{"type":"object"}` {
		t.Errorf("got %v, %v", s, err)
	}
	target, err := scenarios.LoadTarget(write("t.yaml", `{name: t, subscribe: {url: "https://h/"}, tls: {ca: ca.pem}}`), nil)
	if err != nil || target.TLS.CA != filepath.Join(dir, "ca.pem") {
		t.Errorf("got %v, %v", target, err)
	}
	for name, want := range map[string]string{"s.yaml": "scenario", "t.yaml": "target", "mass-connect": "scenario", "nchan": "target"} {
		path := name
		if strings.HasSuffix(name, ".yaml") {
			path = filepath.Join(dir, name)
		}
		if kind, err := scenarios.Validate(path, nil); err != nil || kind != want {
			t.Errorf("%s is a %s, %v; want a %s", name, kind, err, want)
		}
	}
	if kind, err := scenarios.Validate(write("broken.yaml", "{name: t, subscribe: {}, capabilities: []}"), nil); err == nil || kind != "target" {
		t.Errorf("got %s, %v", kind, err)
	}
}

// TestEveryGuaranteeOfTheFormatIsJudged compares the format with the judges: both are written by hand.
func TestEveryGuaranteeOfTheFormatIsJudged(t *testing.T) {
	t.Parallel()
	var format, judged []string
	for _, g := range scenarios.Guarantees {
		format = append(format, g.Name)
	}
	for _, g := range check.Guarantees() {
		judged = append(judged, g.Name)
	}
	slices.Sort(format)
	slices.Sort(judged)
	if !slices.Equal(format, judged) {
		t.Errorf("the format knows %v, judged are %v", format, judged)
	}
}

// TestTokenFitsTheLimitsOfTheFormat holds for the run id of every seed and the smallest and largest payload.
func TestTokenFitsTheLimitsOfTheFormat(t *testing.T) {
	t.Parallel()
	if token.MaxOverhead > scenarios.MinPayload || token.MaxSize < 16<<20 {
		t.Errorf("a token takes %d to %d bytes", token.MaxOverhead, token.MaxSize)
	}
	s := shipped(t, "mass-connect", "load.subscribers=1")
	for seed := range uint64(1000) {
		if run := scenarios.NewPlan(s, nil, seed).Run; !token.ValidRun(run) {
			t.Fatalf("seed %d makes the run id %q", seed, run)
		}
	}
}

// TestEveryFaultOfTheFormatExists compares the format with the behaviour: both are written by hand.
func TestEveryFaultOfTheFormatExists(t *testing.T) {
	t.Parallel()
	for _, f := range scenarios.Faults {
		if behaviour, ok := fault.ByName(f.Name); !ok || (behaviour.OnTarget != nil) != f.OnTarget || behaviour.Lasting != slices.Contains(f.Needs, "for") {
			t.Errorf("fault %s: the format says %+v, the behaviour %+v", f.Name, f, behaviour)
		}
	}
	if len(fault.Faults) != len(scenarios.Faults) {
		t.Errorf("the format knows %d faults, %d exist", len(scenarios.Faults), len(fault.Faults))
	}
}
