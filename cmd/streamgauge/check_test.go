//go:build matrix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

func runCommand(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestCheckShowsWhatAFailureRestsOn(t *testing.T) {
	t.Parallel()
	target := broken(t, "splits-data-at-lf-only")
	code, out, errs := runCommand("check", target, "--only", "SSE-FORM-003,SSE-FORM-005", "--quiet")
	if code != exitFail {
		t.Fatalf("exit code %d, want %d\n%s%s", code, exitFail, out, errs)
	}
	for _, want := range []string{
		"✗ FAIL SSE-FORM-003", "Line breaks in the data", "html#processField", // the requirement, its sentence and its source
		`data: a-streamgauge-`, `\rb\n\n"`, // the bytes
		"--only SSE-FORM-003", // how to repeat it
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), strings.Join(strings.Fields(want), " ")) {
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
	code, out, errs := runCommand("check", target, "--only", "SSE-FORM-003", "--strict", "--baseline", known, "--quiet")
	if code != exitPass || !strings.Contains(out, "known failure: ticket 7") {
		t.Errorf("exit code %d, want %d\n%s%s", code, exitPass, out, errs)
	}
}

func TestCheckFailsAMissedShouldOnlyWhenStrict(t *testing.T) {
	t.Parallel()
	target := broken(t, "lets-proxies-transform")
	for _, test := range []struct {
		args []string
		want int
	}{{nil, exitPass}, {[]string{"--strict"}, exitFail}} {
		code, out, errs := runCommand(append([]string{"check", target, "--only", "SSE-HTTPS-007", "--quiet"}, test.args...)...)
		if code != test.want {
			t.Errorf("%v: exit code %d, want %d\n%s%s", test.args, code, test.want, out, errs)
		}
	}
}

func TestAnAddressAloneIsCheckedWithoutAPublisher(t *testing.T) {
	t.Parallel()
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
	code, out, errs := runCommand("check", s.URL()+"/events?stream=a", "--only", "FORM,SSE-HTTPS-002,SSE-HTTPS-010", "--quiet")
	if code != exitPass {
		t.Fatalf("exit code %d, want %d\n%s%s", code, exitPass, out, errs)
	}
	if strings.Count(out, "needs a publisher") != 1 {
		t.Errorf("requirements that lack the same are not shown together:\n%s", out)
	}
}
