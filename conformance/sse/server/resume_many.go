package server

import (
	"fmt"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
)

// "Who follows several streams over one connection and comes back behind any event of it gets what it has not had of each of them, once, in the order of
// each, and no event with something of another."
//
// A replay may put the streams one behind the other: but then its ids must tell how far each of them has come, for a client can be cut in it as well.
func resumesSeveralStreams(t *Trial) {
	if !t.Subject.Many {
		t.Skip("one connection follows one stream of this target")
	}
	b := t.braid()
	b.publish()
	b.mustHaveIDs()
	if len(b.observer.seen) < 2 { // what else it sees is for other requirements
		t.Unknown("a subscriber who stayed saw %s", conformance.Plural(len(b.observer.seen), "event"))
	}
	had := b.observer.seen[:2]
	whole := b.resume("the second event that a subscriber saw who stayed", had)
	for _, n := range []int{1, 2, len(whole) / 4, len(whole) / 2, len(whole) * 3 / 4} {
		if n > 0 && n < len(whole) && !t.Deviated() {
			b.resume(fmt.Sprintf("event %d of %d of a replay", n, len(whole)), slices.Concat(had, whole[:n]))
		}
	}
	t.Conclude(fmt.Sprintf("what was missed of %s came over one connection, from several places on, also inside a replay", conformance.Plural(len(b.streams), "stream")))
}

// braid is several streams over one connection, in which messages are published in turn, in one more often than in another.
type braid struct {
	t         *Trial
	streams   []string
	series    series
	published []int // of each stream
	observer  *follower
}

func (t *Trial) braid() *braid {
	b := &braid{t: t, streams: []string{t.Stream(), t.Stream(), t.Stream()}, series: t.series()}
	b.published = make([]int, len(b.streams))
	b.observer = t.follow(b.streams)
	return b
}

// publish publishes a while and waits until the observer has it all.
func (b *braid) publish() {
	steps := b.t.affordable(36) / 2
	if h := b.t.Subject.History; h > 0 {
		steps = min(steps, h/2)
	}
	for step := 1; step <= max(4, steps); step++ {
		for lane := range b.streams {
			if step%(lane+1) == 0 {
				b.send(lane)
			}
		}
	}
	if !b.fence(b.observer) {
		b.t.Unknown("a plain message did not reach a subscriber of %s within %v of its acknowledgement", conformance.Plural(len(b.streams), "stream"), b.t.arrival)
	}
}

func (b *braid) send(lane int) {
	b.published[lane]++
	b.t.SendTyped(b.streams[lane], b.kind(lane), b.series.text(lane, b.published[lane]))
}

// kind is the type of a stream's events, where they can be given one.
func (b *braid) kind(lane int) string {
	if !b.t.Subject.Types {
		return ""
	}
	return fmt.Sprintf("stream%d", lane)
}

// fence publishes one more message in each stream, behind which nothing is missing any more, and says whether they come.
func (b *braid) fence(f *follower) bool {
	for lane := range b.streams {
		b.send(lane)
	}
	for lane, last := range b.published {
		if !f.hears(b.series.text(lane, last)) {
			return false
		}
	}
	return true
}

// mustHaveIDs ends the case when there is nothing to resume from.
func (b *braid) mustHaveIDs() {
	type name struct {
		lane int
		id   string
	}
	known := map[name]bool{}
	for _, e := range b.observer.seen {
		lane, _, ours := b.series.find(e.Data)
		if e.ID == "" {
			b.t.Skip("the events carry no id, or not all of them do, so nobody can resume")
		}
		if ours && known[name{lane, e.ID}] {
			const why = "several events of one stream have the same id, so a position does not tell which of them was the last"
			b.t.seeInstead("SSE-FORM-014", why)
			b.t.Skip(why)
		}
		known[name{lane, e.ID}] = ours
	}
}

// resume comes back as a subscriber that has had these events, and judges what it has then.
func (b *braid) resume(place string, had []Event) (replayed []Event) {
	t, f := b.t, b.t.follower(b.streams)
	f.position = had[len(had)-1].ID
	if f.open() {
		b.fence(f)
	}
	t.Count(1)
	replayed = f.seen
	if none := len(b.series.numbers(0, replayed)) <= 1; none && !t.claimsResume() {
		t.Skip("the target does not declare resume, and replays nothing")
	}
	for lane, last := range b.published {
		got := b.series.numbers(lane, slices.Concat(had, replayed))
		if want := upTo(last); !slices.Equal(got, want) {
			b.note(f, fmt.Sprintf("messages %s of stream %d of %d, each once and in order, with those that it had", spans(want), lane+1, len(b.streams)),
				fmt.Sprintf("a subscriber that came back behind %s had messages %s", place, spans(got)))
			return replayed
		}
	}
	b.mustBelong(f)
	return replayed
}

func (b *braid) note(f *follower, expected, actual string) {
	if told := b.t.resetOf(f); told != "" {
		b.t.Tolerated(expected, actual+"; it was told to start anew by "+told, f.evidence(1))
		return
	}
	b.t.Deviation(expected, actual, f.evidence(1))
}

// mustBelong notes an event whose type and content are those of two streams. A type that is lost is for another requirement.
func (b *braid) mustBelong(f *follower) {
	if !b.t.Subject.Types {
		return
	}
	for _, e := range f.seen {
		lane, n, ours := b.series.find(e.Data)
		for other := range b.streams {
			if ours && other != lane && e.Type == b.kind(other) {
				b.note(f, fmt.Sprintf("message %d of stream %d with the type that it was published with, %s", n, lane+1, b.kind(lane)), "it was replayed with that of stream "+fmt.Sprint(other+1)+", "+e.Type)
				return
			}
		}
	}
}
