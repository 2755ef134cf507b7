package peers

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"

	"github.com/streamgauge/streamgauge/scenarios"
)

// starter starts a peer on a host until the test ends, and describes it by its shipped preset.
type starter func(t *testing.T, host string) *scenarios.Target

// nchan is nginx with nchan, in the configuration that the preset asks for, with a heartbeat each second.
func nchan(t *testing.T, host string) *scenarios.Target {
	t.Helper()
	p, addr := startNginx(t, host, "nchan.conf", "")
	target := loadTarget(t, "nchan", "NCHAN_URL", "http://"+addr)
	target.Observe.PID = p.worker(t)
	return target
}

// server is a program of this module.
func server(program, preset, variable string, args ...string) starter {
	return func(t *testing.T, host string) *scenarios.Target {
		t.Helper()
		p, url := startServer(t, build(t, program), append([]string{"-addr", host + ":0", "-heartbeat", "1s"}, args...)...)
		target := loadTarget(t, preset, variable, url)
		target.Observe.PID = p.command.Process.Pid
		return target
	}
}

// loadTarget reads a shipped preset, with its URL in the environment variable that it asks for.
func loadTarget(t *testing.T, preset, variable, url string) *scenarios.Target {
	t.Helper()
	target, err := scenarios.LoadTarget(preset, func(name string) (string, bool) { return url, name == variable })
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// startServer runs a program of this module and returns it with the URL that it announces.
func startServer(t *testing.T, binary string, args ...string) (p *program, url string) {
	t.Helper()
	command := exec.Command(binary, args...)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p = start(t, command)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not say where it listens: %v", binary, err)
	}
	return p, strings.TrimSpace(line)
}
