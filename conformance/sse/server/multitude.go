package server

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// multitude is a long series of messages of one publisher to a few subscribers: enough to meet what happens once in many deliveries of a
// connection. The publisher never is far ahead of the slowest subscriber, so that no queue overflows, and a slow subject is given time.
type multitude struct {
	t       *Trial
	stream  string
	series  series
	readers []*reader
	owed    []bool      // of message n at n: its publish was acknowledged
	began   []time.Time // and when that began
}

// reader is one subscriber of a multitude.
type reader struct {
	*follower

	looked int // seen events that were looked at
	newest int // the highest number among them
}

// ahead is by how many messages the publisher may be ahead, at the least and half of what it may be at most: below what even small queues
// hold.
const ahead = 10

// behindIt are messages behind those that are judged: when they have come, nothing before them is still on its way.
const behindIt = 3

// multitude publishes that many messages, or as many as can be in the given time and at least few, and waits until all have come, for as
// long as any come.
func (t *Trial) multitude(subscribers, messages int, lasting time.Duration) *multitude {
	m := &multitude{t: t, stream: t.Stream(), series: t.series(), owed: make([]bool, 1, messages+behindIt+1), began: make([]time.Time, 1, messages+behindIt+1)}
	for range subscribers {
		m.readers = append(m.readers, &reader{follower: t.follow([]string{m.stream}, Voluminous())})
	}
	t.Allow(leisure * lasting)
	began := time.Now()
	for n := 1; n <= messages && !m.over(time.Since(began), lasting); n++ {
		if m.publish(n); n%ahead == 0 && !m.keepUp(n-ahead) {
			break
		}
	}
	for range behindIt {
		m.publish(len(m.owed))
	}
	for _, r := range m.readers {
		if m.await(r, len(m.owed)-behindIt, t.arrival) {
			m.await(r, len(m.owed)-1, quiet) // what was held back behind a later one comes meanwhile
		}
	}
	return m
}

// leisure is by how many times a subject may be slower before fewer messages than a thousand must do.
const (
	leisure  = 3
	thousand = 1200
)

func (m *multitude) over(after, lasting time.Duration) bool {
	return after > leisure*lasting || after > lasting && len(m.owed) > thousand
}

// text is the data of message n: most of them short, of characters of one to four bytes.
func (m *multitude) text(n int) string {
	words := [...]string{"plain words", "größer als ½", "日本語の文字", `{"q": "a \"b\"", "n": [1, 2]}`, "😀 🏳️‍🌈 done", "<b>&amp;</b>"}
	long := 1
	switch {
	case n%250 == 0:
		long = 600
	case n%25 == 0:
		long = 60
	}
	return m.series.text(0, n) + strings.Repeat(" "+words[n%len(words)], long)
}

// publish publishes message n. Who is told to come back later does.
func (m *multitude) publish(n int) {
	m.t.Doing("message %d is published", n)
	m.began = append(m.began, time.Now())
	r := m.t.Publish(Message{Stream: m.stream, Data: m.text(n), Number: uint64(n)}) //nolint:gosec // from 1 on
	m.t.interrupted()
	m.owed = append(m.owed, r.Acceptance == Acknowledged)
	if turnsAway(r.Status) {
		m.t.wait(retryAfter(http.Header(r.Header).Get("Retry-After")))
	}
}

// keepUp waits until every reader has message n or a later one, and says whether all have.
func (m *multitude) keepUp(n int) bool {
	for _, r := range m.readers {
		if !m.await(r, n, m.t.arrival) {
			return false
		}
	}
	return true
}

// await waits until a reader has message n or a later one, for as long as anything comes.
func (m *multitude) await(r *reader, n int, patience time.Duration) bool {
	m.t.Doing("message %d is awaited", n)
	for end := time.Now().Add(patience); ; {
		r.take()
		if len(r.seen) > r.looked {
			end = time.Now().Add(patience)
		}
		for ; r.looked < len(r.seen); r.looked++ {
			if _, number, ok := m.series.find(r.seen[r.looked].Data); ok {
				r.newest = max(r.newest, number)
			}
		}
		m.t.interrupted()
		ended, _ := r.tap().Ended()
		switch {
		case r.newest >= n:
			return true
		case r.more():
		case ended && !r.comeBack(), !time.Now().Before(end):
			return false
		default:
			m.t.Allow(patience)
			r.tap().Await(m.t.Context(), time.Until(end), func(record *Record) bool { return len(record.Events) > r.taken })
		}
	}
}

// flaw is one kind of what can go wrong with a delivery, and where it did.
type flaw struct {
	what        string
	numbers     []int
	subscribers []int // to which the same happened, from 1

	note   string   // of the first
	around []string // evidence for the first
}

const changed, unfinished = "came changed", "had not come when nothing more came"

// judge looks at what one reader got. Without resume nothing is owed to it for the time between two of its connections.
func (m *multitude) judge(r *reader) []flaw {
	last := len(m.owed) - 1 - behindIt
	gone, open, damaged := flaw{what: "never came, though later ones did"}, flaw{what: unfinished}, flaw{what: changed}
	twice, late := flaw{what: "came twice on one connection"}, flaw{what: "came behind a later one"}
	place := make([]int, last+1) // where a message was seen first, from 1
	newest, connection := 0, 0
	type arrival struct{ connection, number int }
	known := map[arrival]bool{}
	here := make([]bool, last+1) // it was published while a connection was open that got messages before and behind it
	for i, e := range r.seen {
		_, n, ok := m.series.find(e.Data)
		if !ok || n > last {
			continue
		}
		if r.at[i] != connection {
			connection, newest = r.at[i], n
		}
		switch {
		case known[arrival{connection, n}]:
			twice.add(n, "", m.around(r, i))
			continue
		case n < newest:
			late.add(n, fmt.Sprintf("behind message %d", newest), m.around(r, i))
		}
		if !carries(e.Data, m.text(n)) {
			expected, actual := difference(m.text(n), e.Data)
			damaged.add(n, fmt.Sprintf("expected %s, got %s", expected, actual), nil)
		}
		for skipped := newest + 1; skipped < n; skipped++ {
			here[skipped] = true
		}
		known[arrival{connection, n}] = true
		place[n] = cmp.Or(place[n], i+1)
		newest = max(newest, n)
	}
	whole := len(r.taps) == 1 || m.t.claimsResume()
	for n := 1; n <= last; n++ {
		switch {
		case !m.owed[n] || place[n] != 0 || !here[n] && !whole:
		case n > r.newest:
			open.add(n, "", m.around(r, max(place[n-1]-1, 0)))
		default:
			gone.add(n, "", m.around(r, max(place[n-1]-1, 0)))
		}
	}
	return slices.DeleteFunc([]flaw{gone, open, damaged, twice, late}, func(f flaw) bool { return len(f.numbers) == 0 })
}

// flaws are those of all readers. What happened to several of them alike is one.
func (m *multitude) flaws() (all []flaw) {
	for i, r := range m.readers {
		for _, f := range m.judge(r) {
			at := slices.IndexFunc(all, func(known flaw) bool { return known.what == f.what && slices.Equal(known.numbers, f.numbers) })
			if at < 0 {
				at, all = len(all), append(all, f)
			}
			all[at].subscribers = append(all[at].subscribers, i+1)
		}
	}
	return all
}

func (f *flaw) add(n int, note string, around []string) {
	if len(f.numbers) == 0 {
		f.note, f.around = note, around
	}
	f.numbers = append(f.numbers, n)
}

// around are the numbers of the events around one that was seen.
func (m *multitude) around(r *reader, at int) []string {
	const side = 3
	words := make([]string, 0, 2*side+1)
	for _, e := range r.seen[max(0, at-side):min(len(r.seen), at+side+1)] {
		if _, n, ok := m.series.find(e.Data); ok {
			words = append(words, fmt.Sprint(n))
			continue
		}
		words = append(words, "another event")
	}
	return []string{fmt.Sprintf("received, in this order: … %s …", strings.Join(words, ", "))}
}

// judged is how many messages are judged.
func (m *multitude) judged() (acknowledged int) {
	for _, owed := range m.owed[1 : len(m.owed)-behindIt] {
		if owed {
			acknowledged++
		}
	}
	return acknowledged
}

// "Of thousands of messages on one connection each comes once, in order and unchanged."
func deliversThousandsWithoutFault(t *Trial) {
	m := t.multitude(int(t.Number("subscribers")), int(t.Number("messages")), t.Duration("lasting"))
	if t.suite.asked[noneHeldUp] {
		t.suite.multitude.Store(m)
	}
	published, acknowledged := len(m.owed)-1-behindIt, m.judged()
	if acknowledged < published/2 || acknowledged == 0 {
		t.Unknown("only %d of %d publishes were acknowledged", acknowledged, published)
	}
	expected := fmt.Sprintf("each of %s of one publisher once, in order and unchanged, on each of %s", conformance.Plural(acknowledged, "message"), conformance.Plural(len(m.readers), "connection"))
	for _, f := range m.flaws() {
		if f.what == changed && len(f.numbers) > acknowledged/2 {
			t.Skip("most messages came changed: see SSE-DELIV-006")
		}
		text := fmt.Sprintf("%d of %s to subscriber %s of %d %s: %s", len(f.numbers), conformance.Plural(acknowledged, "message"), spans(f.subscribers), len(m.readers), f.what, spans(f.numbers))
		if f.note != "" {
			text += "; the first: " + f.note
		}
		note := t.Deviation
		if f.what == unfinished {
			note = t.Absence // it may be late
		}
		note(expected, text, f.around)
	}
	t.Sample(acknowledged*len(m.readers), "delivery")
	if !t.Deviated() {
		m.mustStay()
	}
	t.Conclude(fmt.Sprintf("%s to %s came once, in order and unchanged", conformance.Plural(acknowledged, "message"), conformance.Plural(len(m.readers), "subscriber")))
}

// mustStay ends the case when a subscriber that cannot resume did not stay connected: then too little was owed to it.
func (m *multitude) mustStay() {
	for _, r := range m.readers {
		if _, err := r.tap().Ended(); len(r.taps) > 1 && !m.t.claimsResume() || r.newest < len(m.owed)-behindIt {
			m.t.Unknown("a stream did not stay open: %s", endText(err))
		}
	}
}
