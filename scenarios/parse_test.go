package scenarios

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamgauge/streamgauge/reference/client/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files and docs/schema")

// testVariables are the environment of the test files.
var testVariables = map[string]string{
	"TOKEN": "token-of-the-test", "KEY": "key-of-the-test", "SECRET": "s3cr3t value", "NAME": "from-environment", "SUBSCRIBERS": "7",
	"DURATION": "5s", "NOT_AN_ADDRESS": "s3cr3t address", "BROKEN_HEADER": "s3cr3t\r\nX-Other: header",
}

func testLookup(name string) (string, bool) {
	value, ok := testVariables[name]
	return value, ok
}

func source(path string) Source {
	return Source{Name: filepath.Base(path), Lookup: testLookup, Open: func(name string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(path), name))
	}}
}

// parseFile reads a test file as what the folder it is in says.
func parseFile(t *testing.T, path string) error {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(filepath.ToSlash(path), "/target/") {
		_, err = ParseTarget(data, source(path))
	} else {
		_, err = ParseScenario(data, source(path))
	}
	return err
}

func testFiles(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files match %s: %v", pattern, err)
	}
	return files
}

func TestGoodFilesAreAccepted(t *testing.T) {
	t.Parallel()
	for _, file := range testFiles(t, "*/good/*.yaml") {
		if err := parseFile(t, file); err != nil {
			t.Errorf("%s:\n%v", file, err)
		}
	}
}

// TestEveryProblemIsReported compares all problems of a file with the ones in the golden file beside it.
func TestEveryProblemIsReported(t *testing.T) {
	t.Parallel()
	for _, file := range append(testFiles(t, "*/bad/*.yaml"), testFiles(t, "*/parser/*.yaml")...) {
		err := parseFile(t, file)
		if _, ok := errors.AsType[*Problems](err); !ok {
			t.Errorf("%s: got %v, want *Problems", file, err)
			continue
		}
		golden(t, strings.TrimSuffix(file, ".yaml")+".problems", err.Error()+"\n")
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestProblemsNeverShowValuesOfVariables(t *testing.T) {
	t.Parallel()
	for _, file := range append(testFiles(t, "*/bad/*.yaml"), testFiles(t, "*/parser/*.yaml")...) {
		if err := parseFile(t, file); strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "secret-key") {
			t.Errorf("%s shows a secret:\n%v", file, err)
		}
	}
}

func TestScenarioIsReadWithItsUnits(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/scenario/good/everything.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseScenario(data, Source{Name: "everything.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	failed := 3
	want := Load{
		Streams: 6, Subscribers: 12, Follow: 2, Groups: []string{"a", "b"}, Ramp: Ramp{250 * time.Millisecond, Poisson},
		Publish: Publish{Rate: 0.1, Arrivals: Uniform, Size: 1024, Types: map[string]int{"a": 1, "b": 2}, Publishers: 3, Payload: PayloadJSON},
		Reconnect: policy.Policy{Name: "custom", Base: time.Second, Factor: 1.5, Cap: 90 * time.Second, Jitter: 0.3, Spread: policy.Both,
			Reset: policy.OnEvent, HonorRetry: true, Silence: 5 * time.Minute},
		HeartbeatTimeout: time.Minute, TimeScale: 0.5, Slow: Slow{Share: 0.25, Read: 1536}, Compressed: 0.1, ReturnOn: "closed", TokenLife: 5 * time.Second,
		ConnectTimeout: 3 * time.Second,
	}
	if diff := cmp.Diff(want, got.Load); diff != "" {
		t.Errorf("load (-want +got):\n%s", diff)
	}
	wantExpect := Expect{
		Delivery: []string{"ordered", "unique", "complete", "isolated", "intact", "resumable", "alive", "latest", "well-formed"},
		Schemas:  map[string]string{"a": `{"required":["number"],"type":"object"}`, "b": `{"type": "object"}`},
		Greeting: `{"type":"connected"}`,
		Latency:  Quantiles{1: time.Millisecond, 50: time.Second, 99.9: 2 * time.Second, 100: time.Hour}, FirstEvent: Quantiles{99: time.Second},
		Connect:   &ConnectBudget{Quantiles{50: time.Second, 100: 2 * time.Second}, &failed},
		Reconnect: &ReconnectBudget{5 * time.Second, true, 1}, Resume: &ResumeBudget{Quantiles{50: time.Second, 100: 5 * time.Second}},
		Heartbeat: &HeartbeatBudget{15 * time.Second}, FanOut: &FanOutBudget{Quantiles{99: time.Second}}, Bystanders: &BystandersBudget{1.5},
		Memory: &MemoryBudget{1 << 30, 0.1}, Sessions: &SessionsBudget{1}, Stalled: 30 * time.Second,
	}
	if diff := cmp.Diff(wantExpect, got.Expect); diff != "" {
		t.Errorf("expect (-want +got):\n%s", diff)
	}
	wantStep := Step{At: 2 * time.Second, Fault: "latency", Share: 0.105, For: time.Second, Delay: 200 * time.Millisecond, Jitter: 100 * time.Millisecond, Line: 34}
	if diff := cmp.Diff(wantStep, got.Timeline[4]); diff != "" {
		t.Errorf("step (-want +got):\n%s", diff)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	t.Parallel()
	s, err := ParseScenario([]byte("{name: a, load: {subscribers: 1, publish: {rate: 1/s}}, duration: 1m, expect: {}}"), Source{})
	if err != nil {
		t.Fatal(err)
	}
	exponential, _ := policy.ByName("exponential-1s-30s")
	want := &Scenario{
		Name: "a", Needs: []Capability{CanPublish}, Duration: time.Minute, Settle: 10 * time.Second, Expect: Expect{Stalled: 10 * time.Second},
		Load: Load{
			Streams: 1, Subscribers: 1, Follow: 1, Ramp: Ramp{5 * time.Second, Uniform}, Reconnect: exponential, TimeScale: 1, ConnectTimeout: 10 * time.Second,
			Publish: Publish{Rate: 1, Arrivals: Uniform, Publishers: 1, Payload: PayloadToken},
		},
	}
	want.Source = s.Source // of its own test
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAliasesThatContainThemselvesOrExplodeAreRefused(t *testing.T) {
	t.Parallel()
	bomb := "name: t\nsubscribe: {url: \"http://h/\"}\npublish:\n  url: \"http://h/\"\n  json:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		last := "*a" + string(rune('0'+i-1))
		bomb += "    a" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + strings.Repeat(last+", ", 9) + last + "]\n"
	}
	for name, text := range map[string]string{
		"bomb": bomb,
		"loop": "name: t\nsubscribe: {url: \"http://h/\"}\npublish: {url: \"http://h/\", json: &a {b: *a}}\n",
	} {
		if _, err := ParseTarget([]byte(text), Source{}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
