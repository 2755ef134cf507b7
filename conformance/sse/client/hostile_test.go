package client_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// hostile is the reference client, which means ill at one path.
type hostile struct {
	embedded.Client

	path string
	ill  func(ctx context.Context, address string, s *sabotage)
}

// sabotage is what an ill-meaning client gets at.
type sabotage struct {
	crash func()
	raw   io.Writer // its standard output
}

// start starts it. Each has an output of its own.
func (h *hostile) start(ctx context.Context) (*subject.Link, error) {
	s := &sabotage{}
	link, err := subject.Local(&started{h, s})(ctx)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	out := link.Out
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		_, _ = io.Copy(w, out)
		_ = w.Close()
	}()
	kill := link.Kill
	s.crash, s.raw = kill, w
	link.Out = r
	link.Kill = func() { kill(); _ = r.Close() }
	wait := link.Wait
	link.Wait = func() error { err := wait(); <-copied; return err }
	return link, nil
}

// started is one running hostile client.
type started struct {
	*hostile

	sabotage *sabotage
}

func (s *started) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	if u, err := url.Parse(o.URL); err == nil && u.Path == s.path {
		go s.ill(ctx, u.Host, s.sabotage)
	}
	return s.Client.Open(ctx, o, to)
}

// follows is a case that the reference client passes, at a path.
func follows(path string) func(t *client.Trial) {
	return func(t *client.Trial) {
		s := t.Serve(func(c *sse.Conn) error {
			if _, err := c.Stream(); err != nil {
				return err
			}
			c.Hold(nil) // what is expected never comes: only the client's end ends the wait
			return nil
		})
		f := t.Follow(subject.Open{URL: s.URL(path)})
		if path == "/" {
			if _, ok := t.AwaitRequest(s, 1, 10*time.Second); !ok {
				t.Unknown("no request came")
			}
			t.Pass("a request came")
		}
		f.Await(20*time.Second, func([]subject.Report) bool { return false })
		t.Pass("it did no harm")
	}
}

// A client that comes to grief in one case gets a verdict that says so, and the other cases go on with a new one.
func TestTheSuiteGoesOnWithTheNextCase(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		ill  func(ctx context.Context, address string, s *sabotage)
		want conformance.Outcome
		says string
	}{
		{"crashes", func(_ context.Context, _ string, s *sabotage) { s.crash() }, conformance.Fail, "the client under test ended"},
		{"writes broken JSON", func(_ context.Context, _ string, s *sabotage) {
			_, _ = io.WriteString(s.raw, "{\"ev\":\n")
		}, conformance.Unknown, `something else than the protocol: line`},
		{"floods its output", func(_ context.Context, _ string, s *sabotage) {
			lines := []byte(strings.Repeat(`{"ev":"comment","conn":"c1"}`+"\n"+`{"ev":"comment","conn":"c2"}`+"\n"+`{"ev":"comment","conn":"c3"}`+"\n"+`{"ev":"comment","conn":"c4"}`+"\n", 2500))
			for {
				if _, err := s.raw.Write(lines); err != nil {
					return
				}
			}
		}, conformance.Fail, "floods its standard output"},
		{"leaks connections", leak, conformance.Unknown, "holds 1001 connections open at once"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := &hostile{path: "/ill", ill: test.ill}
			cases := []client.Case{
				{Requirement: "SSE-PARSE-001", Run: follows("/")},
				{Requirement: "SSE-PARSE-002", Run: follows("/ill")},
				{Requirement: "SSE-PARSE-003", Run: follows("/")},
				{Requirement: "SSE-PARSE-004", Alone: true, Run: follows("/")},
			}
			verdicts, _, _, err := client.Check(t.Context(), h.start, cases, client.Options{Parallel: 2})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				text := v.Actual + v.Reason
				switch {
				case v.ID != "SSE-PARSE-002" && v.Outcome != conformance.Pass:
					t.Errorf("another case suffers: %s", describe(v))
				case v.ID == "SSE-PARSE-002" && (v.Outcome != test.want || !strings.Contains(text, test.says)):
					t.Errorf("want %v, saying %q: %s", test.want, test.says, describe(v))
				}
			}
		})
	}
}

// leak opens connections and keeps them.
func leak(ctx context.Context, address string, _ *sabotage) {
	var held sync.WaitGroup
	defer held.Wait()
	var dialer net.Dialer
	for ctx.Err() == nil {
		c, err := dialer.DialContext(ctx, "tcp", address)
		if err != nil {
			return
		}
		held.Go(func() {
			defer c.Close()
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			_, _ = io.Copy(io.Discard, c)
		})
	}
}

// A client that can not be started again is not waited for in each case anew.
func TestAClientThatDoesNotStartAgainIsGivenUp(t *testing.T) {
	t.Parallel()
	starts := 0
	var mu sync.Mutex
	h := &hostile{path: "/ill", ill: func(_ context.Context, _ string, s *sabotage) { s.crash() }}
	start := func(ctx context.Context) (*subject.Link, error) {
		mu.Lock()
		defer mu.Unlock()
		if starts++; starts > 1 {
			return nil, io.ErrUnexpectedEOF
		}
		return h.start(ctx)
	}
	var cases []client.Case
	for _, id := range []string{"SSE-PARSE-001", "SSE-PARSE-002", "SSE-PARSE-003", "SSE-PARSE-004", "SSE-PARSE-005", "SSE-PARSE-006"} {
		cases = append(cases, client.Case{Requirement: id, Run: follows("/ill")})
	}
	verdicts, _, _, err := client.Check(t.Context(), start, cases, client.Options{Parallel: 1})
	if err != nil {
		t.Fatal(err)
	}
	givenUp := 0
	for _, v := range verdicts {
		if v.Outcome != conformance.Unknown {
			t.Error(describe(v))
		}
		if strings.Contains(v.Reason, "failed to start 3 times in a row") {
			givenUp++
		}
	}
	if givenUp < 4 { // of the others one met the client, and two its failing starts
		t.Errorf("%d cases are told that it is not started any more, want at least 4", givenUp)
	}
	if starts != 4 {
		t.Errorf("it was started %d times, want 4", starts)
	}
}
