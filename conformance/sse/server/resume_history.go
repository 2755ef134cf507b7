package server

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "An unknown id never leaves the client deaf: later live events are delivered."
func staysAliveAfterUnknownPosition(t *Trial) {
	if t.Subject.Publish == nil {
		aliveBesideWitness(t)
		return
	}
	c := t.course()
	c.publish(3)
	positions := strangePositions()
	if id := c.ids[c.published]; id != "" {
		positions = append(positions, id+"0", "x"+id)
	}
	for _, position := range positions {
		r := c.resume(0, position)
		if !r.refused() && !r.heard && laterHeard(c, r.follower) {
			t.Tolerated("a message published later", fmt.Sprintf("with the position %s a message published later did not come, and one published %v after it did", sse.Escape([]byte(position)), later), r.evidence())
			continue
		}
		if !r.refused() && !r.heard && !c.resume(0, "").heard {
			t.Unknown("with the position %s a message published later did not come, but nor did one without any position: it is not the position", sse.Escape([]byte(position)))
		}
		alive(t, r.follower, position, r.heard, "a message published later", r.outcome())
	}
	t.Conclude("messages published later came, or the position was refused")
}

// later is how long after a message that did not come another one is tried: positions that hold a clock may lie ahead of it.
const later = 2 * time.Second

// laterHeard says whether a subscriber that missed a message gets one that is published later still.
func laterHeard(c *course, f *follower) bool {
	c.t.Hold(f.tap(), later)
	c.publish(1)
	return f.hearsWithin(c.text(c.published), c.patience)
}

// strangePositions are some that were never given.
func strangePositions() []string {
	return []string{"never-existed", "7f3c1f0e-5b0c-4c43-8f0e-3a8f2a0a9d11", "99999999999"}
}

// alive judges an answer to a position that was never given.
func alive(t *Trial, f *follower, position string, heard bool, owed, came string) {
	t.Count(1)
	status := f.status()
	t.Classify(fmt.Sprintf("with the position %s came %s", sse.Escape([]byte(position)), came), f.evidence(1),
		passes(owed, heard),
		passes("a refusal with 4xx, which tells the client", status >= 400 && status < 500),
		tolerates("status 204, which ends an EventSource", status == http.StatusNoContent),
	)
}

// "An unknown or evicted id is signalled (header, reset/resync event, full snapshot or documented 4xx), so the client can tell that
// data may be missing."
func tellsOfUnknownPosition(t *Trial) {
	c := t.course()
	c.publish(4)
	c.mustResume()
	usual := t.usual(c)
	for _, position := range strangePositions()[:2] {
		signalled(t, c.resume(0, position), "an unknown position", usual)
	}
	if h := t.Subject.History; h > 0 && h <= mostFilled && !t.canAfford(2*h/publishedAtOnce) {
		t.Conclude("the client is told of positions that were never given: by a header, an event or a refusal; filling the history would take too long to see it of one that was evicted")
	}
	if evicted := c.evict(); evicted > 0 {
		r := c.from(evicted)
		partial := len(r.missed) > 0 && len(r.got) > 1
		switch {
		case !r.refused() && len(r.missed) == 0:
		case c.counts() && t.Subject.Gap == "": // the jump tells
		case partial && !c.counts() && t.suite.asked["SSE-RESUME-008"]: // which tells of it
		default:
			signalled(t, r, "an evicted position", usual)
		}
	}
	t.Conclude("the client is told: by a header, an event or a refusal")
}

func signalled(t *Trial, r *replay, what string, usual []*follower) {
	t.Count(1)
	t.Classify(fmt.Sprintf("%s was answered as an exact one is, and then came %s", what, r.outcome()), r.evidence(),
		passes("a sign that an exact resume does not have: a header, an event, a refusal with 4xx", len(t.notices(r.follower, usual...)) > 0),
		informs("the whole stream from its first message, so that nothing can be missing", len(r.missed) == 0 && !r.refused()),
	)
}

// usual are two exact resumes, for comparison.
func (t *Trial) usual(c *course) []*follower {
	usual := []*follower{c.from(c.published - 2).follower, c.from(c.published - 1).follower}
	for _, f := range usual {
		if f.status() != http.StatusOK {
			t.Unknown("even an exact position was refused: %s", f.refused)
		}
	}
	return usual
}

// evict publishes until what was published so far must have left the history, and returns a message that has; 0 when no history
// of a size that can be filled is declared.
func (c *course) evict() int {
	h := c.t.Subject.History
	if h == 0 || h > mostFilled {
		return 0
	}
	n := c.published
	c.t.Allow(time.Duration(h) * 5 * time.Millisecond)
	c.fill(2*h + 50)
	return n
}

// "An evicted id never yields a silent partial replay presented as complete."
func tellsOfHole(t *Trial) {
	c := t.course()
	c.publish(4)
	c.mustResume()
	usual := t.usual(c)
	n := c.evict()
	if n == 0 {
		t.Skip("no history of at most %s is declared, so none can be made to overflow: describe history in the target file", conformance.Plural(mostFilled, "event"))
	}
	for range 3 {
		r := c.from(n)
		t.Count(1)
		told := len(t.notices(r.follower, usual...)) > 0
		if told && !r.heard {
			c.silent-- // a sign is an answer
		}
		partial := !r.refused() && len(r.missed) > 0 && len(r.got) > 1
		if partial && !told && !c.counts() {
			t.Deviation("all of "+spans(r.expected)+", or a sign that some are missing", fmt.Sprintf("%d of them without a sign", len(r.expected)-len(r.missed)), r.evidence())
		}
	}
	c.answered()
	t.Conclude("no replay with a hole looked complete")
}

// counts says whether the ids of the stream are consecutive numbers, so that each hole shows as a jump.
func (c *course) counts() bool {
	last, prefix := 0, ""
	for i, e := range c.observer.seen {
		n, counted := trailingNumber(e.ID)
		stem := strings.TrimRight(e.ID, "0123456789")
		if !counted || i > 0 && (n != last+1 || stem != prefix) {
			return false
		}
		last, prefix = n, stem
	}
	return len(c.observer.seen) > 1
}

// "After a restart of the server an old id resumes correctly, as from a durable history, or the client is told that it is unknown."
func outlivesRestart(t *Trial) {
	for _, r := range afterRestart(t) {
		if r.mistaken() {
			t.seeInstead("SSE-RESUME-021", "with %s", r)
		}
		t.Classify("with "+r.String(), r.evidence(),
			passes("messages "+spans(r.expected), r.exact()),
			passes("a sign that something may be missing", r.told),
		)
	}
	t.Conclude("a position from before the restart resumed exactly, or the client was told that it could not")
}

// "A position from before a restart is never mistaken for one after it: a counter that begins anew does not hide what was published since."
func neverMistakesOldPositions(t *Trial) {
	silent := 0
	for _, r := range afterRestart(t) {
		if !r.heard && len(r.follower.seen) == 0 && r.follower.status() == http.StatusOK {
			silent++ // a good head alone is no answer
		}
		if r.mistaken() {
			t.Deviation("all messages since the restart, or none, or a sign that some are missing", "with "+r.String(), r.evidence())
		}
	}
	t.without(silent)
	t.Conclude("no position from before the restart was taken for one after it")
}

// reborn is a replay behind a position from before a restart.
type reborn struct {
	*replay

	before int  // the newest message from before the restart
	told   bool // the client was told that something may be missing
}

// mistaken says whether some of what was published since the restart came and some, before that, did not.
func (r reborn) mistaken() bool {
	since := slices.DeleteFunc(slices.Clone(r.expected[:len(r.expected)-1]), func(n int) bool { return n <= r.before }) // without the live one
	came := common(since, r.got)
	return !r.told && len(came) > 0 && len(came) < len(since)
}

func (r reborn) String() string {
	text := fmt.Sprintf("a position from before the restart, behind message %d of %d, came %s", r.after, r.before, r.outcome())
	if !r.told {
		text += " without a sign"
	}
	return text
}

// afterRestart resumes with positions from before a restart. A restart before all that makes both lives count from the beginning.
func afterRestart(t *Trial) (replays []reborn) {
	t.restart()
	c := t.course()
	c.publish(6)
	c.mustResume()
	usual := t.usual(c)
	t.restart()
	c.observer, c.before = t.follow([]string{c.stream}), c.published
	c.publish(5)
	for _, n := range []int{1, 3, c.before} {
		r := c.from(n)
		t.Count(1)
		replays = append(replays, reborn{replay: r, before: c.before, told: len(t.notices(r.follower, usual...)) > 0})
	}
	return replays
}

// restart restarts the subject and waits until it serves and takes messages again.
func (t *Trial) restart() {
	t.Doing("the target is restarted")
	if err := t.Subject.Restart(t.Context()); err != nil {
		t.interrupted()
		t.Unknown("the target could not be restarted: %v", err)
	}
	t.Doing("the target is awaited")
	f := t.follower([]string{t.Stream()})
	for end, served := time.Now().Add(t.arrival), 0; served < 3; {
		if time.Now().After(end) {
			t.Unknown("the target did not come back within %v: %s", t.arrival, f.refused)
		}
		// Connections that are kept for publishing may be dead, and show it only when they are used.
		if f.open() && t.Publish(Message{Stream: f.streams[0], Data: t.Unique()}).Acceptance == Acknowledged {
			served++
			f.leave()
			continue
		}
		t.wait(100 * time.Millisecond)
	}
}

// backlog fills a course with as many messages as the parameter says and the declared history holds, and returns their order.
func (t *Trial) backlog() (*course, []int) {
	messages := t.affordable(int(t.Number("backlog")))
	if h := t.Subject.History; h > 0 {
		messages = min(messages, h*4/5)
	}
	c := t.course()
	t.Allow(time.Duration(messages) * 5 * time.Millisecond)
	c.fill(messages)
	c.mustHaveIDs()
	return c, c.series.numbers(0, c.observer.seen)
}

// "A large replay is streamed and bounded in memory; it does not delay live delivery to others."
func replaysWithoutDelayingOthers(t *Trial) {
	mustResume(t)
	c, order := t.backlog()
	live := t.follow([]string{t.Stream()})
	replays := int(t.Number("replays"))
	what := fmt.Sprintf("live messages while %d others replay %s", replays, conformance.Plural(len(order), "message"))
	var replayed atomic.Int64
	usual, loaded := t.notSlower(live, what, replays, func(over <-chan struct{}) { replayUntil(t, c, c.ids[order[0]], over, &replayed) })
	if n := replayed.Load(); n < int64(len(order)) {
		t.Unknown("the replays brought %s in all, where each asked for %d: there was nothing to be delayed by", conformance.Plural(n, "message"), len(order)-1)
	}
	t.Count(int(replayed.Load()) / len(order))
	t.Pass(fmt.Sprintf("p99 of live messages was %v, and %v beside replays of %s", usual, loaded, conformance.Plural(len(order), "message")))
}

// replayUntil replays the whole backlog again and again, and counts what came.
func replayUntil(t *Trial, c *course, oldest string, over <-chan struct{}, replayed *atomic.Int64) {
	for {
		select {
		case <-over:
			return
		default:
		}
		f := t.follower([]string{c.stream})
		if f.position = oldest; !f.open() {
			return
		}
		f.hears(c.text(c.published))
		replayed.Add(int64(len(f.seen)))
		for _, p := range f.taps {
			p.discard()
		}
	}
}

// "A client disconnecting during replay and resuming from the last received id continues correctly, repeatedly."
func resumesInsideReplay(t *Trial) {
	mustResume(t)
	c, order := t.backlog()
	inOnePiece(t, c, order)
	order = append(order, c.published) // the live one
	order = order[max(0, len(order)-inPieces):]
	f := cutAgainAndAgain(t, c, order)
	t.Count(len(f.taps))
	want, got := order[1:], c.series.numbers(0, f.seen)
	if at := firstDifference(want, got); at < max(len(want), len(got)) {
		t.Fail(fmt.Sprintf("the %s of the backlog, once and in order", conformance.Plural(len(want), "message")),
			fmt.Sprintf("%s over %s, and the first difference after %d of them", conformance.Plural(len(got), "message"), conformance.Plural(len(f.taps), "connection"), at), f.evidence(f.connectionOf(at)))
	}
	t.Conclude(fmt.Sprintf("a replay of %s was cut %s and came exactly", conformance.Plural(len(want), "message"), conformance.Plural(len(f.taps)-1, "time")))
}

// inOnePiece replays a backlog without a cut: a replay that ends with its first page leaves a hole before what is live.
func inOnePiece(t *Trial, c *course, order []int) {
	r := c.resume(0, c.ids[order[0]])
	t.Count(1)
	if missing := r.holes(order[1:], r.got); len(missing) > 0 && !t.told(c, r) {
		t.Fail(fmt.Sprintf("all of the %s of the backlog behind the first that came, or a sign that some are missing", conformance.Plural(len(order)-1, "message")),
			fmt.Sprintf("%d came, and then a live one without the %d between", len(r.got)-1, len(missing)), r.evidence())
	}
}

// inPieces is how many events of a backlog are replayed so.
const inPieces = 400

// mostCuts bounds how often one replay is cut.
const mostCuts = 400

// cutAgainAndAgain replays a backlog on connections of which each is cut behind a random byte.
func cutAgainAndAgain(t *Trial, c *course, order []int) *follower {
	random := rand.New(rand.NewPCG(seedOf(c.stream), 1)) //nolint:gosec // repeatable, not secret
	f := t.follower([]string{c.stream})
	f.position = c.ids[order[0]]
	newest := order[len(order)-1]
	for idle := 0; len(f.taps) < mostCuts && idle < 4*mostIdle && !f.saw(c.series, 0, newest); idle++ {
		cut, before := new(fuse), len(f.seen)
		if !f.open(Dialing(cut.dial)) {
			t.Absent("a stream", fmt.Sprintf("after %s: %s", conformance.Plural(len(f.taps), "connection"), f.refused), f.evidence(len(f.taps)))
		}
		cut.burn(1 + random.IntN(mostCut/4<<min(idle, 10))) // further on when nothing came: a stream may begin with much that is no event
		f.tap().Await(t.Context(), quiet, func(r *Record) bool {
			return len(r.Events) > 0 && r.contains(c.text(newest))
		})
		f.leave()
		t.interrupted()
		if len(f.seen) > before {
			idle = 0
		}
	}
	return f
}

// "Events are kept to resume from for as long as is declared."
func keepsForDeclaredAge(t *Trial) {
	age, longest := t.Subject.HistoryAge, t.Duration("longest")
	if age == 0 || age > longest {
		t.Skip("no age of at most %v is declared for the history; --set %s.longest=DURATION waits longer", longest, t.Requirement.ID)
	}
	c := t.course()
	messages := 5
	if h := t.Subject.History; h > 0 {
		messages = max(2, min(messages, h-2))
	}
	c.publish(messages)
	c.mustHaveIDs()
	old := age * 3 / 4
	t.Allow(old)
	t.Doing("messages become %v old", old)
	t.wait(old)
	r := c.from(1)
	t.Count(len(r.expected))
	if r.refused() || len(r.missed) > 0 {
		t.Fail(fmt.Sprintf("messages %s, %v old, because a history of %v is declared", spans(r.expected), old, age), r.outcome(), r.evidence())
	}
	t.Pass(fmt.Sprintf("messages %v old could be resumed from", old))
}
