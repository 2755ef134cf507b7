package server

import (
	"fmt"
	"slices"
	"time"

	"github.com/streamgauge/streamgauge/conformance"
)

// comeback is what a subscriber got that left and came back, beside what a witness saw that stayed: for subjects on which others
// publish and the harness cannot. Events are told apart by their ids.
type comeback struct {
	position string
	witness  []Event // up to the newest that both could have
	got      []Event
	follower *follower
}

const (
	witnessQuiet = 5 * time.Second // how long something must come in, at the longest
	witnessVisit = 3               // events between leaving and coming back
	comebacks    = 2               // so that there are three connections
)

// witnessed lets one subscriber leave and come back beside one that stays, and hands on each comeback.
func witnessed(t *Trial, judge func(*comeback)) {
	stream := []string{t.Stream()}
	w, f := t.follow(stream), t.follow(stream)
	t.happens(w, 2)
	t.happens(f, 2)
	t.mustTellApart(w)
	silent := 0
	for range comebacks {
		f.leave()
		t.reaches(w, f.position)
		t.happens(w, len(w.seen)+witnessVisit)
		from := &comeback{position: f.position, follower: f}
		start := len(f.seen)
		if !f.open() {
			t.Unknown("the target refused a position of its own: %s", f.refused)
		}
		t.happens(w, len(w.seen)+1)
		f.hears(w.seen[len(w.seen)-1].Data)
		from.witness, from.got = slices.Clone(w.seen), f.seen[start:]
		if !t.claimsResume() && from.silent() {
			t.Skip("the target does not declare resume, and replays nothing")
		}
		if len(from.got) == 0 {
			silent++
		}
		t.Count(1)
		judge(from)
	}
	if silent > 0 && !t.Deviated() {
		t.Unknown("nothing arrived after %d of %s, though a subscriber that stayed got events: there is nothing to judge", silent, conformance.Plural(comebacks, "comeback"))
	}
	t.Conclude(fmt.Sprintf("%s beside a subscriber that stayed", conformance.Plural(comebacks, "comeback")))
}

// happens waits until the follower has seen so many events. Without any there is nothing to judge by.
func (t *Trial) happens(f *follower, events int) {
	t.Doing("events that others publish are awaited")
	for end := time.Now().Add(witnessQuiet); len(f.seen) < events; {
		f.tap().Await(t.Context(), time.Until(end), func(r *Record) bool { return len(r.Events) > f.taken })
		f.take()
		t.interrupted()
		ended, _ := f.tap().Ended()
		switch {
		case ended && !f.comeBack():
			t.Unknown("the stream did not stay open: %s", f.refused)
		case !ended && len(f.seen) < events && time.Now().After(end):
			t.Skip("needs a publisher: describe publish in the target file; nobody else published enough within %v", witnessQuiet)
		}
	}
}

// reaches waits until a witness, who may be behind, has seen the event with an id as well, or should have.
func (t *Trial) reaches(w *follower, id string) {
	const most = 20
	for range most {
		if slices.ContainsFunc(w.seen, func(e Event) bool { return e.ID == id }) {
			return
		}
		t.happens(w, len(w.seen)+1)
	}
}

// mustTellApart ends the case when the events have no ids of their own.
func (t *Trial) mustTellApart(f *follower) {
	ids := map[string]bool{}
	for _, e := range f.seen {
		if e.ID == "" || ids[e.ID] {
			if e.ID == "" && t.claimsResume() && t.Requirement.ID == areaResume {
				t.Fail("an id in each event, because the target declares resume", "the events carry no id", f.tap().Evidence())
			}
			t.Skip("the events carry no id of their own, so nobody can resume exactly")
		}
		ids[e.ID] = true
	}
}

// expected are what the witness saw behind the position.
func (v *comeback) expected() []Event {
	at := slices.IndexFunc(v.witness, func(e Event) bool { return e.ID == v.position })
	return v.witness[at+1:]
}

// missed are expected and did not come.
func (v *comeback) missed() (missed []Event) {
	got := idsOf(v.got)
	for _, e := range v.expected() {
		if !slices.Contains(got, e.ID) {
			missed = append(missed, e)
		}
	}
	return missed
}

// hole is what was missed although something later came.
func (v *comeback) hole() (hole []Event) {
	got, expected, missed := idsOf(v.got), v.expected(), []Event(nil)
	for _, e := range expected {
		if slices.Contains(got, e.ID) {
			hole, missed = append(hole, missed...), nil
			continue
		}
		missed = append(missed, e)
	}
	return hole
}

// stale are events that the witness saw before the position or at it.
func (v *comeback) stale() (stale []Event) {
	before := idsOf(v.witness[:len(v.witness)-len(v.expected())])
	for _, e := range v.got {
		if slices.Contains(before, e.ID) {
			stale = append(stale, e)
		}
	}
	return stale
}

// common are the ids that both saw, in the order of the witness and of the one who came back.
func (v *comeback) common() (witness, got []string) {
	expected := idsOf(v.expected())
	for _, id := range idsOf(v.got) {
		if slices.Contains(expected, id) && !slices.Contains(got, id) {
			got = append(got, id)
		}
	}
	for _, id := range expected {
		if slices.Contains(got, id) {
			witness = append(witness, id)
		}
	}
	return witness, got
}

// silent says that nothing of what happened meanwhile was replayed.
func (v *comeback) silent() bool {
	expected := v.expected()
	return len(v.missed()) >= min(witnessVisit, len(expected))
}

func (v *comeback) evidence() []string { return v.follower.evidence(len(v.follower.taps)) }

func idsOf(events []Event) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}

// aliveBesideWitness decides "An unknown id never leaves the client deaf" where others publish.
func aliveBesideWitness(t *Trial) {
	stream := []string{t.Stream()}
	w := t.follow(stream)
	t.happens(w, 1)
	for _, position := range strangePositions() {
		f := t.follower(stream)
		f.position = position
		opened := f.open()
		w.take() // what has come by now was published before
		from := len(w.seen)
		t.happens(w, from+2)
		heard := opened && (f.hears(w.seen[len(w.seen)-1].Data) || f.shares(w, from))
		alive(t, f, position, heard, "what another subscriber saw later", describe(f.seen))
	}
	t.Conclude("what another subscriber saw later came, or the position was refused")
}

// shares says whether a follower has seen something of what the witness saw from there on. The witness may be behind, so that the first of that was
// published before the other was there.
func (f *follower) shares(w *follower, from int) bool {
	w.take()
	f.take()
	return slices.ContainsFunc(f.seen, func(mine Event) bool {
		return slices.ContainsFunc(w.seen[from:], func(other Event) bool { return mine.Data == other.Data })
	})
}
