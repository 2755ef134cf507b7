package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance/sse"
)

// inbox is a handler that passes on the data of events.
type inbox chan string

func (i inbox) Event(e sse.Event) error { i <- string(e.Data); return nil }
func (i inbox) Comment([]byte)          {}
func (i inbox) Retry(time.Duration)     {}

// follow opens a stream on the line. What is put into the outbox is sent as an event's data.
func follow(t *testing.T, l *Line, idle time.Duration) (outbox chan<- string, arrived inbox, d *sse.Decoder, ended <-chan error) {
	t.Helper()
	events := make(chan string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case data := <-events:
				_, _ = fmt.Fprintf(w, "data: %s\n\n", data)
			case <-r.Context().Done():
				return
			}
		}
	}))
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		return l.Dial(ctx, network, address, nil)
	}
	stream, err := sse.Open(t.Context(), dial, &sse.Request{URL: at}, sse.Options{IdleTimeout: idle})
	if err != nil {
		t.Fatal(err)
	}
	arrived, d = make(inbox, 10), &sse.Decoder{}
	ended = later(func() error { return stream.Pump(d, arrived) })
	t.Cleanup(func() {
		_ = stream.Close()
		l.Lift()
		server.Close()
	})
	return events, arrived, d, ended
}

func (i inbox) want(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-i:
		if got != want {
			t.Errorf("event %q arrived, want %q", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no event arrived, want %q", want)
	}
}

// stalled follows a stream up to a stall in which the event "two" was sent. A reader that is still draining its socket when the
// stall begins may pass on what comes in the next microseconds; then another stream is tried.
func stalled(t *testing.T) (l *Line, bit *bites, outbox chan<- string, arrived inbox, d *sse.Decoder, ended <-chan error) {
	t.Helper()
	for range 20 {
		bit = new(bites)
		l = bit.line()
		outbox, arrived, d, ended = follow(t, l, 0)
		outbox <- "one"
		arrived.want(t, "one")
		stallFault.Begin(l, Params{Step: 1})
		outbox <- "two"
		select {
		case <-arrived:
		case <-time.After(20 * time.Millisecond):
			return l, bit, outbox, arrived, d, ended
		}
	}
	t.Fatal("an event arrived during each of 20 stalls")
	return nil, nil, nil, nil, nil, nil
}

func TestFaultsReachAStreamThatReadsItsSocket(t *testing.T) {
	t.Parallel()
	l, bit, outbox, arrived, d, ended := stalled(t)
	stallFault.End(l, Params{Step: 1})
	arrived.want(t, "two")
	bit.want(t, 1)

	latencyFault.Begin(l, Params{Step: 2, Delay: 20 * time.Millisecond})
	began := time.Now()
	outbox <- "three"
	arrived.want(t, "three")
	if took := time.Since(began); took < 20*time.Millisecond {
		t.Errorf("the event arrived after %v, want at least 20 ms", took)
	}
	latencyFault.End(l, Params{Step: 2})
	bit.want(t, 2)

	cutFault.Begin(l, Params{Step: 3})
	outbox <- "all or nothing"
	wantFault(t, <-ended)
	if !d.Pending() {
		t.Error("the stream was not cut in the middle of an event")
	}
	bit.want(t, 3)
}

func TestALostStreamIsTheFaultsDoing(t *testing.T) {
	t.Parallel()
	for _, f := range []Fault{closeFault, resetFault} {
		var l Line
		outbox, arrived, _, ended := follow(t, &l, 0)
		outbox <- "one"
		arrived.want(t, "one")
		f.Begin(&l, Params{Step: 1})
		wantFault(t, <-ended)
	}
}

func TestAStalledStreamIsFoundIdle(t *testing.T) {
	t.Parallel()
	var l Line
	_, _, _, ended := follow(t, &l, 100*time.Millisecond)
	stallFault.Begin(&l, Params{Step: 1})
	if err := <-ended; !errors.Is(err, sse.ErrIdle) {
		t.Errorf("the stream ended with %v, want idle", err)
	}
}
