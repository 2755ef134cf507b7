package subject

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/offspring"
)

// Program starts an adapter that is a program of its own: the words of its command line.
func Program(words ...string) Starter {
	return func(ctx context.Context) (*Link, error) {
		if len(words) == 0 {
			return nil, errors.New("no command was given")
		}
		// Its life is the session's, which ends it; the context only bounds the start.
		command := exec.CommandContext(context.WithoutCancel(ctx), words[0], words[1:]...)
		in, err := command.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := pipe(&command.Stdout)
		if err != nil {
			return nil, err
		}
		complaints, err := pipe(&command.Stderr)
		if err != nil {
			out.close()
			return nil, err
		}
		family := offspring.Group(command).Adopt()
		if err := command.Start(); err != nil {
			family.Ended()
			out.close()
			complaints.close()
			return nil, err
		}
		_, _ = out.writer.Close(), complaints.writer.Close() // the adapter has them now
		last := &tail{}
		said := make(chan struct{})
		go func() {
			defer close(said)
			defer crash.Catch()
			_, _ = io.Copy(last, complaints.File) // it ends with the adapter
		}()
		ended := make(chan error, 1)
		var killed atomic.Bool
		go func() {
			err := command.Wait()
			left := family.EndGroup()
			family.Ended()
			if len(left) > 0 && !killed.Load() && err == nil {
				err = fmt.Errorf("%w: %q", ErrLeft, offspring.Names(left))
			}
			// What is in another group is ended later, and must not keep the harness waiting.
			late := time.Now().Add(lingering)
			_, _ = out.SetReadDeadline(late), complaints.SetReadDeadline(late)
			<-said
			_ = complaints.Close() // it was only read
			ended <- err
		}()
		return &Link{
			In: in, Out: out,
			Wait: func() error {
				defer func() { _ = out.Close() }() // it was only read
				return <-ended
			},
			Kill: func() {
				killed.Store(true)
				family.KillGroup()
			},
			Says: last.String,
		}, nil
	}
}

// lingering is how long the streams of an adapter that has ended are read.
const lingering = time.Second

// output is the reading end of a pipe, of which a command has the other.
type output struct {
	*os.File

	writer *os.File
}

// pipe makes a stream of a command one that is not waited for: whatever the command has started may hold it.
func pipe(stream *io.Writer) (*output, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	*stream = w
	return &output{r, w}, nil
}

func (o *output) close() { _, _ = o.Close(), o.writer.Close() }

// Read fails with ErrLeft when the stream is still held by somebody although the adapter has ended.
func (o *output) Read(p []byte) (int, error) {
	n, err := o.File.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = ErrLeft
	}
	return n, err
}

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
	cut  bool
}

const tailBytes = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-tailBytes):]...)
	if over := len(t.text) - tailBytes; over > 0 || len(p) > tailBytes {
		t.cut = true
		t.text = append(t.text[:0], t.text[max(over, 0):]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.text), ""))
	if t.cut {
		return "…" + text // it may have been cut through a secret
	}
	return text
}
