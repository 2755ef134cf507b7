package mutant

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// Odd is a broker that does what few do and every client must understand. A case that accuses it is wrong.
type Odd struct {
	Name   string
	About  string
	Broker func(*broker.Config)

	Asked      []string          // requirements that it is judged by although they are heavy
	Withholds  []string          // as with [Mutant]
	Parameters map[string]string // as with [Mutant]
}

// Unusual is every correct broker that a case might take for a wrong one.
var Unusual = slices.Concat(oddForms, oddIDs, oddSessions, oddClients)

// oddForms write streams in forms that few use.
var oddForms = []Odd{
	{Name: "ends-lines-with-cr", About: "Lines end with CR.", Broker: bytesReplaced("\n", "\r")},
	{Name: "ends-lines-with-crlf", About: "Lines end with CRLF.", Broker: bytesReplaced("\n", "\r\n")},
	{Name: "writes-byte-by-byte", About: "Each byte is a chunk and a segment of its own, but for what is behind the first 512 of a large event.", Broker: func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.ProtoMajor > 1 {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(&dripping{ResponseWriter: w}, r)
		})
	}},
	{Name: "begins-with-bom", About: "The stream begins with a byte order mark.", Broker: func(c *broker.Config) {
		c.Tamper = begun(func(p []byte) []byte { return append([]byte("\uFEFF"), p...) })
	}},
	{Name: "comments-every-line", About: "A comment stands before every line of an event.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte {
			var out []byte
			for _, line := range eventLines(text) {
				out = append(append(append(out, ": comment\n"...), line...), '\n')
			}
			return append(out, '\n')
		})
	}},
	{Name: "puts-id-behind-data", About: "The id follows the data.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
			id := []byte("id: " + ev.ID + "\n")
			rest := bytes.TrimSuffix(bytes.Replace(text, id, nil, 1), []byte("\n"))
			return slicesOf(rest, id, []byte("\n"))
		})
	}},
	{Name: "repeats-id-in-block", About: "Behind each event comes a block with nothing but its id.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte { return slicesOf(text, []byte("id: "+ev.ID+"\n\n")) })
	}},
	{Name: "repeats-fields", About: "Each event has its id and its type twice.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte {
			var out []byte
			for _, line := range eventLines(text) {
				times := 1
				if !bytes.HasPrefix(line, []byte("data")) {
					times = 2
				}
				out = append(out, bytes.Repeat(slicesOf(line, []byte("\n")), times)...)
			}
			return append(out, '\n')
		})
	}},
	{Name: "gives-batches-one-id", About: "Only each tenth event of a stream has an id, and nothing is said of resuming.", Withholds: []string{"resume"}, Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
			if ev.Number%10 != 0 {
				return bytes.Replace(text, []byte("id: "+ev.ID+"\n"), nil, 1)
			}
			return text
		})
	}},
	{Name: "marks-replays", About: "Messages come inside a JSON envelope, which says of a replay that it is one.", Broker: func(c *broker.Config) {
		delivering(func(to *broker.Subscriber, ev broker.Event) []broker.Event {
			ev.Data = envelope(ev)
			if to.Resume == broker.ResumeExact && ev.Sequence <= to.Sequence {
				ev.Data = append([]byte(`{"replayed":true,`), ev.Data[1:]...)
			}
			return []broker.Event{ev}
		})(c)
	}},
	{Name: "separates-with-empty-lines", About: "Between two events are several empty lines.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte { return slicesOf([]byte("\n\n"), text, []byte("\n")) })
	}},
	{Name: "begins-with-padding", About: "A stream begins with 2 KiB of comment, as old browsers needed.", Broker: func(c *broker.Config) {
		c.Tamper = begun(func(p []byte) []byte { return slicesOf([]byte(":"+strings.Repeat(" ", 2<<10)+"\n\n"), p) })
	}},
	{Name: "repeats-retry", About: "Each event carries the reconnection time.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte { return append([]byte("retry: 2000\n"), text...) })
	}},
	{Name: "writes-no-optional-space", About: "There is a space behind a colon only where a value needs it.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte {
			var out []byte
			for _, line := range eventLines(text) {
				name, value, _ := bytes.Cut(line, []byte(": "))
				colon := ":"
				if bytes.HasPrefix(value, []byte(" ")) {
					colon = ": "
				}
				out = append(append(append(append(out, name...), colon...), value...), '\n')
			}
			return append(out, '\n')
		})
	}},
	{Name: "spells-type-its-own-way", About: "The content type has another case, a quoted charset and a further parameter.", Broker: func(c *broker.Config) {
		c.Tamper = headed(func(_ *http.Request, h http.Header) { h.Set("Content-Type", `Text/Event-Stream; Charset="UTF-8"; v=1`) })
	}},
	{Name: "ends-body-with-connection", About: "The body is not chunked and ends with the connection.", Broker: func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.ProtoMajor == 1 && r.Method == http.MethodGet {
				w.Header().Set("Transfer-Encoding", "identity")
			}
			next.ServeHTTP(&filter{ResponseWriter: w, change: func(p []byte) []byte { return p }}, r)
		})
	}},
	{Name: "beats-with-one-colon", About: "A heartbeat is a colon and one line end.", Broker: func(c *broker.Config) {
		c.Tamper = &broker.Tamper{Heartbeat: func() []byte { return []byte(":\n") }}
	}},
	{Name: "refuses-head", About: "HEAD is answered with 405.", Broker: func(c *broker.Config) {
		c.Tamper = onStreams(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Method == http.MethodHead {
				w.Header().Set("Allow", "GET")
				http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
				return
			}
			next.ServeHTTP(w, r)
		})
	}},
	{Name: "compresses-for-browsers", About: "Who accepts deflate gets the stream in that coding, flushed after each write.", Broker: compressingStreams("deflate", takes("deflate"), flushed)},
	{
		Name: "compresses-unless-refused", About: "Who says nothing of codings gets gzip, flushed after each write, as is allowed.",
		Asked: []string{"SSE-SLOW-004", "SSE-SLOW-005", "SSE-SLOW-006", "SSE-SLOW-007", "SSE-SLOW-008", "SSE-SLOW-009", "SSE-HTTPS-024"},
		Broker: compressingStreams("gzip", func(r *http.Request) bool {
			accepted := r.Header.Get("Accept-Encoding")
			return accepted == "" || strings.Contains(accepted, "gzip")
		}, flushed),
	},
	{Name: "has-a-long-way", About: "Each event takes 150 ms from its acknowledgement to its subscribers.", Broker: belatedStreams(150 * time.Millisecond)},
	{Name: "wraps-data-in-json", About: "Messages come inside a JSON envelope.", Broker: func(c *broker.Config) {
		c.Tamper = rewritten(func(ev broker.Event, _ []byte) []byte {
			ev.Data = envelope(ev)
			return broker.EncodeEvent(ev)
		})
	}},
}

// begun changes the first bytes of each stream.
func begun(change func(p []byte) []byte) *broker.Tamper {
	return filtered(func(*http.Request) func([]byte) []byte {
		begun := false
		return func(p []byte) []byte {
			if begun {
				return p
			}
			begun = true
			return change(p)
		}
	})
}

// bytesReplaced replaces bytes of a whole stream.
func bytesReplaced(old, instead string) func(*broker.Config) {
	return func(c *broker.Config) {
		c.Tamper = filtered(func(*http.Request) func([]byte) []byte {
			return func(p []byte) []byte { return bytes.ReplaceAll(p, []byte(old), []byte(instead)) }
		})
	}
}

// dripping is a ResponseWriter that sends each byte by itself, and the rest of what is long at once.
type dripping struct{ http.ResponseWriter }

const dripped = 512

func (w *dripping) Write(p []byte) (int, error) {
	controller := http.NewResponseController(w.ResponseWriter)
	for i := range min(len(p), dripped) {
		if _, err := w.ResponseWriter.Write(p[i : i+1]); err != nil {
			return i, err
		}
		if err := controller.Flush(); err != nil {
			return i, err
		}
	}
	if len(p) <= dripped {
		return len(p), nil
	}
	n, err := w.ResponseWriter.Write(p[dripped:])
	return dripped + n, err
}

func (w *dripping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// envelope is JSON around a message's data.
func envelope(ev broker.Event) []byte {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(true)
	_ = encoder.Encode(map[string]any{"channel": ev.Stream, "message": map[string]string{"data": string(ev.Data)}}) // never fails
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
