package run

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/streamgauge/streamgauge/scenarios"
)

// stuck is a body that the stack waits for in a lock: it does not end with its request.
type stuck struct{ release chan struct{} }

func (s *stuck) Read([]byte) (int, error) {
	<-s.release
	return 0, io.EOF
}

func (s *stuck) Close() error { return nil }

// TestAPublishThatStandsStillIsLeftBehind however long the stack stays in its locks.
func TestAPublishThatStandsStillIsLeftBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		body := &stuck{make(chan struct{})}
		transport := &http.Transport{ForceAttemptHTTP2: true}
		transport.RegisterProtocol("stuck", answering(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: body}, nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		_, _, err := send(ctx, &http.Client{Transport: transport}, scenarios.Request{Method: http.MethodPost, URL: "stuck://a"})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second+afterEnd {
			t.Errorf("%v after %v", err, took)
		}
		close(body.release)
	})
}

type answering func(*http.Request) (*http.Response, error)

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }
