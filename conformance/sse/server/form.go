package server

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// formCases are those of the area FORM: the bytes of a stream.
var formCases = []Case{
	{Requirement: "SSE-FORM-001", Run: everyByteIsUTF8},
	{Requirement: "SSE-FORM-002", On: openStream, Run: blankLineComesWithItsEvent},
	{Requirement: "SSE-FORM-003", Turn: provoking, Run: lineBreaksBecomeDataLines},
	{Requirement: "SSE-FORM-004", Turn: provoking, Run: fieldsInjectNothing},
	{Requirement: "SSE-FORM-005", Run: leadingSpaceIsKept},
	{Requirement: "SSE-FORM-006", Run: trailingLineBreaksAreKept},
	{Requirement: "SSE-FORM-007", Turn: provoking, Run: emptyPayloadIsNotLost},
	{Requirement: "SSE-FORM-008", Turn: provoking, Run: unusualCharactersAreNoLineBreaks},
	{Requirement: "SSE-FORM-009", Run: idAndRetryAreWellFormed},
	{Requirement: "SSE-FORM-010", Run: onlyKnownFieldsAreSent},
	{Requirement: "SSE-FORM-011", Run: byteOrderMarkOnlyAtTheStart},
	{Requirement: "SSE-FORM-012", Turn: demanding, Run: eventsAreWrittenWhole},
	{Requirement: "SSE-FORM-013", Turn: demanding, Run: replayableEventsHaveIDs},
	{Requirement: "SSE-FORM-014", Turn: demanding, Run: idsNameOneEvent},
	{Requirement: "SSE-FORM-015", Run: idsSurviveAHeader},
	{Requirement: "SSE-FORM-016", Turn: waiting, Run: retryIsSensible},
	{Requirement: "SSE-FORM-017", Run: emptyIDIsWritten},
	{Requirement: "SSE-FORM-018", Run: signalsHaveNoIDs},
	{Requirement: "SSE-FORM-019", Run: greetingComesFirst},
}

// "Every byte sent is valid UTF-8."
func everyByteIsUTF8(t *Trial) {
	bytes := 0
	for _, p := range captures(t) {
		body := p.Body()
		if !utf8.Valid(body) {
			at := invalidUTF8(body)
			t.Fail("valid UTF-8", fmt.Sprintf("byte %d of the body begins no valid sequence: %s", at, sse.Escape(body[at:min(at+8, len(body))])), p.EvidenceFrom(at))
		}
		bytes += len(body)
	}
	t.Count(bytes)
	t.Pass(fmt.Sprintf("%s, all of them valid UTF-8", conformance.Plural(bytes, "byte")))
}

// wholeUTF8 says whether a body, of which the ends may be cut, is valid UTF-8.
func wholeUTF8(body []byte) bool {
	const most = utf8.UTFMax - 1
	for range most {
		if len(body) > 0 && !utf8.RuneStart(body[0]) {
			body = body[1:]
		}
	}
	for cut := range min(most, len(body)) + 1 {
		if utf8.Valid(body[:len(body)-cut]) {
			return true
		}
	}
	return false
}

func invalidUTF8(body []byte) (at int) {
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return 0
}

// "Every event ends with a blank line that is sent together with it."
//
// A message is published and nothing after it until it was dispatched, so that a server which ends an event when the next one comes is
// found whatever the clock says.
func blankLineComesWithItsEvent(t *Trial) {
	const samples = 5
	if t.Subject.Publish == nil {
		p := capture(t)
		judgeBlankLines(t, p, 1)
		return
	}
	p := t.Subscribe([]string{t.Stream()})
	for range samples {
		marker := t.Unique()
		t.Send(p.Streams[0], marker)
		if t.Await(p, "an event is awaited", func(r *Record) bool { return r.contains(marker) }) {
			continue
		}
		const expected = "each event with its blank line, without another event behind it"
		if strings.Contains(string(p.Body()), marker) {
			t.Absent(expected, fmt.Sprintf("the lines of an event came, its blank line did not within %v", t.arrival), p.Evidence())
		}
		t.Send(p.Streams[0], t.Unique())
		if t.Await(p, "an event is awaited", func(r *Record) bool { return strings.Contains(string(r.Body()), marker) }) {
			t.Absent(expected, "an event came only when the next one was published", p.Evidence())
		}
		silent(t, p)
	}
	judgeBlankLines(t, p, samples)
}

// judgeBlankLines compares when the last line of each event came with when its blank line did. Most events must be late for a verdict:
// one can be by chance.
func judgeBlankLines(t *Trial, p *Tap, least int) {
	within := t.Duration("within")
	var late, all int
	var worst time.Duration
	var last Field
	for _, f := range p.Fields() {
		switch {
		case f.Blank && last.Name == "data":
			all++
			if delay := f.At.Sub(last.At); delay > within {
				late++
				worst = max(worst, delay)
			}
			last = Field{}
		case f.Blank:
			last = Field{}
		case !f.Comment && (f.Name == "data" || last.Name == "data"):
			last = f
			last.Name = "data"
		}
	}
	t.Count(all)
	if all < least {
		t.Skip("%s came while the stream was watched: describe publish in a target file, and there is something to judge", conformance.Plural(all, "event"))
	}
	if 2*late > all {
		t.Late(worst-within, fmt.Sprintf("the blank line within %v of its event", within), fmt.Sprintf("the blank line of %d of %s came late, by up to %v", late, conformance.Plural(all, "event"), worst.Round(time.Millisecond)), p.Evidence())
	}
	t.Pass(fmt.Sprintf("%s came with their blank lines", conformance.Plural(all, "event")))
}

// "Line breaks inside data (LF, CR, CRLF) become separate data lines; nothing after them is read as a field."
func lineBreaksBecomeDataLines(t *Trial) {
	arriveUnchanged(t,
		"a-{U}\nb",
		"a-{U}\rb",
		"a-{U}\r\nb",
		"x-{U}\n\nevent: admin-{U}\nid: 999-{U}\ndata: pwned-{U}\n\nend",
		"x-{U}\rid: 999-{U}\rretry: 54321",
		"x-{U}\r\rdata: pwned-{U}\r\rend",
	)
}

// "CR, LF and NUL in an id, event type, retry or comment that a publisher controls are rejected or neutralised; they never make fields or
// events."
func fieldsInjectNothing(t *Trial) {
	if !t.Subject.Types && !t.Subject.IDs {
		t.Skip("a publisher of this target controls nothing but the data: there is no {{.Type}} and no {{.ID}} in its publish request")
	}
	p := t.Subscribe([]string{t.Stream()})
	tried := 0
	for _, form := range []string{"t-{U}\ndata: y-{U}", "t-{U}\rid: 7-{U}", "t-{U}\r\nretry: 54321", "t-{U}\n\ndata: z-{U}\n\n", "t-{U}\x00"} {
		u := t.Unique()
		field := strings.ReplaceAll(form, "{U}", u)
		if t.Subject.Types {
			tried++
			injects(t, p, Message{Type: field, Data: "payload-" + u}, u)
		}
		if t.Subject.IDs {
			tried++
			injects(t, p, Message{ID: &field, Data: "payload-" + u}, u)
		}
	}
	p.Look(func(r *Record) {
		if slices.Contains(r.Retries, 54321*time.Millisecond) {
			t.Deviation("no field of the publisher's making", "a publisher set the reconnection time through an event type or an id")
		}
	})
	t.Count(tried)
	t.Conclude(fmt.Sprintf("%d event types and ids with line breaks or NUL were rejected or neutralised", tried))
}

// injects notes when a message became anything but one event with its data. An id may come as far as its first line.
func injects(t *Trial, p *Tap, m Message, unique string) {
	delivered(t, p, m, func(events []Event, offset int) {
		between := events
		events = concerning(t, slices.Clone(events), unique, m.Data)
		made := len(events) != 1 || !carries(events[0].Data, m.Data)
		if !made && m.ID == nil {
			made = strings.Contains(events[0].ID, unique)
		}
		if !made && m.ID != nil {
			made = strings.Contains(events[0].Type, unique) || strings.Contains(events[0].ID, "\x00")
		}
		gave := describe(events)
		if len(events) == 0 {
			gave = t.instead(p, offset, m.Data, between)
		}
		if made {
			t.Deviation("a rejection with 4xx, or one event with the data "+sse.Escape([]byte(m.Data)),
				"a publish of "+m.describe()+" gave "+gave, p.EvidenceFrom(offset))
		}
	})
}

// "A payload (or payload line) that begins with a space or tab keeps it."
func leadingSpaceIsKept(t *Trial) {
	arriveUnchanged(t, " lead-{U}", "  two-{U}", "a-{U}\n  b", "\tx-{U}")
}

// "A payload ending in line breaks keeps them (an extra empty data line is written)."
func trailingLineBreaksAreKept(t *Trial) { arriveUnchanged(t, "x-{U}\n", "x-{U}\n\n", "\n") }

// "An empty payload is either delivered as an event with empty data or rejected; it is not silently lost."
func emptyPayloadIsNotLost(t *Trial) {
	p := t.Subscribe([]string{t.Stream()})
	r := delivered(t, p, Message{}, func(events []Event, offset int) {
		if !slices.ContainsFunc(events, func(e Event) bool { return carries(e.Data, "") }) {
			t.Fail("an event with empty data, or a rejection", "an acknowledged empty payload gave "+t.instead(p, offset, "", events), p.EvidenceFrom(offset))
		}
	})
	if r.Acceptance == Rejected {
		t.Pass(fmt.Sprintf("rejected with status %d", r.Status))
	}
	t.Pass("an event with empty data")
}

// "U+0085, U+2028, U+2029, VT, FF and U+0000 in payloads arrive unchanged (not used as line breaks)."
func unusualCharactersAreNoLineBreaks(t *Trial) {
	arriveUnchanged(t, "a-{U}\u0085b", "a-{U}\u2028b", "a-{U}\u2029b", "a-{U}\vb", "a-{U}\fb", "a-{U}\x00b", "a-{U}\x1cb\x1db\x1eb", "{\"e\":\"\U0001f3e9-{U}\"}")
}

// "Ids sent contain no NUL, CR or LF; retry values are ASCII digits."
func idAndRetryAreWellFormed(t *Trial) {
	judged := 0
	for _, p := range captures(t) {
		for _, f := range p.Fields() {
			switch {
			case f.Comment:
			case f.Name == "id":
				judged++
				if strings.Contains(f.Value, "\x00") {
					t.Deviation("ids without NUL", "the id "+sse.Escape([]byte(f.Value)), p.EvidenceFrom(f.Offset))
				}
			case f.Name == "retry":
				judged++
				if f.Value == "" || strings.Trim(f.Value, "0123456789") != "" {
					t.Deviation("retry values of ASCII digits", "retry is "+sse.Escape([]byte(f.Value)), p.EvidenceFrom(f.Offset))
				}
			}
		}
	}
	if judged == 0 {
		t.Info("neither ids nor retry values were sent")
	}
	t.Count(judged)
	t.Conclude(fmt.Sprintf("%d ids and retry values are well-formed", judged))
}

// "Only field names data, event, id, retry and comments are used."
func onlyKnownFieldsAreSent(t *Trial) {
	known := []string{"data", "event", "id", "retry"}
	unknown, lines := map[string]bool{}, 0
	for _, p := range captures(t) {
		fields := p.Fields()
		for _, f := range fields {
			if f.Blank || f.Comment || slices.Contains(known, f.Name) || unknown[f.Name] {
				continue
			}
			unknown[f.Name] = true
			t.Deviation("no other fields than data, event, id and retry", "the field "+sse.Escape([]byte(f.Name)), p.EvidenceFrom(f.Offset))
		}
		lines += len(fields)
	}
	t.Count(lines)
	t.Conclude(fmt.Sprintf("%s, none with an unknown field", conformance.Plural(lines, "line")))
}

// "A BOM appears at most once, at the very start."
func byteOrderMarkOnlyAtTheStart(t *Trial) {
	lines := 0
	for _, p := range captures(t) {
		fields := p.Fields()
		for _, f := range fields {
			if strings.HasPrefix(f.Name, byteOrderMark) {
				t.Fail("a byte order mark at the very start or nowhere", fmt.Sprintf("the line at byte %d of the body begins with one", f.Offset), p.EvidenceFrom(f.Offset))
			}
		}
		lines += len(fields)
	}
	t.Count(lines)
	t.Pass(fmt.Sprintf("none of %d lines begins with one, but at the start of a stream", lines))
}

// "What a server that claims resume sends of its own (a greeting, a ping, a sign of a hole) has no id, because nobody can resume from it."
func signalsHaveNoIDs(t *Trial) {
	p, signals := signals(t)
	if len(signals) == 0 {
		t.Skip("nothing came but what was published")
	}
	for _, e := range signals {
		if e.HasID {
			t.Deviation("no id on what cannot be replayed", "a signal of type "+e.Type+" has the id "+sse.Escape([]byte(e.ID)), p.Evidence())
		}
	}
	t.Count(len(signals))
	t.Conclude(fmt.Sprintf("%d signals, none with an id", len(signals)))
}

// "A greeting that is declared is the first event of each connection, also of one that resumes."
func greetingComesFirst(t *Trial) {
	greeting := t.Subject.Greeting
	if greeting == "" {
		t.Skip("no greeting is declared: name the type of a connection's first event in the target file, if it has one")
	}
	f := t.follower([]string{t.Stream()})
	for visit, what := range []string{"a new connection", "a connection that resumed"} {
		if !f.open() {
			t.interrupted()
			t.Unknown("no stream could be opened: %s", f.refused)
		}
		p := f.tap()
		if t.Subject.Publish != nil {
			t.Fence(p) // the greeting comes before it, or not at all
		}
		t.Await(p, "the first event is awaited", func(r *Record) bool { return len(r.Events) > 0 })
		t.Count(1)
		events := slices.DeleteFunc(p.Events(), t.primed)
		if len(events) == 0 || events[0].Type != greeting || t.ours(events[0]) {
			t.Deviation("an event of type "+greeting+" first", what+" began with "+describe(events[:min(1, len(events))]), p.Evidence())
		}
		f.leave()
		if visit == 0 && (f.position == "" || !t.claimsResume()) {
			break
		}
	}
	t.Conclude("each connection began with an event of type " + greeting)
}

// signals is what the target sent on its own while ten events were published. An id that came in a block before an event is its own as well.
func signals(t *Trial) (p *Tap, own []Event) {
	if !t.Subject.Can("resume") {
		t.Skip("the target does not claim resume: add it to its capabilities if it can")
	}
	const n = 10
	p = t.Subscribe([]string{t.Stream()})
	for range n {
		t.Send(p.Streams[0], t.Unique())
	}
	if _, ok := t.Fence(p); !ok {
		silent(t, p)
	}
	for _, e := range p.Events() {
		if !t.primed(e) && (t.signal(e) || e.Type != "message" && !t.ours(e)) { // a target file need not name all of them
			own = append(own, e)
		}
	}
	return p, own
}

// "Generated ids survive a header round trip: visible ASCII (or UTF-8), no edge spaces, <= 512 bytes."
func idsSurviveAHeader(t *Trial) {
	judged := 0
	for _, p := range captures(t) {
		for _, e := range p.Events() {
			if e.ID == "" {
				continue
			}
			judged++
			printable := strings.IndexFunc(e.ID, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }) < 0
			if !printable || strings.TrimSpace(e.ID) != e.ID || len(e.ID) > 512 {
				t.Deviation("ids of at most 512 visible characters without spaces at their ends", "the id "+sse.Escape([]byte(e.ID)), p.EvidenceFrom(0))
			}
		}
	}
	if judged == 0 {
		t.Info("no ids were sent")
	}
	t.Count(judged)
	t.Conclude(fmt.Sprintf("%s can be sent back in a header", conformance.Plural(judged, "id")))
}
