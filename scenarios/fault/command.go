package fault

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/offspring"
)

// Command is a Target made of commands that its owner wrote. Each gets Timeout (0: 30 s); when that, or the context, is over, it
// is killed with all that it started. What a command that ended left running, such as the target itself, stays.
type Command struct {
	OnRestart []string // program and arguments, without a shell
	OnDrain   []string
	Timeout   time.Duration
}

// Restart runs OnRestart.
func (c Command) Restart(ctx context.Context) error { return c.run(ctx, "restart", c.OnRestart) }

// Drain runs OnDrain.
func (c Command) Drain(ctx context.Context) error { return c.run(ctx, "drain", c.OnDrain) }

// run names in its error the program without its arguments, which may hold secrets, and ends with the last of its output.
func (c Command) run(ctx context.Context, what string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s: no command was given", what)
	}
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// A file, not a pipe: a target that the command started inherits its output, and would keep us waiting for a pipe's end or
	// die of its loss.
	output, err := os.CreateTemp("", "streamgauge-"+what+"-*")
	if err != nil {
		return fmt.Errorf("%s: output of %s: %w", what, args[0], err)
	}
	defer func() {
		_ = output.Close()
		_ = os.Remove(output.Name())
	}()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = output, output
	family := offspring.Group(cmd)
	cmd.Cancel = func() error { family.Kill(); return nil }
	err = cmd.Run()
	if cause := ctx.Err(); cause != nil && err != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w%s", what, args[0], err, tail(output))
	}
	return nil
}

// tail is the last of a command's output as the end of an error's sentence.
func tail(output *os.File) string {
	const most = 1 << 10
	cut := ""
	if size, err := output.Seek(0, io.SeekEnd); err == nil {
		if _, err := output.Seek(max(0, size-most), io.SeekStart); err == nil && size > most {
			cut = "…" // also through a secret
		}
	}
	text, _ := io.ReadAll(io.LimitReader(output, most))
	if said := strings.TrimSpace(string(text)); said != "" {
		return ": " + cut + said
	}
	return ""
}
