package server

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/streamgauge/streamgauge/conformance"
	"github.com/streamgauge/streamgauge/conformance/sse"
)

// "What is replayed is what live subscribers saw: each event has the id, the type and the data that it had then."
func replaysWhatWasSeen(t *Trial) {
	a := &alterations{t: t}
	if t.Subject.Publish == nil {
		witnessed(t, func(v *comeback) {
			before := a.compared
			for _, e := range v.got {
				if at := slices.IndexFunc(v.witness, func(live Event) bool { return live.ID == e.ID }); at >= 0 {
					a.compare("the event "+sse.Escape([]byte(e.ID)), v.witness[at], e, e.Data, v.evidence)
				}
			}
			if a.report(); a.compared == before && !v.silent() {
				t.seeInstead("SSE-RESUME-001", "no event came after a comeback that a subscriber saw who stayed")
				t.Unknown("no event came after a comeback with an id that a subscriber saw who stayed")
			}
		})
		return
	}
	v := &variety{course: t.course(), payloads: map[mark]string{}}
	v.course.publish(1)
	v.publish(longKinds(t))
	middle := v.course.published + 1
	v.course.publish(1)
	v.publish(shortKinds(t))
	v.course.publish(2)
	v.course.mustResume()
	v.learn()
	for _, n := range []int{1, middle} {
		r := v.course.from(n)
		a.replayed(v, r)
		if s := r.follower.status(); r.refused() && s < http.StatusInternalServerError && s != http.StatusOK {
			v.course.refused-- // it is told that its position is known no more
		}
	}
	a.report()
	v.course.sampled()
	if a.compared == 0 {
		t.seeInstead("SSE-RESUME-001", "nothing was replayed")
		t.Unknown("nothing was replayed")
	}
	t.Count(a.compared)
	t.Conclude(fmt.Sprintf("%d events were replayed as a subscriber had seen them who stayed", a.compared))
}

// replayed compares what came back with what was seen live, and looks for what is missing between others: a history that has become too
// small forgets the oldest first.
func (a *alterations) replayed(v *variety, r *replay) {
	var came []int
	for _, marked := range []bool{true, false} {
		for i, e := range r.follower.seen {
			at, byMark := v.place(e)
			if at < 0 || byMark != marked || !marked && (slices.Contains(came, at) || e.ID == r.follower.asked) { // a sign of the target's own may have an id that it does not owe
				continue
			}
			came = append(came, at)
			live := v.live[at]
			a.compare("the event of "+conformance.Plural(len(live.Data), "byte"), live, e, v.payloadOf(live), func() []string { return r.follower.evidenceOf(i) })
		}
	}
	missing := r.holes(v.owed(), came)
	if len(missing) == 0 || a.t.told(v.course, r) {
		return
	}
	missed := v.live[missing[0]]
	a.t.Deviation("all events behind the first that is replayed, or a sign that one is missing",
		fmt.Sprintf("%d did not come beside %d that did, the first of which has the type %s and %s of data: %s",
			len(missing), len(came), sse.Escape([]byte(missed.Type)), conformance.Plural(len(missed.Data), "byte"), excerpt(missed.Data)), r.evidence())
}
