package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/scenarios"
)

func TestAPolicyIsANameOrAFile(t *testing.T) {
	t.Parallel()
	for _, named := range policy.Named {
		got, err := scenarios.LoadPolicy(named.Name, nil)
		if err != nil || *got != named {
			t.Errorf("%s is %+v, %v", named.Name, got, err)
		}
	}
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("base: 2s\nfactor: 3\ncap: 20s\njitter: 30%\nspread: both\nreset: on-event\nretry: true\nsilence: 5m\ncome_back_on: closed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := scenarios.LoadPolicy(file, nil)
	want := policy.Policy{
		Name: file, Base: 2 * time.Second, Factor: 3, Cap: 20 * time.Second, Jitter: 0.3, Spread: policy.Both, Reset: policy.OnEvent, HonorRetry: true,
		Silence: 5 * time.Minute, ComeBackOn: "closed",
	}
	if err != nil || *got != want {
		t.Errorf("the file is %+v, %v, want %+v", got, err, want)
	}
}

func TestAWrongPolicyIsRefused(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"base: 2s\ncap: 1s\n":    "shorter than the base",
		"bass: 2s\n":             "did you mean base",
		"base: 2s\njitter: 3\n":  "jitter",
		"exponential-1s-30s\n":   "",
		"base: 2s\n---\nbase: 1": "",
	} {
		file := filepath.Join(t.TempDir(), "wrong.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.LoadPolicy(file, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: the error is %v, want one that says %q", text, err, says)
		}
	}
	for name, says := range map[string]string{"exponentail-1s-30s": "did you mean exponential-1s-30s", "no/such.yaml": "no such file"} {
		if _, err := scenarios.LoadPolicy(name, nil); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: the error is %v, want one that says %q", name, err, says)
		}
	}
}

func TestAPolicyFileMayNameItsPolicy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte("name: patient\nbase: 5s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := scenarios.LoadPolicy(file, nil)
	if err != nil || p.Name != "patient" || p.Base != 5*time.Second {
		t.Errorf("got %+v, %v", p, err)
	}
}
