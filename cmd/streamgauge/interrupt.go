package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/reports"
)

// interrupts is what a command that writes reports makes of signals, from its beginning until its last report is written.
type interrupts struct {
	context context.Context // ends with the first interrupt, and with a crash of the harness
	cancel  context.CancelFunc
	stderr  io.Writer
	first   string                      // what is said to the first interrupt
	dir     atomic.Pointer[reports.Dir] // that is being written to
}

// afterCrash is how long what was measured may take to be written after a crash.
const afterCrash = time.Minute

// reporting is a command that is not ended by a signal before it has reported: the first interrupt ends what it does early, the second ends
// the process. It says so in words that go on after "interrupted:".
func reporting(c *cobra.Command, first string) *cobra.Command {
	c.Annotations = map[string]string{answersSignals: first}
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		i := &interrupts{stderr: c.ErrOrStderr(), first: first}
		i.context, i.cancel = context.WithCancel(c.Context())
		defer i.cancel()
		defer i.watch()()
		c.SetContext(context.WithValue(c.Context(), interruptsKey{}, i))
		return run(c, args)
	}
	return c
}

type interruptsKey struct{}

// interruptible is the context that the first interrupt ends.
func interruptible(c *cobra.Command) context.Context {
	if i, is := c.Context().Value(interruptsKey{}).(*interrupts); is {
		return i.context
	}
	return c.Context()
}

// prepareDir makes the directory for the reports of a command; "" is none.
func prepareDir(c *cobra.Command, path string) (*reports.Dir, error) {
	if path == "" {
		return nil, nil
	}
	dir, err := reports.PrepareDir(path)
	if err != nil {
		return nil, inputError(err)
	}
	if i, is := c.Context().Value(interruptsKey{}).(*interrupts); is {
		i.dir.Store(dir)
	}
	return dir, nil
}

// watch answers signals until the function that it returns is called.
func (i *interrupts) watch() (stop func()) {
	signals := awaited
	if signals == nil {
		signals = make(chan os.Signal, 4)
		signal.Notify(signals, interrupting()...)
	}
	// Nobody reads these, up to the end of the process: whoever reads no more, or a full disk, shows in the write that fails.
	signal.Notify(make(chan os.Signal, 1), writeSignals...)
	done := make(chan struct{})
	go func() {
		defer crash.Catch()
		i.answer(signals, done)
	}()
	return func() {
		if awaited == nil {
			signal.Stop(signals)
		}
		close(done)
	}
}

func (i *interrupts) answer(signals <-chan os.Signal, done <-chan struct{}) {
	crashed, late := crash.Done(), (<-chan time.Time)(nil)
	for interrupted := false; ; {
		select {
		case s := <-signals:
			if !interrupted {
				interrupted = true
				fmt.Fprintln(i.stderr, "streamgauge: interrupted: "+i.first+"; once more quits at once")
				i.cancel()
			} else if !slices.Contains(repeated, s) {
				i.quit()
			}
		case <-crashed:
			crashed = nil
			i.cancel()
			late = time.After(afterCrash)
		case <-late:
			fmt.Fprintf(i.stderr, "streamgauge: the crash keeps the reports from being written: given up after %v\n", afterCrash)
			i.quit()
		case <-done:
			return
		}
	}
}

// quit ends the process, and leaves no part of a file behind.
func (i *interrupts) quit() {
	if dir := i.dir.Load(); dir != nil {
		dir.RemovePartial()
	}
	os.Exit(exitHarness)
}
