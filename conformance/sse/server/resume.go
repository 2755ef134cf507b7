package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// resumeCases are those of the area RESUME: what a subscriber gets that comes back.
var resumeCases = []Case{
	{Requirement: "SSE-RESUME-001", Run: replaysWhatWasMissed},
	{Requirement: "SSE-RESUME-002", Run: resumesWithoutGap},
	{Requirement: "SSE-RESUME-003", Run: resumesWithoutDuplicate},
	{Requirement: "SSE-RESUME-004", Run: replaysInLiveOrder},
	{Requirement: "SSE-RESUME-005", Turn: demanding, Asks: 600, Run: joinsReplayAndLive},
	{Requirement: "SSE-RESUME-006", Turn: provoking, Run: staysAliveAfterUnknownPosition},
	{Requirement: "SSE-RESUME-007", Turn: demanding, Run: tellsOfUnknownPosition},
	{Requirement: "SSE-RESUME-008", Turn: demanding, Asks: 20000, Run: tellsOfHole},
	{Requirement: "SSE-RESUME-009", Run: replaysNothingBehindNewest},
	{Requirement: "SSE-RESUME-010", Run: emptyPositionIsNone},
	{Requirement: "SSE-RESUME-011", Run: matchesPositionsBeyondASCII},
	{Requirement: "SSE-RESUME-012", Run: takesPositionFromQuery},
	{Requirement: "SSE-RESUME-013", Run: replaysOnlyWhatMayBeRead},
	{Requirement: "SSE-RESUME-014", Turn: disturbing, Run: outlivesRestart},
	{Requirement: "SSE-RESUME-015", Run: resumesAtEachNode},
	{Requirement: "SSE-RESUME-016", Turn: demanding, Asks: 5000, Run: replaysWithoutDelayingOthers},
	{Requirement: "SSE-RESUME-017", Run: resumesInsideReplay},
	{Requirement: "SSE-RESUME-018", Run: doesNotResetTheHealthy},
	{Requirement: "SSE-RESUME-019", Run: replaysAllFromReservedPosition},
	{Requirement: "SSE-RESUME-020", Turn: demanding, Asks: 11000, Run: keepsDeclaredHistory},
	{Requirement: "SSE-RESUME-021", Turn: disturbing, Run: neverMistakesOldPositions},
	{Requirement: "SSE-RESUME-022", Turn: waiting, Run: keepsForDeclaredAge},
	{Requirement: "SSE-RESUME-023", Turn: provoking, Run: replaysWhatWasSeen},
	{Requirement: "SSE-RESUME-024", Run: resumesSeveralStreams},
}

// "With Last-Event-ID: X the server sends every retained event published after X, before live events."
func replaysWhatWasMissed(t *Trial) {
	if t.Subject.Publish == nil {
		witnessed(t, func(v *comeback) {
			if missed := v.missed(); len(missed) > 0 {
				t.Deviation("every event that a second subscriber saw behind that position", "missing: "+describe(missed), v.evidence())
			}
		})
		return
	}
	c := t.course()
	c.publish(20)
	c.mustResume()
	for _, n := range []int{10, 1, 9, 19, 15} {
		r := c.from(n)
		t.Count(1)
		if r.refused() || len(r.missed) > 0 {
			t.Deviation("messages "+spans(r.expected), fmt.Sprintf("with the position behind message %d came %s", n, r.outcome()), r.evidence())
		}
	}
	t.Conclude("everything behind each of five positions came")
}

// "No gap: between the last event before the drop and the first after resume nothing is missing."
func resumesWithoutGap(t *Trial) {
	if t.Subject.Publish == nil {
		witnessed(t, func(v *comeback) {
			if hole := v.hole(); len(hole) > 0 {
				t.Deviation("no hole in what a second subscriber saw", "missing between others: "+describe(hole), v.evidence())
			}
		})
		return
	}
	mustResume(t)
	r := t.seam().run(t)
	r.report("every acknowledged message", lost)
	t.Conclude("nothing was lost at " + r.String())
}

// "No duplicate: event X itself and anything before it is not sent again."
func resumesWithoutDuplicate(t *Trial) {
	if t.Subject.Publish == nil {
		witnessed(t, func(v *comeback) {
			if stale := v.stale(); len(stale) > 0 {
				t.Deviation("only events behind the position", "sent again: "+describe(stale), v.evidence())
			}
		})
		return
	}
	mustResume(t)
	c := t.course()
	c.publish(12)
	c.mustHaveIDs()
	for _, n := range []int{11, 5, 12, 9} {
		r := c.from(n)
		t.Count(1)
		if again := r.again(); len(again) > 0 {
			t.Deviation(fmt.Sprintf("only messages behind %d, each once", n), "sent again: "+spans(again), r.evidence())
		}
	}
	c.sampled()
	comesAndGoes(t, c)
	r := t.seam().run(t)
	r.report("each message once", repeated)
	t.Conclude("nothing came twice: at four positions, and at " + r.String())
}

// comesAndGoes resumes one subscriber several times from the position it committed itself, also after a silence in which there was
// nothing but heartbeats.
func comesAndGoes(t *Trial, c *course) {
	f := t.follow([]string{c.stream})
	first := c.published + 1
	for round := range 4 {
		c.publish(2)
		if !f.hears(c.text(c.published)) {
			break // that is for other requirements
		}
		if round == 1 && t.Subject.Heartbeat > 0 && t.Subject.Heartbeat <= 2*time.Second {
			t.Hold(f.tap(), t.Subject.Heartbeat*5/4)
		}
		f.leave()
		c.publish(1)
		if !f.open() || !f.hears(c.text(c.published)) {
			break
		}
	}
	r := &replay{after: first - 1, follower: f}
	var got []int
	for i, e := range f.seen {
		if _, n, ok := c.series.find(e.Data); ok && (n >= first || f.at[i] > 1) { // a newcomer may be sent what came before it
			got = append(got, n)
		}
	}
	r.judge(got)
	t.Count(len(f.taps) - 1)
	if again := r.again(); len(again) > 0 {
		t.Deviation("each message once", "over its connections a subscriber got again: "+spans(again), f.evidence(len(f.taps)))
	}
}

// "Replay order equals the order in which live subscribers saw the events."
func replaysInLiveOrder(t *Trial) {
	if t.Subject.Publish == nil {
		witnessed(t, func(v *comeback) {
			if want, got := v.common(); !slices.Equal(want, got) {
				t.Deviation("the order in which a second subscriber saw them", fmt.Sprintf("saw %q, replayed %q", want, got), v.evidence())
			}
		})
		return
	}
	mustResume(t)
	c := t.course()
	n := t.affordable(120)
	c.fill(n)
	c.mustHaveIDs()
	live := c.series.numbers(0, c.observer.seen)
	for _, place := range []int{0, n / 15, n / 2, n * 49 / 60} {
		r := c.resume(0, c.ids[live[place]])
		want, got := common(live[place+1:], r.got), common(r.got, live[place+1:])
		t.Count(len(want))
		if at := firstDifference(want, got); at < len(want) {
			t.Deviation(fmt.Sprintf("message %d next, as live subscribers saw it", want[at]),
				fmt.Sprintf("message %d, %s behind the position", got[at], conformance.Plural(at+1, "place")), r.evidence())
		}
	}
	c.sampled()
	t.Conclude("four replays had the order in which a live subscriber saw the messages of concurrent publishers")
}

// "The seam between replay and live has no race: events published while the replay runs are delivered once, in order."
func joinsReplayAndLive(t *Trial) {
	mustResume(t)
	s := t.seam()
	s.rewind = 60
	if t.Subject.History > 0 {
		s.rewind = min(s.rewind, t.Subject.History/8)
	}
	const promise = "every acknowledged message once, in the order of its publisher"
	r := s.run(t)
	r.report(promise, lost, repeated, reordered)
	full := fmt.Sprintf("; no history of 100 to %d events is declared, or it takes long to fill, so it was not tried with an almost full one", mostFilled)
	if h := t.Subject.History; h >= 100 && h <= mostFilled && t.canAfford(h/publishedAtOnce) {
		s.history = h * 19 / 20
		again := s.run(t)
		again.report(promise, lost, repeated, reordered)
		full = "; with the history almost full, " + again.String()
	}
	t.Conclude("each message came once, in order: " + r.String() + full)
}

// mostFilled is the largest history that is filled.
const mostFilled = 20_000

// mustResume ends the case when resuming is neither declared nor happens.
func mustResume(t *Trial) {
	c := t.course()
	c.publish(2)
	c.mustResume()
}

// "Resuming with the newest id replays nothing and then continues live."
func replaysNothingBehindNewest(t *Trial) {
	c := t.course()
	c.publish(11)
	c.mustResume()
	for range 3 {
		r := c.from(c.published)
		t.Count(1)
		if !r.exact() {
			t.Deviation("message "+spans(r.expected)+", published after it was back", "with the newest position came "+r.outcome(), r.evidence())
		}
	}
	t.Conclude("three resumes from the newest position got only what was published later")
}

// "An empty or absent Last-Event-ID means a fresh subscription (no replay unless documented)."
func emptyPositionIsNone(t *Trial) {
	c := t.course()
	c.publish(5)
	absent := c.resume(c.published, "")
	empty := c.resume(c.published, "", With("Last-Event-ID", ""))
	t.Count(2)
	seen := fmt.Sprintf("without the header came %s, with an empty one %s", absent.outcome(), empty.outcome())
	if !absent.heard || !empty.heard {
		t.Absent("a message published later, with an empty header and without", seen, empty.evidence())
	}
	// Between the two one more message was published, so a whole replay is longer by one.
	one, two := len(absent.got)-1, len(empty.got)-1
	t.Classify(seen, empty.evidence(),
		passes("no replay, with an empty header and without", one == 0 && two == 0),
		informs("the same replay, with an empty header and without", one == two || one == absent.after && two == empty.after),
	)
	t.Conclude("neither without the header nor with an empty one was anything replayed")
}

// "Ids with non-ASCII UTF-8 bytes are matched."
func matchesPositionsBeyondASCII(t *Trial) {
	c := t.course()
	c.publish(6)
	c.mustResume()
	tried := 0
	for n := 1; n < 6; n++ {
		if isASCII(c.ids[n]) {
			continue
		}
		tried++
		if r := c.from(n); !r.exact() {
			t.Deviation("messages "+spans(r.expected), "with the position "+sse.Escape([]byte(c.ids[n]))+" came "+r.outcome(), r.evidence())
		}
	}
	if tried == 0 {
		t.Skip("the target chooses the ids, and they are ASCII")
	}
	t.Count(tried)
	t.Conclude("positions beyond ASCII were matched")
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7f })
}

// "The first connection can pass an id by query parameter; the header wins when both are present."
func takesPositionFromQuery(t *Trial) {
	c := t.course()
	c.publish(9)
	c.mustResume()
	names := strings.Split(t.Text("query"), ",")
	for _, name := range names {
		asking := Editing(func(r *sse.Request) {
			if r.URL.RawQuery != "" {
				r.URL.RawQuery += "&"
			}
			r.URL.RawQuery += name + "=" + url.QueryEscape(c.ids[5])
		})
		t.Count(1)
		if r := c.resume(5, "", asking); !r.exact() {
			continue
		}
		both := c.from(8, asking)
		if !both.exact() {
			t.Fail("the position in the header, so messages "+spans(both.expected),
				"with the one behind 5 as "+name+" in the query and the one behind 8 in the header came "+both.outcome(), both.evidence())
		}
		t.Pass("the query parameter " + name + " is understood, and the header wins over it")
	}
	t.Fail("messages behind the position in the query", "none of the query parameters "+strings.Join(names, ", ")+" is understood")
}

// "A replay contains only topics of this subscription and only what the current credentials may read."
func replaysOnlyWhatMayBeRead(t *Trial) {
	mustSeparate(t)
	own, other := t.course(), t.course()
	for range 4 {
		own.publish(1)
		other.publish(1)
	}
	own.mustHaveIDs()
	other.mustHaveIDs()
	for _, n := range []int{1, 2, 3} {
		foreign(t, own.resume(0, other.ids[n]).follower, other, "a replay of its own stream with a position of another")
	}
	own.answered()
	for _, position := range positionsOf(own) {
		foreign(t, own.strangely(position).follower, other, "what came of its own stream in answer to the position "+sse.Escape([]byte(position)))
	}
	if !t.Subject.Rights.Streams {
		t.Conclude("no position replayed anything of another stream, be it of that or of none; tokens were not tried, because none are known that say what they allow")
	}
	shrunk(t, own, other)
	t.Conclude("no replay held anything of another stream, neither by any position nor with a token that does not allow it any more")
}

// shrunk resumes with a token that allows one stream of the two that were followed before.
func shrunk(t *Trial, own, other *course) {
	asked := [][]string{{other.stream}}
	if t.Subject.Many {
		asked = append(asked, []string{own.stream, other.stream})
	}
	if p := reply(t, asked[0], t.stranger(own.stream, "", own.stream)); p.Status() == http.StatusOK && !hearsNothing(t, p, other.stream, "") {
		t.seeInstead("SSE-AUTH-003", "a token that does not allow a stream opens it, with a position or without")
	}
	for _, streams := range asked {
		for _, position := range []string{own.ids[1], other.ids[1], strangePositions()[0]} {
			f := t.follower(streams, t.stranger(own.stream, "", own.stream))
			if f.position = position; f.open() {
				settle(t, f, own, other)
			}
			foreign(t, f, other, "a replay with a token that does not allow the other stream any more")
		}
	}
}

// settle publishes in all streams and waits for what may come: up to the marker where one is owed, else for a while.
func settle(t *Trial, f *follower, courses ...*course) {
	for _, c := range courses {
		c.publish(1)
	}
	if c := courses[0]; len(courses) > 1 && slices.Contains(f.streams, c.stream) {
		f.hears(c.text(c.published))
		return
	}
	t.Hold(f.tap(), quiet)
	f.leave()
}

// quiet is how long a stream is watched in which no marker can come.
const quiet = 500 * time.Millisecond

// foreign notes what a subscriber got of a stream that is not its own.
func foreign(t *Trial, f *follower, other *course, what string) {
	t.Count(1)
	if leaked := other.series.numbers(0, f.seen); len(leaked) > 0 {
		t.Deviation("nothing of a stream that it does not follow or may not read", what+" held messages "+spans(leaked)+" of that", f.evidence(1))
	}
}

// "A healthy client whose id is recent is not forced into resets."
func doesNotResetTheHealthy(t *Trial) {
	c := t.course()
	c.publish(4)
	c.mustResume()
	resumes, resets := t.rounds(int(t.Number("resumes"))), 0
	for i := range resumes {
		r := c.from(c.published - i%3)
		t.Count(1)
		told := t.resetOf(r.follower)
		if told == "" {
			continue
		}
		if resets++; resets == 1 {
			t.Deviation("no reset, because the position is one of the newest", fmt.Sprintf("the answer to the position behind message %d of %d was %s", r.after, c.published-1, told), r.evidence())
		}
	}
	if resets > 1 {
		t.Deviation("no reset", fmt.Sprintf("in all, %d of %d resumes were answered with one", resets, resumes))
	}
	c.sampled()
	t.Conclude("no recent position was answered with a reset")
}

// resetOf says how a subscriber was told to start anew, by what is known to mean that; "" when it was not.
func (t *Trial) resetOf(f *follower) string {
	for _, p := range f.taps {
		if s := p.Status(); s >= 400 && s < 500 && s != http.StatusTooManyRequests {
			return fmt.Sprintf("status %d", s)
		}
		for _, e := range p.Events() {
			if !t.ours(e) && (e.Type == t.Subject.Gap && e.Type != "" || slices.Contains(resetTypes, strings.ToLower(e.Type))) {
				return "an event of type " + sse.Escape([]byte(e.Type))
			}
		}
	}
	return ""
}

// resetTypes are event types by which servers are known to make a client start anew.
var resetTypes = []string{"reset", "resync", "gap", "missed", "expired"}

// "A reserved value (Mercure: earliest) replays the whole retained history."
func replaysAllFromReservedPosition(t *Trial) {
	c := t.course()
	c.publish(7)
	r := c.resume(0, t.Text("earliest"))
	t.Count(1)
	if !r.exact() {
		t.Fail("messages "+spans(r.expected), "with the position "+t.Text("earliest")+" came "+r.outcome(), r.evidence())
	}
	t.Pass("the whole history came, in order")
}
