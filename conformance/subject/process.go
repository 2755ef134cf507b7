package subject

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Program starts an adapter that is a program of its own: the words of its command line.
func Program(words ...string) Starter {
	return func(ctx context.Context) (*Link, error) {
		if len(words) == 0 {
			return nil, fmt.Errorf("no command was given")
		}
		// Its life is the session's, which ends it; the context only bounds the start.
		command := exec.CommandContext(context.WithoutCancel(ctx), words[0], words[1:]...)
		ownGroup(command)
		last := &tail{}
		command.Stderr = last
		command.WaitDelay = time.Second // a grandchild may keep the streams open
		in, err := command.StdinPipe()
		if err != nil {
			return nil, err
		}
		// A pipe of our own, so that Wait does not close it while the last lines are read.
		out, reports := io.Pipe()
		command.Stdout = reports
		if err := command.Start(); err != nil {
			return nil, err
		}
		ended := make(chan error, 1)
		go func() {
			err := command.Wait()
			killGroup(command) // what it left behind
			_ = reports.Close()
			ended <- err
		}()
		return &Link{
			In: in, Out: out,
			Wait: func() error { return <-ended },
			Kill: func() {
				killGroup(command)
				_ = out.CloseWithError(io.ErrClosedPipe) // nobody reads any more
			},
			Says: last.String,
		}, nil
	}
}

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-tailBytes):]...)
	if over := len(t.text) - tailBytes; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.text), ""))
}
