//go:build unix

package subject_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

// adapter starts this test program as an adapter that misbehaves.
func adapter(way string) subject.Starter {
	return subject.Program("env", adapterVariable+"="+way, os.Args[0])
}

// long is as good as for ever: whatever takes longer hangs.
const long = time.Minute

func begin(t *testing.T, way string) *subject.Session {
	t.Helper()
	s, err := subject.Begin(t.Context(), adapter(way))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAdapterThatDoesNotGreetIsToldSo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		way  string
		is   error
		says []string
	}{
		{"no hello", subject.ErrSilent, []string{"no hello within 5s"}},
		{"exits at once", subject.ErrEnded, []string{"ended before it said hello, with exit status 3", "no such module: sse"}},
		{"exits at once, content", subject.ErrEnded, []string{"ended before it said hello, with exit status 0"}},
		{"greets with garbage", subject.ErrGarbled, []string{"line 1", "Debugger attached."}},
		{"another protocol", subject.ErrGarbled, []string{"protocol 2, want 1"}},
		{"a huge hello", subject.ErrGarbled, []string{"its hello has more than 65536 bytes"}},
		{"a delay without end", subject.ErrGarbled, []string{"base_ms is 1e+300, want 0 to"}},
		{"a delay below zero", subject.ErrGarbled, []string{"silence_ms is -5"}},
		{"a factor without end", subject.ErrGarbled, []string{"factor is 1e+308"}},
		{"more than all left to chance", subject.ErrGarbled, []string{"jitter is 2, want 0 to 1"}},
		{"a status without end", subject.ErrGarbled, []string{"retry_status has 1000000, want 100 to 999"}},
	} {
		t.Run(test.way, func(t *testing.T) {
			t.Parallel()
			_, err := subject.Begin(t.Context(), adapter(test.way))
			mustSay(t, err, test.is, test.says...)
		})
	}
}

func mustSay(t *testing.T, err, is error, texts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("the error is %q, want %q", err, is)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error is %q, which does not say %q", err, text)
		}
	}
}

func TestAnAdapterThatMisbehavesEndsInAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		way  string
		is   error
		says []string
	}{
		{"crashes", subject.ErrEnded, []string{"exit status 2", "index out of range"}},
		{"ends", subject.ErrEnded, []string{"by itself"}},
		{"writes broken JSON", subject.ErrGarbled, []string{"line 2", `{\"ev\":\"event\",\"conn\":`}},
		{"prints", subject.ErrGarbled, []string{"line 2", "connected!"}},
		{"writes Latin-1", subject.ErrGarbled, []string{"line 2 is not UTF-8"}},
		{"ends in the middle", subject.ErrGarbled, []string{"its last line has no end"}},
		{"floods", subject.ErrFlooding, []string{"more than 100000 reports"}},
		{"floods with syncs", subject.ErrFlooding, []string{"reports of no connection"}},
		{"floods for nobody", subject.ErrFlooding, []string{"reports of no connection"}},
		{"nests deeply", subject.ErrGarbled, []string{"line 2 is no report"}},
		{"counts too far", subject.ErrGarbled, []string{"line 2 is no report"}},
		{"never ends its line", subject.ErrGarbled, []string{"a line of more than"}},
	} {
		t.Run(test.way, func(t *testing.T) {
			t.Parallel()
			s := begin(t, test.way)
			c, err := s.Open(subject.Open{URL: "http://127.0.0.1:9/"})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), long)
			defer cancel()
			_, err = c.Await(ctx, func([]subject.Report) bool { return false })
			if test.is == subject.ErrFlooding && errors.Is(err, subject.ErrSilent) {
				t.Skipf("this machine was too busy to be flooded: %v", err)
			}
			mustSay(t, err, test.is, test.says...)
			mustSay(t, s.Err(), test.is)
			_ = s.End() // its error was looked at
			select {
			case <-s.Over():
			default:
				t.Error("the session is not over after its end")
			}
			if _, err := s.Open(subject.Open{}); !errors.Is(err, test.is) {
				t.Errorf("an ended session opens a connection: %v", err)
			}
		})
	}
}

func TestAnAdapterThatIgnoresExitIsEnded(t *testing.T) {
	t.Parallel()
	s := begin(t, "ignores exit")
	mustSay(t, s.End(), subject.ErrSilent, "did not end within 2s after it was told to exit")
}

func TestAnAdapterThatOutlivesItsInputIsEnded(t *testing.T) {
	t.Parallel()
	s := begin(t, "outlives its input")
	mustSay(t, s.Leave(), subject.ErrSilent, "did not end within 2s after its input ended")
	s = begin(t, "nothing")
	if err := s.Leave(); err != nil {
		t.Errorf("an adapter that ends with its input: %v", err)
	}
}

func TestAnAdapterThatBehavesEndsWithoutAnError(t *testing.T) {
	t.Parallel()
	s := begin(t, "nothing")
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestNoProcessOfAnAdapterIsLeft(t *testing.T) {
	t.Parallel()
	var said func() string
	start := func(ctx context.Context) (*subject.Link, error) {
		link, err := adapter("leaves a process")(ctx)
		if err == nil {
			said = link.Says
		}
		return link, err
	}
	s, err := subject.Begin(t.Context(), start)
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Open(subject.Open{URL: "http://127.0.0.1:9/"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Await(t.Context(), func(r []subject.Report) bool { return len(r) > 0 }); err != nil {
		t.Fatal(err)
	}
	mustSay(t, s.End(), subject.ErrLeft)
	var child int
	if _, err := fmt.Sscanf(said(), "child %d", &child); err != nil {
		t.Fatalf("%v: %s", err, said())
	}
	if !gone(t.Context(), child) {
		t.Errorf("process %d, which the adapter had started, goes on", child)
	}
}

// gone waits until a process has ended: it does not take signals any more, or is only waiting for somebody to ask how it ended.
func gone(ctx context.Context, process int) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
		if syscall.Kill(process, 0) != nil || strings.Contains(string(stat), ") Z ") {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

func TestACommandThatDoesNotExistIsAnErrorOfItsStart(t *testing.T) {
	t.Parallel()
	if _, err := subject.Begin(t.Context(), subject.Program("/no/such/adapter")); err == nil || !strings.Contains(err.Error(), "/no/such/adapter") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheEndOfTheContextEndsTheWaitForAHello(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := subject.Begin(ctx, adapter("no hello")); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
