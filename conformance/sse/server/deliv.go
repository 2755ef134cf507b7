package server

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// delivCases are those of the area DELIV: what becomes of a message between its publish and a subscriber.
var delivCases = []Case{
	{Requirement: "SSE-DELIV-001", On: openStream, Run: losesNothing},
	{Requirement: "SSE-DELIV-002", Run: repeatsNothing},
	{Requirement: "SSE-DELIV-003", Run: keepsPublishOrder},
	{Requirement: "SSE-DELIV-004", Run: agreesOnOneOrder},
	{Requirement: "SSE-DELIV-005", Turn: provoking, Run: inventsNothing},
	{Requirement: "SSE-DELIV-006", Turn: provoking, Run: changesNothing},
	{Requirement: "SSE-DELIV-007", Run: hasNoBlindWindow},
	{Requirement: "SSE-DELIV-008", On: openStream, Run: deliversEndOfBurst},
	{Requirement: "SSE-DELIV-009", Run: deliversIndeterminateOnce},
	{Requirement: "SSE-DELIV-010", Run: carriesSeveralStreams},
	{Requirement: "SSE-DELIV-011", Run: deliversAtEachNode},
	{Requirement: "SSE-DELIV-012", Turn: disturbing, Run: keepsAcknowledgedAcrossCrash},
	{Requirement: "SSE-DELIV-013", Turn: demanding, Asks: 3000, Run: deliversThousandsWithoutFault},
	{Requirement: "SSE-DELIV-014", On: openStream, Run: deliversAtOnce},
	{Requirement: "SSE-DELIV-015", Run: endSilencesNoOther},
	{Requirement: "SSE-DELIV-016", Turn: demanding, Run: leavesNobodyOut},
	{Requirement: noneHeldUp, Turn: demanding, Asks: 3000, Run: holdsNoneUp},
}

// fanOut is a fan-out as the requirement's parameters want it.
func fanOutAsAsked(t *Trial, churn bool) *fanOut {
	return t.fanOut(int(t.Number("subscribers")), int(t.Number("publishers")), int(t.Number("messages")), churn)
}

// "Every acknowledged publish reaches every subscriber that was connected (headers received) before the publish began and stays
// connected."
func losesNothing(t *Trial) {
	d := fanOutAsAsked(t, true)
	for i, f := range d.followers {
		for lane := range d.publishers {
			if lacking := d.lacking(f, lane); len(lacking) > 0 {
				d.mustStay()
				note := t.Deviation
				if len(d.series.numbers(lane, f.seen)) == 0 || slices.Max(d.series.numbers(lane, f.seen)) < lacking[0] {
					note = t.Absence // nothing came behind them: it may be late
				}
				note("every acknowledged message", fmt.Sprintf("subscriber %d did not get messages %s of publisher %d", i, spans(lacking), lane), f.tap().Evidence())
			}
		}
	}
	t.repeatsItself()
	t.Conclude("nothing was lost: " + d.String() + ", while others came and went")
}

// "No event is delivered twice on one connection."
func repeatsNothing(t *Trial) {
	if t.Subject.Publish == nil {
		repeatsNothingOfOthers(t)
		return
	}
	d := fanOutAsAsked(t, false)
	for i, f := range d.followers {
		seen := map[[3]int]bool{}
		for at, e := range f.seen {
			lane, n, ok := d.series.find(e.Data)
			if key := [3]int{f.at[at], lane, n}; ok && seen[key] {
				t.Deviation("each message once", fmt.Sprintf("message %d of publisher %d came twice on one connection of subscriber %d", n, lane, i), f.evidence(f.at[at]))
				break
			} else if ok {
				seen[key] = true
			}
		}
	}
	t.Conclude("nothing came twice: " + d.String())
}

// repeatsNothingOfOthers watches what others publish for one id with the same data twice.
func repeatsNothingOfOthers(t *Trial) {
	f := t.follow([]string{t.Stream()})
	t.happens(f, 3)
	t.Hold(f.tap(), 2*time.Second)
	f.take()
	seen := map[[2]string]bool{}
	for _, e := range f.seen {
		if e.HasID && e.ID != "" && seen[[2]string{e.ID, e.Data}] {
			t.Fail("each event once", "an event with the id "+sse.Escape([]byte(e.ID))+" came twice", f.evidence(1))
		}
		seen[[2]string{e.ID, e.Data}] = true
	}
	t.Count(len(f.seen))
	t.Conclude(fmt.Sprintf("none of %s came twice", conformance.Plural(len(f.seen), "event")))
}

// "Events of one publisher on one topic arrive in publish order on every subscriber."
func keepsPublishOrder(t *Trial) {
	d := fanOutAsAsked(t, false)
	for i, f := range d.followers {
		for lane := range d.publishers {
			if at, before := inversion(d.series.numbers(lane, f.seen)); at > 0 {
				t.Deviation("the messages of each publisher in its order",
					fmt.Sprintf("message %d of publisher %d came behind message %d to subscriber %d", at, lane, before, i), f.tap().Evidence())
			}
		}
	}
	t.Conclude("every subscriber got the messages of each publisher in its order: " + d.String())
}

// inversion is the first number that comes for the first time behind a higher one; 0 when there is none.
func inversion(numbers []int) (late, before int) {
	seen := map[int]bool{}
	for _, n := range numbers {
		if n < before && !seen[n] {
			return n, before
		}
		seen[n], before = true, max(before, n)
	}
	return 0, 0
}

// "All subscribers of a topic see the same relative order of all events."
func agreesOnOneOrder(t *Trial) {
	d := fanOutAsAsked(t, false)
	place := map[[2]int]int{}
	for _, e := range d.followers[0].seen {
		if lane, n, ok := d.series.find(e.Data); ok {
			if _, known := place[[2]int{lane, n}]; !known {
				place[[2]int{lane, n}] = len(place) + 1
			}
		}
	}
	for i, f := range d.followers[1:] {
		if at := contradiction(d.series, f.seen, place); at >= 0 {
			t.Classify(fmt.Sprintf("subscribers 0 and %d saw %s and the one before it in different orders", i+1, sse.Escape([]byte(f.seen[at].Data))), f.evidence(f.at[at]),
				informs("any order, because the target does not promise that subscribers agree on it", !t.Subject.TotalOrder),
				passes("the same order for all subscribers", false))
		}
	}
	t.Conclude("all subscribers saw one order: " + d.String())
}

// contradiction is the first event that comes behind one that has a later place; -1 when there is none.
func contradiction(s series, events []Event, place map[[2]int]int) int {
	newest, seen := 0, map[int]bool{}
	for i, e := range events {
		lane, n, ok := s.find(e.Data)
		at := place[[2]int{lane, n}]
		if !ok || at == 0 || seen[at] {
			continue
		}
		if at < newest {
			return i
		}
		newest, seen[at] = at, true
	}
	return -1
}

// "Nothing is delivered that was not published, or whose publish was definitively rejected (4xx)."
func inventsNothing(t *Trial) {
	c := t.course()
	refused := t.series()
	rejected, n := 0, 0
	for range 3 {
		c.publish(2)
		for _, m := range unwelcome(t, c.stream) {
			n++
			m.Data = refused.text(0, n) + m.Data
			if r := t.Publish(m); r.Acceptance == Rejected {
				rejected++
			} else if r.Acceptance != Rejected {
				refused = t.series() // what was not rejected may come
			}
			t.interrupted()
		}
		c.publish(2)
	}
	phantoms(t, c, refused)
	if rejected == 0 {
		t.Conclude(fmt.Sprintf("nothing but what was published came in %s; no publish could be made to be rejected", conformance.Plural(c.published, "message")))
	}
	t.Conclude(fmt.Sprintf("nothing but what was published came in %s, and none of %d rejected ones", conformance.Plural(c.published, "message"), rejected))
}

// unwelcome are messages that a subject may well reject. Their data follow what tells them apart.
func unwelcome(t *Trial, stream string) []Message {
	messages := []Message{{Stream: stream, Data: "\xff\xfe\xc0 not UTF-8"}}
	if t.Subject.Mint == nil {
		return messages
	}
	messages = append(messages, Message{Stream: stream, Token: "not-a-token"})
	if token, err := t.Subject.Mint(t.Context(), Grant{Publish: []string{t.Stream()}}); err == nil {
		messages = append(messages, Message{Stream: stream, Token: token})
	}
	return messages
}

// phantoms notes what the observer of a course got that nobody published.
func phantoms(t *Trial, c *course, refused series) {
	t.Count(len(c.observer.seen))
	for i, e := range c.observer.seen {
		if _, n, ok := refused.find(e.Data); ok {
			t.Deviation("nothing whose publish was rejected", fmt.Sprintf("message %d came, although its publish was answered with 4xx", n), c.observer.evidence(c.observer.at[i]))
		}
		if _, n, ok := c.series.find(e.Data); ok && n > c.published || !t.ours(e) && e.Type == "message" && e.HasID && !t.Subject.Shared {
			t.Deviation("nothing that was not published", "in a stream whose name nobody else knows came "+describe([]Event{e}), c.observer.evidence(c.observer.at[i]))
		}
	}
}

// "Payload, type and id arrive unchanged (after CR/CRLF->LF normalisation)."
func changesNothing(t *Trial) {
	stream := t.Stream()
	f, twin := t.follow([]string{stream}), t.follow([]string{stream})
	taken := 0
	kinds := messagesOfAllKinds(t)
	most := 2 * t.affordable(len(kinds))
	began := time.Now()
	for i, m := range kinds {
		if i > 0 && i*most/len(kinds) == (i-1)*most/len(kinds) {
			continue // evenly, where there is no time for all
		}
		if took := time.Since(began); took > defaultPatience {
			t.Unknown("%d messages took %v to be published and to arrive", taken, took.Round(time.Second))
		}
		m.Stream = stream
		from, offset := [2]int{len(f.seen), len(twin.seen)}, [2]int{f.tap().Bytes(), twin.tap().Bytes()}
		r := t.Publish(m)
		if r.Acceptance != Acknowledged {
			t.interrupted()
			continue
		}
		taken++
		c := t.Unique()
		t.Send(stream, c)
		if !f.hears(c) || !twin.hears(c) {
			endedBy(t, f.tap(), m, r)
			t.Unknown("a plain message did not arrive within %v of its acknowledgement", t.arrival)
		}
		unchanged(t, m, f, twin, from, offset)
	}
	t.Count(taken)
	if t.Deviated() {
		t.mustBeText(f.tap())
	}
	if taken == 0 {
		t.Unknown("none of the messages was acknowledged")
	}
	t.Conclude(fmt.Sprintf("%d messages arrived as they were published", taken))
}

// messagesOfAllKinds are data of many sizes and characters, with types where messages can have one.
// What could be taken for the end of a line is for the area FORM.
func messagesOfAllKinds(t *Trial) (messages []Message) {
	most := int(t.Number("bytes"))
	for size := 1; size <= most; size *= 4 {
		messages = append(messages, Message{Data: strings.Repeat("x0123456789abcdef", size/17+1)[:size]})
	}
	for _, border := range bufferSizes {
		for size := border - 1; size <= min(border+1, most); size++ {
			messages = append(messages, Message{Data: strings.Repeat("fedcba9876543210y", size/17+1)[:size]})
		}
	}
	for shift := range 4 { // wherever a buffer ends, with one of these it does so inside a character
		for _, size := range []int{most / 4, most} {
			messages = append(messages, Message{Data: strings.Repeat("a", shift) + strings.Repeat("€", size/3+1)}, Message{Data: strings.Repeat("b", shift) + strings.Repeat("😀", size/4+1)})
		}
	}
	for _, data := range []string{
		"ÄÖÜ ß é – „quoted“", "日本語 한국어 العربية", "👩‍👩‍👧 🏳️‍🌈 \U0010FFFD", "a: b", `{"a":[1,2,{"b":"\u00e9\n"}]}`,
		"\u0001\u001f\u007f\ufeff", "only of Latin-1: é ñ ß ÿ", "e\u0301 is not \u00e9",
	} {
		messages = append(messages, Message{Data: data})
	}
	if t.Subject.Types {
		for _, name := range []string{"order_created", "größe", "a b"} {
			messages = append(messages, Message{Data: "typed " + name, Type: name})
		}
	}
	return messages
}

// bufferSizes are those at which what does not fit is cut, or characters are.
var bufferSizes = []int{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10}

// unchanged looks for the message among what two subscribers have seen from the given places on.
func unchanged(t *Trial, m Message, f, twin *follower, from, offset [2]int) {
	same := carrying(m.Data)
	find := func(events []Event) *Event {
		for i := range events {
			if same(events[i].Data) {
				return &events[i]
			}
		}
		return nil
	}
	one, two := find(f.seen[from[0]:]), find(twin.seen[from[1]:])
	switch {
	case one == nil || two == nil:
		who, at := f, 0
		if one != nil {
			who, at = twin, 1
		}
		expected, actual := t.changed(m, who, from[at], offset[at])
		t.Deviation(expected, actual, []string{who.tap().Curl()})
	case m.Type != "" && one.Type != m.Type:
		t.Deviation("type "+sse.Escape([]byte(m.Type)), "type "+sse.Escape([]byte(one.Type)), f.evidence(len(f.taps)))
	case one.HasID && two.HasID && one.ID != two.ID:
		t.Deviation("one id for one event", fmt.Sprintf("two subscribers got it with the ids %q and %q", one.ID, two.ID), f.evidence(len(f.taps)))
	}
}

// "There is no blind window at join: an event published after the client has received the response headers is delivered."
func hasNoBlindWindow(t *Trial) {
	const atOnce = 4
	joins := t.affordable(int(t.Number("joins")))
	joins = min(joins, atOnce*t.rounds(joins/atOnce+1))
	t.Allow(time.Duration(joins) * 20 * time.Millisecond)
	t.Doing("a message published right after the head is awaited")
	var joining sync.WaitGroup
	var mute atomic.Int32
	for i := range atOnce {
		joining.Add(1)
		t.Go(func() {
			defer joining.Done()
			for n := 0; n < (joins+i)/atOnce && mute.Load() < mostMute; n++ {
				if !joinAndHear(t) {
					mute.Add(1)
				}
			}
		})
	}
	joining.Wait()
	t.interrupted()
	if n := mute.Load(); n > 0 {
		t.Unknown("to %d subscribers came neither a message published right after the head nor the one after it, within %v", n, t.arrival)
	}
	t.Count(joins)
	t.Conclude(fmt.Sprintf("%s published right after the head of the response all came", conformance.Plural(joins, "message")))
}

// mostMute is after how many joins to which nothing came no further one is tried.
const mostMute = 3

// joinAndHear says whether anything came to a subscriber that joined.
func joinAndHear(t *Trial) (heard bool) {
	f := t.follow([]string{t.Stream()})
	first, second := t.Unique(), t.Unique()
	t.Send(f.streams[0], first)
	if f.hearsWithin(first, blind) {
		f.tap().Close()
		return true
	}
	t.Send(f.streams[0], second)
	heard = f.hears(second)
	if heard && !f.hearsWithin(first, blind) {
		if len(f.taps) > 1 && !t.claimsResume() { // nothing is owed for the time between two connections
			_, err := f.taps[0].Ended()
			t.Unknown("the stream ended before a message came: %s", endText(err))
		}
		t.Fail("a message published after the head of the response was read", "only the one published after that came", f.evidence(1))
	}
	f.tap().Close()
	return heard
}

// blind is how long a message is awaited before a second one is sent to see whether the subscriber is there at all.
const blind = 2 * time.Second

// "The last event of a burst is delivered without needing a further publish."
func deliversEndOfBurst(t *Trial) {
	within := t.Duration("within")
	f := t.follow([]string{t.Stream()})
	sizes := []int{1, 2, 5, 17, 50}
	most := t.affordable(sizes[len(sizes)-1])
	sizes = slices.DeleteFunc(sizes, func(size int) bool { return size > most })
	for _, size := range sizes {
		s := t.series()
		var newest Receipt
		for n := 1; n <= size; n++ {
			newest = t.Publish(Message{Stream: f.streams[0], Data: s.text(0, n)})
			if newest.Acceptance != Acknowledged {
				t.Unknown("a publish was not acknowledged: %s", newest.String())
			}
		}
		due := newest.Began.Add(newest.Took)
		t.Count(1)
		expected := fmt.Sprintf("the last of %s within %v of its acknowledgement", conformance.Plural(size, "message"), within)
		if !f.hears(s.text(0, size)) {
			t.Absent(expected, fmt.Sprintf("it did not come within %v", t.arrival), f.evidence(len(f.taps)))
		}
		if before, came := f.arrival(s, 0, size-1); came && before.After(due) {
			due = before // who delivers slowly is not late for what stands in the queue
		}
		last, _ := f.arrival(s, 0, size)
		if late := last.Sub(due); late > within {
			what := fmt.Sprintf("it came after %v", late.Round(time.Millisecond))
			if before := t.suite.joined.Delay; before-within > 2*t.Lag() && late-within > 2*t.Lag() { // when nobody else asked for anything
				t.Fail(expected, fmt.Sprintf("%s, and a message before all cases after %v; --set %s.within=%v allows that", what, shown(before), t.Requirement.ID, late.Round(time.Second)+time.Second), f.evidence(len(f.taps)))
			}
			t.Late(late-within, expected, what, f.evidence(len(f.taps)))
		}
	}
	t.Conclude(fmt.Sprintf("the last message of %d bursts came without another one behind it", len(sizes)))
}

// "An indeterminate publish (timeout, connection reset before the answer) results in at most one delivery, or duplicates carry the
// same id."
func deliversIndeterminateOnce(t *Trial) {
	f := t.follow([]string{t.Stream()})
	s, cut := t.series(), 0
	tries := t.affordable(60)
	for n := 1; n <= tries; n++ {
		if t.publishUnheard(Message{Stream: f.streams[0], Data: s.text(0, n)}).Acceptance == Indeterminate {
			cut++
		}
		t.interrupted()
	}
	if cut == 0 {
		t.Skip("no publish could be cut before its answer")
	}
	after := t.Unique()
	t.Send(f.streams[0], after)
	if !f.hears(after) {
		t.Unknown("a plain message did not arrive within %v of its acknowledgement", t.arrival)
	}
	t.Hold(f.tap(), quiet) // what was cut may still be on its way
	f.take()
	t.Count(cut)
	ids := map[int]string{}
	for i, e := range f.seen {
		_, n, ok := s.find(e.Data)
		if id, came := ids[n]; ok && came && (!e.HasID || id != e.ID) {
			t.Fail("at most one delivery, or the same id each time", fmt.Sprintf("message %d, whose publish was cut before the answer, came with the ids %q and %q", n, id, e.ID), f.evidence(f.at[i]))
		}
		if ok {
			ids[n] = e.ID
		}
	}
	t.Conclude(fmt.Sprintf("of %d publishes that were cut before their answer none was delivered twice", cut))
}

// publishUnheard publishes and breaks the connection as soon as the request is written.
func (t *Trial) publishUnheard(m Message) Receipt {
	ctx, cancel := context.WithTimeout(t.Context(), t.arrival)
	defer cancel()
	r := t.Subject.Publish(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { cancel() },
	}), m)
	pause(t, t.suite.joined.Pace) // what it is asked for without a wait for the answer stands before what others ask of a slow one
	return r
}

// "A subscription to several topics receives the interleaving of all of them; one topic's configuration or error does not stop
// another."
func carriesSeveralStreams(t *Trial) {
	if !t.Subject.Many {
		t.Skip("one connection follows one stream of this target")
	}
	streams := []string{t.Stream(), t.Stream(), t.Stream(), t.Stream()} // the last one stays empty
	f, s := t.follow(streams), t.series()
	const each = 40
	for n := 1; n <= each; n++ {
		for lane, stream := range streams[:3] {
			t.Send(stream, s.text(lane, n))
		}
	}
	for lane := range streams[:3] {
		f.hears(s.text(lane, each))
		got := s.numbers(lane, f.seen)
		t.Count(each)
		if want := upTo(each); spans(got) != spans(want) {
			t.Deviation("messages "+spans(want)+" of each stream, in order", fmt.Sprintf("of stream %d of %d came %s", lane+1, len(streams), spans(got)), f.tap().Evidence())
		}
	}
	t.Conclude("three streams came whole and in order over one connection, beside one that was empty")
}

// changed words how a message came that did not come as it was published, among the events that a subscriber has seen since.
func (t *Trial) changed(m Message, f *follower, since, offset int) (expected, actual string) {
	kind := "a message of " + conformance.Plural(len(m.Data), "byte")
	events := slices.DeleteFunc(slices.Clone(f.seen[since:]), t.ours)
	if len(events) == 0 {
		return kind + ", " + sse.Escape([]byte(m.Data)) + ", as it was published", "received " + t.instead(f.tap(), offset, m.Data, nil)
	}
	expected, actual = difference(lineEnds.Replace(m.Data), events[0].Data)
	return kind + ": " + expected, actual
}

func upTo(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i + 1
	}
	return numbers
}

// "Publish acknowledgement means accepted for delivery/history: a crash right after the ack loses nothing if durability is claimed."
func keepsAcknowledgedAcrossCrash(t *Trial) {
	if !t.Subject.Can("durable") {
		t.Skip("the target does not declare that it is durable: add durable to its capabilities")
	}
	c := t.course()
	c.publish(5)
	c.mustHaveIDs()
	after := c.published
	for range 20 {
		c.send()
	}
	t.restart()
	f := t.follower([]string{c.stream})
	f.position = c.ids[after]
	if !f.open() {
		t.Absent("a stream that goes on behind a position from before the crash", f.refused, f.evidence(1))
	}
	acknowledged := c.published
	c.send() // behind it nothing is missing any more
	f.hears(c.text(c.published))
	r := &replay{after: after, expected: upTo(acknowledged)[after:], follower: f}
	r.judge(c.series.numbers(0, f.seen))
	t.Count(len(r.expected))
	if len(r.missed) > 0 {
		t.Fail("messages "+spans(r.expected)+", acknowledged before the crash", r.outcome(), f.evidence(1))
	}
	t.Pass("everything acknowledged before the crash came after it")
}
