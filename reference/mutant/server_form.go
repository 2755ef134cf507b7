package mutant

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/streamgauge/streamgauge/reference/broker"
)

// serverFormMutants break the bytes of a stream.
var serverFormMutants = []Mutant{
	{
		Name: "writes-latin-1", Bug: "Text is written in ISO 8859-1.",
		SeenIn: "plausible: the platform's default encoding", Kills: []string{"SSE-FORM-001"},
		May: []May{{"SSE-DELIV-006", "such text does not arrive unchanged"}, {"SSE-FORM-008", "such text does not arrive unchanged"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte {
				var out []byte
				for _, r := range string(text) {
					if r > unicode.MaxLatin1 {
						r = '?'
					}
					out = append(out, byte(r))
				}
				return out
			})
		},
	},
	{
		Name: "ends-event-with-one-newline", ID: "MS-06", Bug: "An event ends with one newline instead of a blank line.",
		SeenIn: "ReactiveX/RxNetty#484", Kills: []string{"SSE-FORM-002"},
		May: because("an event runs into the next one", "SSE-FORM-012", "SSE-FORM-014", "SSE-RESUME-001", "SSE-DELIV-001", "SSE-DELIV-006", "SSE-DELIV-010", "SSE-DELIV-011", "SSE-DELIV-013", "SSE-DELIV-014", "SSE-DRAIN-004", "SSE-HTTPS-020", "SSE-LIMIT-001", "SSE-LIMIT-004", "SSE-SLOW-006", "SSE-SLOW-009"),
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte { return bytes.TrimSuffix(text, []byte("\n")) })
		},
	},
	{
		Name: "splits-data-at-lf-only", ID: "MS-01", Bug: "Data is split at LF alone, so that a CR in it begins a field.",
		SeenIn: "mpetrunic/fastify-sse-v2#110; fanout/django-eventstream#185", Kills: []string{"SSE-FORM-003"},
		May: []May{{"SSE-DELIV-006", "a payload with CR does not arrive"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, _ []byte) []byte { return written(ev, strings.Split(string(ev.Data), "\n")) })
		},
	},
	{
		Name: "prefixes-first-line-only", ID: "MS-03", Bug: "Only the first line of a payload gets its data: prefix.",
		SeenIn: "spring-projects/spring-framework#30965; Atmosphere/atmosphere#2150", Kills: []string{"SSE-FORM-003"},
		May: []May{
			{"SSE-DELIV-006", "a payload of several lines does not arrive"}, {"SSE-FORM-005", "so does one with a second line that begins with spaces"},
			{"SSE-FORM-006", "and one that ends in line breaks"}, {"SSE-FORM-010", "the other lines are fields without a meaning"},
			{"SSE-FORM-012", "events of several lines are cut"},
		},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, _ []byte) []byte { return written(ev, []string{string(ev.Data)}) })
		},
	},
	{
		Name: "writes-type-raw", ID: "MS-02", Bug: "An event type is written as the publisher sent it; a newline in it makes fields and events.",
		SeenIn: "javalin/javalin#2579; honojs GHSA-p6xx-57qc-3wxr; h3 GHSA-4hxc-9384-m385", Kills: []string{"SSE-FORM-004"},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				raw, err := hex.DecodeString(strings.TrimPrefix(ev.Type, rawType))
				if err != nil || !strings.HasPrefix(ev.Type, rawType) {
					return text
				}
				return bytes.Replace(text, []byte(ev.Type), raw, 1)
			})
			c.Tamper.Handler = smuggleTypes
		},
	},
	{
		Name: "writes-no-space-after-colon", ID: "MS-04", Bug: "Data is written behind data: without a space, so that a payload loses its own.",
		SeenIn: "spring-projects/spring-framework#33963", Kills: []string{"SSE-FORM-005"},
		May: []May{{"SSE-DELIV-006", "such a payload does not arrive unchanged"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte {
				return bytes.ReplaceAll(append([]byte("\n"), text...), []byte("\ndata: "), []byte("\ndata:"))[1:]
			})
		},
	},
	{
		Name: "drops-trailing-newline", ID: "MS-05", Bug: "A line break at the end of a payload is lost.",
		SeenIn: "helidon-io/helidon#12465", Kills: []string{"SSE-FORM-006"},
		May: []May{{"SSE-DELIV-006", "such a payload does not arrive unchanged"}, {"SSE-FORM-007", "a payload of nothing but a line break becomes an empty one"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, _ []byte) []byte {
				ev.Data = bytes.TrimSuffix(ev.Data, []byte("\n"))
				return broker.EncodeEvent(ev)
			})
		},
	},
	{
		Name: "loses-empty-payload", Bug: "An empty payload is acknowledged and gives an event without a data field, which nobody gets.",
		SeenIn: "plausible: a truthiness test around the data", Kills: []string{"SSE-FORM-007"},
		May: []May{{"SSE-DELIV-006", "an empty payload does not arrive"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				if len(ev.Data) > 0 {
					return text
				}
				return written(ev, nil)
			})
		},
	},
	{
		Name: "splits-at-unicode-lines", ID: "MS-07", Bug: "A payload is split at everything that Unicode calls a line end: VT, FF, NEL, LS, PS.",
		SeenIn: "fastapi/fastapi#15608", Kills: []string{"SSE-FORM-008"},
		May: []May{{"SSE-DELIV-006", "such a payload does not arrive unchanged"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				if !bytes.ContainsAny(ev.Data, unicodeLines) {
					return text
				}
				return written(ev, strings.FieldsFunc(string(ev.Data), func(r rune) bool { return strings.ContainsRune(unicodeLines, r) }))
			})
		},
	},
	{
		Name: "puts-nul-into-ids", Bug: "Ids end with NUL, so that clients ignore them.",
		SeenIn: "plausible: a C string with its terminator", Kills: []string{"SSE-FORM-009"},
		May: []May{
			{"SSE-FORM-013", "an id that is ignored is none"}, {"SSE-FORM-014", "ids that are ignored cannot be compared"},
			{"SSE-RESUME-001", "without an id nothing is resumed"},
		},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				return bytes.Replace(text, []byte("id: "+ev.ID), []byte("id: "+ev.ID+"\x00"), 1)
			})
		},
	},
	{
		Name: "writes-retry-in-seconds", Bug: "retry is written with its unit, and so ignored.",
		SeenIn: "launchdarkly/ios-eventsource#22 reads it in seconds", Kills: []string{"SSE-FORM-009"},
		Broker: func(c *broker.Config) {
			c.Tamper = filtered(func(*http.Request) func([]byte) []byte {
				return func(p []byte) []byte { return bytes.Replace(p, []byte("retry: 2000\n"), []byte("retry: 2s\n"), 1) }
			})
		},
	},
	{
		Name: "sends-unknown-fields", Bug: "Each event carries its time in a field that the format does not have.",
		SeenIn: "plausible", Kills: []string{"SSE-FORM-010"},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte { return append([]byte("time: 12\n"), text...) })
		},
	},
	{
		Name: "begins-events-with-bom", Bug: "Each event begins with a byte order mark, as a file would.",
		SeenIn: "plausible: an encoder that is made anew for each event", Kills: []string{"SSE-FORM-011"},
		May: []May{
			{"SSE-FORM-010", "the mark becomes part of a field's name"}, {"SSE-FORM-013", "that field is the id"}, {"SSE-FORM-014", "that field is the id"},
			{"SSE-RESUME-001", "without an id nothing is resumed"},
		},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(_ broker.Event, text []byte) []byte { return append([]byte("\uFEFF"), text...) })
		},
	},
	{
		Name: "beats-inside-events", ID: "MS-09", Bug: "A timer writes the heartbeat between two writes of one event.",
		SeenIn: "Ayushh-Sharmaa/NexaSphere#442", Kills: []string{"SSE-FORM-012"},
		May: []May{{"SSE-DELIV-006", "an event that is cut does not arrive unchanged"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				lines := eventLines(text)
				if ev.Number%7 != 0 || len(lines) < 10 {
					return text
				}
				half := bytes.Join(lines[:len(lines)/2], []byte("\n"))
				rest := bytes.Join(lines[len(lines)/2:], []byte("\n"))
				return slicesOf(half, []byte("\n: hb\n\n"), rest, []byte("\n\n"))
			})
		},
	},
	{
		Name: "weaves-two-events", Bug: "One event in 300 of a connection is written behind the id of the one before it, and the rest of that one after it.",
		SeenIn: "plausible: two writers on one connection without a lock", Kills: []string{"SSE-FORM-012", "SSE-FORM-013"}, May: wovenInOthers,
		Broker: weaving(300, behindItsID),
	},
	{
		Name: "gives-an-event-two-ids", Bug: "One event in 300 of a connection has the id of the next one beside its own, and the next one has none.",
		SeenIn: "plausible: two writers on one connection without a lock", Kills: []string{"SSE-FORM-012", "SSE-FORM-013"}, May: wovenInOthers,
		Broker: weaving(300, idsFirst),
	},
	{
		Name: "weaves-lines-of-two-events", Bug: "One event in 300 of a connection is written line by line in turn with the next one.",
		SeenIn: "plausible: two writers on one connection without a lock", Kills: []string{"SSE-FORM-012"}, May: wovenInOthers,
		Broker: weaving(300, lineByLine),
	},
	{
		Name: "forgets-ids", Bug: "One event in three has no id.",
		SeenIn: "plausible: an id only where the database gave one", Kills: []string{"SSE-FORM-013"},
		May: []May{{"SSE-RESUME-001", "a subscriber resumes further back than it should"}, {"SSE-RESUME-003", "and gets again what it has"}, {"SSE-RESUME-005", "and gets again what it has"}},
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				if ev.Number%3 == 0 {
					return bytes.Replace(text, []byte("id: "+ev.ID+"\n"), nil, 1)
				}
				return text
			})
		},
	},
	{
		Name: "gives-signals-ids", Bug: "The greeting of each connection has an id, which nobody can resume from.",
		SeenIn: "plausible: one function writes all events", Kills: []string{"SSE-FORM-018"},
		May: because("a position can be that of the greeting", "SSE-HBS-002", "SSE-RESUME", "SSE-DELIV", "SSE-DRAIN", "SSE-SLOW", "SSE-HTTPS-020", "SSE-AUTH-009"),
		Broker: func(c *broker.Config) {
			c.Tamper = begun(func(p []byte) []byte { return slicesOf([]byte("event: welcome\nid: greeting\ndata: {}\n\n"), p) })
		},
	},
	{
		Name: "counts-ids-by-connection", Bug: "Each connection counts its events by itself, so that an id means another event to every subscriber.",
		SeenIn: "plausible: a counter in the handler", Kills: []string{"SSE-FORM-014"}, May: replaysWrong,
		Broker: func(c *broker.Config) {
			counted := new(each[atomic.Int64])
			c.Tamper = &broker.Tamper{Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				ev.ID = strconv.FormatInt(counted.of(to).Add(1), 10)
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "chokes-on-types", Bug: "A line break in an event type is refused when the event is written, which ends the stream of each subscriber.",
		SeenIn: "plausible: an exception in the code that writes", Kills: []string{"SSE-FORM-004"},
		Broker: func(c *broker.Config) {
			c.Tamper = &broker.Tamper{Handler: smuggleTypes, Deliver: func(to *broker.Subscriber, ev broker.Event) []broker.Event {
				if strings.HasPrefix(ev.Type, rawType) {
					go to.Finish()
					return nil
				}
				return []broker.Event{ev}
			}}
		},
	},
	{
		Name: "reuses-ids", Bug: "Ids begin again after fifty events.",
		SeenIn: "plausible: a counter of one byte, a ring's index", Kills: []string{"SSE-FORM-014"},
		May: because("a position can mean another event", "SSE-RESUME-001", "SSE-RESUME-002", "SSE-RESUME-003", "SSE-RESUME-005", "SSE-RESUME-009", "SSE-RESUME-012", "SSE-RESUME-015", "SSE-RESUME-024"),
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				epoch, _, _ := strings.Cut(ev.ID, "-")
				return bytes.Replace(text, []byte("id: "+ev.ID), fmt.Appendf(nil, "id: %s-%d", epoch, ev.Number%50), 1)
			})
		},
	},
	{
		Name: "names-two-alike", Bug: "One event in 300 of a stream has the id of the one before it.",
		SeenIn: "plausible: a clock, or a counter that is read before it is raised", Kills: []string{"SSE-FORM-014"},
		May:    because("a position can mean another event", "SSE-RESUME", "SSE-SLOW-006", "SSE-HTTPS-020"),
		Broker: namingAlike(300),
	},
	{
		Name: "pads-ids", Bug: "Ids end with spaces, which a header does not keep.",
		SeenIn: "plausible: a column of fixed width", Kills: []string{"SSE-FORM-015"},
		May: because("a query keeps the spaces", "SSE-RESUME-012"),
		Broker: func(c *broker.Config) {
			c.Tamper = rewritten(func(ev broker.Event, text []byte) []byte {
				return bytes.Replace(text, []byte("id: "+ev.ID), []byte("id: "+ev.ID+"  "), 1)
			})
		},
	},
	{
		Name: "asks-to-return-at-once", Bug: "retry is one millisecond.",
		SeenIn: "plausible: seconds taken for milliseconds", Kills: []string{"SSE-FORM-016"},
		May:    because("all come back at once", "SSE-DRAIN-005"),
		Broker: func(c *broker.Config) { c.Retry = time.Millisecond },
	},
}

// wovenInOthers are areas whose cases send a connection hundreds of messages.
var wovenInOthers = because("so many messages come over one connection that two of them are mixed", "SSE-FORM", "SSE-DELIV", "SSE-RESUME", "SSE-ISO", "SSE-SLOW", "SSE-LIMIT", "SSE-HBS-003")

// namingAlike gives each nth event of a stream the id of the one before it.
func namingAlike(n uint64) func(*broker.Config) {
	type place struct {
		stream string
		number uint64
	}
	return func(c *broker.Config) {
		var ids sync.Map // place → id
		delivering(func(_ *broker.Subscriber, ev broker.Event) []broker.Event {
			ids.Store(place{ev.Stream, ev.Number}, ev.ID)
			if before, known := ids.Load(place{ev.Stream, ev.Number - 1}); known && ev.Number%n == 0 {
				ev.ID = before.(string)
			}
			return []broker.Event{ev}
		})(c)
	}
}

// unicodeLines are the line ends of Unicode beside CR and LF.
const unicodeLines = "\v\f\u0085\u2028\u2029"

// written is an event with the given data lines.
func written(ev broker.Event, lines []string) []byte {
	var b bytes.Buffer
	if ev.ID != "" {
		fmt.Fprintf(&b, "id: %s\n", ev.ID)
	}
	if ev.Type != "" {
		fmt.Fprintf(&b, "event: %s\n", ev.Type)
	}
	for _, line := range lines {
		fmt.Fprintf(&b, "data: %s\n", line)
	}
	b.WriteString("\n")
	return b.Bytes()
}

func slicesOf(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// rawType begins an event type that hides another one, which the broker would refuse.
const rawType = "raw-"

// smuggleTypes hides the types of messages from the broker's checks.
func smuggleTypes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if eventType := query.Get("type"); err == nil && r.URL.Path == "/publish" && strings.ContainsAny(eventType, "\r\n\x00") {
			query.Set("type", rawType+hex.EncodeToString([]byte(eventType)))
			r.URL.RawQuery = query.Encode()
		}
		next.ServeHTTP(w, r)
	})
}
