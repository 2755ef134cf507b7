package run_test

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/check"
	"github.com/streamgauge/streamgauge/scenarios"
	"github.com/streamgauge/streamgauge/scenarios/run"
)

// hub is a small server of streams that shares no code with the reference broker. What is nil is right.
type hub struct {
	answer func(w http.ResponseWriter)           // to a publish
	frame  func(number int, data string) string  // "": the message is lost
	opened func(w http.ResponseWriter)           // writes what a connection begins with
	body   func(w http.ResponseWriter) io.Writer // what a stream is written through; it may be flushed

	mu      sync.Mutex
	streams map[string]map[chan string]bool
	number  int
}

func serveHub(t *testing.T, h *hub) string {
	t.Helper()
	h.streams = map[string]map[chan string]bool{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /events", h.subscribe)
	mux.HandleFunc("POST /publish", h.publish)
	s := httptest.NewServer(mux)
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	return s.URL
}

func (h *hub) publish(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	h.number++
	text := fmt.Sprintf("id: %d\ndata: %s\n\n", h.number, data)
	if h.frame != nil {
		text = h.frame(h.number, string(data))
	}
	for c := range h.streams[r.URL.Query().Get("stream")] {
		if text != "" {
			c <- text
		}
	}
	h.mu.Unlock()
	if h.answer != nil {
		h.answer(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (h *hub) subscribe(w http.ResponseWriter, r *http.Request) {
	name, c := r.URL.Query().Get("stream"), make(chan string, 4096)
	h.mu.Lock()
	if h.streams[name] == nil {
		h.streams[name] = map[chan string]bool{}
	}
	h.streams[name][c] = true
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.streams[name], c)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	var out io.Writer = w
	if h.body != nil {
		out = h.body(w)
	}
	flush := func() {
		if f, ok := out.(interface{ Flush() error }); ok {
			_ = f.Flush() // a client that has gone
		}
		w.(http.Flusher).Flush()
	}
	if h.opened != nil {
		h.opened(w)
	} else {
		_, _ = io.WriteString(out, ": welcome\n\n")
		flush()
	}
	for {
		select {
		case text := <-c:
			_, _ = io.WriteString(out, text)
			flush()
		case <-r.Context().Done():
			return
		}
	}
}

// wired is a target file for a hub.
func wired(t *testing.T, url, subscribe, publish, body string, more ...string) *scenarios.Target {
	t.Helper()
	text := fmt.Sprintf("name: hub\nsubscribe: {url: %q}\npublish: {url: %q, body: %q%s}\n", url+"/events?stream="+subscribe, url+"/publish?stream="+publish, body, strings.Join(more, ""))
	target, err := scenarios.ParseTarget([]byte(text), scenarios.Source{Name: "target.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

const tiny = `
name: tiny
load:
  subscribers: 4
  ramp: {over: 50ms}
  publish: {rate: 40/s}
  reconnect: {base: 50ms}
duration: 500ms
settle: 500ms
expect:
  delivery: [complete, intact]
`

// Each of these would otherwise be called a target that loses every message.
func TestAMiswiredFileIsWrongInput(t *testing.T) {
	t.Parallel()
	const stream = "{{.Stream}}"
	var waiting sync.WaitGroup // beside each other: they wait and do nothing
	defer waiting.Wait()
	for name, c := range map[string]struct {
		hub                              *hub
		subscribe, publish, body, accept string
		says                             []string
	}{
		"no data": {body: "hello", says: []string{`"hello"`, "status 204", "events: ", "{{.Data}}"}},
		"publishes to another stream": {publish: "news", says: []string{
			"stream=news", "comments: 1", `a message arrives in the stream "news", which the request of the publication names`,
		}},
		"subscribes to another stream": {subscribe: "news", says: []string{`a message to the stream "news", which the request of the subscription names, arrives`}},
		"error in a 200": {
			hub:  &hub{answer: func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"error":{"code":102}}`) }, frame: func(int, string) string { return "" }},
			says: []string{"status 200", `\"code\":102`, "declare publish.reject_body"},
		},
		"declared error in a 200": {
			hub:    &hub{answer: func(w http.ResponseWriter) { _, _ = io.WriteString(w, `no such channel`) }, frame: func(int, string) string { return "" }},
			accept: `, reject_body: "^no "`, says: []string{"no such channel", "messages 0 were taken"},
		},
		"unauthorized": {
			hub:  &hub{answer: func(w http.ResponseWriter) { http.Error(w, "who are you", http.StatusUnauthorized) }, frame: func(int, string) string { return "" }},
			says: []string{"the target takes no message", "status 401", "See auth", "who are you", "messages 0 were taken"},
		},
		"fails": {
			hub:  &hub{answer: func(w http.ResponseWriter) { http.Error(w, "oops", http.StatusInternalServerError) }, frame: func(int, string) string { return "" }},
			says: []string{"the target takes no message: it answered all 3 with status 500. See its log", "oops"},
		},
		"answer to the connection": {
			hub: &hub{
				frame: func(int, string) string { return "" },
				opened: func(w http.ResponseWriter) {
					_, _ = io.WriteString(w, "data: {\"disconnect\":{\"code\":3501}}\n\n")
					w.(http.Flusher).Flush()
				},
			},
			says: []string{"the only event answers the connection", `\"code\":3501`},
		},
		"base64": {
			hub: &hub{frame: func(n int, data string) string {
				return fmt.Sprintf("id: %d\ndata: %s\n\n", n, base64.StdEncoding.EncodeToString([]byte(data)))
			}},
			says: []string{"arrive in base64"},
		},
	} {
		target := wired(t, serveHub(t, cmp.Or(c.hub, new(hub))), cmp.Or(c.subscribe, stream), cmp.Or(c.publish, stream), cmp.Or(c.body, "{{.Data}}"), c.accept)
		plan := scenarios.NewPlan(scenario(t, tiny), target, 1)
		waiting.Go(func() {
			_, err := run.New(run.Options{Plan: plan}).Do(t.Context())
			miswired := (*run.WiringError)(nil)
			if !errors.As(err, &miswired) {
				t.Errorf("%s: got %v, want a wiring error", name, err)
				return
			}
			for _, says := range append(c.says, "  sent ", "  answered ", "  stream ") {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %q is not in\n%v", name, says, err)
				}
			}
		})
	}
}

// TestATargetThatGivesNoAnswerIsBlamed opens no stream, or streams on which nothing ever comes although heartbeats are declared: no file
// explains that.
func TestATargetThatGivesNoAnswerIsBlamed(t *testing.T) {
	t.Parallel()
	lost := func(int, string) string { return "" }
	for name, c := range map[string]struct {
		opened func(w http.ResponseWriter)
		says   string
	}{
		"heads alone": {func(w http.ResponseWriter) { w.(http.Flusher).Flush() }, "sends nothing on it"},
		"a greeting alone": {func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, ": welcome\n\n")
			w.(http.Flusher).Flush()
		}, "although it declares a heartbeat every 200ms"},
		"no head": {func(http.ResponseWriter) {}, "answers no subscription"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := wired(t, serveHub(t, &hub{opened: c.opened, frame: lost}), "{{.Stream}}", "{{.Stream}}", "{{.Data}}", "}\nheartbeat: 200ms\ntls: {insecure: true")
			o, err := run.New(run.Options{Plan: scenarios.NewPlan(scenario(t, tiny, "load.connect_timeout=2s"), target, 1)}).Do(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if v := o.Verdicts[0]; v.ID != check.TargetAnswers || v.Outcome != conformance.Fail || !strings.Contains(v.Actual, c.says) {
				t.Errorf("got %+v, want a failure that says %q", v, c.says)
			}
			for _, v := range o.Verdicts[1:] {
				if v.Outcome != conformance.Skip {
					t.Errorf("%s is %s, want skip", v.ID, v.Outcome)
				}
			}
		})
	}
}

// A target that loses or spoils messages is judged, however many they are.
func TestALossyTargetIsNoMiswiredFile(t *testing.T) {
	t.Parallel()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	for name, frame := range map[string]func(n int, data string) string{
		"loses most": func(n int, data string) string {
			if n%4 != 0 {
				return ""
			}
			return "data: " + data + "\n\n"
		},
		"cuts all":            func(_ int, data string) string { return "data: " + data[:24] + "\n\n" },
		"empties all":         func(int, string) string { return "data: x\n\n" },
		"never ends an event": func(_ int, data string) string { return "data: " + data + "\n" },
	} {
		target := wired(t, serveHub(t, &hub{frame: frame}), "{{.Stream}}", "{{.Stream}}", "{{.Data}}")
		plan := scenarios.NewPlan(scenario(t, tiny), target, 1)
		waiting.Go(func() {
			o, err := run.New(run.Options{Plan: plan}).Do(t.Context())
			if err != nil || o.Run.Outcome != conformance.Fail {
				t.Errorf("%s: got %v, %v, want fail", name, o, err)
			}
		})
	}
}

// A gateway that passes on full buffers alone is judged, also where the load's messages are too small to fill one.
func TestAGatewayThatBuffersIsNoMiswiredFile(t *testing.T) {
	t.Parallel()
	h := &hub{body: func(w http.ResponseWriter) io.Writer {
		return struct{ io.Writer }{bufio.NewWriterSize(w, 32<<10)}
	}}
	target := wired(t, serveHub(t, h), "{{.Stream}}", "{{.Stream}}", "{{.Data}}")
	o, err := run.New(run.Options{Plan: scenarios.NewPlan(scenario(t, tiny, "load.publish.size=256B"), target, 1)}).Do(t.Context())
	if err != nil || o.Run.Outcome != conformance.Fail {
		t.Errorf("got %v, %v, want fail", o, err)
	}
}

// A target may hold back the head of a stream until there is an event: it is helped along, also where the load publishes nothing.
func TestATargetThatHoldsBackHeadsIsJudged(t *testing.T) {
	t.Parallel()
	const crowd = `
name: crowd
load: {subscribers: 20, ramp: {over: 200ms}}
duration: 1s
settle: 0s
expect: {connect: {failed: 0}, sessions: {live: 1}}
`
	for name, text := range map[string]string{"published to": tiny, "not published to": crowd} {
		for _, ready := range []scenarios.ReadyWhen{scenarios.ReadyHeaders, scenarios.ReadyFirstEvent} {
			t.Run(name+" "+string(ready), func(t *testing.T) {
				t.Parallel()
				h := &hub{opened: func(http.ResponseWriter) {}}
				target := wired(t, serveHub(t, h), "{{.Stream}}", "{{.Stream}}", "{{.Data}}", ", payload: ascii")
				target.Ready = ready
				wantAllPass(t, do(t, t.Context(), scenarios.NewPlan(scenario(t, text, "load.connect_timeout=20s"), target, 1)))
			})
		}
	}
}
