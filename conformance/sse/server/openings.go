package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// openings counts all that cases ask for with which any subject must be expected to open a stream, and what came instead.
type openings struct {
	mu    sync.Mutex
	all   int
	wrong []wrongOpening
}

// wrongOpening is what came instead of a stream.
type wrongOpening struct {
	kind     string
	weak     bool // load explains it as well
	odd      bool // no subscription is answered like this
	evidence []string
}

// eachOpening is the requirement that tells of wrong openings, wherever they were seen.
const eachOpening = "SSE-HTTPS-029"

func (o *openings) note(wrong *wrongOpening) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all++
	if wrong != nil {
		o.wrong = append(o.wrong, *wrong)
	}
}

// since are the openings behind the first ones.
func (o *openings) since(all, wrong int) (more int, instead []wrongOpening) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all - all, slices.Clone(o.wrong[wrong:])
}

// expects says whether a subscription is one that a subject answers with a stream, or refuses each time.
func (t *Trial) expects(o *opening) bool {
	judged := t.judgesRoom() || conformance.AreaOf(t.Requirement.ID) == "AUTH" || t.Subject.Origin != nil
	return !judged && !o.anonymous && !o.mistaken && !o.strange
}

// ordinary says whether it may not even be refused, for what it asks or for what goes on meanwhile.
func (t *Trial) ordinary(o *opening) bool {
	if t.turn != conformance.Beside && t.Requirement.ID != eachOpening || o.Position != "" || len(o.edit) > 0 {
		return false
	}
	return t.expects(o) && !slices.ContainsFunc(o.Streams, func(name string) bool { return !strings.HasPrefix(name, "streamgauge-"+t.suite.run) })
}

// noted counts an opening from which a stream must be expected, and says whether it was wrong. Of others a page, a redirect or an error is wrong, and
// counts once the same subscription gets a stream after all: else it is for the case to judge.
func (t *Trial) noted(o *opening, p *Tap) (wrong bool) {
	w, all := insteadOf(p), &t.suite.openings
	switch {
	case t.turnedAway(p):
	case t.ordinary(o) && !p.returning:
		all.note(w)
		return w != nil
	case !t.expects(o):
	case w == nil:
		for i := range o.odd {
			all.note(&o.odd[i])
		}
		o.odd = nil
	case w.odd:
		o.odd = append(o.odd, *w)
		return true
	}
	return false
}

// insteadOf is what an answer is instead of a stream; nil when it is one.
func insteadOf(p *Tap) *wrongOpening {
	if p.Status() == http.StatusOK && p.Response.EventStream() {
		return nil
	}
	broken := p.Status() >= http.StatusInternalServerError
	w := &wrongOpening{kind: fmt.Sprintf("status %d", p.Status()), weak: broken, odd: broken, evidence: append(p.Head(), p.Curl())}
	switch {
	case p.Status() == http.StatusOK:
		w.odd = true
		w.kind += fmt.Sprintf(" with content type %q", p.Header("Content-Type"))
	case p.Status()/100 == 3:
		w.odd = true
		w.kind += " to " + p.redact(addressed(p.Header("Location")))
	}
	return w
}

// addressed is a redirect's target without what differs each time.
func addressed(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return location
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}

// asksAgain says whether a case tries once more after a wrong opening: it is told elsewhere, and not what the case is about.
func (t *Trial) asksAgain() bool {
	id := t.Requirement.ID
	return t.suite.asked[eachOpening] && id != eachOpening && t.suite.obstacle == nil
}

// "Whoever asks for a stream gets one, each time."
//
// It opens some, one after the other, and counts those of all other cases as well.
func everyOpeningIsAStream(t *Trial) {
	o := &t.suite.openings
	all, wrong := o.since(0, 0)
	before := len(wrong)
	for range int(t.Number("openings")) {
		t.Allow(t.arrival)
		t.Doing("streams are opened, one after the other")
		o.note(t.openOne())
		t.interrupted()
	}
	t.awaitOthers()
	all, wrong = o.since(all, before)
	t.Sample(all, "opening")
	if len(wrong) == 0 {
		t.Pass(fmt.Sprintf("%d of %d openings gave a stream", all, all))
	}
	note := t.Deviation
	if !slices.ContainsFunc(wrong, func(w wrongOpening) bool { return !w.weak }) {
		note = t.Absence
	}
	what := fmt.Sprintf("%d of %d openings were wrong: %s", len(wrong), all, kindsOf(wrong))
	note("a stream each time: status 200, text/event-stream, and a body that stays open", what, wrong[0].evidence)
	t.Conclude(what)
}

// kindsOf words what came instead, the most frequent first.
func kindsOf(wrong []wrongOpening) string {
	counts := map[string]int{}
	var kinds []string
	for _, w := range wrong {
		if counts[w.kind]++; counts[w.kind] == 1 {
			kinds = append(kinds, w.kind)
		}
	}
	slices.SortStableFunc(kinds, func(a, b string) int { return counts[b] - counts[a] })
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%d × %s", counts[kind], kind)
	}
	const most = 6
	if len(kinds) > most {
		kinds = append(kinds[:most], "…")
	}
	return strings.Join(kinds, ", ")
}

// brokenOff are the ends of connections that brought no response.
var brokenOff = map[sse.Cause]string{
	sse.CauseRefused: "a connection that was refused", sse.CauseReset: "a connection that was reset without a response",
	sse.CauseNoResponse: "a connection that was closed without a response", sse.CauseMalformed: "what is not HTTP",
}

// endsAtOnce is within what time it is seen that a stream ended with its head.
const endsAtOnce = 50 * time.Millisecond

// openOne opens a stream, looks at it for a moment and closes it; nil when it is one, or could not be had for another reason than the subject.
func (t *Trial) openOne() *wrongOpening {
	streams := []string{t.Stream()}
	o := t.opening(streams)
	p, err := t.open(o)
	switch broken := brokenOff[sse.CauseOf(err)]; {
	case err != nil && broken != "":
		return &wrongOpening{kind: broken, weak: true, evidence: []string{err.Error(), curl(t.Subject, t.Request(streams))}}
	case err != nil, t.turnedAway(p):
		return nil
	}
	defer p.discard()
	if wrong := insteadOf(p); wrong != nil {
		return wrong
	}
	p.Await(t.Context(), endsAtOnce, func(r *Record) bool { return r.Bytes > 0 })
	if ended, err := p.Ended(); ended && p.Bytes() == 0 {
		return &wrongOpening{kind: "a stream that ended at once, empty", evidence: append(p.Head(), endText(err), p.Curl())}
	}
	return nil
}

// awaitOthers waits until only those are left that wait.
func (t *Trial) awaitOthers() {
	t.Doing("the other cases are awaited")
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for t.othersGoOn() {
		t.Allow(time.Second)
		select {
		case <-every.C:
		case <-t.Others():
		case <-t.Context().Done():
			t.interrupted()
		}
	}
}
