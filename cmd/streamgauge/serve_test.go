package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reference/mutant"
	"github.com/streamgauge/streamgauge/scenarios"
)

// said collects what a command writes while it runs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
	news chan struct{}
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// serving runs streamgauge serve until the test ends, and returns what it says once the pattern is there.
func serving(t *testing.T, until string, args ...string) (text, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out := &said{news: make(chan struct{}, 1)}
	ended := make(chan int, 1)
	root := newRootCommand()
	root.SetArgs(append([]string{"serve", "--addr", "127.0.0.1:0"}, args...))
	root.SetOut(out)
	root.SetErr(out)
	go func() { ended <- conclude(root.ExecuteContext(ctx), out) }()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != exitPass {
			t.Errorf("exit code %d\n%s", code, out)
		}
	})
	late := time.After(30 * time.Second)
	for want := regexp.MustCompile(until); !want.MatchString(out.String()); {
		select {
		case <-out.news:
		case code := <-ended:
			ended <- code
			t.Fatalf("it ended with code %d:\n%s", code, out)
		case <-late:
			t.Fatalf("no %q in:\n%s", until, out)
		}
	}
	_, url, _ = strings.Cut(out.String(), "serving ")
	url, _, _ = strings.Cut(url, "\n")
	return out.String(), url
}

func TestAServedMutantIsCaughtByTheCommandThatItPrints(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"splits-data-at-lf-only", "takes-any-signature", "keeps-alive-over-http2", "hub-answers-ok"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "broken.yaml")
			text, _ := serving(t, `to see it caught:\n.*\n`, "--mutant", name, "--target-file", file)
			_, line, _ := strings.Cut(text, "to see it caught:\n  streamgauge ")
			reported(t, exitFail, strings.Fields(line)...)
		})
	}
}

func TestAServedGatewayMutantStandsBeforeTheUpstream(t *testing.T) {
	t.Parallel()
	s := startedBroker(t)
	_, url := serving(t, `to see it caught:\n.*\n`, "--mutant", "gateway-answers-errors-with-page", "--upstream", s.URL())
	if url == s.URL() {
		t.Fatalf("the address is the broker's own: %s", url)
	}
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/nowhere": http.StatusOK} { // a broker has no /nowhere
		if got := status(t, http.MethodGet, url+path); got != want {
			t.Errorf("%s through the gateway: status %d, want %d", path, got, want)
		}
	}
}

func TestWithAnUpstreamAloneTheRightGatewayIsServed(t *testing.T) {
	t.Parallel()
	_, origin := serving(t, `serving `)
	_, url := serving(t, `serving `, "--upstream", origin)
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/nowhere": http.StatusNotFound} {
		if got := status(t, http.MethodGet, url+path); got != want {
			t.Errorf("%s through the gateway: status %d, want %d", path, got, want)
		}
	}
}

func status(t *testing.T, method, url string) int {
	t.Helper()
	return statusAs(t, method, url, "", "")
}

// statusAs is the status of an answer to a request that names a host and comes from a page, where they are not "".
func statusAs(t *testing.T, method, url, host, origin string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	if origin != "" {
		req.Header.Set("Origin", origin)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestWhoRunsTheBrokerCanDrainAndRestartIt(t *testing.T) {
	t.Parallel()
	text, url := serving(t, `POST '(.*)/drain'`, "--admin", "127.0.0.1:0")
	adminURL := regexp.MustCompile(`POST '(.*)/drain'`).FindStringSubmatch(text)[1]
	for _, path := range []string{"/drain", "/restart"} {
		if got := status(t, http.MethodPost, adminURL+path); got != http.StatusNoContent {
			t.Errorf("%s: status %d", path, got)
		}
		if got := status(t, http.MethodGet, url+"/healthz"); got != http.StatusOK {
			t.Errorf("after %s: status %d", path, got)
		}
	}
	if got := status(t, http.MethodGet, adminURL+"/drain"); got != http.StatusMethodNotAllowed {
		t.Errorf("a GET drains: status %d", got)
	}
	for _, path := range []string{"/drain", "/restart", "/revoke?user=x", "/nowhere"} {
		if got := statusAs(t, http.MethodPost, adminURL+path, "", "https://evil.test"); got != http.StatusForbidden {
			t.Errorf("%s for a page of another origin: status %d", path, got)
		}
		if got := statusAs(t, http.MethodPost, adminURL+path, "evil.test", ""); got != http.StatusForbidden {
			t.Errorf("%s under another name: status %d", path, got)
		}
	}
}

func TestTheTargetFileOfEveryMutantIsValidAndTheOwnersAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, m := range append(mutant.All[:len(mutant.All):len(mutant.All)], mutant.Server...) {
		if m.Broker == nil {
			continue
		}
		d, err := defectNamed(m.Name)
		if err != nil {
			t.Fatal(err)
		}
		o := serveOptions{mutant: m.Name}
		if err := o.breakPromise(d, func(string) bool { return false }); err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		s := &service{broker: o.broker, url: "http://127.0.0.1:1"}
		path := filepath.Join(dir, m.Name+".yaml")
		if err := writeTarget(path, s.describe(o.declared, "http://127.0.0.1:2", string(o.declared.TokenKey))); err != nil {
			t.Fatal(err)
		}
		if _, err := scenarios.Validate(path, os.LookupEnv); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", m.Name, info.Mode(), err)
		}
	}
}

func TestAMutantIsServedWithWhatMakesItsDefectShow(t *testing.T) {
	t.Parallel()
	for name, shows := range map[string]func(o serveOptions) bool{
		"takes-any-signature":         func(o serveOptions) bool { return len(o.broker.TokenKey) > 0 && o.broker.TokenAudience != "" },
		"splits-data-at-lf-only":      func(o serveOptions) bool { return len(o.broker.TokenKey) == 0 && o.broker.MaxConnectionsPerUser == 0 },
		"keeps-places-of-the-gone":    func(o serveOptions) bool { return len(o.broker.TokenKey) > 0 && o.declared.MaxConnectionsPerUser > 0 },
		"keeps-alive-over-http2":      func(o serveOptions) bool { return o.server.TLS != nil },
		"reflects-any-origin":         func(o serveOptions) bool { return len(o.broker.CORSOrigins) > 0 },
		"no-greeting":                 func(o serveOptions) bool { return o.declared.Greeting != broker.Signal{} },
		"token-outlives-expiry":       func(o serveOptions) bool { return len(o.broker.TokenKey) > 0 },
		"forgets-early":               func(o serveOptions) bool { return o.declared.HistoryEvents > o.broker.HistoryEvents },
		"slow-reader-stalls-everyone": func(o serveOptions) bool { return o.declared.Queue == 20 },
	} {
		d, err := defectNamed(name)
		if err != nil {
			t.Fatal(err)
		}
		var o serveOptions
		if err := o.breakPromise(d, func(string) bool { return false }); err != nil || !shows(o) {
			t.Errorf("%s: %+v, %v", name, o.broker, err)
		}
	}
}

func TestAFlagWinsOverTheConfigurationOfAMutant(t *testing.T) {
	t.Parallel()
	d, err := defectNamed("splits-data-at-lf-only")
	if err != nil {
		t.Fatal(err)
	}
	o := serveOptions{broker: broker.Config{Heartbeat: 7 * time.Second, Queue: 3}}
	if err := o.breakPromise(d, func(flag string) bool { return flag == "heartbeat" }); err != nil {
		t.Fatal(err)
	}
	if o.broker.Heartbeat != 7*time.Second || o.broker.Queue == 3 {
		t.Errorf("heartbeat %v, queue %d: want the flag's and the mutant's", o.broker.Heartbeat, o.broker.Queue)
	}
}

func TestEveryGatewayMutantCanBeServed(t *testing.T) {
	t.Parallel()
	for _, m := range mutant.Gateways {
		d, err := defectNamed(m.Name)
		if err != nil || d.gateway == nil || conformance.RequirementByID(d.kills[0]) == nil {
			t.Errorf("%s: %+v, %v", m.Name, d, err)
		}
	}
}
