package server

import (
	"fmt"
	"slices"
	"time"
)

// course is one stream on which a numbered series is published, and the positions behind its messages as an observer that stays
// connected was told them.
type course struct {
	t         *Trial
	stream    string
	series    series
	published int
	before    int // how many of those were published before this observer came
	observer  *follower
	ids       []string // of message n at n; ids[0] is unused
	patience  time.Duration
	silent    int // resumes after which nothing arrived, not even what was published once they were back
	refused   int // resumes that were given no stream
}

func (t *Trial) course() *course {
	return t.courseOn(t.follow([]string{t.Stream()}))
}

// courseOn is a course on the stream that a subscriber follows.
func (t *Trial) courseOn(observer *follower) *course {
	return &course{t: t, stream: observer.streams[0], series: t.series(), ids: []string{""}, patience: t.arrival, observer: observer}
}

// text is the data of message n.
func (c *course) text(n int) string { return c.series.text(0, n) }

// fill publishes the next n messages as fast as that goes, so that they have no order, and waits until the observer has them. It does
// so in portions, so that an observer whose streams are ended now and then does not fall behind the history.
func (c *course) fill(n int) {
	if !c.t.canAfford(n / publishedAtOnce) { // even if it does them all at once
		c.t.mustHaveTimeFor(n)
	}
	began, all := time.Now(), n
	portion := usualPortion
	if h := c.t.Subject.History; h > 0 {
		portion = max(1, min(portion, h/4))
	}
	for ; n > 0; n -= portion {
		first := c.published + 1
		c.published += min(n, portion)
		c.t.publishAll(c.stream, c.series, 0, first, c.published)
		c.learn()
		if n == all {
			c.t.mustAfford(time.Since(began)/time.Duration(min(n, portion)), all)
		}
	}
}

// usualPortion is how many messages are published before an observer must have them.
const usualPortion = 250

// publish publishes the next n messages one after the other and waits until the observer has them.
func (c *course) publish(n int) {
	for range n {
		c.send()
	}
	c.learn()
}

func (c *course) send() {
	c.published++
	c.t.Send(c.stream, c.text(c.published))
}

// learn notes the positions behind all messages.
func (c *course) learn() {
	missing := c.note()
	for _, n := range append([]int{c.published}, missing...) {
		if !c.observer.hears(c.text(n)) {
			c.t.Unknown("a plain message did not reach a subscriber within %v of its acknowledgement", c.t.arrival)
		}
	}
	c.note()
}

// note takes the positions out of what the observer has seen, and returns the messages of which it has none.
func (c *course) note() (missing []int) {
	ids, seen := make([]string, c.published+1), make([]bool, c.published+1)
	copy(ids, c.ids[:c.before+1])
	for _, e := range c.observer.seen {
		if _, n, ok := c.series.find(e.Data); ok && n > c.before && n <= c.published && !seen[n] {
			ids[n], seen[n] = e.ID, true
		}
	}
	c.ids = ids
	for n := c.published - 1; n > c.before; n-- {
		if !seen[n] {
			missing = append(missing, n)
		}
	}
	return missing
}

// mustHaveIDs ends the case when there is nothing to resume from.
func (c *course) mustHaveIDs() {
	known := map[string]bool{}
	for n := 1; n <= c.published; n++ {
		if id := c.ids[n]; id == "" {
			c.withoutIDs()
		} else if known[id] {
			c.ambiguous()
		}
		known[c.ids[n]] = true
	}
}

// ambiguous ends the case where a position does not say which of several events was the last.
func (c *course) ambiguous() {
	const why = "several events have the same id, so a position does not tell which of them was the last"
	if slices.Contains(c.observer.identified(), false) {
		c.t.seeInstead("SSE-FORM-013", "not every event has an id, so a position does not tell which was the last")
	}
	c.t.seeInstead("SSE-FORM-014", why)
	if c.t.claimsResume() && c.t.Requirement.ID == areaResume {
		c.t.Fail("an id of its own in each event, because the target declares resume", why, c.observer.tap().Evidence())
	}
	c.t.Skip(why)
}

// claimsResume says whether resuming was promised.
func (t *Trial) claimsResume() bool { return t.Subject.Can("resume") }

const areaResume = "SSE-RESUME-001"

func (c *course) withoutIDs() {
	if c.t.claimsResume() && c.t.Requirement.ID == areaResume {
		c.t.Fail("an id in each event, because the target declares resume", "the events carry no id", c.observer.tap().Evidence())
	}
	c.t.Skip("the events carry no id, so nobody can resume")
}

// mustResume ends the case when resuming was neither promised nor happens: then nothing is owed to who was away.
func (c *course) mustResume() {
	c.mustHaveIDs()
	if c.t.claimsResume() {
		return
	}
	if r := c.from(1); len(r.missed) > 0 && len(r.missed) >= len(r.expected)-1 { // all but what was live
		c.t.Skip("the target does not declare resume, and replays nothing")
	}
}

// replay is what a subscriber got that came back.
type replay struct {
	after    int           // the message whose position it named
	expected []int         // the messages behind that one
	got      []int         // up to and including a live message, published once it was back
	missed   []int         // expected, and not among got
	stale    []int         // not behind its position, but sent
	repeated []int         // sent more than once
	follower *follower     // where it came from
	heard    bool          // the live message arrived
	waited   time.Duration // for it
}

// again are the messages that came although the subscriber had them.
func (r *replay) again() []int { return append(slices.Clone(r.stale), r.repeated...) }

func (r *replay) evidence() []string { return r.follower.evidence(1) }

// refused says that there was no stream.
func (r *replay) refused() bool { return len(r.follower.taps) == 0 || r.follower.refused != "" }

// from resumes behind message n.
func (c *course) from(n int, options ...Option) *replay { return c.resume(n, c.ids[n], options...) }

// resume comes back with a position, whatever it is, of which all messages behind n are expected. Then one more message is published.
func (c *course) resume(n int, position string, options ...Option) *replay {
	r := &replay{after: n, follower: c.t.follower([]string{c.stream}, options...)}
	r.follower.position = position
	opened := r.follower.open()
	c.publish(1)
	for i := n + 1; i <= c.published; i++ {
		r.expected = append(r.expected, i)
	}
	if opened {
		r.waited = c.patience
		r.heard = r.follower.hearsWithin(c.text(c.published), r.waited)
	}
	switch {
	case !opened:
		c.refused++
	case !r.heard:
		c.silent++
		c.patience = time.Second // a second one would not come either
	}
	r.judge(c.series.numbers(0, r.follower.seen))
	return r
}

// strangely comes back with any position, to see what must not come. That nothing comes at all is for other requirements.
func (c *course) strangely(position string) *replay {
	silent := c.silent
	r := c.resume(0, position)
	c.silent = silent
	return r
}

func (r *replay) judge(got []int) {
	r.got = got
	count := map[int]int{}
	for _, n := range got {
		if count[n]++; count[n] == 2 {
			r.repeated = append(r.repeated, n)
		}
		if n <= r.after && count[n] == 1 {
			r.stale = append(r.stale, n)
		}
	}
	for _, n := range r.expected {
		if count[n] == 0 {
			r.missed = append(r.missed, n)
		}
	}
}

// holes are what did not come of what was to come in this order, behind the first that did: a history that has become too small forgets the
// oldest first.
func (r *replay) holes(order, came []int) (missing []int) {
	first := slices.IndexFunc(order, func(n int) bool { return slices.Contains(came, n) })
	if first < 0 || !r.heard {
		return nil // what is missing at the end may be on its way
	}
	for _, n := range order[first:] {
		if !slices.Contains(came, n) {
			missing = append(missing, n)
		}
	}
	return missing
}

// sampled ends the case where nothing wrong was seen only because some of the resumes brought nothing at all.
func (c *course) sampled() { c.t.without(c.silent + c.refused) }

// answered is sampled where being refused is an answer as well.
func (c *course) answered() { c.t.without(c.silent) }

func (t *Trial) without(samples int) {
	if samples > 0 && !t.Deviated() {
		t.Unknown("nothing arrived after %d of the resumes, not even what was published when they were back: there is nothing to judge", samples)
	}
}

// exact says that all came once, in order, and nothing else.
func (r *replay) exact() bool { return slices.Equal(r.got, r.expected) }

// outcome words what came.
func (r *replay) outcome() string {
	if r.refused() {
		return "it was refused: " + r.follower.refused
	}
	if !r.heard && r.waited > 0 {
		return fmt.Sprintf("%s within %v", spans(r.got), r.waited)
	}
	return spans(r.got)
}
