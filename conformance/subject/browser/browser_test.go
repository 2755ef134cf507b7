package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/browser"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func chromium(t *testing.T) string {
	t.Helper()
	path, err := browser.Find()
	if err != nil {
		t.Skip(err)
	}
	return path
}

func TestTheEventSourceOfChromiumIsJudged(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	verdicts, hello, _, err := client.Check(t.Context(), browser.Chromium(path), client.Cases, client.Options{
		Only: []string{"PARSE-001", "PARSE-002", "PARSE-013", "PARSE-022", "PARSE-030", "PARSE-039"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if hello.Name != "Chromium" || hello.Version == "" || hello.Profile != string(conformance.ProfileBrowser) {
		t.Errorf("it says of itself %+v", hello)
	}
	if len(verdicts) != 6 {
		t.Errorf("%d verdicts, want 6", len(verdicts))
	}
	for _, v := range verdicts {
		if v.Outcome == conformance.Fail || v.Outcome == conformance.Warn || v.Outcome == conformance.Skip {
			t.Errorf("%s is %v: %s %s", v.ID, v.Outcome, v.Actual, v.Reason)
		}
	}
}

// A browser opens six connections to a host: the streams of different servers must not wait for one another.
func TestManyStreamsAreOpenAtOnce(t *testing.T) {
	t.Parallel()
	path := chromium(t)
	s, err := subject.Begin(t.Context(), browser.Chromium(path))
	if err != nil {
		t.Fatal(err)
	}
	const count = 20
	var open []*subject.Conn
	for range count {
		open = append(open, follow(t, s))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i, c := range open {
		if _, err := c.Await(ctx, func(r []subject.Report) bool { return len(r) > 1 }); err != nil {
			t.Fatalf("stream %d of %d: %v", i, count, err)
		}
	}
	if err := s.End(); err != nil {
		t.Error(err)
	}
}

func TestABrowserThatDoesNotStartIsAnErrorOfTheHarness(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "chromium")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho missing libnss3 >&2\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := subject.Begin(t.Context(), browser.Chromium(broken))
	if err == nil || !strings.Contains(err.Error(), "missing libnss3") {
		t.Errorf("the error is %v", err)
	}
}
