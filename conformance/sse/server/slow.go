package server

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// slowCases are those of the area SLOW: subscribers that do not read, or not fast enough. Their sockets are real ones with small
// buffers. All of them run by themselves: a subject that waits for its slowest reader would fail other cases as well.
var slowCases = []Case{
	{Requirement: "SSE-SLOW-001", Turn: stalling, Asks: 1100, Run: stalledReaderDelaysNoOther},
	{Requirement: "SSE-SLOW-002", Turn: stalling, Asks: 1100, Run: stalledReaderDelaysNoPublisher},
	{Requirement: "SSE-SLOW-003", Turn: demanding, Asks: 2000, Run: memoryOfStalledReadersIsBounded},
	{Requirement: "SSE-SLOW-004", Turn: demanding, Asks: 2000, Run: overflowFollowsItsPolicy},
	{Requirement: "SSE-SLOW-005", Turn: demanding, Asks: 2000, Run: whoLostEventsFindsOut},
	{Requirement: "SSE-SLOW-006", Turn: demanding, Asks: 2000, Run: disconnectedReaderResumes},
	{Requirement: "SSE-SLOW-007", Turn: stalling, Asks: 500, Run: writeDeadlineEndsStuckConnections},
	{Requirement: "SSE-SLOW-008", Turn: demanding, Asks: 2000, Run: eventsAreDroppedWhole},
	{Requirement: "SSE-SLOW-009", Turn: demanding, Run: merelySlowReaderMissesNothing},
}

// usualSize is that of a message that fills buffers without being a large one.
const usualSize = 16 * kib

// stall subscribes and stops reading once the stream is open.
func (t *Trial) stall(stream string) (*Tap, *valve) {
	v := newValve()
	p := t.Subscribe([]string{stream}, Dialing(v.Dial), Voluminous())
	v.Shut()
	return p, v
}

// "A consumer that stops reading does not delay other consumers."
func stalledReaderDelaysNoOther(t *Trial) {
	besideStalled(t, "until every other subscriber had a message", func(r lap) time.Duration { return r.heard })
}

// "It does not delay or block publishers."
func stalledReaderDelaysNoPublisher(t *Trial) {
	besideStalled(t, "until a publish was acknowledged", func(r lap) time.Duration { return r.took })
}

// lap is what became of some messages: the longest that a publish took to be answered, and when the last subscriber had the last one, since
// that was begun.
type lap struct{ took, heard time.Duration }

// besideStalled publishes message by message, each once everybody has the one before, first without a stalled subscriber and
// then with some, and compares how long that took. Only several late messages decide: one may be an accident. Of a subject that is quick to
// acknowledge and delivers late, several messages are awaited together.
func besideStalled(t *Trial, what string, measure func(lap) time.Duration) {
	const baseline, several = 100, 3
	stream := t.Stream()
	v := t.volume(stream, usualSize)
	readers := []*follower{t.follow([]string{stream}), t.follow([]string{stream}), t.follow([]string{stream})}
	stalled := []*valve{newValve(), newValve()} // subscribed before the first stall, in which a subject may take no more subscriptions
	for _, reading := range stalled {
		t.Subscribe([]string{stream}, Dialing(reading.Dial), Voluminous())
	}
	var usual, answers time.Duration
	fill, together := baseline+int(t.Number("overflow_mib")*mib)/v.size, 1
	for began := time.Now(); v.sent < baseline; {
		if v.sent == t.few() {
			together = v.together(answers/time.Duration(v.sent), time.Since(began)/time.Duration(v.sent), fill)
		}
		r := v.lap(together, readers, t.arrival)
		if r.took >= t.arrival || r.heard >= t.arrival {
			t.Unknown("a message of %d KiB did not arrive within %v even without a stalled subscriber", v.size/kib, t.arrival)
		}
		usual, answers = max(usual, measure(r)), answers+r.took
	}
	for _, reading := range stalled {
		reading.Shut()
	}
	t.mustBeIdle(usual)
	bound := time.Duration(t.Number("factor")*float64(usual)) + t.Duration("allowance")
	if bound >= t.arrival {
		t.Unknown("it took up to %v %s even without a stalled subscriber: nothing that is waited for would be longer than usual", shown(usual), what)
	}
	within := min(t.arrival, max(minLap, 4*bound))
	t.Allow(2 * several * within)
	var late []time.Duration
	worst := time.Duration(0)
	for v.sent < fill && len(late) < several {
		r := v.lap(together, readers, within)
		took := measure(r)
		worst = max(worst, took)
		if took > bound {
			late = append(late, took)
		} else if r.heard >= within {
			readers = nil // they get nothing any more, and the publisher is not to wait for them
		}
	}
	t.Count(v.sent)
	if len(late) == several {
		t.Late(slices.Min(late)-bound, fmt.Sprintf("at most %v %s, as without a stalled subscriber (%v)", shown(bound), what, shown(usual)),
			fmt.Sprintf("beside two subscribers that do not read, it took %v to %v %s", shown(slices.Min(late)), atLeast(slices.Max(late), within), what))
	}
	t.Pass(fmt.Sprintf("it took at most %v %s beside two subscribers that do not read, and %v without", shown(worst), what, shown(usual)))
}

// atLeast is shown for what was waited for no longer than that.
func atLeast(d, within time.Duration) string {
	if d >= within {
		return shown(d).String() + " or more"
	}
	return shown(d).String()
}

func shown(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// minLap is how long a message may take at least before it is given up, also where it usually takes no time at all.
const minLap = 2 * time.Second

// together is how many messages are to be awaited together, so that all of them take no longer than there is time for: what can be waited for
// is the delivery, not the answer to a publish. A queue may be short, so that there are never many.
func (v *volume) together(answer, each time.Duration, messages int) int {
	const most = 20
	delivery := max(0, each-answer)
	n := min(most, max(1, int(math.Ceil(2*float64(delivery)*float64(messages)/float64(lasting)))))
	if all := (answer + delivery/time.Duration(n)) * time.Duration(messages); all > defaultPatience {
		v.t.Settled()
		v.t.Unknown("a message of %d KiB takes %v to be acknowledged, and then %v to arrive; %d of them would take %v: --set %s.overflow_mib=N publishes less than %.0f MiB, which must be more than all buffers hold",
			v.size/kib, shown(answer), shown(delivery), messages, all.Round(time.Second), v.t.Requirement.ID, v.t.Number("overflow_mib"))
	}
	return n
}

// lap publishes n messages, each of which must be acknowledged, and waits until every reader has the last one, but not longer than within for
// each answer and for that.
func (v *volume) lap(n int, readers []*follower, within time.Duration) (r lap) {
	t := v.t
	known := make([]int, len(readers))
	for i, f := range readers {
		known[i] = len(f.seen)
	}
	var began time.Time
	for ; n > 0 && r.took < within; n-- {
		v.sent++
		began = time.Now()
		receipt := t.publish(Message{Stream: v.stream, Data: v.text(v.sent)}, within)
		r.took = max(r.took, receipt.Took)
		t.interrupted()
		switch receipt.Acceptance {
		case Rejected:
			t.Unknown("a publish was refused: %s", receipt.String())
		case Indeterminate:
			r.took = max(r.took, within)
		case Acknowledged:
		}
	}
	late := time.Now().Add(within)
	for i, f := range readers {
		if !f.hearsBehind(known[i], v.series.text(0, v.sent), time.Until(late)) {
			r.heard = max(r.heard, within)
			continue
		}
		for _, e := range slices.Backward(f.seen) {
			if _, n, ok := v.series.find(e.Data); ok && n == v.sent {
				r.heard = max(r.heard, e.At.Sub(began))
				break
			}
		}
	}
	return r
}

// "Memory per slow consumer is bounded."
//
// Buffers may be larger than expected and still bounded: then as much again makes them no larger. A growth far beyond what is allowed is not
// gone on with: it could exhaust the machine.
func memoryOfStalledReadersIsBounded(t *Trial) {
	consumers, each := int(t.Number("consumers")), t.Number("each_mib")
	bytes := int(t.Number("published_mib") * mib)
	bound := each*float64(consumers) + t.Number("constant_mib")
	calm, stalled := t.Stream(), t.Stream()
	before := memoryOf(t)
	alone, _ := growth(t, calm, bytes, math.Inf(1))
	for range consumers {
		t.stall(stalled)
	}
	t.Count(consumers)
	with, published := 0.0, 0.0
	step := func() {
		more, sent := growth(t, stalled, bytes, farBeyond*bound+max(0, alone)-with)
		if with, published = with+more, published+sent; with-max(0, alone) > farBeyond*bound {
			t.Fail(fmt.Sprintf("at most %.0f MiB more than without stalled consumers", bound),
				fmt.Sprintf("memory grew by %.0f MiB when %.0f MiB were published to %d stalled consumers, and by %.0f MiB without them; there, at %s what is allowed, it was stopped",
					with, published, consumers, alone, conformance.Plural(farBeyond, "time")))
		}
	}
	again := func(rounds int) (usual, more float64) {
		usual, more = alone, with
		for range rounds {
			grown, _ := growth(t, calm, bytes, math.Inf(1))
			alone += grown
			step()
		}
		return alone - usual, with - more
	}
	step()
	again(firstRounds - 1)
	for most := t.Number("most_mib"); with-max(0, alone) <= bound && published < min(most, before+bound); {
		step() // what the process has free from earlier is used up first
	}
	actual := fmt.Sprintf("memory grew by %.0f MiB with %d stalled consumers and %.0f MiB published, and by %.0f MiB without them", with, consumers, published, alone)
	if with-max(0, alone) <= bound {
		if t.Number("most_mib") > 0 && published < before+bound {
			t.Unknown("%s; but it was %.0f MiB before, of which as much may have been free: restart the target, or --set %s.most_mib=%.0f", actual, before, t.Requirement.ID, before+bound)
		}
		t.Pass(actual)
	}
	usual, more := again(furtherRounds)
	actual += fmt.Sprintf("; when %d MiB more were published, by %.0f MiB with and %.0f MiB without", furtherRounds*bytes/mib, more, usual)
	// Who keeps what is not taken keeps it once at least, and grows as a whole.
	if kept := furtherRounds * float64(bytes) / mib / 2; more-max(0, usual) <= kept || more+usual <= kept {
		t.Pass(actual)
	}
	t.Fail(fmt.Sprintf("at most %.0f MiB more than without stalled consumers, or a growth that ends", bound), actual)
}

// What a process holds grows and shrinks by itself as well, by as much as a garbage collector lets it, but in many rounds by far less than is
// published.
const firstRounds, furtherRounds = 3, 5

// farBeyond is at how many times of what is allowed a growth is not gone on with.
const farBeyond = 16

// growth is by how many MiB the subject's memory grew while so many bytes were published, and how many MiB those were: fewer when it grew by
// more than most.
func growth(t *Trial, stream string, bytes int, most float64) (grown, published float64) {
	const portion = 8 * mib
	before := memoryOf(t)
	t.Allow(defaultPatience)
	v := t.volume(stream, usualSize)
	for left := bytes; left > 0 && grown <= most; left -= portion {
		v.sendBytes(min(left, portion))
		published += float64(min(left, portion)) / mib
		grown = memoryOf(t) - before
	}
	return grown, published
}

// defaultPatience is how long publishing much may take.
const defaultPatience = time.Minute

func memoryOf(t *Trial) float64 {
	bytes, err := t.Subject.Memory(t.Context())
	if err != nil {
		t.interrupted()
		t.Unknown("the memory could not be seen: %v", err)
	}
	return float64(bytes) / mib
}

// aftermath is what a subscriber saw that did not read while much was published, and then read again.
type aftermath struct {
	tap    *Tap
	volume *volume
	unread time.Duration // how long it did not read
	got    []int         // messages in the order of arrival
	ended  bool
	alive  bool // it received the message published after it read again
	lost   []int
}

// overflow stalls a subscriber until its buffers, and the subject's, must be full, and lets it read again.
func overflow(t *Trial) aftermath {
	t.Allow(defaultPatience)
	stream := t.Stream()
	p, reading := t.stall(stream)
	stalled := time.Now()
	v := t.volume(stream, usualSize)
	v.sendBytes(int(t.Number("overflow_mib") * mib))
	unread := time.Since(stalled)
	a := aftermathOf(p, reading, v)
	a.unread = unread
	return a
}

// aftermathOf reads again, and publishes one message more. What is lost counts up to the last one that arrived.
func aftermathOf(p *Tap, reading *valve, v *volume) aftermath {
	reading.Open()
	v.send(1)
	a := aftermath{tap: p, volume: v, alive: v.reaches(p, v.sent)}
	p.Look(func(r *Record) {
		came := v.has(r, v.sent) // since then
		a.alive = a.alive || came
	})
	var end error
	if a.ended, end = p.Ended(); tooMuch(end) {
		v.t.Unknown("%v", end)
	}
	a.got = v.numbers(p)
	if len(a.got) > 0 {
		a.lost = missing(a.got, slices.Max(a.got))
	}
	return a
}

// String says what happened.
func (a aftermath) String() string {
	text := fmt.Sprintf("%d of %s arrived", len(a.got), conformance.Plural(a.volume.sent, "message"))
	if len(a.lost) > 0 {
		text += fmt.Sprintf(", %s were skipped", spans(a.lost))
	}
	switch {
	case a.ended:
		_, err := a.tap.Ended()
		text += ", then " + endText(err)
	case !a.alive:
		text += ", then nothing more on an open connection"
	}
	return text
}

// "Overflow has one documented policy: disconnect, drop-oldest, drop-newest, coalesce-latest or block-with-limit; observed behaviour
// matches it."
func overflowFollowsItsPolicy(t *Trial) {
	policy := t.Subject.SlowPolicy
	if policy == "" {
		t.Skip("the target declares no slow_policy")
	}
	a := overflow(t)
	matches := map[string]bool{
		"disconnect": a.ended && len(a.lost) == 0,
		"drop":       a.alive && len(a.lost) > 0,
		"coalesce":   a.alive && len(a.lost) > 0,
		"block":      len(a.lost) == 0 && (a.alive || a.ended),
	}
	t.Count(a.volume.sent)
	if deadline := t.Duration("write_deadline"); !matches[policy] && a.ended && a.unread > min(deadline*3/4, shortDeadline) {
		t.Unknown("%s; publishing took %v, so that a write deadline can have ended it: the target, or this machine, was too busy to tell; --set %s.overflow_mib=%.0f publishes less",
			a, a.unread.Round(time.Millisecond), t.Requirement.ID, max(1, t.Number("overflow_mib")/2))
	}
	if !matches[policy] && a.alive && len(a.lost) == 0 {
		t.Skip("nothing overflowed: a subscriber that did not read while %d MiB were published received all of it afterwards; --set %s.overflow_mib=%.0f publishes more",
			a.volume.sent*a.volume.size/mib, t.Requirement.ID, 4*t.Number("overflow_mib"))
	}
	if !matches[policy] {
		t.Fail("what the declared policy says: "+policy, a.String(), tail(a.tap.Evidence()))
	}
	t.Pass(a.String())
}

// "A consumer that lost events finds out (disconnect, gap signal or id jump); never a healthy-looking stream that stays silent."
func whoLostEventsFindsOut(t *Trial) {
	a := overflow(t)
	t.Count(a.volume.sent)
	const expected = "the end of the connection, a gap event or a jump of dense ids when events were lost, and new events afterwards"
	switch {
	case !a.ended && !a.alive:
		t.Fail(expected, a.String(), tail(a.tap.Evidence()))
	case len(a.lost) > 0 && !a.ended && !a.toldByEvent() && !a.toldByIDs():
		t.Fail(expected, a.String()+", and nothing told of it", tail(a.tap.Evidence()))
	}
	t.Pass(a.String())
}

// shortDeadline is shorter than a write deadline of which nothing is known.
const shortDeadline = 4 * time.Second

func (a aftermath) toldByEvent() bool {
	gap := a.volume.t.Subject.Gap
	return gap != "" && slices.ContainsFunc(a.tap.Events(), func(e Event) bool { return e.Type == gap })
}

// toldByIDs says whether ids count the messages, so that each hole shows as a jump.
func (a aftermath) toldByIDs() bool {
	const enough = 5
	dense, last, lastID := 0, 0, 0
	for _, e := range a.tap.Events() {
		_, n, ok := a.volume.series.find(e.Data)
		if !ok {
			continue
		}
		id, counted := trailingNumber(e.ID)
		if !counted {
			return false
		}
		if last > 0 && id-lastID != n-last {
			return false
		}
		if n == last+1 {
			dense++
		}
		last, lastID = n, id
	}
	return dense >= enough
}

// trailingNumber is the number that an id ends with.
func trailingNumber(id string) (int, bool) {
	digits := id[len(strings.TrimRight(id, "0123456789")):]
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// "After being disconnected for slowness, resume by Last-Event-ID loses nothing that is still retained."
func disconnectedReaderResumes(t *Trial) {
	if !t.Subject.Can("resume") {
		t.Skip("the target does not declare resume")
	}
	if t.Subject.History == 0 {
		t.Skip("the target does not declare how much history it keeps")
	}
	t.Allow(defaultPatience)
	stream := t.Stream()
	p, reading := t.stall(stream)
	bytes := int(t.Number("overflow_mib") * mib)
	retained := max(1, min(bytes/usualSize, t.Subject.History*8/10))
	v := t.volume(stream, bytes/retained)
	v.sendMany(retained)
	a := aftermathOf(p, reading, v)
	position := p.LastEventID()
	switch {
	case !a.ended:
		t.Skip("a subscriber that did not read was not disconnected: %s", a)
	case position == "":
		t.Skip("the subscriber was disconnected before it had a position")
	}
	again := t.follower([]string{stream}, Voluminous())
	again.position = position
	if !again.open() {
		t.Absent("a stream that goes on behind the position", fmt.Sprintf("%s; then %s", a, again.refused), again.evidence(1))
	}
	v.send(1)
	again.hears(v.series.text(0, v.sent))
	t.Count(v.sent)
	if lost := missing(append(v.numbers(p), v.series.numbers(0, again.seen)...), v.sent); len(lost) > 0 {
		t.Fail(fmt.Sprintf("all %s over both connections: the target keeps %d", conformance.Plural(v.sent, "message"), t.Subject.History),
			fmt.Sprintf("%s; after resuming from %q %s are missing", a, position, spans(lost)), again.taps[0].Head())
	}
	t.Pass(fmt.Sprintf("%s; after resuming nothing is missing", a))
}

// "Dropping never happens inside an event: what is delivered is whole events."
func eventsAreDroppedWhole(t *Trial) {
	t.Allow(defaultPatience)
	stream := t.Stream()
	p, reading := t.stall(stream)
	v := t.volume(stream, usualSize)
	bytes := int(t.Number("overflow_mib") * mib)
	v.sendBytes(bytes / 2)
	reading.Slow(time.Millisecond)
	v.sendBytes(bytes / 2)
	reading.Slow(0)
	a := aftermathOf(p, reading, v)
	whole := 0
	for _, e := range p.Events() {
		_, n, ok := v.series.find(e.Data)
		switch {
		case ok && strings.Contains(e.Data, v.text(n)):
			whole++
		case ok || !t.Subject.Shared && e.Type == "message" && !t.signal(e):
			t.Deviation("whole events", fmt.Sprintf("an event of %s that was not published like this: %s", conformance.Plural(len(e.Data), "byte"), sse.Escape([]byte(e.Data))), tail(p.Evidence()))
			t.Conclude("")
		}
	}
	t.Count(whole)
	t.Pass(fmt.Sprintf("%s, each of them whole", a))
}

// "A merely slow consumer (1/10 of link rate, below overflow) receives everything in order."
func merelySlowReaderMissesNothing(t *Trial) {
	const bursts, burst = 3, 20
	reading := newValve()
	f := t.follow([]string{t.Stream()}, Dialing(reading.Dial), Voluminous())
	reading.Slow(5 * time.Millisecond)
	v := t.volume(f.streams[0], 2*usualSize)
	for range bursts {
		v.send(burst)
		if !f.hears(v.series.text(0, v.sent)) {
			break
		}
	}
	lost, leftOut := f.lacks(v.series, 0, v.sent)
	got := v.series.numbers(0, f.seen)
	t.Count(v.sent)
	expected := fmt.Sprintf("messages 1–%d in order", v.sent)
	if lost != "" {
		f.mustOwe()
		note := t.Absence // it may be late
		if leftOut {
			note = t.Deviation
		}
		note(expected, lost, tail(f.tap().Evidence()))
	} else if !slices.IsSorted(got) {
		t.Deviation(expected, "the order was "+spans(got), tail(f.tap().Evidence()))
	}
	t.Conclude(fmt.Sprintf("%s in bursts of %d arrived in order at a reader of %d KiB/s", conformance.Plural(v.sent, "message"), burst, paced/kib*200))
}

// tail is the end of an evidence, for bodies of which only that is telling.
func tail(lines []string) []string { return lines[max(0, len(lines)-3):] }
