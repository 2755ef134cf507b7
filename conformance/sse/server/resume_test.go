package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
	"github.com/streamgauge/streamgauge/reference/embedded"
)

// oddHub is a broker in one page that keeps everything for ever, and can be unusual in many ways without being wrong.
type oddHub struct {
	id        func(n int) string               // of the n-th event, from 1; nil for UUIDs
	encode    func(e hubEvent) string          // nil for the usual form
	greeting  string                           // sent first on each connection
	leaveAt   int                              // a connection ends after so many events; 0: never
	bytewise  bool                             // each byte is sent by itself
	unknown   func(w http.ResponseWriter) bool // answers an unknown position, and says whether the stream goes on
	forgets   bool                             // wrong: a position is ignored
	keeps     int                              // events; behind a position before those it goes on with the oldest. 0: all
	endsOn    string                           // wrong: an event whose type holds this ends each stream
	oneForAll bool                             // the stream's name does not matter
	compares  func(asked, name string) bool    // wrong: whether what is published under a name is for who asked; nil for those that are the same
	plain     bool                             // a name is of letters, digits and hyphens, or refused

	mu    sync.Mutex
	log   []hubEvent
	grown chan struct{}
}

type hubEvent struct{ stream, kind, data, id string }

func usualForm(e hubEvent) string {
	text := "id: " + e.id + "\n"
	if e.kind != "" {
		text += "event: " + e.kind + "\n"
	}
	return text + "data: " + strings.ReplaceAll(e.data, "\n", "\ndata: ") + "\n\n"
}

func idBehindData(e hubEvent) string {
	text := "data:" + strings.ReplaceAll(e.data, "\n", "\ndata:") + "\n"
	if e.kind != "" {
		text += "event:" + e.kind + "\n"
	}
	return text + "retry:200\nunknown: field\n: comment\nid:" + e.id + "\n\n"
}

func withEnds(end string) func(hubEvent) string {
	return func(e hubEvent) string { return strings.ReplaceAll(usualForm(e), "\n", end) }
}

func inEnvelope(e hubEvent) string {
	text, err := json.Marshal(map[string]any{"channel": e.stream, "pub": map[string]any{"data": e.data}})
	if err != nil {
		panic(err) // texts can always be written
	}
	e.data = string(text)
	return usualForm(e)
}

func uuids(n int) string { return fmt.Sprintf("%08x-5b0c-4c43-8f0e-%012x", n*2654435761%(1<<32), n) }

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func (h *oddHub) publish(stream, kind, data string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = append(h.log, hubEvent{stream, kind, lineBreaks.Replace(data), h.id(len(h.log) + 1)})
	close(h.grown)
	h.grown = make(chan struct{})
}

// behind is the index of the first event behind a position.
func (h *oddHub) behind(position string) (next int, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := slices.IndexFunc(h.log, func(e hubEvent) bool { return e.id == position })
	if position == "" || at < 0 || h.forgets {
		return len(h.log), position == "" || h.forgets
	}
	if h.keeps > 0 {
		return max(at+1, len(h.log)-h.keeps), true
	}
	return at + 1, true
}

func (h *oddHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if h.plain && slices.ContainsFunc(query["stream"], func(name string) bool { return !plainName.MatchString(name) }) {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.Method == http.MethodPost {
		data, err := io.ReadAll(r.Body)
		if err != nil || query.Get("stream") == "" || strings.ToValidUTF8(string(data), "") != string(data) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		h.publish(query.Get("stream"), query.Get("type"), string(data))
		return
	}
	position := r.Header.Get("Last-Event-ID")
	if position == "" {
		position = query.Get("last_event_id")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	next, known := h.behind(position)
	if !known && !h.unknown(w) {
		return
	}
	_, _ = io.WriteString(w, h.greeting)
	_ = http.NewResponseController(w).Flush() // a subscriber that left is noticed below
	h.serve(w, r, query["stream"], next)
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9-]+$`)

// serve sends what follows until the subscriber leaves or has had enough.
func (h *oddHub) serve(w http.ResponseWriter, r *http.Request, streams []string, next int) {
	for sent := 0; ; {
		h.mu.Lock()
		next = min(next, len(h.log))
		events, grown := h.log[next:], h.grown
		h.mu.Unlock()
		next += len(events)
		for _, e := range events {
			if !h.oneForAll && !slices.ContainsFunc(streams, func(asked string) bool { return h.compares(asked, e.stream) }) {
				continue
			}
			if h.endsOn != "" && strings.Contains(e.kind, h.endsOn) || h.send(w, h.encode(e)) != nil {
				return
			}
			if sent++; sent == h.leaveAt {
				return
			}
		}
		select {
		case <-grown:
		case <-r.Context().Done():
			return
		}
	}
}

func (h *oddHub) send(w http.ResponseWriter, text string) error {
	pieces := []string{text}
	if h.bytewise && len(text) < 500 {
		pieces = pieces[:0]
		for i := range len(text) {
			pieces = append(pieces, text[i:i+1])
		}
	}
	for _, piece := range pieces {
		if _, err := io.WriteString(w, piece); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
	}
	return nil
}

// subject starts the hub and describes it to the cases.
func (h *oddHub) subject(t *testing.T) *server.Subject {
	t.Helper()
	h.grown = make(chan struct{})
	if h.id == nil {
		h.id = uuids
	}
	if h.encode == nil {
		h.encode = usualForm
	}
	if h.compares == nil {
		h.compares = func(asked, name string) bool { return asked == name }
	}
	if h.unknown == nil {
		h.unknown = func(w http.ResponseWriter) bool {
			_, _ = io.WriteString(w, "event: resync\ndata: {}\n\n")
			return true
		}
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return &server.Subject{
		Name: "hub", Kind: "target", URL: s.URL, Many: true, Types: true, Ready: "headers", TotalOrder: true, Shared: h.oneForAll,
		Capabilities: []string{"publish", "resume"},
		Subscribe: func(_ context.Context, sub server.Subscription) (*sse.Request, error) {
			u, err := url.Parse(s.URL + "/?" + url.Values{"stream": sub.Streams}.Encode())
			return &sse.Request{URL: u, LastEventID: sub.Position}, err
		},
		Publish: func(ctx context.Context, m server.Message) server.Receipt {
			query := url.Values{"stream": {m.Stream}, "type": {m.Type}}
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/?"+query.Encode(), strings.NewReader(m.Data))
			if err != nil {
				return server.Receipt{Err: err}
			}
			return server.PublishHTTP(ctx, s.Client(), req, func(status int, _ []byte) bool { return status == http.StatusOK })
		},
	}
}

// small makes little work of what takes a lot.
var small = map[string]string{
	"subscribers": "6", "rate": "80", "lasting": "900ms", "away": "60ms", "messages": "20", "joins": "40", "streams": "5", "replays": "3",
	"backlog": "120", "resumes": "10",
}

// judged runs the cases of the areas about delivery against a subject.
func judged(t *testing.T, s *server.Subject, profile conformance.Profile, only ...string) checkup {
	t.Helper()
	if len(only) == 0 {
		only = []string{"RESUME", "DELIV", "ISO"}
	}
	return judge(t, s, server.Options{
		Only: only, Profile: profile,
		Parameter: func(_, name string) (string, bool) {
			value, ok := small[name]
			return value, ok
		},
	})
}

// oddHubs are unusual in many ways at once, and apart in full.
func oddHubs() map[string]*oddHub {
	refusing := func(w http.ResponseWriter) bool {
		w.WriteHeader(http.StatusGone)
		return false
	}
	mixed := func(n int) string { return strings.Repeat("z", n%7+1) + fmt.Sprintf("é-日本-%d", n) }
	if !inFull {
		return map[string]*oddHub{
			"ids of any length, behind the data; streams end soon":        {id: mixed, encode: idBehindData, leaveAt: 7},
			"CR, byte by byte; each stream begins with BOM and a welcome": {encode: withEnds("\r"), bytewise: true, greeting: "\uFEFF: hello\n\nevent: welcome\ndata: {}\n\n"},
			"envelope, UUIDs, unknown positions are refused":              {encode: inEnvelope, unknown: refusing},
		}
	}
	return map[string]*oddHub{
		"ids are UUIDs":                     {},
		"ids change their length":           {id: func(n int) string { return strings.Repeat("z", n%7+1) + fmt.Sprint(n) }},
		"ids are not ASCII":                 {id: func(n int) string { return fmt.Sprintf("é-日本-%d", n) }},
		"lines end with CR":                 {encode: withEnds("\r")},
		"lines end with CRLF":               {encode: withEnds("\r\n")},
		"the id comes behind the data":      {encode: idBehindData},
		"data are in an envelope":           {encode: inEnvelope},
		"each byte has its own segment":     {bytewise: true},
		"a stream ends after seven events":  {leaveAt: 7},
		"each stream begins with a welcome": {greeting: "\uFEFF: hello\n\nevent: welcome\ndata: {}\n\n"},
		"an unknown position is refused":    {unknown: refusing},
	}
}

// TestCorrectButUnusualHubsMissNothing has servers that are right in ways which a careless judge takes for wrong.
func TestCorrectButUnusualHubsMissNothing(t *testing.T) {
	t.Parallel()
	subjects := map[string]*server.Subject{}
	for name, h := range oddHubs() {
		subjects[name] = h.subject(t)
	}
	for name, c := range together(subjects, func(s *server.Subject) checkup { return judged(t, s, "") }) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.must(t, allIsWell)
		})
	}
}

// ticking lets others publish on a hub, while the subject offers no publisher.
func ticking(t *testing.T, h *oddHub) *server.Subject {
	t.Helper()
	h.oneForAll = true
	s := h.subject(t)
	s.Publish = nil
	ticker, over := time.NewTicker(40*time.Millisecond), make(chan struct{})
	var publishing sync.WaitGroup
	publishing.Go(func() {
		defer ticker.Stop()
		for n := 1; ; n++ {
			select {
			case <-over:
				return
			case <-ticker.C:
				h.publish("", "", fmt.Sprintf("tick %d", n))
			}
		}
	})
	t.Cleanup(publishing.Wait)
	t.Cleanup(func() { close(over) })
	return s
}

// witnessable are the requirements that can be judged where others publish.
var witnessable = []string{"SSE-RESUME-001", "SSE-RESUME-002", "SSE-RESUME-003", "SSE-RESUME-004", "SSE-RESUME-006", "SSE-RESUME-023", "SSE-DELIV-002"}

func TestWitnessStandsInForPublisher(t *testing.T) {
	t.Parallel()
	judged(t, ticking(t, &oddHub{}), "").must(t, func(v conformance.Verdict) bool {
		if slices.Contains(witnessable, v.ID) {
			return v.Outcome == conformance.Pass
		}
		return v.Outcome == conformance.Skip
	})
}

func TestWitnessSeesThatNothingIsReplayed(t *testing.T) {
	t.Parallel()
	s := ticking(t, &oddHub{forgets: true})
	judged(t, s, "", "SSE-RESUME-001").must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Fail })
	s.Capabilities = nil
	judged(t, s, "", "SSE-RESUME-001").must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Skip })
}

// TestNothingIsOwedWithoutResume has a target that neither declares resume nor replays: it misses nothing.
func TestNothingIsOwedWithoutResume(t *testing.T) {
	t.Parallel()
	s := (&oddHub{forgets: true}).subject(t)
	s.Capabilities = []string{"publish"}
	judged(t, s, "", "RESUME").must(t, allIsWell)
}

// crashing lets the hub restart: connections are cut, and the newest events are forgotten.
func crashing(t *testing.T, h *oddHub, forgotten int) *server.Subject {
	t.Helper()
	s := h.subject(t)
	s.Capabilities = append(s.Capabilities, "durable")
	s.Restart = func(context.Context) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.log = h.log[:max(0, len(h.log)-forgotten)]
		close(h.grown)
		h.grown = make(chan struct{})
		return nil
	}
	return s
}

func TestDurabilityIsJudgedAcrossACrash(t *testing.T) {
	t.Parallel()
	const id = "SSE-DELIV-012"
	judged(t, crashing(t, &oddHub{}, 0), "", id).must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Pass })
	judged(t, crashing(t, &oddHub{}, 3), "", id).must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Warn })
}

func TestReservedPositionIsJudgedForHubs(t *testing.T) {
	t.Parallel()
	b, err := embedded.Start(embedded.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	const id = "SSE-RESUME-019"
	judged(t, b.Subject(), conformance.ProfileMercure, id).must(t, func(v conformance.Verdict) bool { return v.Outcome == conformance.Pass })
	judged(t, (&oddHub{}).subject(t), conformance.ProfileMercure, id).must(t, func(v conformance.Verdict) bool {
		return v.Outcome == conformance.Info && len(v.Findings) > 0
	})
}
