package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/crash"
	"github.com/streamgauge/streamgauge/reference/broker"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// The streams of a live view, both fed by the reference broker.
const (
	liveStream = "live" // JSON for programs: see docs/result.md
	pageStream = "page" // what the page shows
)

const (
	liveEvery = time.Second
	liveGrace = 3 * time.Second // how long viewers get to take the last event
	liveKept  = 64              // events of each stream to resume from: each one holds all there is to show
)

// live serves the report page of a run that goes on. A nil live is none.
type live struct {
	broker *broker.Broker
	http   *http.Server
	url    string
	served chan struct{}
	shown  func(*conformance.Result) *conformance.Result // as others may read it

	mu      sync.Mutex
	result  conformance.Result // its runs are those that have ended
	ended   bool
	running *run.Run
}

// startLive serves at an address, and also goes by the names that are allowed; "" is no live view. What it shows is shown to others.
func startLive(address string, allowed []string, r conformance.Result, shown func(*conformance.Result) *conformance.Result) (*live, error) {
	if address == "" {
		return nil, nil
	}
	address, err := liveAddress(address)
	if err != nil {
		return nil, inputError(err)
	}
	l := &live{served: make(chan struct{}), result: r, shown: shown}
	l.result.Outcome = conformance.Unknown
	l.broker, err = broker.New(broker.Config{
		HistoryEvents: liveKept, HistoryBytes: 256 << 20, MaxEventBytes: 64 << 20, SlowPolicy: broker.Coalesce, Retry: liveEvery, Catch: crash.Catch,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the live view: %w", err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		l.broker.Close()
		return nil, inputError(fmt.Errorf("--live %s: cannot listen there: %w (port 0 takes any that is free)", address, err))
	}
	l.url = "http://" + listener.Addr().String() + "/"
	l.http = &http.Server{Handler: admit(l.handler(), address, listener, allowed), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: crash.ServerLog()}
	go func() {
		defer close(l.served)
		defer crash.Catch()
		_ = l.http.Serve(listener) // it ends when it is told to
	}()
	return l, nil
}

// liveAddress is a host and a port; without a host, this machine alone.
func liveAddress(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("--live %s: want host:port, for example 127.0.0.1:0", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("--live %s: the port is %q, want 0 to 65535", address, port)
	} else if host == "" {
		host, port = "127.0.0.1", strconv.FormatUint(n, 10)
	}
	return net.JoinHostPort(host, port), nil
}

func (l *live) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", l.servePage)
	mux.HandleFunc("GET /events", l.follow(liveStream))
	mux.HandleFunc("GET /events/page", l.follow(pageStream))
	return mux
}

// servePage writes the page as it would be now.
func (l *live) servePage(w http.ResponseWriter, _ *http.Request) {
	result, ended := l.current()
	var page bytes.Buffer
	var err error
	if ended {
		err = reports.HTML(&page, result, reports.Options{})
	} else {
		err = reports.HTMLLive(&page, result, reports.Options{}, "/events/page")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	_, _ = w.Write(page.Bytes())
}

// follow answers with one of the streams, whatever else the request asks for.
func (l *live) follow(stream string) http.HandlerFunc {
	events := l.broker.Handler()
	return func(w http.ResponseWriter, r *http.Request) {
		asked := r.Clone(r.Context())
		query := r.URL.Query()
		query["stream"] = []string{stream}
		asked.URL.Path, asked.URL.RawPath, asked.URL.RawQuery = "/events", "", query.Encode()
		events.ServeHTTP(w, asked)
	}
}

// current is the result so far, and whether it is the last word.
func (l *live) current() (*conformance.Result, bool) {
	l.mu.Lock()
	result, running, ended := l.result, l.running, l.ended
	l.mu.Unlock()
	result.Runs = slices.Clone(result.Runs)
	if running != nil {
		so, subject := running.SoFar()
		result.Runs, result.Subject = append(result.Runs, so), subject
	}
	if !ended {
		result.Health, result.Duration = conformance.Health{OK: true}, 0
	}
	return l.shown(&result), ended
}

// begin shows a run until the returned function is called.
func (l *live) begin(r *run.Run) (end func()) {
	if l == nil {
		return func() {}
	}
	l.mu.Lock()
	l.running = r
	l.mu.Unlock()
	done, shown := make(chan struct{}), sync.WaitGroup{}
	crash.Go(&shown, func() {
		ticker := time.NewTicker(liveEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				l.show(r)
			}
		}
	})
	return func() {
		close(done)
		shown.Wait()
		l.mu.Lock()
		l.running = nil
		l.mu.Unlock()
	}
}

// add takes over a run that has ended.
func (l *live) add(ended conformance.ScenarioRun) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result.Runs = append(l.result.Runs, ended)
}

// show tells whoever looks how the run is getting on.
func (l *live) show(r *run.Run) {
	if l.broker.Stats().Connections == 0 {
		return
	}
	result, _ := l.current()
	if text, err := json.Marshal(snapshotOf(r.Status(), &result.Runs[len(result.Runs)-1])); err == nil {
		l.publish(liveStream, "snapshot", text)
	}
	if text, err := reports.HTMLUpdate(result, reports.Options{}); err == nil {
		l.publish(pageStream, "", text)
	}
}

// publish gives an event to the broker. One that is too large for it is left out: the next one says it all again.
func (l *live) publish(stream, eventType string, data []byte) {
	_, _ = l.broker.Publish(stream, eventType, data)
}

// finish sends the whole result, and ends when every viewer has it.
func (l *live) finish(r *conformance.Result, opts reports.Options) error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	l.result, l.ended = *r, true
	l.mu.Unlock()
	var text, line bytes.Buffer
	if err := reports.JSON(&text, r, opts); err != nil {
		return fmt.Errorf("ending the live view: %w", err)
	}
	if err := json.Compact(&line, text.Bytes()); err != nil {
		return fmt.Errorf("ending the live view: %w", err)
	}
	l.publish(liveStream, "result", line.Bytes())
	last, err := reports.HTMLEnd(r, opts)
	if err != nil {
		return fmt.Errorf("ending the live view: %w", err)
	}
	l.publish(pageStream, "end", last)
	return l.close()
}

// close lets viewers take what was published, and stops serving. It may be called again.
func (l *live) close() error {
	if l == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), liveGrace)
	defer cancel()
	_ = l.broker.Drain(ctx) // who is too slow is cut off
	err := l.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = l.http.Close()
	}
	l.broker.Close()
	<-l.served
	return err
}
