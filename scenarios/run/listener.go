package run

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/token"
	"github.com/streamgauge/streamgauge/reference/client"
)

// listener is one subscriber of the look before a run, with all that it saw.
type listener struct {
	run     string // of the messages that are looked for
	open    func(ctx context.Context, req *sse.Request) (*sse.Stream, error)
	request func(ctx context.Context, position string) (*sse.Request, error)
	stop    context.CancelFunc
	done    chan struct{}
	decoder sse.Decoder

	mu       sync.Mutex
	asked    *sse.Request  // the newest
	opened   time.Time     // when the first head arrived; zero: none has
	ends     int           // streams that ended
	lasted   time.Duration // the longest of them
	end      error         // why the newest ended or there was none; nil while there is one
	over     bool          // it has given up
	events   []heard
	count    int // of all events
	comments int
	bytes    int
	last     time.Time // when the newest of them came, or the head
	tail     []byte
	trace    bool            // a part of a message arrived, in whatever form
	numbers  map[uint64]bool // of the messages that arrived whole enough to be read
	encoded  bool            // in base64
	position string
	wake     chan struct{} // closed when something changes
}

// heard is one event.
type heard struct {
	at   time.Time
	kind string
	data string
}

const (
	keptEvents = 16
	// shortStream is how soon a stream that ends has never been one.
	shortStream = time.Second
	// mostStreams is how often a stream may end before nobody comes back to it.
	mostStreams = 5
	streamPause = 200 * time.Millisecond
)

// start subscribes, and reads until it is closed.
func (l *listener) start(ctx context.Context) *listener {
	ctx, l.stop = context.WithCancel(ctx)
	l.done, l.wake, l.numbers = make(chan struct{}), make(chan struct{}), map[uint64]bool{}
	go func() {
		defer close(l.done)
		defer crash.Catch()
		for l.follow(ctx) && l.ends < mostStreams {
			select {
			case <-time.After(streamPause):
			case <-ctx.Done():
			}
		}
		l.change(func() { l.over = true })
	}()
	return l
}

func (l *listener) close() {
	l.stop()
	<-l.done
}

// follow reads one stream to its end, and says whether there was one.
func (l *listener) follow(ctx context.Context) bool {
	stream, err := l.subscribe(ctx)
	if err != nil {
		l.change(func() { l.end = err })
		return false
	}
	closed := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer closed()
	began := time.Now()
	l.change(func() {
		l.end = nil
		l.decoder.Reset()
		if l.opened.IsZero() {
			l.opened, l.last = began, began
		}
	})
	err = stream.Text(l.take)
	_ = stream.Close() // it has ended
	if ctx.Err() == nil {
		l.change(func() { l.ends, l.end, l.lasted = l.ends+1, err, max(l.lasted, time.Since(began)) })
	}
	return ctx.Err() == nil
}

// subscribe opens a stream, wherever it is redirected to.
func (l *listener) subscribe(ctx context.Context) (*sse.Stream, error) {
	req, err := l.request(ctx, l.position)
	if err != nil {
		return nil, fmt.Errorf("preparing a subscription: %w", err)
	}
	l.change(func() { l.asked = req })
	for range mostRedirects {
		stream, err := l.open(ctx, req)
		if err != nil {
			return nil, err
		}
		r := stream.Response()
		if r.Status == 200 && r.EventStream() {
			return stream, nil
		}
		next := client.Redirected(req, r)
		if next == nil {
			body, _ := stream.ReadBody(20*excerptBytes, time.Second)
			err = noStream(r, body)
		}
		_ = stream.Close() // only its answer mattered
		if err != nil {
			return nil, err
		}
		req = next
	}
	return nil, client.ErrRedirects
}

const mostRedirects = 10

// noStream says that an answer is no event stream.
func noStream(r *sse.Response, body []byte) error {
	if r.Status != 200 {
		return fmt.Errorf("the target answered a subscription with status %d%s, want 200", r.Status, quoted(body))
	}
	return fmt.Errorf("the target answered a subscription with content type %q%s, want text/event-stream", r.Header.Get("Content-Type"), quoted(body))
}

func (l *listener) change(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	close(l.wake)
	l.wake = make(chan struct{})
}

// look calls f with the listener's state held still.
func (l *listener) look(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// await waits until something holds of the listener, and says whether it came to that.
func (l *listener) await(ctx context.Context, until time.Time, holds func() bool) bool {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		l.mu.Lock()
		met, wake := holds(), l.wake
		l.mu.Unlock()
		if met {
			return true
		}
		select {
		case <-wake:
		case <-timer.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// take reads a piece of the stream: as what it should be, and as bytes in which a message may stand in whatever form.
func (l *listener) take(p []byte) (err error) {
	l.change(func() {
		l.bytes += len(p)
		l.last = time.Now()
		text := bytes.ToLower(append(l.tail, p...))
		mark := []byte(lookMark(l.run))
		l.trace = l.trace || bytes.Contains(text, mark)
		l.tail = bytes.Clone(text[max(0, len(text)-len(mark)):])
		err = l.decoder.Feed(p, (*hearing)(l))
	})
	return err
}

// hearing is the listener as its decoder sees it.
type hearing listener

func (l *hearing) Event(e sse.Event) error {
	l.count++
	if e.HasID {
		l.position = string(e.ID)
	}
	if len(l.events) < keptEvents {
		l.events = append(l.events, heard{time.Now(), string(e.Type), excerpt(e.Data)})
	}
	switch m, state := token.Scan(e.Data, l.run); state {
	case token.Intact, token.Corrupted:
		l.numbers[m.Number] = true
	case token.None:
		plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(e.Data)))
		l.encoded = l.encoded || err == nil && bytes.Contains(plain, []byte(lookMark(l.run)))
	}
	return nil
}

func (l *hearing) Comment([]byte)      { l.comments++ }
func (l *hearing) Retry(time.Duration) {}

// arrived says that a message has come, whole or in part. Call it with the state held still.
func (l *listener) arrived() bool { return l.trace || len(l.numbers) > 0 }

// empty says that streams ended at once, again and again, and brought nothing. Call it with the state held still.
func (l *listener) empty() bool {
	return l.ends >= mostStreams && l.count == 0 && l.lasted < shortStream
}
