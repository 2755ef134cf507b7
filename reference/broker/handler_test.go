package broker

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestPublishOverHTTPAcknowledgesWithIDAndNumber(t *testing.T) {
	t.Parallel()
	_, url := newURL(t, Config{})
	e := get(t, url+"/events?stream=a")
	for n := uint64(1); n <= 2; n++ {
		r, body := do(t, "POST", url+"/publish?stream=a&type=greeting", "hello\nthere")
		var p Published
		if err := json.Unmarshal([]byte(body), &p); err != nil || r.StatusCode != http.StatusOK {
			t.Fatalf("%s %q: %v", r.Status, body, err)
		}
		if got := e.next(); got != (received{Type: "greeting", ID: p.ID, Data: "hello\nthere", HasData: true}) || p.Number != n {
			t.Errorf("acknowledged %+v, received %+v", p, got)
		}
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{MaxEventBytes: 10, MaxStreamsPerConnection: 2})
	for target, want := range map[string]int{
		"HEAD /events?stream=a": 200, "DELETE /events?stream=a": 405, "POST /events?stream=a": 405,
		"GET /events": 400, "GET /events?stream=": 400, "GET /events?stream=a%0Ab": 400, "GET /events?stream=%zz": 400,
		"GET /events?stream=%ff": 400, "GET /events?stream=a&stream=b&stream=c": 400,
		"GET /events?stream=a&lastEventId=" + strings.Repeat("x", 513): 400,
		"GET /events?stream=" + strings.Repeat("x", 257):               400,
		"GET /events?stream=" + strings.Repeat("x", 32<<10):            431,
		"GET /publish?stream=a":                                        405, "POST /publish": 400, "POST /publish?stream=a&stream=b": 400,
		"POST /publish?stream=a&type=x%0Ay": 400, "POST /publish?stream=a&type=x%0Dy": 400, "POST /publish?stream=a&type=x%00y": 400,
		"GET /healthz": 200, "GET /metrics": 200, "GET /": 404, "OPTIONS /events": 204,
	} {
		method, path, _ := strings.Cut(target, " ")
		r, body := do(t, method, url+path, "")
		if r.StatusCode != want {
			t.Errorf("%.60s: %s %q, want %d", target, r.Status, body, want)
		}
		if want == 405 && r.Header.Get("Allow") == "" {
			t.Errorf("%s: no Allow", target)
		}
		if want >= 400 && strings.Contains(r.Header.Get("Content-Type"), "event-stream") {
			t.Errorf("%s: an error as a stream", target)
		}
	}
	for data, want := range map[string]int{"0123456789": 200, "0123456789a": 413, "\xff": 400, "": 200} {
		if r, _ := do(t, "POST", url+"/publish?stream=a", data); r.StatusCode != want {
			t.Errorf("publish of %q: %s, want %d", data, r.Status, want)
		}
	}
	if got := b.Stats().Published; got != 2 {
		t.Errorf("%d published, want 2", got)
	}
}

func TestHeadTellsWhatGetWould(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{HistoryEvents: 1})
	ids := publish(t, b, "a", "1", "2", "3")
	for id, want := range map[string]Resume{
		"": ResumeFresh, ids[0]: ResumeEvicted, ids[1]: ResumeExact, "x": ResumeUnknown, "earliest": ResumeEarliest,
	} {
		head, _ := do(t, "HEAD", url+"/events?stream=a", "", "Last-Event-ID", id)
		e := get(t, url+"/events?stream=a", "Last-Event-ID", id)
		e.expectResume(want)
		for name := range e.response.Header {
			if got := head.Header.Get(name); name != "Date" && got != e.response.Header.Get(name) {
				t.Errorf("%s of HEAD is %q, of GET %q", name, got, e.response.Header.Get(name))
			}
		}
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": true, "*/*": true, "text/event-stream": true, "text/*": true, "TEXT/Event-Stream; q=0.5, */*;q=0.1": true,
		"application/json, */*;q=0.1": true, "application/json": false, "text/event-stream;q=0, */*": false,
		"text/html": false, "*/*;q=0.0": false, "text/event-stream;q=0.001": true,
	} {
		if got := acceptsEvents([]string{accept}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
	if !acceptsEvents(nil) {
		t.Error("an absent header is not accepted")
	}
	_, url := newURL(t, Config{})
	if r, _ := do(t, "GET", url+"/events?stream=a", "", "Accept", "application/json"); r.StatusCode != http.StatusNotAcceptable {
		t.Error(r.Status)
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	type answer struct{ origin, credentials, vary string }
	const page = "https://app.test"
	for name, c := range map[string]struct {
		allowed []string
		origin  string
		want    answer
	}{
		"off":     {nil, page, answer{}},
		"named":   {[]string{page}, page, answer{page, "true", "Origin"}},
		"another": {[]string{page}, "https://evil.test", answer{vary: "Origin"}},
		"prefix":  {[]string{page}, page + ".evil.test", answer{vary: "Origin"}},
		"null":    {[]string{page}, "null", answer{vary: "Origin"}},
		"any":     {[]string{"*"}, page, answer{origin: "*"}},
		"no page": {[]string{page}, "", answer{vary: "Origin"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := newURL(t, Config{CORSOrigins: c.allowed})
			for _, method := range []string{"OPTIONS", "GET"} {
				e := do1(t, method, url+"/events?stream=a", "Origin", c.origin)
				got := answer{
					e.Get("Access-Control-Allow-Origin"), e.Get("Access-Control-Allow-Credentials"), e.Get("Vary"),
				}
				if got != c.want {
					t.Errorf("%s: %+v, want %+v", method, got, c.want)
				}
				for _, header := range []string{"Authorization", "Last-Event-ID", "Cache-Control"} {
					if c.want.origin != "" && !strings.Contains(e.Get("Access-Control-Allow-Headers"), header) {
						t.Errorf("%s: %s is not allowed", method, header)
					}
				}
			}
		})
	}
}

// do1 returns the headers of an answer whose body may have no end.
func do1(t testing.TB, method, url string, header ...string) http.Header {
	t.Helper()
	if method == "GET" {
		return get(t, url, header...).response.Header
	}
	r, _ := do(t, method, url, "", header...)
	return r.Header
}

func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	user := func(r *http.Request) string { return r.URL.Query().Get("user") }
	b, url := newURL(t, Config{MaxConnections: 3, MaxConnectionsPerUser: 2, User: user})
	target := url + "/events?stream=a&user="
	first, second := get(t, target+"u1"), get(t, target+"u1")
	r, _ := do(t, "GET", target+"u1", "")
	if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
		t.Errorf("third of a user: %s, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
	get(t, target+"u2")
	r, _ = do(t, "GET", target+"u3", "")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("fourth of all: %s, Retry-After %q", r.Status, r.Header.Get("Retry-After"))
	}
	publish(t, b, "a", "still there")
	first.expect("still there")
	second.expect("still there")
	first.close()
	eventually(t, "a free place", func() bool { return b.Stats().Connections == 2 })
	get(t, target+"u1")
	if s := b.Stats(); s.Peak != 3 || s.PeakPerUser != 2 {
		t.Errorf("peaks %+v, want 3 and 2", s)
	}
}

func TestPublishRateIsPerUser(t *testing.T) {
	t.Parallel()
	user := func(r *http.Request) string { return r.URL.Query().Get("user") }
	b, url := newURL(t, Config{PublishRate: 0.001, PublishBurst: 2, User: user})
	for user, want := range map[string][]int{"u1": {200, 200, 429, 429}, "u2": {200, 200, 429}} {
		for i, status := range want {
			r, _ := do(t, "POST", url+"/publish?stream=a&user="+user, "x")
			if r.StatusCode != status || (status == 429) != (r.Header.Get("Retry-After") != "") {
				t.Errorf("message %d of %s: %s, Retry-After %q", i+1, user, r.Status, r.Header.Get("Retry-After"))
			}
		}
	}
	if got := b.Stats().Published; got != 4 {
		t.Errorf("%d published, want 4", got)
	}
}

func TestIdlePublishersAreForgotten(t *testing.T) {
	t.Parallel()
	l := newLimits(Config{PublishRate: 1e9, PublishBurst: 1})
	for i := range 3 * manyPublishers {
		l.publish(string(rune(i)))
	}
	if len(l.publishers) > manyPublishers {
		t.Errorf("%d publishers are remembered", len(l.publishers))
	}
}

func TestSlowRequestHeadIsTimedOut(t *testing.T) {
	t.Parallel()
	b := newBroker(t, Config{})
	if got := (&Server{broker: b}).newHTTP(nil, nil); got.ReadHeaderTimeout == 0 || got.WriteTimeout != 0 || got.ReadTimeout > 0 {
		t.Errorf("timeouts: head %v, write %v, read %v", got.ReadHeaderTimeout, got.WriteTimeout, got.ReadTimeout)
	}
}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{HistoryEvents: 2, Queue: 2})
	ids := publish(t, b, "a", "1", "2", "3")
	e := get(t, url+"/events?stream=a", "Last-Event-ID", ids[1])
	e.expect("3")
	do(t, "POST", url+"/publish", "x")
	do(t, "GET", url+"/events", "")
	second := get(t, url+"/events?stream=b")
	second.close()
	eventually(t, "gone", func() bool { return b.Stats().Connections == 1 })
	_, body := do(t, "GET", url+"/metrics", "")
	for _, want := range []string{
		"connections 1", "connections_peak 2", "connections_peak_per_user 2", "events_published_total 3",
		"events_delivered_total 1", "events_replayed_total 1", "history_events 3", "streams 1",
		`disconnects_total{reason="gone"} 1`, `publish_failures_total{status="400"} 1`,
		`subscribe_refused_total{status="400"} 1`,
	} {
		if !strings.Contains(body, "\nstreamgauge_broker_"+want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	if !strings.Contains(body, "\nprocess_resident_memory_bytes ") {
		t.Error("metrics lack the resident memory")
	}
}

func TestSignalsCarryNoID(t *testing.T) {
	t.Parallel()
	b, url := newURL(t, Config{
		Greeting: Signal{Data: `{"type":"connected"}`}, Ping: Signal{Type: "ping", Data: "now"}, PingEvery: 20 * time.Millisecond,
		SessionMaxAge: 200 * time.Millisecond, Farewell: Signal{Type: "closed"},
	})
	e := get(t, url+"/events?stream=a", "Last-Event-ID", "unknown")
	if got := e.next(); got != (received{Data: `{"type":"connected"}`, HasData: true}) {
		t.Errorf("first event is %+v, want the greeting", got)
	}
	dataOf(t, e.next())
	id := publish(t, b, "a", "1")[0]
	blocks, err := e.rest()
	if err == nil || err.Error() != "EOF" {
		t.Errorf("ended with %v", err)
	}
	count := map[string]int{}
	for _, r := range blocks {
		count[r.Type]++
		if r.Type != "" && r.ID != "" {
			t.Errorf("%+v has an id", r)
		}
	}
	last := blocks[len(blocks)-1]
	if count["ping"] < 2 || count["closed"] != 1 || last.Type != "closed" || !last.HasData {
		t.Errorf("got %v, the last is %+v", count, last)
	}
	eventually(t, "counted", func() bool { return b.Stats().Ended["rotated"] == 1 })
	get(t, url+"/events?stream=a", "Last-Event-ID", id).expectResume(ResumeExact)
}
