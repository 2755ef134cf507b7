package peers

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	cases "github.com/streamgauge/streamgauge/conformance/sse/server"
)

// intermediary is a proxy that others wrote, in one configuration, and how it departs from what a gateway should do.
type intermediary struct {
	name  string
	host  string
	about string
	of    []string // Debian packages
	file  string   // its configuration in testdata
	start func(t *testing.T, host, origin string) (p *program, addr string)
	known map[string]deviation // by requirement; all others pass
}

// Each deviation was seen in the raw bytes as well, with an origin and a client that share nothing with the harness.
var intermediaries = []intermediary{
	{
		name: "nginx", about: "its default: proxy_pass and nothing else", of: []string{"nginx-light"}, file: "nginx.conf", host: "127.0.9.31", start: throughNginx(),
		known: map[string]deviation{
			"SSE-PROXY-001": {
				always(fail), "lasts until the connection is closed: event 1 of .* it came when the origin ended the response; .*X-Accel-Buffering: no, events do come",
				"A body that is not chunked is passed on when a buffer is full, and a chunked one with each chunk.",
			},
			"SSE-PROXY-002": {always(fail), "without Accept-Encoding: no head .* with the first byte of the body", "The head waits in the buffer for the first byte of the body."},
			"SSE-PROXY-005": notCompressing, "SSE-PROXY-013": notSpeakingHTTP2, "SSE-PROXY-015": notReloaded,
		},
	},
	{
		name: "nginx without buffering", about: "proxy_buffering off, HTTP/1.1 to the origin", of: []string{"nginx-light"}, file: "nginx.conf", host: "127.0.9.32", start: throughNginx("proxy_buffering off", "proxy_http_version 1.1", `proxy_set_header Connection ""`),
		known: map[string]deviation{"SSE-PROXY-005": notCompressing, "SSE-PROXY-013": notSpeakingHTTP2, "SSE-PROXY-015": notReloaded},
	},
	{
		name: "nginx with gzip", about: "proxy_buffering off, HTTP/1.1 to the origin, gzip on for text/event-stream and proxied any", of: []string{"nginx-light"}, file: "nginx.conf", host: "127.0.9.33",
		start: throughNginx("proxy_buffering off", "proxy_http_version 1.1", `proxy_set_header Connection ""`, "gzip on", "gzip_types text/event-stream", "gzip_proxied any"),
		known: map[string]deviation{
			"SSE-PROXY-004": {always(fail), "Content-Encoding: gzip", "Its gzip filter looks at the media type, and not at no-transform."},
			"SSE-PROXY-013": notSpeakingHTTP2, "SSE-PROXY-015": notReloaded,
		},
	},
	{
		name: "HAProxy", about: "option http-no-delay", of: []string{"haproxy"}, file: "haproxy.cfg", host: "127.0.9.34", start: throughHAProxy("option http-no-delay"),
		known: map[string]deviation{"SSE-PROXY-005": notCompressing, "SSE-PROXY-015": notReloaded},
	},
	{
		name: "HAProxy without no-delay", about: "its default", of: []string{"haproxy"}, file: "haproxy.cfg", host: "127.0.9.35", start: throughHAProxy(),
		known: map[string]deviation{
			"SSE-PROXY-001": {always(fail), `a chunked body: .* took longer, .*half of them at least [2-9]\d\d`, "The kernel keeps a chunk for 200 ms, in case more follows."},
			"SSE-PROXY-003": {always(fail), `charset=utf-8: .* took longer, .*half of them at least [2-9]\d\d`, "The kernel keeps a chunk for 200 ms, in case more follows."},
			"SSE-PROXY-005": notCompressing, "SSE-PROXY-015": notReloaded,
		},
	},
	{
		name: "h2o", about: "proxy.reverse.url and timeouts of an hour", of: []string{"h2o"}, file: "h2o.conf", host: "127.0.9.36", start: throughH2O(),
		known: map[string]deviation{
			"SSE-PROXY-002": {always(fail), "without Accept-Encoding: no head .* with the first byte of the body", "The head is sent with the first byte of the body."},
			"SSE-PROXY-011": {always(warn), "FIN without the last chunk, and the client got a complete response", "Where the origin closes between two chunks, the last chunk is added."},
			"SSE-PROXY-013": {always(fail), "Proxy-Connection: keep-alive", "Of the connection's fields, Proxy-Connection is passed on: curl refuses such a response."},
			"SSE-PROXY-005": notCompressing, "SSE-PROXY-015": notReloaded,
		},
	},
}

var (
	notCompressing   = deviation{always(skip), "does not compress", "Compression is not configured."}
	notReloaded      = deviation{always(skip), "needs a command that reloads", "No reload was asked for."}
	notSpeakingHTTP2 = deviation{always(skip), "does not speak HTTP/2", "This version speaks HTTP/2 on ports of its own."}
)

// quicker are parameters with which a gateway is judged in seconds, and its times are on a machine that has more to do.
var quicker = map[string]string{
	"SSE-PROXY-001.added_p99": "150ms", "SSE-PROXY-003.added_p99": "150ms", "SSE-PROXY-005.added_p99": "150ms",
	"SSE-PROXY-002.within":    "1s",
	"SSE-PROXY-008.heartbeat": "1s", "SSE-PROXY-008.lifetime": "5s",
	"SSE-PROXY-018.streams": "500",
}

// judge judges the proxy with the harness on both sides of it, and once more what is not as it is known to be.
func (i *intermediary) judge(t *testing.T) []conformance.Verdict {
	t.Helper()
	defer turn()()
	verdicts := i.round(t, []string{"PROXY"})
	if again := doubtful(i.known, verdicts); len(again) > 0 {
		t.Logf("once more: %s", strings.Join(again, ", "))
		verdicts = replaced(t, verdicts, i.round(t, again))
	}
	compare(t, i.known, verdicts)
	return verdicts
}

func (i *intermediary) round(t *testing.T, only []string) []conformance.Verdict {
	t.Helper()
	origin, err := cases.StartOrigin(t.Context(), net.JoinHostPort(i.host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(origin.Close)
	p, addr := i.start(t, i.host, origin.Addr())
	subject := cases.NewGateway(&url.URL{Scheme: "http", Host: addr, Path: "/events"}, origin, nil)
	subject.Memory = p.memory
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	began := time.Now()
	verdicts, health, err := cases.Check(ctx, subject, cases.Cases, cases.Options{
		Profile: conformance.ProfileGateway, Only: only, Next: func(*conformance.Requirement) string { return "" },
		Parameter: func(id, name string) (string, bool) { value, ok := quicker[id+"."+name]; return value, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s took %v, the harness: %v", i.name, time.Since(began).Round(time.Millisecond), health.Problems)
	return verdicts
}

// memory is what the program and its children have allocated, in bytes: without the files that they have mapped.
func (p *program) memory(context.Context) (uint64, error) {
	pids := []string{strconv.Itoa(p.command.Process.Pid)}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]s/task/%[1]s/children", pids[0]))
	if err != nil {
		return 0, err
	}
	var all uint64
	for _, pid := range append(pids, strings.Fields(string(children))...) {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		if err != nil {
			return 0, err
		}
		var size uint64
		_, rest, _ := strings.Cut(string(status), "RssAnon:")
		if _, err := fmt.Sscan(rest, &size); err != nil {
			return 0, err
		}
		all += size << 10
	}
	return all, nil
}

func throughNginx(options ...string) func(t *testing.T, host, origin string) (*program, string) {
	return func(t *testing.T, host, origin string) (*program, string) {
		t.Helper()
		return startNginx(t, host, "nginx.conf", "http://"+origin, options...)
	}
}

func throughHAProxy(options ...string) func(t *testing.T, host, origin string) (*program, string) {
	return func(t *testing.T, host, origin string) (*program, string) {
		t.Helper()
		binary := installed(t, "haproxy", "haproxy")
		addr := freeAddr(t, host)
		path := configure(t, "haproxy.cfg", map[string]any{"Listen": addr, "Upstream": origin, "Options": options})
		p := start(t, exec.Command(binary, "-db", "-f", path))
		p.awaitListener(t, addr)
		return p, addr
	}
}

func throughH2O(options ...string) func(t *testing.T, host, origin string) (*program, string) {
	return func(t *testing.T, host, origin string) (*program, string) {
		t.Helper()
		binary := installed(t, "h2o", "h2o")
		addr := freeAddr(t, host)
		_, port, _ := net.SplitHostPort(addr)
		path := configure(t, "h2o.conf", map[string]any{
			"Host": host, "Port": port, "Upstream": "http://" + origin, "Options": options, "Root": os.Geteuid() == 0,
		})
		p := start(t, exec.Command(binary, "-m", "worker", "-c", path))
		p.awaitListener(t, addr)
		return p, addr
	}
}
