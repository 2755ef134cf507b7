package sse

import (
	"strings"
	"time"
)

// event is an Event as an application sees it: text, and type and id spelled out.
type event struct{ kind, data, id string }

// vector is a stream and what it means. Names begin with the number of the requirement in the catalogue
// (SSE-PARSE-nnn).
type vector struct {
	name     string
	in       string
	events   []event
	retry    time.Duration // the last reported; 0 means none
	comments []string      // compared unless nil
	lastID   string        // at the end, when it is not that of the last event
}

func messages(data ...string) []event {
	events := make([]event, len(data))
	for i, d := range data {
		events[i] = event{"message", d, ""}
	}
	return events
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

var vectors = []vector{
	// A single data line followed by a blank line dispatches one event of type "message".
	{name: "001/v1", in: "data: Hello\n\n", events: messages("Hello")},
	// Several data fields in one block are joined with U+000A, and exactly one trailing U+000A is removed.
	{name: "002/html-example-stocks", in: "data: YHOO\ndata: +2\ndata: 10\n\n", events: messages("YHOO\n+2\n10")},
	{name: "002/wpt-message2", in: "data:msg\ndata: msg\n\n", events: messages("msg\nmsg")},
	{name: "002/trailing-empty-line-kept", in: "data: a\ndata:\n\n", events: messages("a\n")},
	{name: "002/three-empty", in: "data:\ndata:\ndata:\n\n", events: messages("\n\n")},
	// A line with a field name and no colon is processed as that field with an empty value; an empty data field still dispatches (data buffer is "\n", not empty).
	{name: "003/bare-data", in: "data\n\n", events: messages("")},
	{name: "003/wpt-format-field-data", in: "data:\n\ndata\ndata\n\ndata:test\n\n", events: messages("", "\n", "test")},
	{name: "003/html-example-empty", in: "data\n\ndata\ndata\n\ndata:", events: messages("", "\n")},
	// Exactly one U+0020 after the colon is removed; further spaces and tabs are data.
	{name: "004/html-example-space", in: "data:test\n\ndata: test\n\n", events: messages("test", "test")},
	{name: "004/wpt-format-leading-space", in: "data:\ttest\rdata: \ndata:test\n\n", events: messages("\ttest\n\ntest")},
	{name: "004/ld-extra-space", in: "event:  greeting\ndata:  Hello\n\n", events: []event{{" greeting", " Hello", ""}}},
	{name: "004/nbsp-is-not-space", in: "data:\u00a0x\n\n", events: messages("\u00a0x")},
	// Only the first colon splits name from value.
	{name: "005/v1", in: "data: a:b::c\n\n", events: messages("a:b::c")},
	{name: "005/v2", in: "data::x\n\n", events: messages(":x")},
	{name: "005/v3", in: "data: {\"u\":\"https://e.x/?a=1\"}\n\n", events: messages("{\"u\":\"https://e.x/?a=1\"}")},
	// Lines starting with a colon are comments, are ignored at any position, and never end or split an event.
	{name: "006/comment-block", in: ": test stream\n\ndata: first\n\n", events: messages("first")},
	{name: "006/wpt-format-comments-shortened", in: "data:1\r:\x00\n:\r\ndata:2\n:xxxxxxxx\rdata:3\n:data:fail\r:yyyy\ndata:4\n\n", events: messages("1\n2\n3\n4")},
	{name: "006/comment-2KiB", in: "data:1\n:" + repeat("x", 2049) + "\rdata:2\n\n", events: messages("1\n2")},
	{name: "006/empty-comments", in: ":\n:\n::\n\ndata: x\n\n", events: messages("x")},
	// A block without any data field dispatches nothing (comment-only, id-only, retry-only, event-only, blank lines).
	{name: "007/leading-blank-lines", in: "\n\n\n\ndata: x\n\n", events: messages("x")},
	{name: "007/extra-blank-lines", in: "data: event 1\n\n\n\ndata: event 2\n\n", events: messages("event 1", "event 2")},
	{name: "007/comment-after-sticky-id", in: "id: 1\ndata: a\n\n: ping\n\nid: 2\ndata: b\n\n", events: []event{{"message", "a", "1"}, {"message", "b", "2"}}},
	{name: "007/event-only-then-retry-only", in: "event: foo\n\nretry: 5000\n\ndata: x\n\n", events: messages("x"), retry: 5000 * time.Millisecond},
	// The event type buffer is reset after every blank line, also when nothing was dispatched.
	{name: "008/wpt-format-field-event", in: "event:test\ndata:x\n\ndata:x\n\n", events: []event{{"test", "x", ""}, {"message", "x", ""}}},
	{name: "008/type-does-not-leak-over-empty-block", in: "event: foo\n\ndata: x\n\n", events: messages("x")},
	// An empty event field means type "message".
	{name: "009/wpt-format-field-event-empty", in: "event: \ndata:data\n\n", events: messages("data")},
	{name: "009/v2", in: "event\ndata:x\n\n", events: messages("x")},
	{name: "009/reset-inside-block", in: "event: a\nevent:\ndata: x\n\n", events: messages("x")},
	// When event or id occurs more than once in a block the last value wins.
	{name: "010/v1", in: "event: a\nevent: b\nid: 1\nid: 2\ndata: x\n\n", events: []event{{"b", "x", "2"}}},
	// Field order inside a block is irrelevant.
	{name: "011/v1", in: "data: Hello\nid: abc\nevent: greeting\n\n", events: []event{{"greeting", "Hello", "abc"}}},
	// Field names are compared literally: no case folding, no trimming; unknown names are ignored without affecting the event.
	{name: "012/v1", in: "Data: no\nDATA: no\ndata : no\n data: no\ndata-x: no\ndata_5\nfoobar:xxx\njustsometext\ndata: yes\n\n", events: messages("yes")},
	{name: "012/wpt-format-field-parsing", in: "data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n", events: messages("\x00\n 2\n1\n3\n\n4")},
	{name: "012/wpt-format-field-unknown", in: "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n", events: messages("test\n\ntest")},
	{name: "012/wpt-message2-tail", in: "falsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n", events: messages("", "end")},
	// LF, CR and CRLF each end a line; they may be mixed in one stream.
	{name: "013/each", in: "data: lf\n\ndata: cr\r\rdata: crlf\r\n\r\n", events: messages("lf", "cr", "crlf")},
	{name: "013/wpt-format-newlines", in: "data:test\r\ndata\ndata:test\r\n\r", events: messages("test\n\ntest")},
	{name: "013/crlf-then-lf", in: "data: first\r\ndata: second\n\n", events: messages("first\nsecond")},
	{name: "013/lf-crlf-blank", in: "data: a\n\r\ndata: b\r\n\n", events: messages("a", "b")},
	{name: "013/mixed-blank", in: "data: a\r\n\rdata: b\n\r", events: messages("a", "b")},
	// A CR and LF that arrive in different reads (TCP segments, chunks, TLS records) form one line end.
	{name: "014/split-inside-crlf", in: "data: a\r\ndata: b\r\n\r\n", events: messages("a\nb")},
	{name: "014/ld-crlf-where-cr-ends-chunk", in: "data: Hello\r\ndata: World\r\n\r\ndata: OK\r\n\r\n", events: messages("Hello\nWorld", "OK")},
	// A block terminated by CR CR is dispatched without waiting for a further byte.
	{name: "015/cr-cr-then-silence", in: "data: x\r\r", events: messages("x")},
	// No other character ends a line: VT, FF, FS, GS, RS, NEL (U+0085), LS (U+2028) and PS (U+2029) are data.
	{name: "016/v1", in: "data: a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei\n\n", events: messages("a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg\x1dh\x1ei")},
	{name: "016/json-u2028", in: "data: {\"t\":\"Hello\u2028World\"}\n\n", events: messages("{\"t\":\"Hello\u2028World\"}")},
	// One UTF-8 BOM at the very start of the stream is removed, also when split over reads; on every new connection again.
	{name: "017/bom", in: "\ufeffdata: Hello\n\n", events: messages("Hello")},
	{name: "017/bom-comment", in: "\ufeff:comment\ndata: Hello\n\n", events: messages("Hello")},
	{name: "017/bom-blank", in: "\ufeff\n\ndata: x\n\n", events: messages("x")},
	// A BOM anywhere else is an ordinary character: a second BOM, or one before a later field name, makes the field unknown; inside data it is kept.
	{name: "018/wpt-format-bom", in: "\ufeffdata:1\n\n\ufeffdata:2\n\ndata:3\n\n", events: messages("1", "3")},
	{name: "018/wpt-format-bom-2", in: "\ufeff\ufeffdata:1\n\ndata:2\n\ndata:3\n\n", events: messages("2", "3")},
	{name: "018/ld-mid-stream", in: "data: First\n\ndata: \ufeffSecond\n\n", events: messages("First", "\ufeffSecond")},
	// The stream is decoded as UTF-8 whatever the charset parameter says.
	{name: "019/wpt-format-utf-8", in: "data:ok\u2026\n\n", events: messages("ok\u2026")},
	// A multi-byte character split over reads is decoded as one character.
	{name: "020/euro-cjk-emoji", in: "data: \u20ac\u8c46\u8150 \U0001f3e9\n\n", events: messages("\u20ac\u8c46\u8150 \U0001f3e9")},
	// Invalid UTF-8 becomes U+FFFD (one per maximal subpart); it never swallows a following line end, kills the stream or drops the event.
	{name: "021/ff", in: "data: a\xffb\n\ndata: next\n\n", events: messages("a\ufffdb", "next")},
	{name: "021/truncated-before-lf", in: "data: a\xe2\x82\n\ndata: next\n\n", events: messages("a\ufffd", "next")},
	{name: "021/truncated-4byte", in: "data: a\xf0\x9f\x92b\n\n", events: messages("a\ufffdb")},
	{name: "021/overlong", in: "data: \xc0\xaf\n\n", events: messages("\ufffd\ufffd")},
	{name: "021/surrogate", in: "data: \xed\xa0\x80\n\n", events: messages("\ufffd\ufffd\ufffd")},
	{name: "021/invalid-field-name", in: "\xff\ndata: x\n\n", events: messages("x")},
	// U+0000 is allowed in data and comments and is preserved.
	{name: "022/wpt-format-null-character", in: "data:\x00\n\n", events: messages("\x00")},
	{name: "022/v2", in: "data: a\x00b\n\n", events: messages("a\x00b")},
	// A very long line is delivered intact (64 KiB-1, 64 KiB, 64 KiB+1, 1 MiB; 5 and 10 MiB as SHOULD).
	{name: "023/line-65536-bytes", in: "data: " + repeat("x", 65530) + "\n\n", events: messages(repeat("x", 65530))},
	{name: "023/64KiB", in: "data: " + repeat("x", 65536) + "\n\n", events: messages(repeat("x", 65536))},
	{name: "023/1MiB", in: "data: " + repeat("x", 1048576) + "\n\ndata: after\n\n", events: messages(repeat("x", 1048576), "after")},
	{name: "023/ld-5MiB", in: "data: " + repeat("x", 5242880) + "\n\n", events: messages(repeat("x", 5242880))},
	// Parsing is independent of how bytes are segmented: chunk, TCP and TLS record boundaries may fall anywhere.
	{name: "025/ld-3-chunks-shared", in: "data: test" + "test\n\ndata:" + "test\n\n", events: messages("testtest", "test")},
	// When the stream ends, an unterminated block is discarded: it is not dispatched and its id is not committed.
	{name: "028/yaffle-eof", in: "data: data0"},
	{name: "028/no-blank-line", in: "data: a\n\ndata: b\n", events: messages("a")},
	{name: "028/id-not-committed", in: "data: first\n\nid: 1\ndata: second", events: messages("first")},
	{name: "028/wpt-format-data-before-final-empty-line", in: "retry:1000\ndata:test1\n\nid:test\ndata:test2", events: messages("test1"), retry: 1000 * time.Millisecond},
	// An id field sets lastEventId of this and following events until changed.
	{name: "030/wpt-format-field-id-3-persist", in: "id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n", events: []event{{"message", "1", "1"}, {"message", "2", "1"}, {"message", "3", "2"}, {"message", "4", "2"}}},
	// An empty id field (with or without colon) resets lastEventId to the empty string.
	{name: "031/wpt-resets-1", in: "id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n", events: []event{{"message", "1", "1"}, {"message", "2", ""}, {"message", "3", ""}}},
	{name: "031/wpt-resets-2", in: "id: 1\ndata: 1\n\nid\ndata:2\n\ndata:3\n\n", events: []event{{"message", "1", "1"}, {"message", "2", ""}, {"message", "3", ""}}},
	{name: "031/html-example-four-blocks", in: ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", events: []event{{"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}},
	// An id field whose value contains U+0000 is ignored as a whole; the previous id stays.
	{name: "032/ld-null", in: "id: a\x00bc\ndata: Hello\n\n", events: messages("Hello")},
	{name: "032/keeps-previous", in: "id: 1\ndata: a\n\nid: x\x00x\ndata: b\n\n", events: []event{{"message", "a", "1"}, {"message", "b", "1"}}},
	{name: "032/wpt-format-field-id-null", in: "id:\x00\x00\ndata: hello\n\nid:x\x00\ndata: hello\n\nid:\x00x\ndata: hello\n\nid:  \x00\ndata: hello\n\n", events: messages("hello", "hello", "hello", "hello")},
	// An id in a block without data takes effect at its blank line although no event is dispatched.
	{name: "033/id-only-block", in: "id: 7\n\ndata: x\n\n", events: []event{{"message", "x", "7"}}},
	{name: "033/id-only-tail", in: "data: a\n\nid: 9\n\n", events: messages("a"), lastID: "9"},
	// Id values are opaque Unicode strings: "0", spaces, colons, quotes, emoji and 1 KiB strings are kept exactly.
	{name: "034/zero-is-not-empty", in: "id: 0\ndata: x\n\n", events: []event{{"message", "x", "0"}}},
	{name: "034/wpt-ellipsis", in: "id: \u2026\ndata: x\n\n", events: []event{{"message", "x", "\u2026"}}},
	{name: "034/punctuation", in: "id:  a b:c\"#\ndata: x\n\n", events: []event{{"message", "x", " a b:c\"#"}}},
	{name: "034/1KiB", in: "id: " + repeat("i", 1024) + "\ndata: x\n\n", events: []event{{"message", "x", repeat("i", 1024)}}},
	// retry is applied only when the value is one or more ASCII digits, read as decimal; anything else leaves the reconnection time unchanged.
	{name: "035/wpt-leading-zero-decimal", in: "retry: 03000\ndata: x\n\n", events: messages("x"), retry: 3000 * time.Millisecond},
	{name: "035/wpt-bogus", in: "retry:3000\nretry:1000x\ndata:x\n\n", events: messages("x"), retry: 3000 * time.Millisecond},
	{name: "035/non-digits", in: "retry: 3000\nretry: -1\nretry: +7\nretry:  8\nretry: 9 \nretry: 1e3\nretry: 0x10\nretry: 1.5\nretry: \u0663\ndata: x\n\n", events: messages("x"), retry: 3000 * time.Millisecond},
	// A bare or empty retry field neither errors nor changes the reconnection time.
	{name: "036/wpt-format-field-retry-empty", in: "retry\ndata:test\n\n", events: messages("test")},
	{name: "036/v2", in: "retry:\ndata:test\n\n", events: messages("test")},
	// A retry value beyond any sane range (2^31, 2^63, 400 digits) neither crashes nor wraps to zero/negative/immediate reconnection.
	{name: "037/2^31", in: "retry: 2147483648\ndata: x\n\n", events: messages("x"), retry: MaxRetry},
	{name: "037/2^63", in: "retry: 9223372036854775808\ndata: x\n\n", events: messages("x"), retry: MaxRetry},
	{name: "037/400-digits", in: "retry: " + repeat("9", 400) + "\ndata: x\n\n", events: messages("x"), retry: MaxRetry},
	// retry takes effect when its line is read, also in a block that is never completed or has no data.
	{name: "038/no-data", in: "retry: 2\n\n", retry: 2 * time.Millisecond},
	{name: "038/eof-before-blank", in: "retry: 2\n", retry: 2 * time.Millisecond},
	// Events named open, error, message or close are delivered as server events and are not confused with the client's own lifecycle events.
	{name: "039/yaffle-names", in: "data: a\n\nevent: open\ndata: b\n\nevent: message\ndata: c\n\nevent: error\ndata: d\n\nevent:\ndata: e\n\nevent: end\ndata: f\n\n", events: []event{{"message", "a", ""}, {"open", "b", ""}, {"message", "c", ""}, {"error", "d", ""}, {"message", "e", ""}, {"end", "f", ""}}},
	// Field-like text inside values is not interpreted.
	{name: "040/v1", in: "data: id: 5\ndata: retry: 1\ndata: event: x\n\n", events: messages("id: 5\nretry: 1\nevent: x")},
	// Comments can be observed by clients that expose them; the text excludes the leading colon.
	{name: "041/ld-comment", in: ":Hello\n", comments: []string{"Hello"}},
	// JSON, 4-byte characters and lone control characters (except CR/LF) in data arrive unchanged.
	{name: "043/v1", in: "data: \x01\x02\x7f\u0080\U0010ffff\n\n", events: messages("\x01\x02\x7f\u0080\U0010ffff")},
}

// reconnections are streams that follow one another; only the last one's events are compared. Parser state never
// crosses a reconnection, the last event id does.
var reconnections = []struct {
	name   string
	conns  []string
	events []event
}{
	{"ld-discard-partial", []string{"id: abc\ndata: Hello\n\nid: def\ndata: Good", "data: We meet again\n\n"}, []event{{"message", "We meet again", "abc"}}},
	{"partial-line", []string{"da", "data: x\n\n"}, messages("x")},
	{"partial-utf8", []string{"data: \xe2\x82", "data: x\n\n"}, messages("x")},
	{"pending-cr-and-bom", []string{"data: y\r", "\n\ufeffdata: x\n\ndata: z\n\n"}, messages("z")},
	{"pending-cr", []string{"data: y\r", "\ndata: x\n\n"}, messages("x")},
}
