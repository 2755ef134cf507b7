package mutant

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverHaltMutants stop answering, each in its way. Whoever stopped them must be named, and nobody else blamed.
var serverHaltMutants = []Mutant{
	{
		Name:   "ends-at-invalid-text",
		Bug:    "A message that is no UTF-8 ends the process, and nobody starts it again.",
		SeenIn: "plausible: an exception in a thread that the runtime does not survive",
		Kills:  []string{"SSE-DELIV-005"},
		Broker: halting(invalidText, 0, false),
	},
	{
		Name:   "ends-at-invalid-text-and-is-restarted",
		Bug:    "A message that is no UTF-8 ends the process, and a supervisor starts it again.",
		SeenIn: "plausible: the same under systemd or Kubernetes",
		Kills:  []string{"SSE-DELIV-005"},
		Broker: halting(invalidText, time.Second, false),
	},
	{
		Name:   "hangs-at-an-empty-message",
		Bug:    "An empty message leaves a lock held: connections are accepted, and nobody is answered any more.",
		SeenIn: "plausible: an early return before the unlock",
		Kills:  []string{"SSE-FORM-007"},
		May:    because("it sends an empty message as well", "SSE-RESUME-023"),
		Broker: halting(func(body []byte) bool { return len(body) == 0 }, 0, true),
	},
	{
		Name:   "hangs-beside-a-full-queue",
		Bug:    "A reader that stops leaves a lock held for good: nobody is answered any more.",
		SeenIn: "found in one of the peers: a write that waits for its own reader",
		Kills:  []string{"SSE-SLOW-001"},
		May: append(because("it stops reading as well", "SSE-SLOW-002", "SSE-SLOW-004", "SSE-SLOW-005", "SSE-SLOW-006", "SSE-SLOW-007", "SSE-SLOW-008", "SSE-SLOW-009", "SSE-HTTPS-024"),
			May{"SSE-RESUME-023", "a reader may be slow while much is replayed"}),
		Broker: func(c *broker.Config) {
			h := &halted{hangs: true}
			c.Queue, c.WriteTimeout = 1<<20, time.Hour
			c.Tamper = &broker.Tamper{Behind: func(*broker.Subscriber) { h.stopped.Store(true) }, Handler: h.handler}
		},
	},
}

func invalidText(body []byte) bool { return !utf8.Valid(body) }

// halting is a broker that stops at a message of some kind, for good or until it is restarted.
func halting(at func(body []byte) bool, back time.Duration, hangs bool) func(*broker.Config) {
	return func(c *broker.Config) {
		h := &halted{hangs: hangs}
		c.Tamper = &broker.Tamper{Handler: func(next http.Handler) http.Handler {
			return h.handler(onPublish(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				body, _ := io.ReadAll(r.Body) // what cannot be read is not published either
				if at(body) {
					h.stop(back)
					h.refuse(w, r)
					return
				}
				r.Body = io.NopCloser(bytes.NewReader(body))
				next.ServeHTTP(w, r)
			})(next))
		}}
	}
}

// halted answers nobody once it has stopped.
type halted struct {
	hangs   bool // connections are accepted, and not answered; else they end at once
	stopped atomic.Bool
	open    sync.Map // connections of streams
}

func (h *halted) stop(back time.Duration) {
	h.stopped.Store(true)
	if !h.hangs {
		h.open.Range(func(conn, _ any) bool {
			_ = conn.(net.Conn).Close() // nothing else is kept
			return true
		})
	}
	if back > 0 {
		time.AfterFunc(back, func() { h.stopped.Store(false) })
	}
}

func (h *halted) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.stopped.Load() {
			h.refuse(w, r)
			return
		}
		next.ServeHTTP(&taken{w, h}, r)
	})
}

// taken sees the connection that a stream takes over.
type taken struct {
	http.ResponseWriter

	by *halted
}

func (t *taken) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *taken) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err == nil {
		t.by.open.Store(conn, true)
	}
	return conn, buffered, err
}

// refuse ends the connection without an answer, or gives none.
func (h *halted) refuse(w http.ResponseWriter, r *http.Request) {
	if h.hangs {
		_, _ = io.Copy(io.Discard, r.Body) // while there is a body to be read net/http does not notice that the client is gone
		<-r.Context().Done()
		return
	}
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close() // that is all
	}
}
