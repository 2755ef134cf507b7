package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// process is one role at work.
type process struct {
	name    string
	command *exec.Cmd
	stdin   io.WriteCloser
	answers *bufio.Scanner
	bare    sample // before it was connected to anything
}

// begin starts a process and waits until it answers.
func begin(ctx context.Context, name string, s setup) (*process, error) {
	config, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the benchmark's own program: %w", err)
	}
	p := &process{name: name, command: exec.CommandContext(ctx, self, "-role", name, string(config))}
	p.command.Stderr = os.Stderr
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.answers = bufio.NewScanner(out)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	if p.bare, err = p.ask("collect"); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// ask gives a command and returns the state after it.
func (p *process) ask(command string) (sample, error) {
	var s sample
	_, err := fmt.Fprintln(p.stdin, command)
	switch {
	case err != nil:
	case !p.answers.Scan():
		err = errors.Join(p.answers.Err(), io.ErrUnexpectedEOF)
	default:
		err = json.Unmarshal(p.answers.Bytes(), &s)
	}
	if err == nil && s.Err != "" {
		err = errors.New(s.Err)
	}
	if err != nil {
		return s, fmt.Errorf("%s: %s: %w", p.name, command, err)
	}
	return s, nil
}

// stop ends the process.
func (p *process) stop() {
	_ = p.stdin.Close()
	_ = p.command.Wait() // what went wrong was said on stderr
}

// connectTimeout bounds how long all connections together may take.
const connectTimeout = time.Minute

// connect lets a client connect and returns how many connections a second were opened, the first sample included.
func (p *process) connect(ctx context.Context, connections int) (perS float64, err error) {
	began := time.Now()
	s, err := p.ask("start")
	for ; err == nil && s.Connected < connections; s, err = p.ask("sample") {
		if time.Since(began) > connectTimeout {
			return 0, fmt.Errorf("%s: %d of %d connected after %v", p.name, s.Connected, connections, connectTimeout)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return float64(connections) / time.Since(began).Seconds(), err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
