// Package vectors holds event streams and what they mean, byte for byte (WHATWG HTML §9.2.5 and §9.2.6): examples of the standard, of the
// web platform tests and of the test suites and bug reports of many clients. It is data; whoever decodes a stream can be tested with it.
package vectors

import (
	"math"
	"strings"
	"time"
)

// Event is an event as an application sees it: text, and type and last event id spelled out.
type Event struct{ Type, Data, ID string }

// Vector is a stream and what it means.
type Vector struct {
	Name     string // begins with the number of the requirement that it is about: 001/v1 is of SSE-PARSE-001
	In       string
	Events   []Event
	Retry    time.Duration // the last one set; 0 means none
	Comments []string      // nil: not to be compared
	LastID   string        // at the end, when it is not that of the last event
}

// Requirement is the id of the requirement that the vector is about.
func (v *Vector) Requirement() string {
	number, _, _ := strings.Cut(v.Name, "/")
	return "SSE-PARSE-" + number
}

// Sequence is a row of streams of one subscription, each on a connection of its own; Events are those of the last.
type Sequence struct {
	Name   string
	Conns  []string
	Events []Event
}

func messages(data ...string) []Event {
	events := make([]Event, len(data))
	for i, d := range data {
		events[i] = Event{"message", d, ""}
	}
	return events
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

// xs are cut as needed: texts of megabytes are made while every command begins.
var xs = repeat("x", 5<<20)

// maxRetry is what a client that counts milliseconds in 32 bits makes of a larger number.
const maxRetry = math.MaxInt32 * time.Millisecond

// All are the vectors, in the order of the catalogue.
var All = []Vector{
	// A single data line followed by a blank line dispatches one event of type "message".
	{Name: "001/v1", In: "data: Hello\n\n", Events: messages("Hello")},
	// Several data fields in one block are joined with U+000A, and exactly one trailing U+000A is removed.
	{Name: "002/html-example-stocks", In: "data: YHOO\ndata: +2\ndata: 10\n\n", Events: messages("YHOO\n+2\n10")},
	{Name: "002/wpt-message2", In: "data:msg\ndata: msg\n\n", Events: messages("msg\nmsg")},
	{Name: "002/trailing-empty-line-kept", In: "data: a\ndata:\n\n", Events: messages("a\n")},
	{Name: "002/three-empty", In: "data:\ndata:\ndata:\n\n", Events: messages("\n\n")},
	// A line with a field name and no colon is processed as that field with an empty value; an empty data field still dispatches (data buffer is "\n", not empty).
	{Name: "003/bare-data", In: "data\n\n", Events: messages("")},
	{Name: "003/wpt-format-field-data", In: "data:\n\ndata\ndata\n\ndata:test\n\n", Events: messages("", "\n", "test")},
	{Name: "003/html-example-empty", In: "data\n\ndata\ndata\n\ndata:", Events: messages("", "\n")},
	// Exactly one U+0020 after the colon is removed; further spaces and tabs are data.
	{Name: "004/html-example-space", In: "data:test\n\ndata: test\n\n", Events: messages("test", "test")},
	{Name: "004/wpt-format-leading-space", In: "data:\ttest\rdata: \ndata:test\n\n", Events: messages("\ttest\n\ntest")},
	{Name: "004/ld-extra-space", In: "event:  greeting\ndata:  Hello\n\n", Events: []Event{{" greeting", " Hello", ""}}},
	{Name: "004/nbsp-is-not-space", In: "data:\u00a0x\n\n", Events: messages("\u00a0x")},
	// Only the first colon splits name from value.
	{Name: "005/v1", In: "data: a:b::c\n\n", Events: messages("a:b::c")},
	{Name: "005/v2", In: "data::x\n\n", Events: messages(":x")},
	{Name: "005/v3", In: "data: {\"u\":\"https://e.x/?a=1\"}\n\n", Events: messages("{\"u\":\"https://e.x/?a=1\"}")},
	// Lines starting with a colon are comments, are ignored at any position, and never end or split an event.
	{Name: "006/comment-block", In: ": test stream\n\ndata: first\n\n", Events: messages("first")},
	{Name: "006/wpt-format-comments-shortened", In: "data:1\r:\x00\n:\r\ndata:2\n:xxxxxxxx\rdata:3\n:data:fail\r:yyyy\ndata:4\n\n", Events: messages("1\n2\n3\n4")},
	{Name: "006/comment-2KiB", In: "data:1\n:" + repeat("x", 2049) + "\rdata:2\n\n", Events: messages("1\n2")},
	{Name: "006/empty-comments", In: ":\n:\n::\n\ndata: x\n\n", Events: messages("x")},
	// A block without any data field dispatches nothing (comment-only, id-only, retry-only, event-only, blank lines).
	{Name: "007/leading-blank-lines", In: "\n\n\n\ndata: x\n\n", Events: messages("x")},
	{Name: "007/extra-blank-lines", In: "data: event 1\n\n\n\ndata: event 2\n\n", Events: messages("event 1", "event 2")},
	{Name: "007/comment-after-sticky-id", In: "id: 1\ndata: a\n\n: ping\n\nid: 2\ndata: b\n\n", Events: []Event{{"message", "a", "1"}, {"message", "b", "2"}}},
	{Name: "007/event-only-then-retry-only", In: "event: foo\n\nretry: 5000\n\ndata: x\n\n", Events: messages("x"), Retry: 5000 * time.Millisecond},
	// The event type buffer is reset after every blank line, also when nothing was dispatched.
	{Name: "008/wpt-format-field-event", In: "event:test\ndata:x\n\ndata:x\n\n", Events: []Event{{"test", "x", ""}, {"message", "x", ""}}},
	{Name: "008/type-does-not-leak-over-empty-block", In: "event: foo\n\ndata: x\n\n", Events: messages("x")},
	// An empty event field means type "message".
	{Name: "009/wpt-format-field-event-empty", In: "event: \ndata:data\n\n", Events: messages("data")},
	{Name: "009/v2", In: "event\ndata:x\n\n", Events: messages("x")},
	{Name: "009/reset-inside-block", In: "event: a\nevent:\ndata: x\n\n", Events: messages("x")},
	// When event or id occurs more than once in a block the last value wins.
	{Name: "010/v1", In: "event: a\nevent: b\nid: 1\nid: 2\ndata: x\n\n", Events: []Event{{"b", "x", "2"}}},
	// Field order inside a block is irrelevant.
	{Name: "011/v1", In: "data: Hello\nid: abc\nevent: greeting\n\n", Events: []Event{{"greeting", "Hello", "abc"}}},
	// Field names are compared literally: no case folding, no trimming; unknown names are ignored without affecting the event.
	{Name: "012/v1", In: "Data: no\nDATA: no\ndata : no\n data: no\ndata-x: no\ndata_5\nfoobar:xxx\njustsometext\ndata: yes\n\n", Events: messages("yes")},
	{Name: "012/wpt-format-field-parsing", In: "data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n", Events: messages("\x00\n 2\n1\n3\n\n4")},
	{Name: "012/wpt-format-field-unknown", In: "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n", Events: messages("test\n\ntest")},
	{Name: "012/wpt-message2-tail", In: "falsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n", Events: messages("", "end")},
	// LF, CR and CRLF each end a line; they may be mixed in one stream.
	{Name: "013/each", In: "data: lf\n\ndata: cr\r\rdata: crlf\r\n\r\n", Events: messages("lf", "cr", "crlf")},
	{Name: "013/wpt-format-newlines", In: "data:test\r\ndata\ndata:test\r\n\r", Events: messages("test\n\ntest")},
	{Name: "013/crlf-then-lf", In: "data: first\r\ndata: second\n\n", Events: messages("first\nsecond")},
	{Name: "013/lf-crlf-blank", In: "data: a\n\r\ndata: b\r\n\n", Events: messages("a", "b")},
	{Name: "013/mixed-blank", In: "data: a\r\n\rdata: b\n\r", Events: messages("a", "b")},
	// A CR and LF that arrive in different reads (TCP segments, chunks, TLS records) form one line end.
	{Name: "014/split-inside-crlf", In: "data: a\r\ndata: b\r\n\r\n", Events: messages("a\nb")},
	{Name: "014/ld-crlf-where-cr-ends-chunk", In: "data: Hello\r\ndata: World\r\n\r\ndata: OK\r\n\r\n", Events: messages("Hello\nWorld", "OK")},
	// A block terminated by CR CR is dispatched without waiting for a further byte.
	{Name: "015/cr-cr-then-silence", In: "data: x\r\r", Events: messages("x")},
	// No other character ends a line: VT, FF, FS, GS, RS, NEL (U+0085), LS (U+2028) and PS (U+2029) are data.
	{Name: "016/v1", In: "data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei\n\n", Events: messages("a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei")},
	{Name: "016/json-u2028", In: "data: {\"t\":\"Hello\u2028World\"}\n\n", Events: messages("{\"t\":\"Hello\u2028World\"}")},
	// One UTF-8 BOM at the very start of the stream is removed, also when split over reads; on every new connection again.
	{Name: "017/bom", In: "\ufeffdata: Hello\n\n", Events: messages("Hello")},
	{Name: "017/bom-comment", In: "\ufeff:comment\ndata: Hello\n\n", Events: messages("Hello")},
	{Name: "017/bom-blank", In: "\ufeff\n\ndata: x\n\n", Events: messages("x")},
	// A BOM anywhere else is an ordinary character: a second BOM, or one before a later field name, makes the field unknown; inside data it is kept.
	{Name: "018/wpt-format-bom", In: "\ufeffdata:1\n\n\ufeffdata:2\n\ndata:3\n\n", Events: messages("1", "3")},
	{Name: "018/wpt-format-bom-2", In: "\ufeff\ufeffdata:1\n\ndata:2\n\ndata:3\n\n", Events: messages("2", "3")},
	{Name: "018/ld-mid-stream", In: "data: First\n\ndata: \ufeffSecond\n\n", Events: messages("First", "\ufeffSecond")},
	// The stream is decoded as UTF-8 whatever the charset parameter says.
	{Name: "019/wpt-format-utf-8", In: "data:ok\u2026\n\n", Events: messages("ok\u2026")},
	// A multi-byte character split over reads is decoded as one character.
	{Name: "020/euro-cjk-emoji", In: "data: \u20ac\u8c46\u8150 \U0001f3e9\n\n", Events: messages("\u20ac\u8c46\u8150 \U0001f3e9")},
	// Invalid UTF-8 becomes U+FFFD (one per maximal subpart); it never swallows a following line end, kills the stream or drops the event.
	{Name: "021/ff", In: "data: a\xffb\n\ndata: next\n\n", Events: messages("a\ufffdb", "next")},
	{Name: "021/truncated-before-lf", In: "data: a\xe2\x82\n\ndata: next\n\n", Events: messages("a\ufffd", "next")},
	{Name: "021/truncated-4byte", In: "data: a\xf0\x9f\x92b\n\n", Events: messages("a\ufffdb")},
	{Name: "021/overlong", In: "data: \xc0\xaf\n\n", Events: messages("\ufffd\ufffd")},
	{Name: "021/surrogate", In: "data: \xed\xa0\x80\n\n", Events: messages("\ufffd\ufffd\ufffd")},
	{Name: "021/invalid-field-name", In: "\xff\ndata: x\n\n", Events: messages("x")},
	// U+0000 is allowed in data and comments and is preserved.
	{Name: "022/wpt-format-null-character", In: "data:\x00\n\n", Events: messages("\x00")},
	{Name: "022/v2", In: "data: a\x00b\n\n", Events: messages("a\x00b")},
	// A very long line is delivered intact (64 KiB-1, 64 KiB, 64 KiB+1, 1 MiB; 5 and 10 MiB as SHOULD).
	{Name: "023/line-65536-bytes", In: "data: " + xs[:65530] + "\n\n", Events: messages(xs[:65530])},
	{Name: "023/64KiB", In: "data: " + xs[:65536] + "\n\n", Events: messages(xs[:65536])},
	{Name: "023/1MiB", In: "data: " + xs[:1048576] + "\n\ndata: after\n\n", Events: messages(xs[:1048576], "after")},
	{Name: "023/ld-5MiB", In: "data: " + xs[:5242880] + "\n\n", Events: messages(xs[:5242880])},
	// Parsing is independent of how bytes are segmented: chunk, TCP and TLS record boundaries may fall anywhere.
	{Name: "025/ld-3-chunks-shared", In: "data: test" + "test\n\ndata:" + "test\n\n", Events: messages("testtest", "test")},
	// When the stream ends, an unterminated block is discarded: it is not dispatched and its id is not committed.
	{Name: "028/yaffle-eof", In: "data: data0"},
	{Name: "028/no-blank-line", In: "data: a\n\ndata: b\n", Events: messages("a")},
	{Name: "028/id-not-committed", In: "data: first\n\nid: 1\ndata: second", Events: messages("first")},
	{Name: "028/wpt-format-data-before-final-empty-line", In: "retry:1000\ndata:test1\n\nid:test\ndata:test2", Events: messages("test1"), Retry: 1000 * time.Millisecond},
	// An id field sets lastEventId of this and following events until changed.
	{Name: "030/wpt-format-field-id-3-persist", In: "id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n", Events: []Event{{"message", "1", "1"}, {"message", "2", "1"}, {"message", "3", "2"}, {"message", "4", "2"}}},
	// An empty id field (with or without colon) resets lastEventId to the empty string.
	{Name: "031/wpt-resets-1", In: "id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n", Events: []Event{{"message", "1", "1"}, {"message", "2", ""}, {"message", "3", ""}}},
	{Name: "031/wpt-resets-2", In: "id: 1\ndata: 1\n\nid\ndata:2\n\ndata:3\n\n", Events: []Event{{"message", "1", "1"}, {"message", "2", ""}, {"message", "3", ""}}},
	{Name: "031/html-example-four-blocks", In: ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", Events: []Event{{"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}},
	// An id field whose value contains U+0000 is ignored as a whole; the previous id stays.
	{Name: "032/ld-null", In: "id: a\x00bc\ndata: Hello\n\n", Events: messages("Hello")},
	{Name: "032/keeps-previous", In: "id: 1\ndata: a\n\nid: x\x00x\ndata: b\n\n", Events: []Event{{"message", "a", "1"}, {"message", "b", "1"}}},
	{Name: "032/wpt-format-field-id-null", In: "id:\x00\x00\ndata: hello\n\nid:x\x00\ndata: hello\n\nid:\x00x\ndata: hello\n\nid:  \x00\ndata: hello\n\n", Events: messages("hello", "hello", "hello", "hello")},
	// An id in a block without data takes effect at its blank line although no event is dispatched.
	{Name: "033/id-only-block", In: "id: 7\n\ndata: x\n\n", Events: []Event{{"message", "x", "7"}}},
	{Name: "033/id-only-tail", In: "data: a\n\nid: 9\n\n", Events: messages("a"), LastID: "9"},
	// Id values are opaque Unicode strings: "0", spaces, colons, quotes, emoji and 1 KiB strings are kept exactly.
	{Name: "034/zero-is-not-empty", In: "id: 0\ndata: x\n\n", Events: []Event{{"message", "x", "0"}}},
	{Name: "034/wpt-ellipsis", In: "id: \u2026\ndata: x\n\n", Events: []Event{{"message", "x", "\u2026"}}},
	{Name: "034/punctuation", In: "id:  a b:c\"#\ndata: x\n\n", Events: []Event{{"message", "x", " a b:c\"#"}}},
	{Name: "034/1KiB", In: "id: " + repeat("i", 1024) + "\ndata: x\n\n", Events: []Event{{"message", "x", repeat("i", 1024)}}},
	// retry is applied only when the value is one or more ASCII digits, read as decimal; anything else leaves the reconnection time unchanged.
	{Name: "035/wpt-leading-zero-decimal", In: "retry: 03000\ndata: x\n\n", Events: messages("x"), Retry: 3000 * time.Millisecond},
	{Name: "035/wpt-bogus", In: "retry:3000\nretry:1000x\ndata:x\n\n", Events: messages("x"), Retry: 3000 * time.Millisecond},
	{Name: "035/non-digits", In: "retry: 3000\nretry: -1\nretry: +7\nretry:  8\nretry: 9 \nretry: 1e3\nretry: 0x10\nretry: 1.5\nretry: \u0663\ndata: x\n\n", Events: messages("x"), Retry: 3000 * time.Millisecond},
	// A bare or empty retry field neither errors nor changes the reconnection time.
	{Name: "036/wpt-format-field-retry-empty", In: "retry\ndata:test\n\n", Events: messages("test")},
	{Name: "036/v2", In: "retry:\ndata:test\n\n", Events: messages("test")},
	// A retry value beyond any sane range (2^31, 2^63, 400 digits) neither crashes nor wraps to zero/negative/immediate reconnection.
	{Name: "037/2^31", In: "retry: 2147483648\ndata: x\n\n", Events: messages("x"), Retry: maxRetry},
	{Name: "037/2^63", In: "retry: 9223372036854775808\ndata: x\n\n", Events: messages("x"), Retry: maxRetry},
	{Name: "037/400-digits", In: "retry: " + repeat("9", 400) + "\ndata: x\n\n", Events: messages("x"), Retry: maxRetry},
	// retry takes effect when its line is read, also in a block that is never completed or has no data.
	{Name: "038/no-data", In: "retry: 2\n\n", Retry: 2 * time.Millisecond},
	{Name: "038/eof-before-blank", In: "retry: 2\n", Retry: 2 * time.Millisecond},
	// Events named open, error, message or close are delivered as server events and are not confused with the client's own lifecycle events.
	{Name: "039/yaffle-names", In: "data: a\n\nevent: open\ndata: b\n\nevent: message\ndata: c\n\nevent: error\ndata: d\n\nevent:\ndata: e\n\nevent: end\ndata: f\n\n", Events: []Event{{"message", "a", ""}, {"open", "b", ""}, {"message", "c", ""}, {"error", "d", ""}, {"message", "e", ""}, {"end", "f", ""}}},
	// Field-like text inside values is not interpreted.
	{Name: "040/v1", In: "data: id: 5\ndata: retry: 1\ndata: event: x\n\n", Events: messages("id: 5\nretry: 1\nevent: x")},
	// Comments can be observed by clients that expose them; the text excludes the leading colon.
	{Name: "041/ld-comment", In: ":Hello\n", Comments: []string{"Hello"}},
	// JSON, 4-byte characters and lone control characters (except CR/LF) in data arrive unchanged.
	{Name: "043/v1", In: "data: \x01\x02\x7f\u0080\U0010ffff\n\n", Events: messages("\x01\x02\x7f\u0080\U0010ffff")},
}

// Reconnections are streams that follow one another; only the last one's events are compared. Parser state never
// crosses a reconnection, the last event id does.
var Reconnections = []Sequence{
	{"ld-discard-partial", []string{"id: abc\ndata: Hello\n\nid: def\ndata: Good", "data: We meet again\n\n"}, []Event{{"message", "We meet again", "abc"}}},
	{"partial-line", []string{"da", "data: x\n\n"}, messages("x")},
	{"partial-utf8", []string{"data: \xe2\x82", "data: x\n\n"}, messages("x")},
	{"pending-cr-and-bom", []string{"data: y\r", "\n\ufeffdata: x\n\ndata: z\n\n"}, messages("z")},
	{"pending-cr", []string{"data: y\r", "\ndata: x\n\n"}, messages("x")},
}
