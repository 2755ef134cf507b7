package server_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/memory"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/flood"
)

// flooding is a subject that floods whoever subscribes.
func flooding(t *testing.T, name string) *server.Subject {
	t.Helper()
	at := slices.IndexFunc(flood.Kinds, func(f flood.Kind) bool { return f.Name == name })
	s := httptest.NewServer(flood.Kinds[at].Handler())
	t.Cleanup(s.Close)
	subject := addressed(t, s.URL)
	of := func(stream string) *url.URL {
		u, _ := url.Parse(s.URL + "/?s=" + url.QueryEscape(stream))
		return u
	}
	subject.Shared = false
	subject.Subscribe = func(_ context.Context, s server.Subscription) (*sse.Request, error) {
		return &sse.Request{URL: of(s.Streams[0]), LastEventID: s.Position}, nil
	}
	subject.Publish = func(ctx context.Context, m server.Message) server.Receipt {
		r := server.Receipt{Began: time.Now(), Acceptance: server.Acknowledged, Status: 204}
		answer, err := s.Client().Post(of(m.Stream).String(), "text/plain", strings.NewReader(m.Data))
		if r.Took, r.Err = time.Since(r.Began), err; err != nil {
			r.Acceptance = server.Indeterminate
			return r
		}
		_ = answer.Body.Close()
		return r
	}
	return subject
}

// What floods costs a case no more memory than there is for it, on however many connections, and the case says so.
func TestAFloodEndsACase(t *testing.T) {
	t.Parallel()
	for name, budget := range map[string]*memory.Budget{"connection": nil, "budget": memory.New(4 << 20)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			verdicts, _, err := server.Check(t.Context(), flooding(t, "foreign-events"), server.Cases, server.Options{
				Only: []string{"SSE-DELIV-007", "SSE-DELIV-001"}, Memory: budget,
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts {
				if v.Outcome != conformance.Unknown || !strings.Contains(v.Reason, "the harness stopped reading: ") || strings.Contains(v.Reason, "pieces") || strings.Contains(v.Reason, "--memory") == (budget == nil) {
					t.Errorf("%s: %v, %s %s", v.ID, v.Outcome, v.Reason, v.Actual)
				}
			}
		})
	}
}
