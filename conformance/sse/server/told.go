package server

import (
	"fmt"

	"github.com/streamgauge/streamgauge/conformance"
)

// askedOf are the requirements that a check of the subject judges.
func askedOf(subject *Subject, cases []Case, joined *conformance.Suite) map[string]bool {
	asked := map[string]bool{}
	for _, c := range cases {
		r := conformance.RequirementByID(c.Requirement)
		asked[c.Requirement] = r != nil && r.AppliesTo(joined.Profile) && r.Selected(joined.Only) && subject.lacks(r) == ""
	}
	return asked
}

// seeInstead ends the case when what was seen is for another requirement to tell, so that one cause is told once. In a check that does not
// judge the other one, this one tells it.
func (t *Trial) seeInstead(id, format string, args ...any) {
	if t.suite.asked[id] {
		t.Skip("%s: see %s", fmt.Sprintf(format, args...), id)
	}
}

// mustBeText ends the case where what came is no UTF-8.
func (t *Trial) mustBeText(p *Tap) {
	if body := p.Body(); len(body) > 0 && !wholeUTF8(body) {
		t.seeInstead("SSE-FORM-001", "what came is not valid UTF-8")
	}
}

// mustBreakLines ends the case where not even a payload of two plain lines arrives as such.
func (t *Trial) mustBreakLines(p *Tap) {
	data := t.Unique() + "\nsecond line"
	delivered(t, p, Message{Data: data}, func(events []Event, _ int) {
		for _, e := range events {
			if carries(e.Data, data) {
				return
			}
		}
		t.seeInstead("SSE-FORM-003", "a payload of two lines does not arrive")
	})
}
