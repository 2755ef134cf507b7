package server

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/streamgauge/streamgauge/conformance"
)

// cutting is a piece of a stream that is sent in two, cut at one place, and what must come of it.
type cutting struct {
	text string
	at   []int  // where it is cut
	name string // of the place
	want Event
}

// "Characters of several bytes come whole, wherever the origin's segments cut them."
//
// All is sent piece by piece, each when the one before it has come, over one stream, and compared when that is over: how fast it comes is for
// other cases.
func gatewayKeepsCharactersWhole(t *Trial) {
	t.keepsWhole("cut", append([]cutting{cutMark()}, everyCut()...))
	t.keepsWhole("sent in blocks", blocks())
	t.Conclude("every character came whole, wherever it was cut")
}

func (t *Trial) keepsWhole(how string, cuttings []cutting) {
	p := t.Through()
	u := p.Upstream()
	defer p.End(u)
	t.originSent(u.Answer(http.StatusOK, typeField, noStoreField, chunkedField))
	wait := pieceApart
	for _, c := range cuttings {
		from := 0
		for _, at := range append(slices.Clone(c.at), len(c.text)) {
			t.Allow(pieceApart)
			if _, came := p.Relay(u, c.text[from:at], wait); !came {
				wait = max(wait/2, time.Millisecond) // it waits for more, and would do so each time
			}
			from = at
		}
	}
	u.Finish()
	tap := p.whole()
	t.Sample(len(cuttings), "cut")
	var first, names []string
	looked := 0
	for i, c := range cuttings {
		looked++
		expected, actual := c.compare(i, tap.Events())
		if actual == "" {
			continue
		}
		if names = append(names, c.name); first == nil {
			first = []string{expected, actual}
		}
		if actual == noEvent {
			break // what follows may suffer from the same
		}
	}
	if first == nil {
		return
	}
	t.Deviation(fmt.Sprintf("%s: %s", names[0], first[0]),
		fmt.Sprintf("%s: %s; of the first %s %s, %d came changed: %s", names[0], first[1], conformance.Plural(looked, "event"), how, len(names), listed5(names)), tap.Head())
}

const noEvent = "no such event"

// pieceApart is how long a piece gets to come before the next one is sent.
const pieceApart = 100 * time.Millisecond

// listed5 joins the first of many names.
func listed5(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], "; ") + "; …"
	}
	return strings.Join(names, "; ")
}

// compare says what came instead of event i; "" for the one that was sent.
func (c *cutting) compare(i int, events []Event) (expected, actual string) {
	mine := numbered(i)
	at := slices.IndexFunc(events, func(e Event) bool { return strings.HasPrefix(e.Data, mine) })
	if at < 0 {
		return "an event with the data " + strconv.Quote(tailOf(c.want.Data)), noEvent
	}
	for _, field := range [...]struct{ name, sent, got string }{
		{"data", c.want.Data, events[at].Data}, {"type", c.want.Type, events[at].Type}, {"id", c.want.ID, events[at].ID},
	} {
		if field.sent != field.got {
			expected, actual = difference(field.sent, field.got)
			return field.name + " " + expected, field.name + " " + actual
		}
	}
	return "", ""
}

// numbered begins the data of event i.
func numbered(i int) string { return fmt.Sprintf("%03d ", i) }

// sampleEvent is an event with characters of two, three and four bytes in all its fields.
func sampleEvent(i int) cutting {
	want := Event{Type: "größe", ID: "ü€" + strconv.Itoa(i), Data: numbered(i) + "é€😀\nñ e\u0301"}
	return cutting{text: fmt.Sprintf("id: %s\r\nevent: %s\r\ndata: %s\r\n\r\n", want.ID, want.Type, strings.ReplaceAll(want.Data, "\n", "\r\ndata: ")), want: want}
}

// everyCut is an event for each place at which it can be cut in two, counted from 1, and one of which each byte comes by itself.
func everyCut() (cuttings []cutting) {
	for at := 1; ; at++ {
		c := sampleEvent(at)
		if at >= len(c.text) {
			break
		}
		c.at, c.name = []int{at}, placeName(c.text, at)
		cuttings = append(cuttings, c)
	}
	each := sampleEvent(len(cuttings) + 1)
	each.name = "each byte by itself"
	for at := 1; at < len(each.text); at++ {
		each.at = append(each.at, at)
	}
	return append(cuttings, each)
}

// cutMark begins a stream with a byte order mark in three pieces.
func cutMark() cutting {
	c := sampleEvent(0)
	c.text, c.at, c.name = byteOrderMark+c.text, []int{1, 2, 3}, "a byte order mark (U+FEFF) in three pieces"
	return c
}

// blocks are long lines of characters of three and four bytes, cut where buffers of the usual sizes end.
func blocks() (cuttings []cutting) {
	for i := range 8 {
		character := []string{"€", "😀"}[i%2]
		data := numbered(i) + strings.Repeat("x", i/2) + strings.Repeat(character, (66<<10)/len(character))
		c := cutting{text: "data: " + data + "\n\n", at: bufferSizes, want: Event{Type: "message", Data: data}}
		c.name = fmt.Sprintf("66 KiB of %q, shifted by %s", character, conformance.Plural(i/2, "byte"))
		cuttings = append(cuttings, c)
	}
	return cuttings
}

// placeName words where a text is cut.
func placeName(text string, at int) string {
	start := at
	for !utf8.RuneStart(text[start]) {
		start--
	}
	r, size := utf8.DecodeRuneInString(text[start:])
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	switch {
	case start < at:
		return fmt.Sprintf("%q (%U) behind %d of its %s", r, r, at-start, conformance.Plural(size, "byte"))
	case before == '\r' && r == '\n':
		return "CR apart from its LF"
	}
	return fmt.Sprintf("between %q and %q", before, r)
}
