package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/scenarios"
)

// subject is a server that runs, as `streamgauge check` is told of it.
type subject struct {
	preset   string
	variable string // the environment variable with its URL
	url      string
	more     []string // further variables, NAME=value
	pid      int      // the process whose memory is its own; 0 when there is no such
}

// heartbeat is the interval that the servers are started with. Presets declare another one.
const heartbeat = 2 * time.Second

// quickly are parameters with which a server is judged in a minute, and its times are on a machine that has more to do.
var quickly = []string{
	"SSE-HTTPS-020.hold=10s",
	"SSE-SLOW-003.consumers=4", "SSE-SLOW-003.published_mib=8",
	"SSE-SLOW-007.write_deadline=3s",
	"SSE-FORM-002.within=1s", "SSE-HTTPS-003.within=3s", "SSE-DELIV-008.within=3s",
	"SSE-RESUME-016.allowance=3s", "SSE-ISO-005.allowance=3s",
}

// target is a file that describes the subject: its preset, with the heartbeat that it was started with and the process that it is.
func (s *subject) target(t *testing.T) (path string) {
	t.Helper()
	text, err := scenarios.TargetText(s.preset)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^heartbeat: .*$`).ReplaceAll(text, fmt.Appendf(nil, "heartbeat: %v", heartbeat))
	if s.pid != 0 {
		text = fmt.Appendf(text, "observe: {pid: %d}\n", s.pid)
	}
	path = filepath.Join(t.TempDir(), s.preset+".yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// check runs `streamgauge check` against the subject and returns what it printed.
func (s *subject) check(t *testing.T, only []string) *conformance.Result {
	t.Helper()
	args := []string{"check", s.target(t), "--format", "json", "--quiet", "--seed", "1", "--only", strings.Join(only, ",")}
	for _, set := range quickly {
		args = append(args, "--set", set)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, streamgauge(t), args...)
	c.SysProcAttr = dependent()
	c.Env = append(os.Environ(), s.variable+"="+s.url)
	c.Env = append(c.Env, s.more...)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	var exit *exec.ExitError
	if err := c.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0 || exit.ExitCode() > 2) {
		t.Fatalf("streamgauge check: %v\n%s", err, said.String())
	}
	result := new(conformance.Result)
	if err := json.Unmarshal(out.Bytes(), result); err != nil {
		t.Fatalf("reading the result: %v\n%s", err, said.String())
	}
	return result
}

// programs are built once, into a folder that TestMain removes.
var programs struct {
	sync.Mutex
	dir   string
	built map[string]error
}

// build compiles a program of this module.
func build(t *testing.T, name string) string {
	t.Helper()
	return buildOnce(t, name, "./servers/"+name)
}

// streamgauge compiles the command.
func streamgauge(t *testing.T) string {
	t.Helper()
	return buildOnce(t, "streamgauge", "-C", "../..", "./cmd/streamgauge")
}

// buildOnce compiles what the last argument names, with the flags before it.
func buildOnce(t *testing.T, name string, args ...string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	binary := filepath.Join(programs.dir, name)
	err, done := programs.built[name]
	if !done {
		flags := []string{"build"}
		if args[0] == "-C" {
			flags, args = append(flags, args[:2]...), args[2:]
		}
		command := exec.Command("go", append(append(flags, "-o", binary), args...)...)
		if out, failed := command.CombinedOutput(); failed != nil {
			err = fmt.Errorf("building %s: %w\n%s", name, failed, out)
		}
		programs.built[name] = err
	}
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
