//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is this program at work in a directory of its own.
type process struct {
	*exec.Cmd
	t      *testing.T
	stderr outlet
}

// outlet holds what a process says, while it does.
type outlet struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *outlet) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *outlet) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// heedSignals makes the processes that are begun heed what this one was told to ignore, as by nohup: a handler is not inherited.
var heedSignals = sync.OnceFunc(func() {
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGXCPU} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
})

// prepared is a process that has not begun, with a defect or "" for none.
func prepared(t *testing.T, defect string, args ...string) *process {
	t.Helper()
	heedSignals()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(t.Context(), path), t: t}
	p.Args = append([]string{"streamgauge"}, args...)
	p.Dir, p.Stderr = t.TempDir(), &p.stderr
	p.Env = append(os.Environ(), breakEnv+"="+defect)
	for name, text := range map[string]string{"long.yaml": longScenario, "short.yaml": shortScenario} {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

const (
	shortScenario = `
name: short
load: {subscribers: 20, publish: {rate: 200/s}}
duration: 500ms
expect: {delivery: [unique, complete]}
`
	longScenario = `
name: long
load: {subscribers: 20, publish: {rate: 200/s}}
duration: 10m
expect: {delivery: [unique, complete]}
`
)

func (p *process) begin() *process {
	p.t.Helper()
	if err := p.Start(); err != nil {
		p.t.Fatal(err)
	}
	return p
}

// until waits for something to hold.
func (p *process) until(what string, holds func() bool) {
	p.t.Helper()
	late := time.After(time.Minute)
	for ticker := time.NewTicker(5 * time.Millisecond); !holds(); {
		select {
		case <-ticker.C:
		case <-late:
			p.t.Fatalf("waiting for %s: it said %s", what, p.stderr.String())
		}
	}
}

func (p *process) path(name string) string { return filepath.Join(p.Dir, name) }

func (p *process) has(name string) func() bool {
	return func() bool { _, err := os.Lstat(p.path(name)); return err == nil }
}

func (p *process) says(text string) func() bool {
	return func() bool { return strings.Contains(p.stderr.String(), text) }
}

func (p *process) send(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// exits waits for the end, with one of these exit codes.
func (p *process) exits(codes ...int) {
	p.t.Helper()
	err := p.Wait()
	for _, code := range codes {
		if p.ProcessState.ExitCode() == code {
			return
		}
	}
	p.t.Fatalf("it ended with %v, want exit code %v: %s", err, codes, p.stderr.String())
}

// whole sees that the directory of results is.
func (p *process) whole() {
	p.t.Helper()
	for _, name := range []string{"manifest.json", "result.json", "junit.xml", "report.html"} {
		if !p.has("out/" + name)() {
			p.t.Errorf("%s is missing: %s", name, p.stderr.String())
		}
	}
	p.nothingPartial()
}

func (p *process) nothingPartial() {
	p.t.Helper()
	entries, err := os.ReadDir(p.path("out"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".partial") {
			p.t.Errorf("%s is left", e.Name())
		}
	}
}

// TestTheFirstSignalLeavesWholeReports in every command that measures for some time. A hangup and SIGXCPU come more than once for one reason.
func TestTheFirstSignalLeavesWholeReports(t *testing.T) {
	t.Parallel()
	begun := func(p *process) { p.until("its directory", p.has("out")) }
	judged := func(p *process) { p.until("its progress", p.says(" judged: ")) }
	running := func(p *process) {
		p.until("the run", func() bool { return fileHolds(p.path("out/history.jsonl"), `"k":"publish"`) })
	}
	for name, c := range map[string]struct {
		args  []string
		sign  func(*process)
		send  []syscall.Signal
		codes []int
	}{
		"run, interrupted": {[]string{"run", "long.yaml", "--history", "full"}, running, []syscall.Signal{syscall.SIGINT}, []int{exitUnknown, exitPass}},
		"run, terminated":  {[]string{"run", "long.yaml", "--history", "full"}, running, []syscall.Signal{syscall.SIGTERM}, []int{exitUnknown, exitPass}},
		"run, hung up":     {[]string{"run", "long.yaml", "--history", "full"}, running, []syscall.Signal{syscall.SIGHUP, syscall.SIGHUP}, []int{exitUnknown, exitPass}},
		"run, out of time": {[]string{"run", "long.yaml", "--history", "full"}, running, []syscall.Signal{syscall.SIGXCPU, syscall.SIGXCPU}, []int{exitUnknown, exitPass}},
		"check":            {[]string{"check", "--only", "DELIV"}, begun, []syscall.Signal{syscall.SIGHUP}, []int{exitUnknown}},
		"check-client":     {[]string{"check-client", "--client", "go-sse"}, judged, []syscall.Signal{syscall.SIGHUP}, []int{exitUnknown, exitFail}},
		"capacity":         {[]string{"capacity", "short.yaml", "--vary", "load.subscribers", "--from", "1", "--to", "500"}, begun, []syscall.Signal{syscall.SIGHUP}, []int{exitUnknown, exitFail}},
		"simulate":         {[]string{"simulate", "storm", "--clients", "5M", "--accept", "1/s", "--until", "24h", "--attempts", "100000000000000"}, begun, []syscall.Signal{syscall.SIGHUP}, []int{exitUnknown}},
		"mutants":          {[]string{"mutants", "--only", "no-backoff"}, begun, []syscall.Signal{syscall.SIGHUP}, []int{exitUnknown, exitPass, exitFail}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, "", append(c.args, "--out", "out")...).begin()
			c.sign(p)
			for _, s := range c.send {
				p.send(s)
				p.until("its answer", p.says("interrupted: "))
			}
			p.exits(c.codes...)
			p.whole()
		})
	}
}

// TestASignalBeforeTheBeginningIsAnswered: it comes when the command line has been read.
func TestASignalBeforeTheBeginningIsAnswered(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"run": {"run", "long.yaml"}, "check": {"check"}, "check-client": {"check-client", "--client", "go-sse"}, "mutants": {"mutants"},
		"capacity": {"capacity", "short.yaml", "--vary", "load.subscribers", "--from", "1", "--to", "500"},
		"simulate": {"simulate", "storm", "--clients", "5M", "--accept", "1/s", "--until", "24h", "--attempts", "100000000000000"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, "early", append(args, "--out", "out")...).begin()
			p.exits(exitUnknown)
			p.whole()
			if !p.says("interrupted: ")() {
				t.Error(p.stderr.String())
			}
		})
	}
	t.Run("serve", func(t *testing.T) {
		t.Parallel()
		p := prepared(t, "early", "serve", "--addr", "127.0.0.1:0").begin()
		_ = p.Wait()
		if status, is := p.ProcessState.Sys().(syscall.WaitStatus); !is || status.Signal() != syscall.SIGTERM {
			t.Errorf("it ended with %v, want the signal: %s", p.ProcessState, p.stderr.String())
		}
	})
}

func fileHolds(path, text string) bool {
	all, err := os.ReadFile(path)
	return err == nil && bytes.Contains(all, []byte(text))
}

// TestASignalWhileTheReportIsWrittenDoesNotCutIt fills the pipe that nobody reads yet.
func TestASignalWhileTheReportIsWrittenDoesNotCutIt(t *testing.T) {
	t.Parallel()
	p := prepared(t, "", "run", "short.yaml", "--format", "html", "--out", "out", "--quiet")
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.begin()
	p.until("the manifest", p.has("out/manifest.json"))
	p.send(syscall.SIGINT)
	p.until("its answer", p.says("interrupted: "))
	page, err := io.ReadAll(stdout)
	if err != nil || !bytes.HasSuffix(bytes.TrimSpace(page), []byte("</html>")) {
		t.Errorf("%v, %d bytes", err, len(page))
	}
	p.exits(exitPass, exitUnknown)
	p.whole()
}

// TestTheSecondSignalLeavesNoHalfFile holds the writing up in the middle, with a file that takes nothing.
func TestTheSecondSignalLeavesNoHalfFile(t *testing.T) {
	t.Parallel()
	p := prepared(t, "", "run", "short.yaml", "--out", "out", "--history", "full").begin()
	p.until("the run", p.has("out/history.jsonl"))
	if err := syscall.Mkfifo(p.path("out/.junit.xml.partial"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.until("the first report", p.has("out/result.json"))
	p.send(syscall.SIGINT)
	p.until("its answer", p.says("interrupted: "))
	p.send(syscall.SIGINT)
	p.exits(exitHarness)
	p.nothingPartial()
	if p.has("out/junit.xml")() || p.has("out/manifest.json")() {
		t.Error("a file that was not finished is there")
	}
}

// TestAHangupThatIsIgnoredStaysIgnored, as under nohup.
func TestAHangupThatIsIgnoredStaysIgnored(t *testing.T) {
	t.Parallel()
	p := prepared(t, "", "run", "short.yaml", "--set", "duration=2s", "--out", "out", "--history", "full")
	p.Args = append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, "streamgauge"}, p.Args[1:]...)
	link := p.path("streamgauge")
	if err := os.Symlink(p.Path, link); err != nil {
		t.Fatal(err)
	}
	p.Args[3], p.Path = link, "/bin/sh"
	p.begin()
	p.until("the run", func() bool { return fileHolds(p.path("out/history.jsonl"), `"k":"publish"`) })
	p.send(syscall.SIGHUP)
	p.exits(exitPass, exitUnknown)
	p.whole()
	if p.says("interrupted")() {
		t.Error(p.stderr.String())
	}
}

// TestWhoReadsNoMoreDoesNotEndTheRun closes both outputs while it goes on.
func TestWhoReadsNoMoreDoesNotEndTheRun(t *testing.T) {
	t.Parallel()
	p := prepared(t, "", "run", "short.yaml", "short.yaml", "--out", "out")
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout, p.Stderr = write, write
	p.begin()
	_, _ = read.Close(), write.Close()
	p.exits(exitHarness) // what was to be shown was not
	p.whole()
}

// TestAFileThatCannotBeWrittenKeepsNoOtherFromIt: one that has become too large, as on a full disk.
func TestAFileThatCannotBeWrittenKeepsNoOtherFromIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		blocks string // of 512 bytes, that a file may have
		args   []string
		lacks  []string
		keeps  []string
		says   string
	}{
		"the page":    {"128", []string{"--history", "off"}, []string{"report.html", "manifest.json"}, []string{"result.json", "junit.xml", "short.hlog"}, "write out/report.html: file too large"},
		"the history": {"900", []string{"--history", "full", "--set", "load.publish.rate=2000/s"}, nil, []string{"result.json", "junit.xml", "report.html", "history.jsonl", "manifest.json"}, "out/history.jsonl: file too large"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := prepared(t, "", append([]string{"run", "short.yaml", "--out", "out", "--quiet"}, c.args...)...)
			link := p.path("streamgauge")
			if err := os.Symlink(p.Path, link); err != nil {
				t.Fatal(err)
			}
			p.Args = append([]string{"sh", "-c", `ulimit -f ` + c.blocks + `; exec "$0" "$@"`, link}, p.Args[1:]...)
			p.Path = "/bin/sh"
			var stdout outlet
			p.Stdout = &stdout
			p.begin()
			p.exits(exitHarness)
			if !p.says(c.says)() {
				t.Errorf("it said %s, want %q", p.stderr.String(), c.says)
			}
			if !strings.Contains(stdout.String(), "delivery.complete") {
				t.Errorf("what was measured is not shown: %s", stdout.String())
			}
			for _, name := range c.lacks {
				if p.has("out/" + name)() {
					t.Errorf("%s is there", name)
				}
			}
			for _, name := range c.keeps {
				if !p.has("out/" + name)() {
					t.Errorf("%s is missing", name)
				}
			}
			p.nothingPartial()
		})
	}
}

// TestAHistoryCanBeJudgedUpToAKill of the process that kept it.
func TestAHistoryCanBeJudgedUpToAKill(t *testing.T) {
	t.Parallel()
	p := prepared(t, "", "run", "long.yaml", "--out", "out", "--history", "full").begin()
	p.until("a delivery", func() bool { return fileHolds(p.path("out/history.jsonl"), `"k":"deliver"`) })
	p.send(syscall.SIGKILL)
	_ = p.Wait()
	half := `{"k":"dl`
	history, err := os.OpenFile(p.path("out/history.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := history.WriteString(half); err != nil {
		t.Fatal(err)
	}
	if err := history.Close(); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := execute([]string{"judge", p.path("out/history.jsonl")}, &stdout, &stderr); code != exitUnknown {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if !strings.Contains(stdout.String(), "the history ends before its run did") {
		t.Errorf("%s", &stdout)
	}
}
