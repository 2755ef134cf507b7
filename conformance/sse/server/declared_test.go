package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/conformance/sse/server"
)

// be holds for verdicts with one outcome.
func be(o conformance.Outcome) func(conformance.Verdict) bool {
	return func(v conformance.Verdict) bool { return v.Outcome == o }
}

// TestASilenceFailsWhoDeclaredAHeartbeat: it is a missed recommendation to everybody else.
func TestASilenceFailsWhoDeclaredAHeartbeat(t *testing.T) {
	t.Parallel()
	quiet := scripted(t, sse.ServerOptions{}, streaming(func(c *sse.Conn) { c.AwaitGone() }))
	for declared, want := range map[time.Duration]conformance.Outcome{0: conformance.Warn, 500 * time.Millisecond: conformance.Fail} {
		s := addressed(t, quiet.URL("/events"))
		s.Heartbeat = declared
		c := judge(t, s, server.Options{Only: []string{"HBS"}, Parameter: func(_, name string) (string, bool) {
			value, ok := map[string]string{"silence": "500ms", "ceiling": "2s", "hold": "2s", "streams": "5"}[name]
			return value, ok
		}})
		c.must(t, func(v conformance.Verdict) bool {
			if v.ID == "SSE-HBS-001" {
				return v.Outcome == want
			}
			return v.Outcome == conformance.Skip // one cause is told once
		})
	}
}

// TestDenseIDsTellOfAHole: who gets 80 behind 4 knows what is missing, if ids count messages, and else does not.
func TestDenseIDsTellOfAHole(t *testing.T) {
	t.Parallel()
	numbers := func(n int) string { return fmt.Sprint(n) }
	for name, test := range map[string]struct {
		id   func(int) string
		gap  string // that is declared
		want map[string]conformance.Outcome
	}{
		"numbers":                       {numbers, "", map[string]conformance.Outcome{"SSE-RESUME-007": conformance.Pass, "SSE-RESUME-008": conformance.Pass}},
		"numbers, and a declared gap":   {numbers, "resync", map[string]conformance.Outcome{"SSE-RESUME-007": conformance.Fail, "SSE-RESUME-008": conformance.Pass}},
		"UUIDs":                         {uuids, "", map[string]conformance.Outcome{"SSE-RESUME-007": conformance.Warn, "SSE-RESUME-008": conformance.Fail}},
		"numbers that leave some out":   {func(n int) string { return fmt.Sprint(n + n/3) }, "", map[string]conformance.Outcome{"SSE-RESUME-007": conformance.Warn, "SSE-RESUME-008": conformance.Fail}},
		"numbers behind changing names": {func(n int) string { return fmt.Sprintf("%c-%d", 'a'+n%2, n) }, "", map[string]conformance.Outcome{"SSE-RESUME-007": conformance.Warn, "SSE-RESUME-008": conformance.Fail}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for id, want := range test.want {
				s := (&oddHub{id: test.id, keeps: 20}).subject(t) // one for each case: ids count what is published anywhere
				s.History, s.Gap = 20, test.gap
				judged(t, s, "", id).must(t, be(want))
			}
		})
	}
}

// TestATypeThatEndsEveryStreamIsAFailure: it was unknown, because nothing arrived any more.
func TestATypeThatEndsEveryStreamIsAFailure(t *testing.T) {
	t.Parallel()
	judged(t, (&oddHub{endsOn: "\n"}).subject(t), "", "SSE-FORM-004").must(t, func(v conformance.Verdict) bool {
		return v.Outcome == conformance.Fail && strings.Contains(v.Actual, "ended the streams of all its subscribers")
	})
}

// TestADeclaredGreetingComesFirst on each connection.
func TestADeclaredGreetingComesFirst(t *testing.T) {
	t.Parallel()
	for greeting, want := range map[string]conformance.Outcome{"event: welcome\ndata: {}\n\n": conformance.Pass, "event: hello\ndata: {}\n\n": conformance.Fail, "": conformance.Fail} {
		s := (&oddHub{greeting: greeting}).subject(t)
		s.Greeting = "welcome"
		judged(t, s, "", "SSE-FORM-019").must(t, be(want))
	}
}

// TestOneCauseIsToldOnce, by the requirement that is nearest to it; where that one is not judged, the other tells it.
func TestOneCauseIsToldOnce(t *testing.T) {
	t.Parallel()
	latin1 := func(e hubEvent) string {
		var b strings.Builder
		for _, r := range usualForm(e) {
			b.WriteByte(byte(r)) //nolint:gosec // that is the fault
		}
		return b.String()
	}
	unsplit := func(e hubEvent) string { return "id: " + e.id + "\ndata: " + e.data + "\n\n" }
	for name, test := range map[string]struct {
		hub         *oddHub
		cause       string
		consequence []string
	}{
		"text is no UTF-8":    {&oddHub{encode: latin1}, "SSE-FORM-001", []string{"SSE-FORM-008", "SSE-DELIV-006"}},
		"lines are not split": {&oddHub{encode: unsplit}, "SSE-FORM-003", []string{"SSE-FORM-005", "SSE-FORM-006", "SSE-FORM-012"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := test.hub.subject(t)
			judged(t, s, "", append(test.consequence, test.cause)...).must(t, func(v conformance.Verdict) bool {
				if v.ID == test.cause {
					return v.Outcome == conformance.Fail
				}
				return v.Outcome == conformance.Skip && strings.Contains(v.Reason, "see "+test.cause)
			})
			judged(t, s, "", test.consequence...).must(t, be(conformance.Fail))
		})
	}
}

// guarded lets nobody in without the right key, unless it is open.
func guarded(t *testing.T, admits func(r *http.Request) bool, refuse int, credentials server.Credential, carry func(*sse.Request)) *server.Subject {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !admits(r) {
			if refuse == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", "Bearer")
			}
			w.WriteHeader(refuse)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush() // a client that left is noticed below
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return &server.Subject{
		Name: "guarded", Kind: "target", URL: s.URL, Shared: true, Credentials: []server.Credential{credentials},
		Subscribe: func(context.Context, server.Subscription) (*sse.Request, error) {
			u, err := url.Parse(s.URL + "/events?a=b")
			req := &sse.Request{URL: u, Header: http.Header{}}
			carry(req)
			return req, err
		},
	}
}

// TestPlainCredentialsAreLeftOutOnceAndWrongOnce, wherever they stand.
func TestPlainCredentialsAreLeftOutOnceAndWrongOnce(t *testing.T) {
	t.Parallel()
	const word = "s3cr3t-of-the-test"
	ways := map[string]struct {
		credential server.Credential
		carry      func(*sse.Request)
		read       func(*http.Request) string
	}{
		"bearer": {server.Credential{In: "header", Name: "Authorization"}, func(r *sse.Request) { r.Header.Set("Authorization", "Bearer "+word) },
			func(r *http.Request) string { return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") }},
		"key": {server.Credential{In: "header", Name: "X-Api-Key"}, func(r *sse.Request) { r.Header.Set("X-Api-Key", word) },
			func(r *http.Request) string { return r.Header.Get("X-Api-Key") }},
		"cookie": {server.Credential{In: "header", Name: "Cookie"}, func(r *sse.Request) { r.Header.Set("Cookie", "theme=dark; session="+word) },
			func(r *http.Request) string {
				if c, err := r.Cookie("session"); err == nil {
					return c.Value
				}
				return ""
			}},
		"query": {server.Credential{In: "query", Name: "access_token"}, func(r *sse.Request) { r.URL.RawQuery += "&access_token=" + word },
			func(r *http.Request) string { return r.URL.Query().Get("access_token") }},
		"basic": {server.Credential{In: "userinfo"}, func(r *sse.Request) { r.URL.User = url.UserPassword("me", word) },
			func(r *http.Request) string {
				_, password, _ := r.BasicAuth()
				return password
			}},
	}
	for name, way := range ways {
		for _, test := range []struct {
			about          string
			admits         func(r *http.Request) bool
			refuse         int
			without, wrong conformance.Outcome
		}{
			{"right", func(r *http.Request) bool { return way.read(r) == word }, http.StatusUnauthorized, conformance.Pass, conformance.Pass},
			{"right, in other words", func(r *http.Request) bool { return way.read(r) == word }, http.StatusForbidden, conformance.Warn, conformance.Warn},
			{"open to everybody", func(*http.Request) bool { return true }, 0, conformance.Fail, conformance.Fail},
			{"open to whoever brings anything", func(r *http.Request) bool { return way.read(r) != "" }, http.StatusUnauthorized, conformance.Pass, conformance.Fail},
		} {
			t.Run(name+"/"+test.about, func(t *testing.T) {
				t.Parallel()
				c := judge(t, guarded(t, test.admits, test.refuse, way.credential, way.carry), server.Options{Only: []string{"SSE-AUTH-001", "SSE-AUTH-014"}})
				c.must(t, func(v conformance.Verdict) bool {
					return v.Outcome == map[string]conformance.Outcome{"SSE-AUTH-001": test.without, "SSE-AUTH-014": test.wrong}[v.ID]
				})
			})
		}
	}
}

// TestRefusalsOfAMethodAreNotRanked: 404, 405 with Allow and 501 are as good as one another, and a 405 without Allow is none.
func TestRefusalsOfAMethodAreNotRanked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		allow  string
		want   conformance.Outcome // of the two requirements
		head   conformance.Outcome
	}{
		"404":               {http.StatusNotFound, "", conformance.Pass, conformance.Pass},
		"405":               {http.StatusMethodNotAllowed, "GET", conformance.Pass, conformance.Pass},
		"501":               {http.StatusNotImplemented, "", conformance.Pass, conformance.Pass},
		"405 without Allow": {http.StatusMethodNotAllowed, "", conformance.Fail, conformance.Pass},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				if test.allow != "" {
					w.Header().Set("Allow", test.allow)
				}
				w.WriteHeader(test.status)
				return
			}
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush() // a client that left is noticed below
			<-r.Context().Done()
		}))
		t.Cleanup(s.Close)
		t.Cleanup(s.CloseClientConnections)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			judge(t, addressed(t, s.URL), server.Options{Only: []string{"SSE-HTTPS-010", "SSE-HTTPS-011"}}).must(t, func(v conformance.Verdict) bool {
				return v.Outcome == map[string]conformance.Outcome{"SSE-HTTPS-010": test.head, "SSE-HTTPS-011": test.want}[v.ID]
			})
		})
	}
}

// personal is a server at which each client has an address of its own, and a token in its name. Whatever is published goes to everybody.
func personal(t *testing.T, checks bool) *server.Subject {
	t.Helper()
	var mu sync.Mutex
	listening := map[chan string]bool{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		switch owner := strings.TrimPrefix(r.URL.Path, "/of/"); {
		case err != nil:
			return
		case r.Method == http.MethodPost:
			mu.Lock()
			defer mu.Unlock()
			for c := range listening {
				c <- string(data)
			}
			return
		case r.Header.Get("Authorization") == "", checks && r.Header.Get("Authorization") != "Bearer of-"+owner:
			w.WriteHeader(http.StatusForbidden)
			return
		}
		c := make(chan string, 100)
		mu.Lock()
		listening[c] = true
		mu.Unlock()
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			delete(listening, c)
		}()
		w.Header().Set("Content-Type", "text/event-stream")
		for flusher := http.NewResponseController(w); flusher.Flush() == nil; {
			select {
			case data := <-c:
				_, _ = io.WriteString(w, "data: "+data+"\n\n")
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return &server.Subject{
		Name: "personal", Kind: "target", URL: s.URL, Shared: true, Rights: server.Rights{Clients: true},
		Mint: func(_ context.Context, g server.Grant) (string, error) { return "of-" + g.User, nil },
		Subscribe: func(_ context.Context, sub server.Subscription) (*sse.Request, error) {
			u, err := url.Parse(s.URL + "/of/" + sub.Client)
			req := &sse.Request{URL: u, Header: http.Header{}}
			if sub.Token != "" {
				req.Header.Set("Authorization", "Bearer "+sub.Token)
			}
			return req, err
		},
		Publish: func(ctx context.Context, m server.Message) server.Receipt {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, strings.NewReader(m.Data))
			if err != nil {
				return server.Receipt{Err: err}
			}
			return server.PublishHTTP(ctx, s.Client(), req, func(status int, _ []byte) bool { return status == http.StatusOK })
		},
	}
}

// TestATokenOfAnotherClientOpensNothing where an address is a client's own.
func TestATokenOfAnotherClientOpensNothing(t *testing.T) {
	t.Parallel()
	for checks, want := range map[bool]conformance.Outcome{true: conformance.Pass, false: conformance.Fail} {
		for _, id := range []string{"SSE-AUTH-003", "SSE-AUTH-009"} { // each by itself: together one tells for both
			judge(t, personal(t, checks), server.Options{Only: []string{id}}).must(t, be(want))
		}
	}
}

// TestTokensThatSayNothingAreNotJudgedByRights, whatever the server lets their bearers do.
func TestTokensThatSayNothingAreNotJudgedByRights(t *testing.T) {
	t.Parallel()
	s := personal(t, false)
	s.Rights = server.Rights{}
	s.Key, s.Claims = []byte("key"), func(server.Grant) (map[string]any, error) { return nil, nil }
	only := []string{"SSE-AUTH-002", "SSE-AUTH-003", "SSE-AUTH-008", "SSE-AUTH-009", "SSE-AUTH-013", "SSE-ISO-002", "SSE-RESUME-013"}
	judge(t, s, server.Options{Only: only}).must(t, func(v conformance.Verdict) bool {
		if v.ID == "SSE-AUTH-002" { // it takes any token, and no claim is missed for making a wrong one
			return v.Outcome == conformance.Fail
		}
		return v.Outcome != conformance.Unknown && !accused(v)
	})
}
