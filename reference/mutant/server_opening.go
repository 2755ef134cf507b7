package mutant

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverOpeningMutants answer most subscriptions well, and every tenth with something else.
var serverOpeningMutants = []Mutant{
	{
		Name: "answers-a-page-now-and-then", Bug: "Every tenth subscriber gets an HTML page with status 200.",
		SeenIn: "plausible: one of ten instances serves the error page of its platform", Kills: []string{"SSE-HTTPS-029"}, May: besideOthers,
		Broker: everyTenth(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!doctype html><title>Error</title><p>Please try again later.</p>") // the client may have gone
		}),
	},
	{
		Name: "fails-now-and-then", Bug: "Every tenth subscriber gets status 500.",
		SeenIn: "plausible: a pool of database connections with a broken one", Kills: []string{"SSE-HTTPS-029"}, May: besideOthers,
		Broker: everyTenth(func(w http.ResponseWriter) { http.Error(w, "internal error", http.StatusInternalServerError) }),
	},
	{
		Name: "dismisses-now-and-then", Bug: "Every tenth subscriber gets status 204, after which no client comes back.",
		SeenIn: "plausible: a handler that returns without a word", Kills: []string{"SSE-HTTPS-029"}, May: besideOthers,
		Broker: everyTenth(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }),
	},
	{
		Name: "redirects-now-and-then", Bug: "Every tenth subscriber is sent to the login.",
		SeenIn: "plausible: one of ten instances does not share the sessions", Kills: []string{"SSE-HTTPS-029"}, May: besideOthers,
		Broker: everyTenth(func(w http.ResponseWriter) {
			w.Header().Set("Location", "/login?next=%2Fevents")
			w.WriteHeader(http.StatusFound)
		}),
	},
	{
		Name: "ends-streams-at-once-now-and-then", Bug: "Every tenth stream ends with its head.",
		SeenIn: "plausible: a context that is canceled with the request that made it", Kills: []string{"SSE-HTTPS-029"}, May: besideOthers,
		Broker: everyTenth(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.WriteHeader(http.StatusOK)
		}),
	},
}

// besideOthers is what a wrong answer is mistaken for.
var besideOthers = slices.Concat(
	because("the plain subscription behind it may be one that is answered wrongly", "SSE-HTTPS-021"),
	because("what is answered wrongly takes no place, or looks like a refusal", "SSE-HTTPS-018", "SSE-LIMIT-002", "SSE-LIMIT-003", "SSE-LIMIT-006"),
	because("a stream that ended may be one that a message was for", "SSE-DELIV"),
)

// everyTenth answers every tenth plain subscription, of those that would get a stream, with something else.
func everyTenth(answer func(w http.ResponseWriter)) func(*broker.Config) {
	return func(c *broker.Config) {
		var opened atomic.Uint64
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if !plain(r) {
				next.ServeHTTP(w, r)
				return
			}
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			i := &instead{ResponseWriter: w, wanted: func() bool { return opened.Add(1)%10 == 7 }, answer: answer, over: cancel}
			defer func() {
				if i.swapped {
					_ = recover() // the broker aborts a stream that does not end by itself
				}
			}()
			next.ServeHTTP(i, r.WithContext(ctx))
		})
	}
}

// plain says whether a subscription asks for a stream and for nothing beside it.
func plain(r *http.Request) bool {
	h := r.Header
	return r.Method == http.MethodGet && r.Proto == "HTTP/1.1" && h.Get("Accept") == "text/event-stream" && h.Get("Origin")+h.Get("Accept-Encoding")+h.Get("Last-Event-ID") == ""
}

// instead is a ResponseWriter that answers with something else where a stream would begin. It cannot be taken over.
type instead struct {
	http.ResponseWriter

	wanted  func() bool
	answer  func(w http.ResponseWriter)
	over    func()
	begun   bool
	swapped bool
}

func (i *instead) WriteHeader(status int) {
	if i.begun {
		return
	}
	i.begun, i.swapped = true, status == http.StatusOK && i.wanted()
	if !i.swapped {
		i.ResponseWriter.WriteHeader(status)
		return
	}
	clear(i.Header())
	i.answer(i.ResponseWriter)
	i.over()
}

func (i *instead) Write(p []byte) (int, error) {
	i.WriteHeader(http.StatusOK)
	if i.swapped {
		return len(p), nil
	}
	return i.ResponseWriter.Write(p)
}

// FlushError flushes what is no other answer.
func (i *instead) FlushError() error {
	i.WriteHeader(http.StatusOK)
	if i.swapped {
		return nil
	}
	return http.NewResponseController(i.ResponseWriter).Flush()
}

// SetWriteDeadline leaves the other answer the time it needs.
func (i *instead) SetWriteDeadline(t time.Time) error {
	if i.swapped {
		return nil
	}
	return http.NewResponseController(i.ResponseWriter).SetWriteDeadline(t)
}

// Unwrap gives deadlines their way.
func (i *instead) Unwrap() http.ResponseWriter { return i.ResponseWriter }
