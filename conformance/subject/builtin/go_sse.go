// Package builtin holds adapters of clients that others wrote, for tests in this process. None of them is right in all it does: they are subjects,
// never an oracle.
package builtin

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tmaxmax/go-sse"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// GoSSE is the client of github.com/tmaxmax/go-sse with its defaults.
type GoSSE struct{}

// Hello says what it can do. Its delays are drawn from the half to one and a half of the undisturbed one.
func (GoSSE) Hello() subject.Hello {
	return subject.Hello{
		Name: "go-sse", Version: "0.11.0", Lang: "go", Profile: "sdk-client",
		Caps: []string{
			string(subject.Retry), string(subject.LastEventID), string(subject.Headers), string(subject.Opens), string(subject.Backoff),
			string(subject.Redirects), string(subject.Multi),
		},
		Policy: &subject.Policy{Backoff: &subject.Delay{BaseMS: 500, Factor: 1.5, Jitter: 0.5}},
	}
}

// Open has the client follow the URL.
func (GoSSE) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := request(ctx, o)
	if err != nil {
		cancel()
		return nil, err
	}
	var status atomic.Int64 // of a response that was refused
	transport := transport()
	client := sse.Client{
		HTTPClient: &http.Client{Transport: transport},
		ResponseValidator: func(r *http.Response) error {
			err := sse.DefaultValidator(r)
			if err != nil {
				status.Store(int64(r.StatusCode))
			} else if ctx.Err() == nil {
				to.Opened()
			}
			return err
		},
		OnRetry: func(err error, _ time.Duration) {
			if ctx.Err() == nil {
				to.Failed(false, subject.CauseNetwork, 0, err.Error())
			}
		},
	}
	if o.RetryMS > 0 {
		client.Backoff.InitialInterval = time.Duration(o.RetryMS) * time.Millisecond
	}
	connection := client.NewConnection(req)
	connection.SubscribeToAll(func(e sse.Event) {
		if ctx.Err() == nil {
			to.Event(orMessage(e.Type), []byte(e.Data), e.LastEventID)
		}
	})
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer crash.Catch()
		defer transport.CloseIdleConnections()
		if err := connection.Connect(); err != nil && ctx.Err() == nil {
			to.Failed(true, causeOf(int(status.Load())), int(status.Load()), err.Error())
		}
	}()
	return closer(func() { cancel(); <-over }), nil
}

// transport is net/http's default one, with connections of its own.
func transport() *http.Transport { return http.DefaultTransport.(*http.Transport).Clone() }

// request is what a Go client is given.
func request(ctx context.Context, o subject.Open) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, http.NoBody)
	if err != nil {
		return nil, err
	}
	for name, value := range o.Headers {
		req.Header.Set(name, value)
	}
	if o.LastEventID != "" {
		req.Header.Set("Last-Event-ID", o.LastEventID)
	}
	return req, nil
}

func orMessage(kind string) string {
	if kind == "" {
		return "message"
	}
	return kind
}

func causeOf(status int) subject.Cause {
	switch status {
	case 0:
		return subject.CauseNetwork
	case http.StatusOK:
		return subject.CauseType
	}
	return subject.CauseStatus
}

// closer is a subscription of one function, behind which nothing is reported any more.
type closer func()

func (c closer) Close() { c() }
