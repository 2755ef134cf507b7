package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
	"github.com/streamgauge/streamgauge/reference/client/policy"
	"github.com/streamgauge/streamgauge/reports"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// onlooker is a subscriber of a live view.
type onlooker struct {
	url    *url.URL
	events chan heardEvent
}

type heardEvent struct {
	kind string
	id   string
	data []byte
}

func (o *onlooker) Request(_ context.Context, position string) (*sse.Request, error) {
	return &sse.Request{URL: o.url, LastEventID: position}, nil
}

func (o *onlooker) Dialing(int, string)                                      {}
func (o *onlooker) Opened(*sse.Response)                                     {}
func (o *onlooker) Comment([]byte)                                           {}
func (o *onlooker) Heard()                                                   {}
func (o *onlooker) Lost(client.Loss)                                         {}
func (o *onlooker) Waiting(int, time.Duration, time.Duration, time.Duration) {}

func (o *onlooker) Event(e sse.Event) error {
	o.events <- heardEvent{string(e.Type), string(e.ID), bytes.Clone(e.Data)}
	return nil
}

// lookOn follows a stream of a live view until the test ends.
func lookOn(t *testing.T, address string) *onlooker {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	o := &onlooker{url: at, events: make(chan heardEvent, 1000)}
	immediate, _ := policy.ByName("immediate")
	c := &client.Client{Config: &client.Config{Policy: &immediate, Resume: true, MaxEventBytes: 64 << 20}, Observer: o}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	c.Start(ctx, func(error) { close(done) })
	t.Cleanup(func() {
		cancel()
		c.Stop()
		<-done
	})
	return o
}

// until returns the first event of a kind.
func (o *onlooker) until(t *testing.T, kind string) heardEvent {
	t.Helper()
	deadline := time.After(time.Minute)
	for {
		select {
		case e := <-o.events:
			if e.kind == kind {
				return e
			}
		case <-deadline:
			t.Fatalf("no %s came within a minute", kind)
		}
	}
}

func livePlan(t *testing.T) *scenarios.Plan {
	t.Helper()
	s, err := scenarios.ParseScenario([]byte(brisk), scenarios.Source{Name: "brisk.yaml"}, "duration=10m")
	if err != nil {
		t.Fatal(err)
	}
	return scenarios.NewPlan(s, nil, 5)
}

// TestALiveViewFollowsTheRunAndEndsWithIt looks on with our own client, as a program and as the page, until the run is interrupted.
func TestALiveViewFollowsTheRunAndEndsWithIt(t *testing.T) {
	t.Parallel()
	l, err := startLive("127.0.0.1:0", nil, conformance.Result{Version: conformance.ResultVersion, Kind: conformance.KindRun}, asItIs)
	if err != nil {
		t.Fatal(err)
	}
	program, page := lookOn(t, l.url+"events"), lookOn(t, l.url+"events/page")

	r := run.New(run.Options{Plan: livePlan(t)})
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	end := l.begin(r)
	outcomes := make(chan *run.Outcome, 1)
	go func() {
		outcome, err := r.Do(ctx)
		if err != nil {
			t.Error(err)
		}
		outcomes <- outcome
	}()

	var shot snapshot
	for shot.Delivered == 0 || len(shot.Faults) == 0 || len(shot.Series[1].Values) == 0 {
		if err := json.Unmarshal(program.until(t, "snapshot").data, &shot); err != nil {
			t.Fatal(err)
		}
	}
	if shot.Scenario != "brisk" || shot.Phase == "" || shot.Subscribers != 40 || shot.Published == 0 || shot.Expected < shot.Delivered ||
		len(shot.Series) != 7 || shot.TotalMS != 610_000 || shot.Faults[0].Fault != "reset" {
		t.Errorf("snapshot %+v", shot)
	}
	var update struct{ Title, HTML string }
	for !strings.Contains(update.HTML, "brisk") {
		if err := json.Unmarshal(page.until(t, "message").data, &update); err != nil {
			t.Fatal(err)
		}
	}
	text := get(t, l.url)
	for _, want := range []string{"connect-src &#39;self&#39;", `data-events="/events/page"`, "running", "EventSource", "brisk"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of the run has no %q", want)
		}
	}

	interrupt()
	outcome := <-outcomes
	end()
	if outcome == nil {
		t.FailNow()
	}
	l.add(outcome.Run)
	result := &conformance.Result{
		Version: conformance.ResultVersion, Kind: conformance.KindRun, Outcome: conformance.Unknown, Subject: outcome.Subject,
		Verdicts: outcome.Verdicts, Measures: outcome.Measures, Runs: []conformance.ScenarioRun{outcome.Run},
	}
	if err := l.finish(result, reports.Options{}); err != nil {
		t.Error(err)
	}
	var last conformance.Result
	if err := json.Unmarshal(program.until(t, "result").data, &last); err != nil {
		t.Fatal(err)
	}
	if len(last.Verdicts) != len(outcome.Verdicts) || len(last.Runs) != 1 || !last.Runs[0].Interrupted || len(last.Runs[0].Curves) != 2 {
		t.Errorf("the last event has %d verdicts and %d runs", len(last.Verdicts), len(last.Runs))
	}
	if err := json.Unmarshal(page.until(t, "end").data, &update); err != nil || !strings.Contains(update.HTML, "delivery.complete") {
		t.Errorf("the page ends with %.200s: %v", update.HTML, err)
	}
	if resp, err := http.Get(l.url); err == nil {
		_ = resp.Body.Close()
		t.Error("the view is served after the end")
	}
}

// TestALiveViewIsResumed asks for what came after an event.
func TestALiveViewIsResumed(t *testing.T) {
	t.Parallel()
	l, err := startLive("127.0.0.1:0", nil, conformance.Result{}, asItIs)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two", "three"} {
		l.publish(liveStream, "snapshot", []byte(text))
	}
	first, err := l.broker.Publish(liveStream, "snapshot", []byte("four"))
	if err != nil {
		t.Fatal(err)
	}
	l.publish(liveStream, "snapshot", []byte("five"))
	req, err := http.NewRequest(http.MethodGet, l.url+"events?stream=page", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", first.ID)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	ended := make(chan error, 1)
	go func() { ended <- l.close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(text), "data: five") || strings.Contains(string(text), "four") {
		t.Errorf("after %s came %q: %v", first.ID, text, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestALiveViewTakesNoMessages tries to write to it.
func TestALiveViewTakesNoMessages(t *testing.T) {
	t.Parallel()
	l, err := startLive(":0", nil, conformance.Result{}, asItIs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.close() }()
	if !strings.HasPrefix(l.url, "http://127.0.0.1:") {
		t.Errorf("without a host it listens at %s, want this machine alone", l.url)
	}
	for _, path := range []string{"publish?stream=live", "events", "", "metrics", "healthz"} {
		resp, err := http.Post(l.url+path, "text/plain", strings.NewReader("forged"))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound && resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST /%s: %d", path, resp.StatusCode)
		}
	}
}

// TestALiveViewAnswersUnderItsOwnNamesAlone is asked by a page whose name was made to resolve to this machine.
func TestALiveViewAnswersUnderItsOwnNamesAlone(t *testing.T) {
	t.Parallel()
	l, err := startLive("127.0.0.1:0", []string{"gauge.example"}, conformance.Result{}, asItIs)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.close() }()
	for _, path := range []string{"", "events", "events/page"} {
		for _, from := range [][2]string{{"evil.test", ""}, {"evil.test", "http://evil.test"}, {"", "https://evil.test"}} {
			if got := statusAs(t, http.MethodGet, l.url+path, from[0], from[1]); got != http.StatusForbidden {
				t.Errorf("GET /%s as %q from %q: status %d", path, from[0], from[1], got)
			}
		}
	}
	for _, host := range []string{"", "localhost", "gauge.example:80"} {
		if got := statusAs(t, http.MethodGet, l.url, host, ""); got != http.StatusOK {
			t.Errorf("as %q: status %d", host, got)
		}
	}
}

// TestAnAddressThatCannotBeServedIsWrongInput runs nothing.
func TestAnAddressThatCannotBeServedIsWrongInput(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	out := filepath.Join(t.TempDir(), "out")
	for address, want := range map[string]string{
		"8080": "want host:port", "127.0.0.1:http2": "want 0 to 65535", "127.0.0.1:70000": "want 0 to 65535",
		taken.Addr().String(): "address already in use", "192.0.2.1:0": "cannot listen there",
	} {
		var stdout, stderr bytes.Buffer
		if exit := execute([]string{"run", "mass-connect", "--live", address, "--out", out, "--quiet"}, &stdout, &stderr); exit != exitInput {
			t.Errorf("--live %s: exit %d, want %d", address, exit, exitInput)
		}
		if !strings.Contains(stderr.String(), want) || stdout.Len() > 0 {
			t.Errorf("--live %s says %q, want %q", address, &stderr, want)
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("--live %s leaves %s", address, out)
		}
	}
}

func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v", address, resp.Status, err)
	}
	return string(text)
}

func asItIs(r *conformance.Result) *conformance.Result { return r }
