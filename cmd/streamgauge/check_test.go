package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/mutant"
)

// broken serves a mutant and writes a target file for it.
func broken(t *testing.T, name string) (file string) {
	t.Helper()
	m, ok := mutant.ByName(name)
	if !ok {
		t.Fatalf("there is no mutant %s", name)
	}
	var config broker.Config
	m.Broker(&config)
	b, err := broker.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s, err := broker.Start(b, broker.ServerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	file = filepath.Join(t.TempDir(), "target.yaml")
	text := strings.ReplaceAll(`name: broken
subscribe: {url: "URL/events?stream={{.Stream}}"}
publish: {url: "URL/publish?stream={{.Stream}}{{if .Type}}&type={{.Type}}{{end}}", body: "{{.Data}}"}
capabilities: [resume]
`, "URL", s.URL())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// reported runs a command that reaches verdicts, again where this machine was too busy for one of them. When that does not help, the
// test is skipped with what was said.
func reported(t *testing.T, want int, args ...string) (stdout string) {
	t.Helper()
	for attempt := 1; ; attempt++ {
		var out, errs bytes.Buffer
		code := execute(append(args, "--quiet"), &out, &errs)
		switch {
		case code == want:
			return out.String()
		case code != exitUnknown || !strings.Contains(out.String(), tooBusy):
			t.Fatalf("%v: exit code %d, want %d\n%s%s", args, code, want, &out, &errs)
		case attempt == attempts:
			t.Skipf("this machine was too busy to judge:\n%s", &out)
		}
	}
}

func TestCheckShowsWhatAFailureRestsOn(t *testing.T) {
	t.Parallel()
	target := broken(t, "splits-data-at-lf-only")
	out := reported(t, exitFail, "check", target, "--only", "SSE-FORM-003,SSE-FORM-005")
	for _, want := range []string{
		"✗ FAIL SSE-FORM-003 · MUST", "Line breaks in the data", "source html#processField", // the requirement, its sentence and its source
		"seen 1 published", "expected one event with the data", // what was expected and seen
		`data: a-streamgauge-`, `\rb\n\n"`, // the bytes
		"repeat streamgauge check " + target + " --only SSE-FORM-003", // how to repeat it
		"1 of 2 judged requirements met; 1 failed: SSE-FORM-003.",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
}

func TestCheckOfAKnownFailureIsNoFailure(t *testing.T) {
	t.Parallel()
	target := broken(t, "splits-data-at-lf-only")
	known := filepath.Join(t.TempDir(), "known.txt")
	if err := os.WriteFile(known, []byte("SSE-FORM-003 # ticket 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := reported(t, exitPass, "check", target, "--only", "SSE-FORM-003", "--strict", "--baseline", known)
	if !strings.Contains(out, "known failure: ticket 7") {
		t.Errorf("the report does not say that it is known:\n%s", out)
	}
}

func TestCheckFailsAMissedShouldOnlyWhenStrict(t *testing.T) {
	t.Parallel()
	target := broken(t, "lets-proxies-transform")
	out := reported(t, exitPass, "check", target, "--only", "SSE-HTTPS-007")
	if !strings.Contains(out, "! warn  SSE-HTTPS-007") || !strings.Contains(out, "repeat    curl -N") {
		t.Errorf("the warning is not shown with how to see it by hand:\n%s", out)
	}
	reported(t, exitFail, "check", target, "--only", "SSE-HTTPS-007", "--strict")
}

// startedBroker serves a correct broker as long as the test runs.
func startedBroker(t *testing.T) *broker.Server {
	t.Helper()
	b, err := broker.New(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s, err := broker.Start(b, broker.ServerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestAnAddressAloneIsCheckedWithoutAPublisher(t *testing.T) {
	t.Parallel()
	s := startedBroker(t)
	out := reported(t, exitPass, "check", s.URL()+"/events?stream=a", "--only", "FORM,SSE-HTTPS-002,SSE-HTTPS-010")
	if strings.Count(out, "needs a publisher") != 1 || !strings.Contains(out, "SSE-FORM-003 to 008, 012 to 014") {
		t.Errorf("requirements that lack the same are not shown together:\n%s", out)
	}
}

func TestASecretInTheAddressIsNotReported(t *testing.T) {
	t.Parallel()
	s := startedBroker(t)
	dir := filepath.Join(t.TempDir(), "out")
	out := reported(t, exitPass, "check", s.URL()+"/events?stream=a&access_token=opensesame", "--only", "SSE-HTTPS-002", "--out", dir)
	stored, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{out, string(stored)} {
		if strings.Contains(text, "opensesame") {
			t.Errorf("the token is reported:\n%s", text)
		}
	}
}

func TestAnInterruptedCheckReportsTheRestAsUnknown(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	// It accepts and never answers; the first request is the time to interrupt.
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		interrupt()
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	var out, errs bytes.Buffer
	root := newRootCommand()
	root.SetArgs([]string{"check", silent.URL, "--only", "HTTPS,FORM-001", "--quiet", "--format", "json"})
	root.SetOut(&out)
	root.SetErr(&errs)
	if code := conclude(root.ExecuteContext(ctx), &errs); code != exitUnknown {
		t.Fatalf("exit code %d, want %d\n%s%s", code, exitUnknown, &out, &errs)
	}
	var result conformance.Result
	if err := json.Unmarshal(out.Bytes(), &result); err != nil {
		t.Fatal(err)
	}
	unknown := 0
	for _, v := range result.Verdicts {
		if v.Outcome != conformance.Unknown && v.Outcome != conformance.Skip {
			t.Errorf("%s is %v, although nothing was answered", v.ID, v.Outcome)
		}
		if v.Outcome == conformance.Unknown {
			unknown++
		}
	}
	if unknown == 0 || result.Outcome != conformance.Unknown {
		t.Errorf("%d verdicts are unknown, and the outcome is %v", unknown, result.Outcome)
	}
}
