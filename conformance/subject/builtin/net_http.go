package builtin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/subject"
)

// NetHTTP is what is written in an afternoon: net/http, a bufio.Scanner and a split at the colon. It shows what a check of such code finds.
type NetHTTP struct{}

// naiveDelay is what it waits before it connects again, whatever the server says.
const naiveDelay = time.Second

// Hello says what it can do.
func (NetHTTP) Hello() subject.Hello {
	return subject.Hello{
		Name: "net/http and a scanner", Lang: "go", Profile: "sdk-client",
		Caps:   []string{string(subject.Retry), string(subject.LastEventID), string(subject.Headers), string(subject.Opens), string(subject.Redirects), string(subject.Multi)},
		Policy: &subject.Policy{Backoff: &subject.Delay{BaseMS: float64(naiveDelay / time.Millisecond), Factor: 1}},
	}
}

// Open has the client follow the URL.
func (NetHTTP) Open(ctx context.Context, o subject.Open, to *subject.Reporter) (subject.Subscription, error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := request(ctx, o)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	delay := naiveDelay
	if o.RetryMS > 0 {
		delay = time.Duration(o.RetryMS) * time.Millisecond
	}
	transport := transport()
	n := &naive{ctx: ctx, to: to, req: req, id: o.LastEventID, http: &http.Client{Transport: transport}}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer crash.Catch()
		defer transport.CloseIdleConnections()
		for {
			err := n.follow()
			if ctx.Err() != nil {
				return
			}
			to.Failed(false, subject.CauseNetwork, 0, err.Error())
			select {
			case <-time.After(delay):
			case <-ctx.Done():
				return
			}
		}
	}()
	return closer(func() { cancel(); <-over }), nil
}

// naive is one subscription.
type naive struct {
	ctx  context.Context
	to   *subject.Reporter
	req  *http.Request
	http *http.Client
	id   string
}

// follow reads one connection to its end.
func (n *naive) follow() error {
	if n.id != "" {
		n.req.Header.Set("Last-Event-ID", n.id)
	}
	resp, err := n.http.Do(n.req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the status is %s", resp.Status)
	}
	n.to.Opened()
	kind, data := "", ""
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && n.ctx.Err() == nil {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimSpace(value)
		switch field {
		case "event":
			kind = value
		case "data":
			data += value
		case "id":
			n.id = value
		case "":
			if data != "" {
				n.to.Event(orMessage(kind), []byte(data), n.id)
			}
			kind, data = "", ""
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}
