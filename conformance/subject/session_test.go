package subject_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/conformance/subject"
)

// scripted is a client of this process.
type scripted struct {
	open func(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error)
}

func (*scripted) Hello() subject.Hello {
	return subject.Hello{Name: "scripted", Caps: []string{string(subject.Multi), string(subject.Restart)}}
}

func (c *scripted) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	return c.open(ctx, o, to)
}

// subscription is a Subscription of functions, of which nil ones do nothing.
type subscription struct{ closing, restarting func() }

func (s subscription) Close() {
	if s.closing != nil {
		s.closing()
	}
}

func (s subscription) Restart() {
	if s.restarting != nil {
		s.restarting()
	}
}

func beginLocal(t *testing.T, c *scripted) *subject.Session {
	t.Helper()
	s, err := subject.Begin(t.Context(), subject.Local(c))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustOpen(t *testing.T, s *subject.Session, o subject.Open) *subject.Conn {
	t.Helper()
	c, err := s.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWhatAClientReportsArrivesAsItWas(t *testing.T) {
	t.Parallel()
	client := &scripted{func(_ context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
		if o.URL != "http://example.test/" || o.Headers["A"] != "b" || o.RetryMS != 50 || o.IdleTimeoutMS == nil || *o.IdleTimeoutMS != 0 {
			t.Errorf("the command came as %+v", o)
		}
		to.Opened()
		to.Event("message", []byte("a\x00\n\u2028\"\\<🌊"), "7\u00fc")
		to.Event("message", nil, "")
		to.Event("raw", []byte("gr\xfc\xdfe"), "")
		to.Comment(" hb")
		to.Failed(false, subject.CauseStatus, 503, "unavailable")
		return subscription{}, nil
	}}
	s := beginLocal(t, client)
	none := 0
	c := mustOpen(t, s, subject.Open{URL: "http://example.test/", Headers: map[string]string{"A": "b"}, RetryMS: 50, IdleTimeoutMS: &none})
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := c.Reports()
	if len(got) != 6 {
		t.Fatalf("%d reports, want 6: %+v", len(got), got)
	}
	for i, want := range []subject.Report{
		{Ev: subject.EvOpen, State: "open"},
		{Ev: subject.EvEvent, Type: "message", LastEventID: "7\u00fc"},
		{Ev: subject.EvEvent, Type: "message"},
		{Ev: subject.EvEvent, Type: "raw"},
		{Ev: subject.EvComment, Text: " hb"},
		{Ev: subject.EvError, Cause: subject.CauseStatus, Status: 503, Message: "unavailable", State: "connecting"},
	} {
		g := got[i]
		if g.Ev != want.Ev || g.Type != want.Type || g.LastEventID != want.LastEventID || g.Text != want.Text || g.State != want.State ||
			g.Cause != want.Cause || g.Status != want.Status || g.Message != want.Message || g.At.IsZero() {
			t.Errorf("report %d is %+v, want %+v", i, g, want)
		}
	}
	if d := got[1].Bytes(); string(d) != "a\x00\n\u2028\"\\<🌊" {
		t.Errorf("the data came as %q", d)
	}
	if got[2].Data == nil || *got[2].Data != "" {
		t.Errorf("empty data came as %v", got[2].Data)
	}
	if d := got[3].Bytes(); string(d) != "gr\xfc\xdfe" || got[3].Data != nil {
		t.Errorf("data that are no UTF-8 came as %q", d)
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestCloseAndRestartReachTheSubscription(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls []string
	note := func(call string) func() {
		return func() {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, call)
		}
	}
	s := beginLocal(t, &scripted{func(context.Context, subject.Open, *subject.Reporter) (subject.Subscription, error) {
		return subscription{note("close"), note("restart")}, nil
	}})
	c := mustOpen(t, s, subject.Open{})
	for _, command := range []func() error{c.Restart, c.Close} {
		if err := command(); err != nil {
			t.Fatal(err)
		}
	}
	reports, err := c.Await(t.Context(), func(r []subject.Report) bool { return len(r) > 0 })
	if err != nil || reports[0].Ev != subject.EvClosed {
		t.Errorf("a close was answered with %+v, %v", reports, err)
	}
	mu.Lock()
	if got := strings.Join(calls, " "); got != "restart close" {
		t.Errorf("the subscription was told: %s", got)
	}
	mu.Unlock()
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestAnOpenThatIsRefusedIsAFatalError(t *testing.T) {
	t.Parallel()
	s := beginLocal(t, &scripted{func(context.Context, subject.Open, *subject.Reporter) (subject.Subscription, error) {
		return nil, errors.New("no such scheme")
	}})
	c := mustOpen(t, s, subject.Open{URL: "gopher://x"})
	reports, err := c.Await(t.Context(), func(r []subject.Report) bool { return len(r) > 0 })
	if err != nil || !reports[0].Fatal || reports[0].Message != "no such scheme" {
		t.Errorf("it was reported as %+v, %v", reports, err)
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestReportsOfAForgottenConnectionAreDropped(t *testing.T) {
	t.Parallel()
	reporters := make(chan *subject.Reporter, 1)
	s := beginLocal(t, &scripted{func(_ context.Context, _ subject.Open, to *subject.Reporter) (subject.Subscription, error) {
		reporters <- to
		return subscription{}, nil
	}})
	c := mustOpen(t, s, subject.Open{})
	to := <-reporters
	c.Forget()
	to.Opened()
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.Reports(); len(got) != 0 {
		t.Errorf("there are %+v", got)
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestAWaitEndsWithItsContextAndKeepsTheSession(t *testing.T) {
	t.Parallel()
	s := beginLocal(t, &scripted{func(_ context.Context, _ subject.Open, to *subject.Reporter) (subject.Subscription, error) {
		to.Opened()
		return subscription{}, nil
	}})
	c := mustOpen(t, s, subject.Open{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Await(ctx, func([]subject.Report) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	if err := s.Sync(t.Context()); err != nil {
		t.Errorf("the session does not go on: %v", err)
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

// An adapter that hangs while somebody waits for its reports is found out, in virtual time.
func TestAnAdapterThatHangsIsFoundOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		s := beginLocal(t, &scripted{func(context.Context, subject.Open, *subject.Reporter) (subject.Subscription, error) {
			<-never
			return subscription{}, nil
		}})
		began := time.Now()
		c := mustOpen(t, s, subject.Open{})
		_, err := c.Await(t.Context(), func([]subject.Report) bool { return false })
		mustSay(t, err, subject.ErrSilent, "20s")
		if took := time.Since(began); took > 40*time.Second {
			t.Errorf("that took %v", took)
		}
		close(never)
		mustSay(t, s.End(), subject.ErrSilent)
	})
}

// One that takes its time is not: the machine may be slow.
func TestAnAdapterThatIsSlowIsAwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := beginLocal(t, &scripted{func(_ context.Context, _ subject.Open, to *subject.Reporter) (subject.Subscription, error) {
			<-time.After(15 * time.Second)
			to.Opened()
			return subscription{}, nil
		}})
		c := mustOpen(t, s, subject.Open{})
		if _, err := c.Await(t.Context(), func(r []subject.Report) bool { return len(r) > 0 }); err != nil {
			t.Error(err)
		}
		<-time.After(time.Minute)
		if err := s.End(); err != nil {
			t.Error(err)
		}
	})
}

// mute starts an adapter that greets and then says nothing more; read is what it does with the commands.
func mute(read func(commands io.Reader)) subject.Starter {
	return func(context.Context) (*subject.Link, error) {
		reports, toHarness := io.Pipe()
		commands, in := io.Pipe()
		ended := make(chan struct{})
		go func() {
			_, _ = io.WriteString(toHarness, helloLine+"\n")
			<-ended
			_ = toHarness.Close()
		}()
		go read(commands)
		return &subject.Link{
			In: in, Out: reports, Wait: func() error { return nil },
			Kill: sync.OnceFunc(func() { close(ended); _ = commands.Close() }),
		}, nil
	}
}

func TestAnAdapterThatSaysNothingMoreIsFoundOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, says string
		read       func(io.Reader)
	}{
		{"reads", "no answer to sync within 20s", func(r io.Reader) { _, _ = io.Copy(io.Discard, r) }},
		{"does not read", "left a command unread for 20s", func(io.Reader) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, err := subject.Begin(t.Context(), mute(test.read))
				if err != nil {
					t.Fatal(err)
				}
				c, err := s.Open(subject.Open{})
				if err == nil {
					_, err = c.Await(t.Context(), func([]subject.Report) bool { return false })
				}
				mustSay(t, err, subject.ErrSilent, test.says)
				mustSay(t, s.End(), subject.ErrSilent, test.says)
			})
		})
	}
}

func TestAClientWhoseCloseDoesNotReturnIsLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		s := beginLocal(t, &scripted{func(context.Context, subject.Open, *subject.Reporter) (subject.Subscription, error) {
			return subscription{closing: func() { <-never }}, nil
		}})
		mustOpen(t, s, subject.Open{})
		mustSay(t, s.End(), subject.ErrSilent, "did not end within 2s")
		close(never)
	})
}

func TestACommandThatIsNoJSONEndsAnAdapter(t *testing.T) {
	t.Parallel()
	err := subject.Serve(t.Context(), strings.NewReader("open\n"), io.Discard, &scripted{})
	if err == nil || !strings.Contains(err.Error(), `reading the command "open\n"`) {
		t.Errorf("the error is %v", err)
	}
}

func TestAnAdapterPassesOverCommandsItDoesNotKnow(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	commands := "{\"cmd\":\"dance\",\"step\":1}\n{\"seq\":5,\"cmd\":\"sync\"}\n{\"cmd\":\"exit\"}\n"
	if err := subject.Serve(t.Context(), strings.NewReader(commands), &out, &scripted{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), `{"ev":"sync","seq":5}`+"\n") {
		t.Errorf("it said %s", out.String())
	}
}
