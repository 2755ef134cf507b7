package mutant

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance/sse"
	"github.com/streamgauge/streamgauge/reference/client"
)

// clientTextMutants get wrong what an application is told of an event.
var clientTextMutants = []Mutant{
	{
		Name:   "unnamed-events-have-another-type",
		Bug:    "It calls an event without a type event instead of message.",
		SeenIn: "plausible: a default of its own",
		Kills:  []string{"SSE-PARSE-001"},
		May:    []May{{"SSE-PARSE", "nearly every stream has events without a type"}, {"SSE-HBC-005", "so has this one"}},
		Client: eachEvent(func(e *sse.Event) bool {
			if string(e.Type) == "message" {
				e.Type = []byte("event")
			}
			return true
		}),
	},
	{
		Name:   "data-lines-are-joined-with-a-space",
		Bug:    "It joins the data fields of a block with a space.",
		SeenIn: "plausible: join(' ')",
		Kills:  []string{"SSE-PARSE-002"},
		May: []May{
			{"SSE-PARSE-003", "an event of its has two data fields"}, {"SSE-PARSE-004", "an event of its has two data fields"},
			{"SSE-PARSE-006", "an event of its has two data fields"}, {"SSE-PARSE-012", "an event of its has two data fields"},
			{"SSE-PARSE-013", "an event of its has two data fields"}, {"SSE-PARSE-014", "an event of its has two data fields"},
			{"SSE-PARSE-040", "an event of its has two data fields"}, {"SSE-HBC-005", "an event of its has two data fields"},
		},
		Client: eachEvent(func(e *sse.Event) bool {
			e.Data = bytes.ReplaceAll(e.Data, []byte("\n"), []byte(" "))
			return true
		}),
	},
	{
		Name:   "invalid-utf8-loses-the-event",
		Bug:    "It drops an event that is not valid UTF-8.",
		SeenIn: "plausible: a decoder that throws",
		Kills:  []string{"SSE-PARSE-021"},
		Client: eachEvent(func(e *sse.Event) bool { return utf8.Valid(e.Data) }),
	},
	{
		Name:   "nul-ends-the-text",
		Bug:    "A NUL ends the text of an event.",
		SeenIn: "plausible: strings as C has them",
		Kills:  []string{"SSE-PARSE-022"},
		May:    []May{{"SSE-PARSE-012", "an event of its has a NUL"}},
		Client: eachEvent(func(e *sse.Event) bool {
			e.Data, _, _ = bytes.Cut(e.Data, []byte{0})
			return true
		}),
	},
	{
		Name: "event-without-id-has-none", ID: "MC-11",
		Bug:    "It tells the id of an event's own block, and none when there is none.",
		SeenIn: "EventSource/eventsource#358",
		Kills:  []string{"SSE-PARSE-030"},
		May: []May{
			{"SSE-PARSE-032", "the id before stays there, too"}, {"SSE-PARSE-033", "the id stands in the block before"},
			{"SSE-RECON-018", "the id comes from the connection before"},
		},
		Client: eachEvent(func(e *sse.Event) bool {
			if !e.HasID {
				e.ID = nil
			}
			return true
		}),
	},
	{
		Name: "huge-retry-wraps-around", ID: "MC-17",
		Bug:    "A reconnection time beyond its numbers becomes zero: it comes back thousands of times a second.",
		SeenIn: "seen in practice",
		Kills:  []string{"SSE-PARSE-037", "SSE-RECON-008"},
		Client: wrapping,
	},
	{
		Name: "server-events-collide-with-its-own", ID: "MC-31",
		Bug:    "Events that the server calls open or error are lost among what the client reports of itself.",
		SeenIn: "yaffle's test suite; plausible in every port of an EventEmitter",
		Kills:  []string{"SSE-PARSE-039"},
		Client: eachEvent(func(e *sse.Event) bool { return !slices.Contains([]string{"open", "error", "close"}, string(e.Type)) }),
	},
	{
		Name:   "comments-keep-their-colon",
		Bug:    "It tells an application the text of a comment with the colon.",
		SeenIn: "plausible",
		Kills:  []string{"SSE-PARSE-041"},
		Client: observed(func(_ *client.Client, o client.Observer) client.Observer {
			return &observer{Observer: o, comment: func(text []byte) { o.Comment(append([]byte(":"), text...)) }}
		}),
	},
	{
		Name:   "control-characters-are-stripped",
		Bug:    "It removes control characters from the text.",
		SeenIn: "plausible: text that is made safe for a terminal or for XML",
		Kills:  []string{"SSE-PARSE-043"},
		May:    []May{{"SSE-PARSE-021", "it goes through the text, and makes one U+FFFD of each invalid byte"}},
		Client: eachEvent(func(e *sse.Event) bool {
			e.Data = bytes.Map(func(r rune) rune {
				if r == 1 || r == 2 || r == 0x7f {
					return -1
				}
				return r
			}, e.Data)
			return true
		}),
	},
}

// wrapping makes a reconnection time beyond 32 bits one of zero.
func wrapping(c *client.Config) {
	wrapped := false
	c.Tamper = &client.Tamper{
		Pump: func(s *sse.Stream, d *sse.Decoder, h sse.Handler) error {
			return s.Pump(d, &retryHandler{h.(sse.Listener), func(wait time.Duration) time.Duration {
				wrapped = wait >= sse.MaxRetry
				return wait
			}})
		},
		Delay: func(w client.Wait) time.Duration {
			if wrapped {
				return 0
			}
			return w.Delay
		},
	}
}

// retryHandler is a Listener that changes reconnection times.
type retryHandler struct {
	sse.Listener

	change func(wait time.Duration) time.Duration
}

func (h *retryHandler) Retry(wait time.Duration) { h.Listener.Retry(h.change(wait)) }

// retrying changes the reconnection times that a stream asks for.
func retrying(change func(wait time.Duration) time.Duration) func(*client.Config) {
	return handled(func(l sse.Listener) sse.Handler { return &retryHandler{l, change} })
}
