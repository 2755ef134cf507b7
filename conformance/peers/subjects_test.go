package peers

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// runner starts a server on a host until the test ends.
type runner func(t *testing.T, host string) *subject

// runNchan is nginx with nchan, in the configuration that the preset asks for, and with a deadline for writing.
func runNchan(t *testing.T, host string) *subject {
	t.Helper()
	p, addr := startNginx(t, host, "nchan.conf", "", "send_timeout 3s")
	return &subject{preset: "nchan", variable: "NCHAN_URL", url: "http://" + addr, pid: p.worker(t)}
}

// runProgram is a program of this module.
func runProgram(name, preset, variable string, args ...string) runner {
	return func(t *testing.T, host string) *subject {
		t.Helper()
		p, url := startServer(t, build(t, name), append([]string{"-addr", host + ":0", "-heartbeat", heartbeat.String()}, args...)...)
		return &subject{preset: preset, variable: variable, url: url, pid: p.command.Process.Pid}
	}
}

// runBetterSSE is the program for Node in servers/better-sse.
func runBetterSSE(t *testing.T, host string) *subject {
	t.Helper()
	node := installed(t, "node", "nodejs")
	dir := nodeModules(t, "better-sse")
	command := exec.Command(node, filepath.Join(dir, "server.mjs"), "--host", host, "--port", "0", "--heartbeat", fmt.Sprint(heartbeat.Milliseconds()))
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, command)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("better-sse did not say where it listens: %v", err)
	}
	return &subject{preset: "better-sse", variable: "BETTER_SSE_URL", url: strings.TrimSpace(line), pid: p.command.Process.Pid}
}

// nodeModules is a copy of a program for Node with the packages that its lock file names.
func nodeModules(t *testing.T, name string) (dir string) {
	t.Helper()
	npm := installed(t, "npm", "npm")
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("servers", name))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", name)); err == nil {
		return dir
	}
	command := exec.Command(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	command.Dir = dir
	out, err := command.CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("npm ci for %s: %v\n%s", name, err, out)
	default:
		t.Skipf("npm ci for %s, which needs the network once: %v\n%s", name, err, out)
	}
	return dir
}

// runPushpin is Pushpin before an origin that holds connections by GRIP.
func runPushpin(t *testing.T, host string) *subject {
	t.Helper()
	binary := installed(t, "pushpin", "pushpin", "/usr/bin/condure", "/usr/bin/zurl")
	control := freeAddr(t, host)
	_, origin := startServer(t, build(t, "pushpin"), "-addr", host+":0", "-control", "http://"+control+"/publish/", "-silence", fmt.Sprint(int(heartbeat.Seconds())))
	dir, err := os.MkdirTemp("", "pushpin-") //nolint:usetesting // a test's own folder has too long a name for the sockets in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	addr := freeAddr(t, host)
	controlHost, controlPort, _ := net.SplitHostPort(control)
	path := configure(t, "pushpin.conf", map[string]any{"Dir": dir, "Listen": addr, "ControlHost": controlHost, "ControlPort": controlPort})
	routes := "* " + strings.TrimPrefix(origin, "http://") + "\n"
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "routes"), []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, exec.Command(binary, "--merge-output", "--config="+path))
	p.awaitListener(t, addr)
	p.awaitListener(t, control)
	await(t, "Pushpin reaching its origin", func() bool { return opens("http://" + addr + "/events?stream=ready") })
	return &subject{preset: "pushpin", variable: "PUSHPIN_URL", url: "http://" + addr, more: []string{"PUSHPIN_ORIGIN_URL=" + origin}}
}

// opens says whether an address answers with status 200.
func opens(url string) bool {
	client := &http.Client{Transport: new(http.Transport), Timeout: time.Second}
	defer client.CloseIdleConnections()
	r, err := client.Get(url)
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}
