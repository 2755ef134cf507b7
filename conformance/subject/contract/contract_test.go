package contract_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse/client"
	"github.com/streamgauge/streamgauge/conformance/subject"
	"github.com/streamgauge/streamgauge/conformance/subject/contract"
	"github.com/streamgauge/streamgauge/conformance/subject/selftest"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testService is a test service of the reference client, as the contract wants it.
type testService struct {
	t *testing.T

	mu      sync.Mutex
	streams map[string]*entity
}

// entity is one stream of the test service.
type entity struct {
	t        *testing.T
	callback string
	close    func()
	restart  func()
	counter  int
}

func (s *testService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	e := s.streams[r.URL.Path]
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodGet:
		fmt.Fprint(w, `{"name":"reference","capabilities":["comments","headers","last-event-id","read-timeout","restart","bom","something-new"]}`)
	case r.Method == http.MethodPost && r.URL.Path == "/":
		s.create(w, r)
	case e == nil:
		http.NotFound(w, r)
	case r.Method == http.MethodDelete:
		e.close()
	case r.Method == http.MethodPost:
		e.restart()
	}
}

func (s *testService) create(w http.ResponseWriter, r *http.Request) {
	var p struct {
		StreamURL, CallbackURL, LastEventID string
		ReadTimeoutMS                       *int
		Headers                             map[string]string
	}
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e := &entity{t: s.t, callback: p.CallbackURL}
	session, err := subject.Begin(context.WithoutCancel(r.Context()), subject.Local(new(embedded.Client)))
	if err != nil {
		s.t.Error(err)
		return
	}
	c, err := session.Open(subject.Open{
		URL: p.StreamURL, LastEventID: p.LastEventID, Headers: p.Headers, IdleTimeoutMS: p.ReadTimeoutMS, RetryMS: 50,
	})
	if err != nil {
		s.t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			reports, err := c.Await(ctx, func(all []subject.Report) bool { return len(all) > n })
			if err != nil {
				return
			}
			e.tell(&reports[n])
		}
	}()
	e.close = sync.OnceFunc(func() { cancel(); <-done; _ = session.End() })
	e.restart = func() { _ = c.Restart() }
	s.t.Cleanup(e.close)
	s.mu.Lock()
	path := fmt.Sprintf("/streams/%d", len(s.streams)+1)
	s.streams[path] = e
	s.mu.Unlock()
	w.Header().Set("Location", path)
	w.WriteHeader(http.StatusCreated)
}

// tell calls back.
func (e *entity) tell(r *subject.Report) {
	var said any
	switch r.Ev {
	case subject.EvEvent:
		said = map[string]any{"kind": "event", "event": map[string]string{"type": r.Type, "data": string(r.Bytes()), "id": r.LastEventID}}
	case subject.EvComment:
		said = map[string]any{"kind": "comment", "comment": r.Text}
	case subject.EvError:
		said = map[string]any{"kind": "error", "comment": r.Message}
	default:
		return
	}
	e.counter++
	callBack(e.t, e.callback, e.counter, said)
}

func serve(t *testing.T) subject.Starter {
	t.Helper()
	server := httptest.NewServer(&testService{t: t, streams: map[string]*entity{}})
	t.Cleanup(func() { server.Close(); http.DefaultClient.CloseIdleConnections() })
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return contract.Service(u)
}

func TestAnAdapterIsMadeOfATestService(t *testing.T) {
	t.Parallel()
	results, err := selftest.Run(t.Context(), serve(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range results {
		names = append(names, r.Name)
		if r.Problem != "" {
			t.Errorf("%s: %s", r.Name, r.Problem)
		}
	}
	for _, want := range []string{"comments", "headers", "last-event-id", "restart", "multi", "order", "echo of 1 MiB"} {
		if !strings.Contains(strings.Join(names, ","), want) {
			t.Errorf("%s was not checked", want)
		}
	}
}

func TestAClientBehindAContractIsJudged(t *testing.T) {
	t.Parallel()
	verdicts, hello, _, err := client.Check(t.Context(), serve(t), client.Cases, client.Options{
		Only: []string{"PARSE-001", "PARSE-013", "PARSE-030", "API-003", "API-004"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if hello.Name != "reference" || hello.Profile != "sdk-client" {
		t.Errorf("it says of itself %+v", hello)
	}
	for _, v := range verdicts {
		want := conformance.Pass
		if strings.HasPrefix(v.ID, "SSE-API") { // the contract tells neither what is final nor what comes after a close
			want = conformance.Skip
		}
		if v.Outcome != want {
			t.Errorf("%s is %v, want %v: %s %s", v.ID, v.Outcome, want, v.Actual, v.Reason)
		}
	}
}

func TestCallbacksThatOvertakeOneAnotherAreOrdered(t *testing.T) {
	t.Parallel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		var p struct{ CallbackURL string }
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			t.Error(err)
		}
		for _, number := range []int{3, 1, 2} {
			callBack(t, p.CallbackURL, number, map[string]any{"kind": "event", "event": map[string]string{"data": fmt.Sprint(number)}})
		}
		w.Header().Set("Location", "/streams/1")
	}))
	defer service.Close()
	u, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := subject.Begin(t.Context(), contract.Service(u))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.End() }()
	c, err := s.Open(subject.Open{URL: "http://127.0.0.1:9/"})
	if err != nil {
		t.Fatal(err)
	}
	reports, err := c.Await(t.Context(), func(all []subject.Report) bool { return len(all) >= 3 })
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range reports {
		if want := fmt.Sprint(i + 1); string(r.Bytes()) != want {
			t.Errorf("event %d is %q, want %q", i, r.Bytes(), want)
		}
	}
}

// callBack sends a callback of the given number.
func callBack(t *testing.T, base string, number int, said any) {
	t.Helper()
	text, err := json.Marshal(said)
	if err != nil {
		t.Error(err)
	}
	if resp, err := http.Post(fmt.Sprintf("%s/%d", base, number), "application/json", bytes.NewReader(text)); err == nil { // the harness may be gone
		_ = resp.Body.Close()
	}
}

func TestAServiceThatIsNotThereIsAnErrorOfTheHarness(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	for address, says := range map[string]string{server.URL: "404 Not Found", "http://127.0.0.1:9/": "connection refused"} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := subject.Begin(t.Context(), contract.Service(u)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: the error is %v, want one that says %q", address, err, says)
		}
	}
}
