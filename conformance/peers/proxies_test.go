package peers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/scenarios"
)

const nginxModules = "/usr/lib/nginx/modules"

// startNginx runs nginx with a configuration of testdata and returns its address.
func startNginx(t *testing.T, host, configuration, upstream string, options ...string) (p *program, addr string) {
	t.Helper()
	binary := installed(t, "nginx", "nginx-light and libnginx-mod-nchan", nginxModules+"/ngx_nchan_module.so")
	addr = freeAddr(t, host)
	dir := t.TempDir()
	path := configure(t, configuration, map[string]any{
		"Dir": dir, "Listen": addr, "Modules": nginxModules, "Root": os.Geteuid() == 0, "Upstream": upstream, "Options": options,
	})
	p = start(t, exec.Command(binary, "-e", "stderr", "-p", dir, "-c", path))
	p.awaitListener(t, addr)
	return p, addr
}

// worker is the process id of nginx's only worker.
func (p *program) worker(t *testing.T) int {
	t.Helper()
	master := p.command.Process.Pid
	var pid int
	await(t, "nginx's worker", func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", master, master))
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err == nil
	})
	return pid
}

// startHAProxy runs HAProxy before a server and returns its address.
func startHAProxy(t *testing.T, host, upstream string, options ...string) (addr string) {
	t.Helper()
	binary := installed(t, "haproxy", "haproxy")
	addr = freeAddr(t, host)
	path := configure(t, "haproxy.cfg", map[string]any{"Listen": addr, "Upstream": upstream, "Options": options})
	start(t, exec.Command(binary, "-db", "-f", path)).awaitListener(t, addr)
	return addr
}

// startBroker runs the reference broker in this process and returns its address.
func startBroker(t *testing.T, host string) (addr string) {
	t.Helper()
	b, err := broker.New(broker.Config{Heartbeat: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s, err := broker.Start(b, broker.ServerConfig{Addr: net.JoinHostPort(host, "0")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return strings.TrimPrefix(s.URL(), "http://")
}

// behindNginx is the reference broker behind nginx with the given directives in its location.
func behindNginx(options ...string) starter {
	return func(t *testing.T, host string) *scenarios.Target {
		t.Helper()
		_, addr := startNginx(t, host, "nginx.conf", "http://"+startBroker(t, host), options...)
		return loadTarget(t, "streamgauge-broker", "STREAMGAUGE_URL", "http://"+addr)
	}
}

// behindHAProxy is the reference broker behind HAProxy with the given options among its defaults.
func behindHAProxy(options ...string) starter {
	return func(t *testing.T, host string) *scenarios.Target {
		t.Helper()
		addr := startHAProxy(t, host, startBroker(t, host), options...)
		return loadTarget(t, "streamgauge-broker", "STREAMGAUGE_URL", "http://"+addr)
	}
}
