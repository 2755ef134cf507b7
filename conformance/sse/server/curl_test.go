package server

import (
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// TestThePrintedCurlCanBePasted hands it to a shell in whose environment the secrets are.
func TestThePrintedCurlCanBePasted(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	address, _ := url.Parse("http://bob:pass1word@127.0.0.1:8080/events?topic=it's&access_token=tok3n-of-it")
	req := &sse.Request{URL: address, LastEventID: `a"b$HOME`, Header: http.Header{
		"Authorization": {"Basic Ym9iOnBhc3M="}, "Cookie": {"sid=abc"}, "X-Api-Key": {"k"}, "X-Tenant": {"stream"},
	}}
	replace := strings.NewReplacer("pass1word", "***", "tok3n-of-it", "${MY_TOKEN}")
	s := &Subject{Redact: replace.Replace, RedactHeader: func(name, value string) string {
		if name == "X-Tenant" {
			return value
		}
		if name == "Authorization" {
			return "Basic ***"
		}
		return "***"
	}}
	line := curl(s, req)
	for _, secret := range []string{"pass1word", "tok3n-of-it", "Ym9iOnBhc3M=", "sid=abc"} {
		if strings.Contains(line, secret) {
			t.Errorf("%s is shown: %s", secret, line)
		}
	}
	c := exec.CommandContext(t.Context(), sh, "-c", `curl() { printf '%s\n' "$@"; }; `+line)
	c.Env = []string{"PASSWORD=pass1word", "MY_TOKEN=tok3n-of-it", "TOKEN=Ym9iOnBhc3M=", "COOKIE=sid=abc", "X_API_KEY=k", "HOME=home"}
	out, err := c.Output()
	want := []string{
		"-N", "-i", "-H", "Accept: text/event-stream", "-H", `Last-Event-ID: a"b$HOME`, "-H", "Authorization: Basic Ym9iOnBhc3M=", "-H", "Cookie: sid=abc",
		"-H", "X-Api-Key: k", "-H", "X-Tenant: stream", address.String(),
	}
	if got := strings.Split(strings.TrimSpace(string(out)), "\n"); err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s\ngot %q, %v", line, got, err)
	}
}
