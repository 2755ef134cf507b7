package peers

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"text/template"
	"time"
)

// program is a child process that a test started and its end stops.
type program struct {
	command *exec.Cmd
	ended   chan struct{} // closed when it has ended
	err     error         // why, once it has
}

// patience bounds how long a program may take to be ready, or to end.
const patience = 10 * time.Second

// start runs a program until the test ends. What it writes to standard error is shown when the test fails.
func start(t *testing.T, command *exec.Cmd) *program {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = said
	command.SysProcAttr = dependent()
	if err := command.Start(); err != nil {
		t.Fatalf("starting %s: %v", command.Path, err)
	}
	p := &program{command: command, ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		p.err = command.Wait()
	}()
	t.Cleanup(func() {
		p.stop(t)
		said.Close()
		if text, err := os.ReadFile(said.Name()); err == nil && t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(command.Path), tail(text))
		}
	})
	return p
}

// stop ends the program by its process id, and fails the test when it was gone before or will not go.
func (p *program) stop(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		t.Errorf("%s ended by itself: %v", p.command.Path, p.err)
		return
	default:
	}
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may just have ended
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("%s did not end within %s", p.command.Path, patience)
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

func tail(text []byte) string {
	const most = 4 << 10
	return string(text[max(0, len(text)-most):])
}

// awaitListener waits until something listens at addr.
func (p *program) awaitListener(t *testing.T, addr string) {
	t.Helper()
	await(t, p.command.Path+" listening at "+addr, func() bool {
		select {
		case <-p.ended:
			t.Fatalf("%s ended before it listened: %v", p.command.Path, p.err)
		default:
		}
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}

// await waits for a condition, but not for ever.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for !condition() {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// installed is the path of a program that the machine has. Where it is missing, the test is skipped, but fails in CI.
func installed(t *testing.T, name, debian string, files ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	for _, file := range files {
		if _, missing := os.Stat(file); missing != nil {
			err = errors.Join(err, missing)
		}
	}
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("CI needs %s: %v", debian, err)
	default:
		t.Skipf("install %s to run this: %v", debian, err)
	}
	return path
}

// freeAddr is an address on host at which nothing listens.
func freeAddr(t *testing.T, host string) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// configure fills a configuration in testdata and returns the path of the result.
func configure(t *testing.T, name string, values any) string {
	t.Helper()
	made, err := template.ParseFiles(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := made.Execute(file, values); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}
